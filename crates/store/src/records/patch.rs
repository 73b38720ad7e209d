//! How records are changed by a merge patch (RFC 7396): in the transaction that writes, or prepared before it begins.

use super::{Expected, Outcome, add_external_id, check_version, find_visible, get_for_change, save};
use crate::references::{self, LocalReferences};
use crate::stored::Stored;
use crate::{Error, Transaction, custom_values};
use domain::record::ExternalId;
use domain::{Fields, Refusal, input};
use serde_json::Value;
use sql::ids::RecordId;

/// A patch that was merged into what a reader saw. SQLite has one writer, so it is to find as much done as can be.
#[derive(Debug)]
pub struct Prepared<R: Stored> {
    before: R,
    fields: R::Fields,
}

/// Merges a patch into a record as it is now, before the transaction that is to write it. None where that cannot be: why
/// not, [`patch`] tells. The patch must name no record indirectly, and no custom value.
pub fn prepare<R: Stored>(tx: &mut Transaction<'_>, id: RecordId, patch: &Value) -> Result<Option<Prepared<R>>, Error> {
    let Some(before) = find_visible::<R>(tx, id, false)? else {
        return Ok(None);
    };
    let fields = input::merged(before.fields(), patch, None).ok();
    Ok(fields.map(|fields| Prepared { before, fields }))
}

/// Writes what was prepared. None where the record is not as it was read any more, or not of the version that the caller
/// knows: then nothing was asked or written, and [`patch`] is to do it.
pub fn write_prepared<R: Stored>(
    tx: &mut Transaction<'_>,
    expected: &Expected,
    Prepared { before, fields }: &Prepared<R>,
) -> Result<Option<(R, Outcome)>, Error> {
    let (tenant, meta) = (tx.tenant(), before.meta());
    if check_version(tx, before, expected).is_err() || !R::has_version(tx.connection(), tenant, meta.id, meta.version)?
    {
        return Ok(None);
    }
    save(tx, before, fields.clone()).map(Some)
}

/// Changes the settable part of a record by a merge patch.
///
/// `expected` is the version that the caller knows; another one is refused.
pub fn patch<R: Stored>(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    patch: Value,
    local: &LocalReferences,
) -> Result<(R, Outcome), Error> {
    let before = get_for_change::<R>(tx, id)?;
    check_version(tx, &before, expected)?;
    merge_into(tx, &before, patch, local, None)
}

pub(super) fn merge_into<R: Stored>(
    tx: &mut Transaction<'_>,
    before: &R,
    mut patch: Value,
    local: &LocalReferences,
    known_as: Option<ExternalId>,
) -> Result<(R, Outcome), Error> {
    references::resolve(tx, R::KIND, &mut patch, local)?;
    let old = before.fields();
    let merged = if patch.get("custom").is_some() {
        let custom = old.common().custom;
        custom_values::with_check(tx, R::KIND, Some(custom), |custom| input::merged(old, &patch, custom))?
    } else {
        input::merged(old, &patch, None)
    };
    let mut fields: R::Fields = merged.map_err(Refusal::Invalid)?;
    if let Some(known_as) = known_as {
        add_external_id(&mut fields, known_as);
    }
    save(tx, before, fields)
}
