//! Who calls and what that one may do: passwords, secrets, signed tokens, foreign issuers, limits on guessing.
//!
//! | file | what |
//! | --- | --- |
//! | [`service`] | all of it put together, made at start |
//! | [`login`], [`oauth`], [`discovery`] | how one gets a token, renews it and gives it up |
//! | [`user_passwords`], [`client_secrets`] | how one sets what one logs in with |
//! | [`setup`] | the first tenant, and tokens for the command line |

pub mod addresses;
pub mod client_secrets;
pub mod discovery;
pub mod issuers;
pub mod keys;
pub mod login;
pub mod oauth;
pub mod passwords;
pub mod requests;
pub mod secrets;
pub mod service;
pub mod setup;
pub mod throttle;
pub mod tokens;
pub mod user_passwords;

pub use service::{Auth, AuthError, AuthOptions};
pub use setup::{CommandLineToken, NewAdmin, NewTenant, SetupError, bootstrap, command_line_token, create_tenant};

use crate::resource::on;
use actix_web::web::{self, ServiceConfig};

/// `/v1/auth`: how one logs in and out.
pub(crate) fn routes() -> actix_web::Scope {
    web::scope("/auth")
        .service(on("/login").route(web::post().to(login::login)))
        .service(on("/logout").route(web::post().to(login::logout)))
        .service(on("/me").route(web::get().to(login::me)))
        .service(on("/token").route(web::post().to(oauth::token)))
        .service(on("/revoke").route(web::post().to(oauth::revoke)))
}

/// What is special to users.
pub(crate) fn user_routes(users: &mut ServiceConfig) {
    users.service(on("/{id}/password").route(web::put().to(user_passwords::set)));
}

/// What is special to service accounts.
pub(crate) fn service_account_routes(accounts: &mut ServiceConfig) {
    accounts
        .service(
            on("/{id}/secrets")
                .route(web::get().to(client_secrets::list))
                .route(web::post().to(client_secrets::create)),
        )
        .service(on("/{id}/secrets/{secret_id}").route(web::delete().to(client_secrets::revoke)));
}

/// What other services read about this one.
pub(crate) fn well_known_routes(root: &mut ServiceConfig) {
    root.service(on("/.well-known/jwks.json").route(web::get().to(discovery::jwks)))
        .service(on("/.well-known/oauth-authorization-server").route(web::get().to(discovery::metadata)));
}
