//! What a CRM knows: records and what may be set on them, rules, state machines, formulas.
//!
//! No I/O, no async, no clock: the time, the actor and whatever else a decision needs come in as arguments.

pub mod custom_values;
pub mod decimal;
pub mod fault;
pub mod input;
pub mod kind;
pub mod locale;
pub mod money;
pub mod record;
pub mod registry;
pub mod rule;
pub mod search;
pub mod validation;

pub mod customer;
pub mod interaction;
pub mod marketing;
pub mod operation;
pub mod sales;
pub mod service;

pub use fault::{Fault, Refusal};
pub use kind::Kind;
pub use record::{Fields, Meta, Record};
pub use rule::{Rule, RuleContext};
