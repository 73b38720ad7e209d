//! Ids of other records inside a record: resolved when they are given as foreign ids, and checked to exist.

use crate::customer::merges;
use crate::kinds::with_record;
use crate::stored::Table;
use crate::{Error, Transaction, custom_values, lookups, records};
use domain::custom_values::Catalogue;
use domain::customer::customers::Customer;
use domain::record::{Common, Reference};
use domain::registry::Link;
use domain::{Fault, Fields, Kind, Record};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sql::ids::RecordId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use validator::Validate;

/// Ids that items of one batch gave to their records: `ref/acme`.
pub type LocalReferences = HashMap<String, RecordId>;

/// What a transaction has found out about other records. The thousand items of a batch name the same few again and
/// again: products, owners, stages.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Records that exist and may be seen.
    visible: HashSet<(Kind, RecordId)>,
    /// Records by what other systems call them.
    by_external_id: HashMap<(Kind, String, String), RecordId>,
    /// The tenant's custom fields.
    pub(crate) custom_fields: Option<Arc<Catalogue>>,
}

impl Known {
    /// A record has changed: it may be gone, another's, or called otherwise.
    pub(crate) fn forget(&mut self, kind: Kind, id: RecordId) {
        self.visible.remove(&(kind, id));
        self.by_external_id.retain(|_, known| *known != id);
    }
}

/// What a client may write instead of an id.
enum Indirect<'a> {
    /// `by/{system}/{external_id}`.
    ByExternalId { system: &'a str, id: &'a str },
    /// `ref/{name}`, another item of the same batch.
    Local(&'a str),
}

fn indirect(text: &str) -> Option<Indirect<'_>> {
    if let Some(name) = text.strip_prefix("ref/") {
        return Some(Indirect::Local(name));
    }
    let (system, id) = text.strip_prefix("by/")?.split_once('/')?;
    Some(Indirect::ByExternalId { system, id })
}

/// Whether a body names a record by anything but its id, so that it must be resolved before it is read.
pub fn any_indirect(body: &Value) -> bool {
    match body {
        Value::Object(members) => members.iter().any(|(name, value)| match value {
            Value::String(text) => names_a_record(name) && indirect(text).is_some(),
            inner => any_indirect(inner),
        }),
        Value::Array(items) => items.iter().any(any_indirect),
        _ => false,
    }
}

