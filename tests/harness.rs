//! What every story needs: a server on the database under test, a tenant of its own, answers that explain themselves.

mod answer;
mod database;
mod eventually;
mod folder;
mod server;
mod tenant;

pub(crate) use answer::{Answer, Send, id_of};
pub(crate) use database::Database;
pub(crate) use eventually::{at_once, eventually};
pub(crate) use server::{Server, Settings};
pub(crate) use tenant::Tenant;
