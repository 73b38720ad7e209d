//! What every story needs: a server on the database under test, a tenant of its own, answers that explain themselves.

mod accounts;
mod answer;
mod database;
mod document;
mod eventually;
mod examples;
pub(crate) mod files;
mod folder;
mod server;
mod tenant;

pub(crate) use accounts::PASSWORD;
pub(crate) use answer::{Answer, Send, id_of};
pub(crate) use database::Database;
pub(crate) use document::{NOBODY, Operation};
pub(crate) use eventually::{at_once, eventually};
pub(crate) use examples::RESOURCES;
pub(crate) use server::{Server, Settings, Starting};
pub(crate) use tenant::Tenant;
