//! Notes: what people write down about a record of any kind.

use crate::fault::Fault;
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record, RecordLink, Reference};
use crate::registry::{Field, FieldType, Registry};
use crate::{common_fields, record_link_columns, record_parts, settable};
use diesel::prelude::Queryable;
use serde::Serialize;
use utoipa::ToSchema;

record_link_columns! {
    /// The record that a note is about.
    pub struct NoteSubject in notes
}

settable! {
    /// What a client may set on a note.
    pub struct NoteFields in notes {
        /// The record it is about; any but another note.
        #[schema(value_type = RecordLink)]
        pub subject: NoteSubject => embed,
        /// What it says, as plain text or Markdown.
        #[validate(length(min = 1, max = 20000))]
        #[schema(min_length = 1, max_length = 20000, examples("Prefers to be called after 16:00."))]
        pub body: String,
        /// Whether it is shown before the others.
        #[serde(default)]
        #[schema(default = false)]
        pub pinned: bool,
    }
}

impl Fields for NoteFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        if self.subject.kind == Kind::Note {
            faults.push(Fault::new("/subject/type", "invalid_choice", "must not be note"));
        }
    }
}

/// What somebody wrote down about a record.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Note {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: NoteFields,
}

/// The fields of a note.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Note,
    plural: "notes",
    table: "notes",
    fields: &[
        Field::choice("subject.type", Kind::TEXTS)
            .required()
            .in_column("subject_type"),
        Field::new("subject.id", FieldType::Id)
            .required()
            .indexed()
            .in_column("subject_id"),
        Field::text("body").required(),
        Field::new("pinned", FieldType::Bool).required(),
    ],
    relations: &[],
    owned: true,
};

impl Record for Note {
    record_parts!(NoteFields);
    const KIND: Kind = Kind::Note;

    fn title(&self) -> &str {
        &self.fields.body
    }

    fn references(&self) -> Vec<Reference> {
        vec![self.fields.subject.link().reference("/subject/id".to_owned())]
    }
}
