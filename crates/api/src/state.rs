//! What every request can reach.

use crate::cursor::CursorKey;
use std::sync::Arc;
use store::Store;

/// The running service, shared by all workers.
#[derive(Clone)]
pub struct State {
    /// The data.
    pub store: Arc<Store>,
    /// Signs cursors.
    pub(crate) cursor_key: CursorKey,
}
