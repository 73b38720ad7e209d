//! M. Marketing, as kept.

pub mod explanations;
pub mod previews;
pub mod segment_members;
pub mod segment_refreshes;
pub mod segments;
mod touched_customers;
