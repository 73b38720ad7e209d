//! Record rules: which records of the owned kinds a caller may see.

use sql::ids::{TeamId, UserId};

/// What a caller may see of the kinds that are owned ([`crate::registry::Registry::owned`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Every record of the tenant.
    All,
    /// Its own records, those of its team, and those of the team's members.
    Team {
        /// The caller.
        user: UserId,
        /// Its team; without one it sees its own records.
        team: Option<TeamId>,
    },
    /// The records it owns.
    Own {
        /// The caller.
        user: UserId,
    },
}
