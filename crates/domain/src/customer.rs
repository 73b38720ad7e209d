//! C. The customer: who they are, how to reach them, and how they are tied to each other.

pub mod contact_points;
pub mod custom_fields;
pub mod customers;
pub mod documents;
pub mod duplicates;
pub mod lifecycle;
pub mod lifecycle_changes;
pub mod media_types;
pub mod merges;
pub mod notes;
pub mod overview;
pub mod phone_numbers;
pub mod profile;
pub mod relationships;
pub mod timeline;
