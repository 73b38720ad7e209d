//! The versions of the content of documents, and which objects of the store of documents they name.

use crate::records::{self, Draft, Expected, Outcome};
use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::customer::documents::{Document, DocumentFields, DocumentVersion, NewContent};
use sql::ids::{DocumentId, EventId, ObjectId, RecordId};
use sql::insert_all;
use sql::schema::{document_removals, document_versions};

/// What the caller knows of a document whose content it changes: the version of the record, or the content itself.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The version of the record.
    pub record: Expected,
    /// The SHA-256 of the content, in hexadecimal: one of these.
    pub contents: Vec<String>,
}

impl Known {
    fn check(&self, tx: &Transaction<'_>, document: &Document) -> Result<(), Error> {
        let has_it = |sha256: &String| self.contents.contains(sha256);
        if document.state.sha256.as_ref().is_some_and(has_it) {
            return Ok(());
        }
        records::check_version(tx, document, &self.record)
    }
}

/// Whether content may be sent to a document: it is there, and as the caller knows it.
pub fn expect(tx: &mut Transaction<'_>, id: RecordId, known: &Known) -> Result<(), Error> {
    let document = records::get(tx, id)?;
    known.check(tx, &document)
}

/// Gives a document new content, which is kept in the store of documents already. Content that it has is no change.
pub fn put(
    tx: &mut Transaction<'_>,
    id: RecordId,
    known: &Known,
    content: &NewContent,
) -> Result<(Document, Outcome), Error> {
    records::change(tx, id, &Expected::Any, |tx, before: &Document| {
        known.check(tx, before)?;
        let Some((after, version)) = before.with_content(content, tx.now(), tx.actor().id) else {
            return Ok(before.clone());
        };
        diesel::insert_into(document_versions::table)
            .values(&version)
            .execute(tx.connection())?;
        Ok(after)
    })
}

/// Creates a document with its content.
pub fn upload(tx: &mut Transaction<'_>, draft: Draft<DocumentFields>, content: &NewContent) -> Result<Document, Error> {
    let document: Document = records::create(tx, draft)?;
    let known = Known {
        record: Expected::Any,
        contents: Vec::new(),
    };
    put(tx, document.meta.id, &known, content).map(|(document, _)| document)
}

/// A document and a version of its content, by default the newest.
pub fn find(tx: &mut Transaction<'_>, id: RecordId, number: Option<i64>) -> Result<(Document, DocumentVersion), Error> {
    let document: Document = records::get(tx, id)?;
    let number = number.unwrap_or(document.state.content_version);
    let version = document_versions::table
        .filter(document_versions::tenant_id.eq(tx.tenant()))
        .filter(document_versions::document_id.eq(document.id()))
        .filter(document_versions::number.eq(number))
        .select(DocumentVersion::as_select())
        .first(tx.connection())?;
    Ok((document, version))
}

/// A part of the versions of a document, the oldest first.
pub fn page(
    tx: &mut Transaction<'_>,
    id: RecordId,
    after: Option<EventId>,
    limit: usize,
) -> Result<Vec<DocumentVersion>, Error> {
    let document: Document = records::get(tx, id)?;
    let versions = document_versions::table
        .filter(document_versions::tenant_id.eq(tx.tenant()))
        .filter(document_versions::document_id.eq(document.id()))
        .filter(document_versions::id.gt(after.unwrap_or(EventId(uuid::Uuid::nil()))))
        .order(document_versions::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(DocumentVersion::as_select());
    Ok(versions.load(tx.connection())?)
}

/// Those of some objects that no version names.
pub fn unnamed(tx: &mut Transaction<'_>, objects: &[ObjectId]) -> Result<Vec<ObjectId>, Error> {
    let named: Vec<ObjectId> = document_versions::table
        .filter(document_versions::tenant_id.eq(tx.tenant()))
        .filter(document_versions::object.eq_any(objects.to_vec()))
        .select(document_versions::object)
        .load(tx.connection())?;
    let is_unnamed = |object: &&ObjectId| !named.contains(object);
    Ok(objects.iter().filter(is_unnamed).copied().collect())
}

/// Removes the versions of a document, and notes their objects to be removed once that is committed.
pub(crate) fn give_up(tx: &mut Transaction<'_>, document: DocumentId) -> Result<(), Error> {
    let tenant = tx.tenant();
    let versions = document_versions::table
        .filter(document_versions::tenant_id.eq(tenant))
        .filter(document_versions::document_id.eq(document));
    let objects: Vec<ObjectId> = versions.select(document_versions::object).load(tx.connection())?;
    let rows: Vec<_> = objects
        .into_iter()
        .map(|object| {
            (
                document_removals::tenant_id.eq(tenant),
                document_removals::object.eq(object),
            )
        })
        .collect();
    insert_all!(tx.connection(), document_removals::table, rows)?;
    diesel::delete(versions).execute(tx.connection())?;
    Ok(())
}

/// Objects removed in one go.
const PORTION: i64 = 100;

/// Some of the objects that are to be removed.
pub fn removals(tx: &mut Transaction<'_>) -> Result<Vec<ObjectId>, Error> {
    let removals = document_removals::table
        .filter(document_removals::tenant_id.eq(tx.tenant()))
        .order(document_removals::object)
        .limit(PORTION)
        .select(document_removals::object);
    Ok(removals.load(tx.connection())?)
}

/// Forgets objects that have been removed.
pub fn removed(tx: &mut Transaction<'_>, objects: &[ObjectId]) -> Result<(), Error> {
    let rows = document_removals::table
        .filter(document_removals::tenant_id.eq(tx.tenant()))
        .filter(document_removals::object.eq_any(objects.to_vec()));
    diesel::delete(rows).execute(tx.connection())?;
    Ok(())
}
