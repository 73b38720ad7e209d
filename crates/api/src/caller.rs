//! Who calls, on whose behalf, and what they may do.

use crate::problem::Problem;
use crate::state::State;
use actix_web::HttpRequest;
use domain::operation::scopes::{Scope as Permission, Scopes};

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Tenant, actor and visibility, for the store.
    pub scope: store::Scope,
    /// What it may do.
    pub permissions: Scopes,
}

impl Caller {
    /// Refuses a caller without a permission.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        if self.permissions.allow(permission) {
            Ok(())
        } else {
            Err(Problem::forbidden(format!("the scope {permission} is needed")))
        }
    }
}

/// Who sent a request. Placeholder until tokens are verified.
pub(crate) async fn authenticate(_state: &State, _request: &HttpRequest) -> Result<Caller, Problem> {
    Err(Problem::unauthorized(None, "send an access token"))
}
