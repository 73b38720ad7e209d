//! Documents: files that belong to a record of any kind, with every version of their content.

use crate::customer::media_types::MediaType;
use crate::fault::Fault;
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record, RecordLink, Reference};
use crate::registry::{Field, FieldType, Registry};
use crate::validation::invalid;
use crate::{common_fields, record_link_columns, record_parts, settable, written_whole};
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use serde::Serialize;
use sql::Timestamp;
use sql::ids::{DocumentId, EventId, ObjectId, PrincipalId, TenantId};
use utoipa::ToSchema;
use validator::ValidationError;

sql::text_enum! {
    /// What a browser is asked to do with content.
    pub enum Disposition {
        /// To save it under the document's name.
        Attachment = "attachment",
        /// To show it.
        Inline = "inline",
    }
}

record_link_columns! {
    /// The record that a document belongs to.
    pub struct DocumentSubject in documents
}

settable! {
    /// What a client may set on a document, beside its content.
    pub struct DocumentFields in documents {
        /// The record it belongs to; any but another document.
        #[schema(value_type = RecordLink)]
        pub subject: DocumentSubject => embed,
        /// The file name under which it is downloaded: without folders, control characters and marks that turn the
        /// direction of writing.
        #[validate(length(min = 1, max = 255), custom(function = "check_file_name"))]
        #[schema(
            min_length = 1,
            max_length = 255,
            pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f/\\\\\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]+$",
            examples("Offer 2026-17.pdf")
        )]
        pub name: String,
        /// What is in it, as plain text or Markdown.
        #[validate(length(max = 2000))]
        #[schema(max_length = 2000)]
        pub description: Option<String>,
    }
}

/// That a text can be the name of a file on any system, and looks like what it is.
fn check_file_name(name: &str) -> Result<(), ValidationError> {
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if name.contains(is_harmful) {
        return Err(invalid(
            "invalid_format",
            "must be a file name without folders, control characters and marks of direction",
        ));
    }
    if name.chars().all(|c| c == '.' || c.is_whitespace()) {
        return Err(invalid("invalid_format", "must be more than dots and spaces"));
    }
    Ok(())
}

impl Fields for DocumentFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        if self.subject.kind == Kind::Document {
            faults.push(Fault::new("/subject/type", "invalid_choice", "must not be document"));
        }
    }
}

/// What the service keeps about the content of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sql::schema::documents, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct DocumentState {
    /// Counts the versions of the content; 0 for as long as there is none.
    #[schema(minimum = 0, examples(1))]
    pub content_version: i64,
    /// The media type of the content, as it was sent with it.
    #[schema(examples("application/pdf"))]
    pub content_type: Option<String>,
    /// Bytes of the content.
    #[schema(minimum = 1, examples(48_213))]
    pub size: Option<i64>,
    /// The SHA-256 of the content, in hexadecimal; in quotes, the `ETag` of the content.
    #[schema(examples("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))]
    pub sha256: Option<String>,
}

written_whole!(DocumentState);

/// A file that belongs to a record.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Document {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: DocumentFields,
    /// What the service keeps about its content.
    #[serde(flatten)]
    pub state: DocumentState,
}

/// Content that has arrived and is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContent {
    /// The object that holds it.
    pub object: ObjectId,
    /// What it is.
    pub content_type: MediaType,
    /// Its bytes.
    pub size: i64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// One version of the content of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable)]
#[diesel(table_name = sql::schema::document_versions, treat_none_as_default_value = false)]
pub struct DocumentVersion {
    /// The tenant it belongs to; never shown.
    #[serde(skip)]
    pub tenant_id: TenantId,
    /// The document.
    #[serde(skip)]
    pub document_id: DocumentId,
    /// Orders the versions of a document; never shown.
    #[serde(skip)]
    pub id: EventId,
    /// Its number among the versions, from 1.
    #[serde(rename = "version")]
    #[schema(minimum = 1)]
    pub number: i64,
    /// The object that holds it; never shown.
    #[serde(skip)]
    pub object: ObjectId,
    /// Its media type.
    #[schema(examples("application/pdf"))]
    pub content_type: String,
    /// Its bytes.
    #[schema(minimum = 1, examples(48_213))]
    pub size: i64,
    /// Its SHA-256, in hexadecimal.
    #[schema(examples("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))]
    pub sha256: String,
    /// When it arrived.
    pub created_at: Timestamp,
    /// The user or service account that sent it.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub created_by: Option<PrincipalId>,
}