/// Reads the body of an action on a record of a kind, in which other records may be named as in the record itself.
/// No body is an empty one.
pub fn read_body<T>(tx: &mut Transaction<'_>, kind: Kind, body: &Value) -> Result<T, Error>
where
    T: DeserializeOwned + Validate,
{
    let mut body = match body {
        Value::Null => Value::Object(serde_json::Map::new()),
        body => body.clone(),
    };
    resolve(tx, kind, &mut body, &LocalReferences::new())?;
    Ok(domain::input::parse_valid(&body)?)
}

/// Reads the body of an action that names a record of a kind in one member, by its id or by a foreign one.
pub fn read_body_naming<T>(tx: &mut Transaction<'_>, body: &Value, member: &str, kind: Kind) -> Result<T, Error>
where
    T: DeserializeOwned + Validate,
{
    let mut body = body.clone();
    if let Some(way) = body[member].as_str().and_then(indirect) {
        let found = find(tx, kind, &way, &LocalReferences::new())?;
        let found = found.ok_or_else(|| domain::Refusal::Invalid(vec![unknown(format!("/{member}"), kind)]))?;
        body[member] = Value::String(found.to_string());
    }
    Ok(domain::input::parse_valid(&body)?)
}

/// Puts the ids in place of foreign ids and local names, in every member that names a record.
pub(crate) fn resolve(
    tx: &mut Transaction<'_>,
    kind: Kind,
    body: &mut Value,
    local: &LocalReferences,
) -> Result<(), Error> {
    let mut faults = Vec::new();
    walk(tx, kind, body, "", local, &mut faults)?;
    Ok(domain::fault::faultless(faults)?)
}

fn walk(
    tx: &mut Transaction<'_>,
    kind: Kind,
    value: &mut Value,
    pointer: &str,
    local: &LocalReferences,
    faults: &mut Vec<Fault>,
) -> Result<(), Error> {
    match value {
        Value::Object(members) => {
            let linked = members
                .get("type")
                .and_then(Value::as_str)
                .and_then(|kind| kind.parse().ok());
            let custom = if pointer == "/custom" {
                Some(custom_values::catalogue(tx)?)
            } else {
                None
            };
            for (name, member) in members {
                let pointer = format!("{pointer}/{name}");
                let target = match &custom {
                    Some(custom) => custom.definition(kind, name).and_then(|field| field.target),
                    None if name == "id" => linked,
                    None => target(kind, name),
                };
                match (member.as_str().and_then(indirect), target) {
                    (Some(way), Some(target)) => match find(tx, target, &way, local)? {
                        Some(id) => *member = Value::String(id.to_string()),
                        None => faults.push(unknown(pointer, target)),
                    },
                    _ => walk(tx, kind, member, &pointer, local, faults)?,
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(tx, kind, item, &format!("{pointer}/{index}"), local, faults)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether a member names a record: `customer_id`, or the `id` of a link `{"type": "customer", "id": …}`.
fn names_a_record(member: &str) -> bool {
    member.ends_with("_id") || member == "id"
}

/// The kind of record that a member names: as the registry says, or as its name does (`product_id` of a line).
fn target(kind: Kind, member: &str) -> Option<Kind> {
    let declared = kind.registry().field(member).and_then(|field| field.references);
    declared.or_else(|| member.strip_suffix("_id")?.parse().ok())
}

fn find(
    tx: &mut Transaction<'_>,
    kind: Kind,
    way: &Indirect<'_>,
    local: &LocalReferences,
) -> Result<Option<RecordId>, Error> {
    match way {
        Indirect::Local(name) => Ok(local.get(*name).copied()),
        Indirect::ByExternalId { system, id } => {
            let key = (kind, (*system).to_owned(), (*id).to_owned());
            if let Some(known) = tx.known().by_external_id.get(&key) {
                return Ok(Some(*known));
            }
            let found = lookups::find_by_external_id(tx, kind, system, id)?;
            if let Some(found) = found {
                tx.known().by_external_id.insert(key, found);
            }
            Ok(found)
        }
    }
}

fn unknown(pointer: String, kind: Kind) -> Fault {
    Fault::new(pointer, "unknown_reference", format!("there is no such {kind}"))
}

/// That every other record it names exists in the tenant and may be seen by the caller.
/// What it named before already is not asked again.
/// What the known records name, which are the record before a change or those it was made of, is not asked for again.
pub(crate) fn check<R: Record>(tx: &mut Transaction<'_>, known: &[&R], after: &R) -> Result<(), Error> {
    let named = newly_named(tx, known, after)?;
    check_named(tx, named)
}

/// The same of new records, each of which follows from an origin, if there is one.
pub(crate) fn check_new<R: Record>(tx: &mut Transaction<'_>, origin: Option<&R>, new: &[R]) -> Result<(), Error> {
    let mut named = Vec::new();
    for record in new {
        named.extend(newly_named(tx, origin.as_slice(), record)?);
    }
    check_named(tx, named)
}

/// What a record names, but for what was named before.
fn newly_named<R: Record>(tx: &mut Transaction<'_>, before: &[&R], after: &R) -> Result<Vec<Reference>, Error> {
    let mut known: Vec<Reference> = before.iter().flat_map(|before| all_references(*before)).collect();
    let mut named = all_references(after);
    let custom = after.fields().common().custom;
    if before
        .first()
        .is_none_or(|before| before.fields().common().custom != custom)
        && !custom.0.is_empty()
    {
        let catalogue = custom_values::catalogue(tx)?;
        let values = before.iter().map(|before| before.fields().common().custom);
        known.extend(values.flat_map(|values| catalogue.references(R::KIND, values)));
        named.extend(catalogue.references(R::KIND, custom));
    }
    named.retain(|reference| {
        let mut known = known.iter();
        !known.any(|old| old.kind == reference.kind && old.id == reference.id)
    });
    Ok(named)
}

fn check_named(tx: &mut Transaction<'_>, named: Vec<Reference>) -> Result<(), Error> {
    let mut by_kind: HashMap<Kind, HashSet<RecordId>> = HashMap::new();
    for Reference { kind, id, .. } in &named {
        by_kind.entry(*kind).or_default().insert(*id);
    }
    for (kind, ids) in by_kind {
        meet(tx, kind, ids)?;
    }
    let mut faults = Vec::new();
    for reference in named {
        if !tx.known().visible.contains(&(reference.kind, reference.id)) {
            faults.push(missing(tx, reference)?);
        }
    }
    Ok(domain::fault::faultless(faults)?)
}

/// What is wrong with a reference, if anything: there is no such record for the caller, or it was merged into another one.
pub(crate) fn fault_of(tx: &mut Transaction<'_>, reference: Reference) -> Result<Option<Fault>, Error> {
    if exists(tx, reference.kind, reference.id)? {
        return Ok(None);
    }
    missing(tx, reference).map(Some)
}

fn missing(tx: &mut Transaction<'_>, Reference { pointer, kind, id }: Reference) -> Result<Fault, Error> {
    let survivor = if kind == Kind::Customer {
        merges::survivor_of(tx, id)?
    } else {
        None
    };
    Ok(match survivor {
        Some(survivor) => Fault::new(pointer, "merged", format!("was merged into {survivor}")),
        None => unknown(pointer, kind),
    })
}

fn all_references<R: Record>(record: &R) -> Vec<Reference> {
    let Common { owner_id, team_id, .. } = record.fields().common();
    let owner = owner_id.map(|id| Reference {
        pointer: "/owner_id".to_owned(),
        kind: Kind::User,
        id: id.0.into(),
    });
    let team = team_id.map(|id| Reference {
        pointer: "/team_id".to_owned(),
        kind: Kind::Team,
        id: id.0.into(),
    });
    record.references().into_iter().chain(owner).chain(team).collect()
}

/// Whether there is such a record for the caller. The transaction remembers it.
pub(crate) fn exists(tx: &mut Transaction<'_>, kind: Kind, id: RecordId) -> Result<bool, Error> {
    meet(tx, kind, HashSet::from([id]))?;
    Ok(tx.known().visible.contains(&(kind, id)))
}

/// Notes which of these records there are for the caller: all in one query.
fn meet(tx: &mut Transaction<'_>, kind: Kind, mut ids: HashSet<RecordId>) -> Result<(), Error> {
    ids.retain(|id| !tx.known().visible.contains(&(kind, *id)));
    let mut ids: Vec<RecordId> = ids.into_iter().collect();
    // Held first, so that nobody merges a customer away between this answer and the write that relies on it.
    if kind == Kind::Customer
        && let Some(held) = merges::hold(tx, &ids)?
    {
        if !records::is_narrowed::<Customer>(tx) {
            tx.known().visible.extend(held.into_iter().map(|id| (kind, id)));
            return Ok(());
        }
        ids = held;
    }
    let found = match ids[..] {
        [] => return Ok(()),
        // One is asked for by a statement that stays prepared.
        [id] => with_record!(kind, |R| records::is_visible::<R>(tx, id)?)
            .then_some(id)
            .into_iter()
            .collect(),
        _ => with_record!(kind, |R| {
            let (tenant, visible) = (tx.tenant(), records::visible_condition::<R>(tx));
            R::existing(tx.connection(), tenant, &ids, visible)?
        }),
    };
    tx.known().visible.extend(found.into_iter().map(|id| (kind, id)));
    Ok(())
}

/// Loads the records that a to-one relation leads to, in one query, as JSON by id.
pub fn load_related(tx: &mut Transaction<'_>, kind: Kind, ids: &[RecordId]) -> Result<HashMap<RecordId, Value>, Error> {
    with_record!(kind, |R| {
        let condition = records::visible_condition::<R>(tx);
        let tenant = tx.tenant();
        let found = R::find_many(tx.connection(), tenant, ids, condition)?;
        found
            .iter()
            .map(|record| Ok((record.meta().id, serde_json::to_value(record)?)))
            .collect()
    })
}

/// Loads the records that name some of these in a column of theirs, in one query, as JSON grouped by what they name.
pub fn load_referring(
    tx: &mut Transaction<'_>,
    kind: Kind,
    link: Link,
    ids: &[RecordId],
    limit: usize,
) -> Result<HashMap<RecordId, Vec<Value>>, Error> {
    let Link::Many { column } = link else {
        return Ok(HashMap::new());
    };
    // PostgreSQL has no list of nothing: `IN ()` is a syntax error.
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let Some(field) = kind.registry().field_in(column) else {
        return Ok(HashMap::new());
    };
    // A field of an inner object is named with a dot: `subject.id`.
    let pointer = format!("/{}", field.name.replace('.', "/"));
    let mut groups: HashMap<RecordId, Vec<Value>> = HashMap::new();
    let found: Vec<Value> = with_record!(kind, |R| records::referring::<R>(tx, column, ids, limit)?
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()?);
    for record in found {
        let named = record
            .pointer(&pointer)
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok());
        if let Some(id) = named {
            groups.entry(id).or_default().push(record);
        }
    }
    Ok(groups)
}
