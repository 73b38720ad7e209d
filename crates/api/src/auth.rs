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

use crate::endpoint::{Endpoint, endpoint};

/// How one gets and gives up tokens, and sets what one logs in with.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint!(crate::auth::login::login),
        endpoint!(crate::auth::login::logout),
        endpoint!(crate::auth::login::me),
        endpoint!(crate::auth::oauth::token),
        endpoint!(crate::auth::oauth::revoke),
        endpoint!(crate::auth::user_passwords::set),
        endpoint!(crate::auth::client_secrets::list),
        endpoint!(crate::auth::client_secrets::create),
        endpoint!(crate::auth::client_secrets::revoke),
        endpoint!(crate::auth::discovery::jwks),
        endpoint!(crate::auth::discovery::metadata),
    ]
}
