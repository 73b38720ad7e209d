//! What can be wrong with input: faults with the place where they are, and refusals of a rule.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One fault of an input, with the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// JSON Pointer (RFC 6901) into the body, or `?name` for a query parameter.
    #[schema(examples("/emails/0/address"))]
    pub pointer: String,
    /// Stable code of the fault.
    #[schema(examples("invalid_format"))]
    pub code: String,
    /// What is wrong, in words. Never repeats the value that was sent.
    #[schema(examples("must be an e-mail address"))]
    pub message: String,
}

impl Fault {
    /// A fault at a pointer.
    pub fn new(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// The same fault, deeper in a larger document.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer = format!("{prefix}{}", self.pointer);
        self
    }
}

/// A rule of the domain that says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The input is wrong: every fault of it.
    #[error("{}", listed(.0))]
    Invalid(Vec<Fault>),
    /// The record's present state does not allow it.
    #[error("{detail}")]
    Conflict {
        /// Stable code.
        code: &'static str,
        /// Why, in words.
        detail: String,
    },
    /// The caller's permissions do not allow it.
    #[error("{0}")]
    Forbidden(String),
}

fn listed(faults: &[Fault]) -> String {
    let faults: Vec<_> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.message))
        .collect();
    faults.join("; ")
}

impl Refusal {
    /// A single fault.
    pub fn fault(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(pointer, code, message)])
    }

    /// A conflict with the record's state.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            detail: detail.into(),
        }
    }
}

/// Nothing, or every fault at once.
pub fn faultless(faults: Vec<Fault>) -> Result<(), Refusal> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(faults))
    }
}
