//! How notes are kept: they go when what they are about goes for good.

use crate::stored::Stored;
use crate::{Error, Transaction, records, stored};
use diesel::prelude::*;
use domain::Meta;
use domain::customer::notes::{Note, NoteFields};
use sql::ids::RecordId;
use sql::schema::notes;

stored!(Note in notes { fields: NoteFields });

impl Stored for Note {
    fn decide(_: &mut Transaction<'_>, _: Option<&Self>, meta: Meta, fields: NoteFields) -> Result<Self, Error> {
        Ok(Self { meta, fields })
    }
}

/// Removes the notes about a record for good.
pub(crate) fn erase_of(tx: &mut Transaction<'_>, subject: RecordId) -> Result<(), Error> {
    let tenant = tx.tenant();
    let about = notes::table
        .filter(notes::tenant_id.eq(tenant))
        .filter(notes::subject_id.eq(subject));
    let found: Vec<(RecordId, i64)> = about.select((notes::id, notes::version)).load(tx.connection())?;
    for (id, version) in found {
        records::erase::<Note>(tx, id, version)?;
    }
    Ok(())
}
