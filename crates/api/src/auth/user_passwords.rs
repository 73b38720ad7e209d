//! `PUT /v1/users/{id}/password`.

use super::login::Attempt;
use super::passwords::Password;
use crate::access::respond;
use crate::acting::Acting;
use crate::problem::Problem;
use crate::reply;
use crate::resource::Id;
use actix_web::{HttpRequest, HttpResponse};
use domain::operation::scopes::Scope as Permission;
use domain::{Fault, input};
use serde::Deserialize;
use sql::ids::{PrincipalId, RecordId};
use store::ActorKind;
use store::operation::{credentials, sessions};
use utoipa::ToSchema;

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The new one: 8 to 1,024 bytes, none of the commonest.
    password: Password,
    /// The present one. Users need it to change their own, also an admin.
    current_password: Option<Password>,
}

/// Set the password of a user.
///
/// Users change their own and prove it by the present one; whoever has the scope `admin` sets those of others. Every
/// other session of the user ends.
#[utoipa::path(put, path = "/v1/users/{id}/password", tag = "Users", operation_id = "set_user_password",
    params(("id" = uuid::Uuid, Path, description = "The user")), request_body = PasswordChange,
    responses((status = 204, description = "The password is set")),
    security(("bearer" = [])))]
pub async fn set(request: HttpRequest, Id(user): Id, mut acting: Acting) -> Result<HttpResponse, Problem> {
    let principal = acting.caller.principal();
    let own = principal.kind == ActorKind::User && principal.id.0 == user.0;
    if !own {
        acting.caller.require(Permission::Admin)?;
    }
    let change: PasswordChange = input::parse_body(&acting.take_body()?).map_err(Problem::invalid)?;
    if let Some(fault) = change.password.fault("/password") {
        return Err(Problem::invalid(vec![fault]));
    }
    if own {
        prove(&acting, &request, user, change.current_password).await?;
    }
    let hash = acting.state.auth.passwords.hash(change.password).await?;
    let kept = acting.caller.session().filter(|_| own);
    // To repeat it changes nothing, and no fast hash of a password may be kept.
    let set = acting.without_key().write(move |tx| {
        let tenant = tx.tenant();
        credentials::set_password(tx, user, &hash)?;
        sessions::revoke_others(tx, tenant, PrincipalId(user.0), kept)?;
        Ok(reply::no_content())
    });
    respond(set.await?)
}

/// That the caller knows the present password. Guessing with a stolen token is as slow as guessing at the log-in.
async fn prove(
    acting: &Acting,
    request: &HttpRequest,
    user: RecordId,
    current: Option<Password>,
) -> Result<(), Problem> {
    let (state, caller) = (&acting.state, &acting.caller);
    let wrong = |code, message| Problem::invalid(vec![Fault::new("/current_password", code, message)]);
    let current = current.ok_or_else(|| wrong("required", "is required to change your own password"))?;
    let address = state.auth.client_address(request);
    let attempt = Attempt::new(caller.principal().email.as_deref().unwrap_or_default(), address);
    attempt.admitted(state).await?;
    let hash = state
        .store
        .read(&caller.scope, move |tx| credentials::password(tx, user))
        .await?;
    if state.auth.passwords.verify(current, hash).await? {
        return Ok(());
    }
    attempt.failed(state).await?;
    Err(wrong("wrong_password", "is not the present password"))
}