impl Document {
    /// Its id.
    pub const fn id(&self) -> DocumentId {
        DocumentId(self.meta.id.0)
    }

    /// The document with other content, and the version that this makes. Content that it has already makes none.
    pub fn with_content(
        &self,
        content: &NewContent,
        now: Timestamp,
        by: Option<PrincipalId>,
    ) -> Option<(Self, DocumentVersion)> {
        let state = DocumentState {
            content_version: self.state.content_version + 1,
            content_type: Some(content.content_type.to_string()),
            size: Some(content.size),
            sha256: Some(content.sha256.clone()),
        };
        let is_same = state.content_type == self.state.content_type && state.sha256 == self.state.sha256;
        let version = DocumentVersion {
            tenant_id: self.meta.tenant_id,
            document_id: self.id(),
            id: EventId::new(),
            number: state.content_version,
            object: content.object,
            content_type: content.content_type.to_string(),
            size: content.size,
            sha256: content.sha256.clone(),
            created_at: now,
            created_by: by,
        };
        let document = Self { state, ..self.clone() };
        (!is_same).then_some((document, version))
    }
}

/// The fields of a document.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Document,
    plural: "documents",
    table: "documents",
    fields: &[
        Field::choice("subject.type", Kind::TEXTS)
            .required()
            .in_column("subject_type"),
        Field::new("subject.id", FieldType::Id)
            .required()
            .indexed()
            .in_column("subject_id"),
        Field::text("name").required().sortable().indexed(),
        Field::text("description"),
        Field::new("content_version", FieldType::Integer).required(),
        Field::text("content_type").indexed(),
        Field::new("size", FieldType::Integer).sortable().indexed(),
        Field::text("sha256").indexed(),
    ],
    relations: &[],
    owned: true,
};

impl Record for Document {
    record_parts!(DocumentFields);
    const KIND: Kind = Kind::Document;

    fn title(&self) -> &str {
        &self.fields.name
    }

    fn search_texts(&self) -> Vec<&str> {
        let fields = &self.fields;
        [Some(&fields.name), fields.description.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect()
    }

    fn references(&self) -> Vec<Reference> {
        vec![self.fields.subject.link().reference("/subject/id".to_owned())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input;
    use serde_json::json;
    use sql::ids::RecordId;

    fn document() -> Document {
        let subject = json!({"type": "customer", "id": RecordId::new()});
        let fields: DocumentFields = input::parse(&json!({"subject": subject, "name": "a.txt"})).unwrap();
        Document {
            meta: Meta::new(TenantId::new(), Timestamp::now(), None),
            fields,
            state: DocumentState::default(),
        }
    }

    fn content(text: &str, sha256: &str) -> NewContent {
        NewContent {
            object: ObjectId::new(),
            content_type: text.parse().unwrap(),
            size: 7,
            sha256: sha256.to_owned(),
        }
    }

    #[test]
    fn a_name_is_that_of_a_file_and_shows_what_it_is() {
        for name in ["a", "Ängebot 2026.pdf", ".profile", "a..b", "書類.docx", "C: a.txt"] {
            assert_eq!(check_file_name(name), Ok(()), "{name}");
        }
        for name in [
            ".",
            "..",
            " ",
            ". .",
            "a/b",
            "..\\a",
            "/etc/passwd",
            "a\0b",
            "a\nb",
            "a\u{85}b",
            "exe.\u{202e}fdp",
        ] {
            assert!(check_file_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn other_content_makes_the_next_version_and_the_same_makes_none() {
        let (now, document) = (Timestamp::now(), document());
        let (first, version) = document.with_content(&content("text/plain", "aa"), now, None).unwrap();
        assert_eq!((first.state.content_version, version.number), (1, 1));
        assert_eq!(first.state.sha256.as_deref(), Some("aa"));
        assert_eq!(first.with_content(&content("text/plain", "aa"), now, None), None);
        let (retyped, _) = first.with_content(&content("text/html", "aa"), now, None).unwrap();
        let (second, version) = retyped.with_content(&content("text/html", "bb"), now, None).unwrap();
        assert_eq!((second.state.content_version, version.number), (3, 3));
        assert_eq!(version.document_id, document.id());
    }
}
