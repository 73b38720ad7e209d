//! C. The customer, as kept.

pub mod custom_fields;
pub mod customers;
pub mod document_versions;
pub mod documents;
pub mod duplicates;
pub mod hierarchy;
pub mod merges;
pub mod notes;
pub mod overview;
pub mod relationships;
pub mod timeline;
