//! C. The customer: what is special to its resources.

pub(crate) mod customers;
pub(crate) mod document_duties;
pub(crate) mod document_uploads;
pub(crate) mod documents;
pub(crate) mod duplicates;
pub(crate) mod merges;
pub(crate) mod overview;
pub(crate) mod timeline;
