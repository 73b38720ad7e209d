//! How records are created: one, or many at once in as many statements as there are tables.

use super::{Draft, add_external_id, announce};
use crate::events::FieldChanges;
use crate::shown::Shown;
use crate::stored::Stored;
use crate::{Error, Transaction, custom_values, lookups, references};
use domain::record::ExternalId;
use domain::{Fields, Meta, Refusal, input};
use sql::ids::{RecordId, UserId};
use std::collections::HashSet;

/// A record to be created.
#[derive(Debug, Clone)]
pub struct New<F> {
    /// What the client sent.
    pub draft: Draft<F>,
    /// What another system calls it, beside the external ids in what was sent.
    pub known_as: Option<ExternalId>,
}

/// Records that are created together, all or none.
///
/// Each is decided upon as if those before it were not there yet. Where that makes a difference, such as a second record
/// with the same external id, the whole is refused: written one by one, each gets an answer of its own.
#[derive(Debug)]
pub struct Creation<R> {
    decided: Vec<R>,
    /// What other systems call them.
    known_as: HashSet<ExternalId>,
    /// Of these, what nobody has asked yet whether it is some other record's.
    unasked: Vec<ExternalId>,
}

impl<R: Stored> Creation<R> {
    /// Of so many records.
    pub fn of(count: usize) -> Self {
        Self {
            decided: Vec::with_capacity(count),
            known_as: HashSet::new(),
            unasked: Vec::new(),
        }
    }

    /// Decides upon one more record, and tells its id. What it is known as beside the ids in its draft must be nobody's.
    pub fn add(&mut self, tx: &mut Transaction<'_>, new: New<R::Fields>) -> Result<RecordId, Error> {
        let asked = new.known_as.clone();
        let record = decided::<R>(tx, new)?;
        for id in record.fields().common().external_ids {
            if !self.known_as.insert(id.clone()) {
                return Err(taken::<R>());
            }
            if Some(id) != asked.as_ref() {
                self.unasked.push(id.clone());
            }
        }
        let id = record.meta().id;
        self.decided.push(record);
        Ok(id)
    }

    /// Writes them. Nothing is written if one has an external id of another record.
    pub fn insert(self, tx: &mut Transaction<'_>) -> Result<Vec<R>, Error> {
        if lookups::is_any_known(tx, R::KIND, &self.unasked)? {
            return Err(taken::<R>());
        }
        insert_beside(tx, None, self.decided)
    }
}

fn taken<R: Stored>() -> Error {
    Refusal::conflict(
        "external_id_taken",
        format!("another {} has one of the external ids", R::KIND),
    )
    .into()
}

/// Creates a record.
pub fn create<R: Stored>(tx: &mut Transaction<'_>, draft: Draft<R::Fields>) -> Result<R, Error> {
    create_one(tx, New { draft, known_as: None })
}

pub(super) fn create_one<R: Stored>(tx: &mut Transaction<'_>, new: New<R::Fields>) -> Result<R, Error> {
    let record = decided(tx, new)?;
    insert_one(tx, None, record)
}

/// Creates a record that follows from another one. What that one names already is not asked for again.
pub(crate) fn create_from<R: Stored>(tx: &mut Transaction<'_>, origin: &R, fields: R::Fields) -> Result<R, Error> {
    let record = decided_from(tx, fields.checked()?)?;
    insert_one(tx, Some(origin), record)
}

/// Creates a record of the service's own accord: custom fields that a client would have to fill in stay empty.
pub fn create_unasked<R: Stored>(tx: &mut Transaction<'_>, fields: R::Fields) -> Result<R, Error> {
    let record = decided_from(tx, fields.checked()?)?;
    insert_one(tx, None, record)
}

/// Creates a record that a rule has decided upon.
pub(crate) fn insert_decided<R: Stored>(tx: &mut Transaction<'_>, record: R) -> Result<R, Error> {
    references::check_new(tx, None, std::slice::from_ref(&record))?;
    only(write(tx, vec![record])?)
}

fn decided<R: Stored>(tx: &mut Transaction<'_>, New { draft, known_as }: New<R::Fields>) -> Result<R, Error> {
    let mut fields = match (draft, &known_as) {
        (Draft::Ready(checked), None) => {
            let fields = custom_values::with_check(tx, R::KIND, None, |custom| checked.with_custom_checked(custom))??;
            return decided_from(tx, fields);
        }
        (Draft::Ready(checked), Some(_)) => checked.into_fields(),
        (Draft::Raw(mut body, local), _) => {
            references::resolve(tx, R::KIND, &mut body, &local)?;
            let fields = custom_values::with_check(tx, R::KIND, None, |custom| input::parse_with(&body, custom))?;
            fields.map_err(Refusal::Invalid)?
        }
    };
    if let Some(known_as) = known_as {
        add_external_id(&mut fields, known_as);
    }
    let fields = custom_values::with_check(tx, R::KIND, None, |custom| fields.checked_with(None, custom))??;
    decided_from(tx, fields)
}

fn decided_from<R: Stored>(tx: &mut Transaction<'_>, mut fields: R::Fields) -> Result<R, Error> {
    if let (None, true) = (fields.common().owner_id, R::KIND.registry().owned) {
        *fields.owner_id_mut() = default_owner(tx);
    }
    let meta = Meta::new(tx.tenant(), tx.now(), tx.actor().id);
    R::decide(tx, None, meta, fields)
}

/// Who creates a record owns it, when it is a person.
fn default_owner(tx: &Transaction<'_>) -> Option<UserId> {
    let actor = tx.actor();
    actor
        .id
        .filter(|_| actor.kind == crate::ActorKind::User)
        .map(|id| UserId(id.0))
}

fn insert_one<R: Stored>(tx: &mut Transaction<'_>, origin: Option<&R>, record: R) -> Result<R, Error> {
    only(insert_beside(tx, origin, vec![record])?)
}

fn insert_beside<R: Stored>(tx: &mut Transaction<'_>, origin: Option<&R>, new: Vec<R>) -> Result<Vec<R>, Error> {
    references::check_new(tx, origin, &new)?;
    R::before_insert(tx, &new)?;
    write(tx, new)
}

fn write<R: Stored>(tx: &mut Transaction<'_>, mut new: Vec<R>) -> Result<Vec<R>, Error> {
    R::insert(tx.connection(), &new)?;
    lookups::write_new(tx, &new)?;
    R::after_insert(tx, &new)?;
    for record in &mut new {
        record.complete(tx, None)?;
        let shown = Shown::of(record)?;
        let fields = FieldChanges::between(None, Some(&shown))?;
        announce(tx, "created", record, fields, Some(&shown));
    }
    Ok(new)
}

fn only<R>(mut written: Vec<R>) -> Result<R, Error> {
    let one = written.pop();
    one.ok_or_else(|| Error::Internal("what was written has no record".to_owned()))
}
