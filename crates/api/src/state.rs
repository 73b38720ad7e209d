//! What every request can reach.

use crate::auth::Auth;
use crate::cursor::CursorKey;
use crate::customer::document_uploads::Documents;
use crate::rate_limit::RateLimit;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::Store;

/// The running service, shared by all workers.
#[derive(Clone)]
pub struct State {
    /// The data.
    pub store: Arc<Store>,
    /// The content of documents.
    pub documents: Arc<Documents>,
    /// Who calls.
    pub auth: Arc<Auth>,
    /// Signs cursors.
    pub cursor_key: CursorKey,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
    /// What a tenant may send; none for no limit.
    pub rate_limit: Option<Arc<RateLimit>>,
    /// Set when the service is shutting down: it is no longer ready for new work.
    pub draining: Arc<AtomicBool>,
}

impl State {
    /// Whether the service is shutting down.
    pub fn is_draining(&self) -> bool {
        self.draining.load(std::sync::atomic::Ordering::Relaxed)
    }
}
