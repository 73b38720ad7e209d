//! How documents are kept: they go when what they belong to goes for good.

use crate::customer::{document_versions, notes};
use crate::stored::Stored;
use crate::{Error, Transaction, records, stored};
use diesel::prelude::*;
use domain::Meta;
use domain::customer::documents::{Document, DocumentFields, DocumentState};
use sql::ids::{DocumentId, RecordId};
use sql::schema::documents;

stored!(Document in documents { fields: DocumentFields, state: DocumentState });

impl Stored for Document {
    fn decide(
        _: &mut Transaction<'_>,
        before: Option<&Self>,
        meta: Meta,
        fields: DocumentFields,
    ) -> Result<Self, Error> {
        let state = before.map(|before| before.state.clone()).unwrap_or_default();
        Ok(Self { meta, fields, state })
    }

    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        document_versions::give_up(tx, self.id())
    }

    fn update_event(before: &Self, after: &Self) -> &'static str {
        if after.state.content_version > before.state.content_version {
            "content_added"
        } else {
            "updated"
        }
    }
}

/// Removes the documents of a record for good, with the notes about them.
pub(crate) fn erase_of(tx: &mut Transaction<'_>, subject: RecordId) -> Result<(), Error> {
    let tenant = tx.tenant();
    let of_subject = documents::table
        .filter(documents::tenant_id.eq(tenant))
        .filter(documents::subject_id.eq(subject));
    let found: Vec<(RecordId, i64)> = of_subject
        .select((documents::id, documents::version))
        .load(tx.connection())?;
    for (id, version) in found {
        document_versions::give_up(tx, DocumentId(id.0))?;
        notes::erase_of(tx, id)?;
        records::erase::<Document>(tx, id, version)?;
    }
    Ok(())
}
