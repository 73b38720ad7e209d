//! How possible duplicates are found: by the values that they share, never by a look at all customers.

use crate::records;
use crate::stored::Table;
use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::customer::customers::Customer;
use domain::customer::duplicates::{DuplicateCandidate, DuplicateName, DuplicatePair, Identity, KEYS, REFUSED};
use domain::{Kind, Record};
use serde::{Deserialize, Serialize};
use sql::ids::{CustomerId, RecordId};
use sql::schema::record_values;
use std::collections::{BTreeSet, HashMap};

/// Customers that share a value with one and are compared with it, at most. What many share says little.
const MOST_CANDIDATES: i64 = 50;

/// Refuses a new customer that there seems to be already, unless the caller knows better.
pub(crate) fn check_new(tx: &mut Transaction<'_>, new: &Customer) -> Result<(), Error> {
    if !tx.refuses_duplicates() {
        return Ok(());
    }
    let candidates = candidates(tx, new, REFUSED)?;
    if candidates.is_empty() {
        Ok(())
    } else {
        Err(Error::Duplicate(candidates))
    }
}

/// The customers that may be the same as one, the most alike first.
pub fn of(tx: &mut Transaction<'_>, id: RecordId, min_score: f64) -> Result<Vec<DuplicateCandidate>, Error> {
    let customer = records::get::<Customer>(tx, id)?;
    candidates(tx, &customer, min_score)
}

fn candidates(tx: &mut Transaction<'_>, customer: &Customer, min_score: f64) -> Result<Vec<DuplicateCandidate>, Error> {
    let identity = Identity::of(&customer.fields);
    let mut ids = sharing(tx, &identity)?;
    ids.retain(|id| *id != customer.meta.id);
    let candidate = |other: &Customer| DuplicateCandidate {
        id: CustomerId(other.meta.id.0),
        name: other.fields.name.clone(),
        likeness: identity.likeness(&Identity::of(&other.fields)),
    };
    let mut found: Vec<_> = load(tx, &ids)?.values().map(candidate).collect();
    found.retain(|candidate| candidate.likeness.score >= min_score);
    found.sort_by(|one, other| {
        let by_score = other.likeness.score.total_cmp(&one.likeness.score);
        by_score.then(one.id.cmp(&other.id))
    });
    Ok(found)
}

/// The customers that share a key with one.
fn sharing(tx: &mut Transaction<'_>, identity: &Identity) -> Result<Vec<RecordId>, Error> {
    let keys = identity.keys();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let tenant = tx.tenant();
    let mut ids: Vec<RecordId> = Vec::new();
    // Asked one by one: of all keys at once, SQLite would read every value of every customer. A list of values would be
    // a new statement to prepare each time.
    for (name, value) in keys {
        let sharing: Vec<RecordId> = record_values::table
            .filter(record_values::tenant_id.eq(tenant))
            .filter(record_values::kind.eq(Kind::Customer))
            .filter(record_values::field.eq(name))
            .filter(record_values::value.eq(value))
            .limit(MOST_CANDIDATES)
            .select(record_values::record_id)
            .load(tx.connection())?;
        ids.extend(sharing);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Those of some customers that the caller may see.
fn load(tx: &mut Transaction<'_>, ids: &[RecordId]) -> Result<HashMap<RecordId, Customer>, Error> {
    let mut loaded = HashMap::new();
    for some in ids.chunks(500) {
        let (tenant, visible) = (tx.tenant(), records::visible_condition::<Customer>(tx));
        let found = Customer::find_many(tx.connection(), tenant, some, visible)?;
        loaded.extend(found.into_iter().map(|customer| (customer.meta().id, customer)));
    }
    Ok(loaded)
}

/// Where a scan stands: after a pair of customers that share a value, or after all that share it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    key: String,
    value: String,
    pair: Option<(RecordId, RecordId)>,
}

/// A part of a scan.
#[derive(Debug)]
pub struct Scan {
    /// The pairs found.
    pub pairs: Vec<DuplicatePair>,
    /// Where to go on; none at the end.
    pub next: Option<Place>,
}

/// Shared values that are looked at in one go, at most, so that a scan that finds little costs several short pages.
const PORTION: usize = 2000;
/// Customers that share one value and are compared with each other, at most.
const MOST_SHARING: usize = 50;

/// The pairs of customers that may be the same, after a place.
pub fn scan(tx: &mut Transaction<'_>, after: Option<&Place>, min_score: f64, limit: usize) -> Result<Scan, Error> {
    let mut scan = Scan {
        pairs: Vec::new(),
        next: None,
    };
    for key in KEYS {
        let after = match after {
            Some(place) if key < place.key.as_str() => continue,
            Some(place) if key == place.key => Some(place),
            _ => None,
        };
        let (blocks, is_last) = blocks(tx, key, after)?;
        if !pairs_of(tx, key, &blocks, after, min_score, limit, &mut scan)? {
            return Ok(scan);
        }
        if !is_last {
            scan.next = blocks.last().map(|(value, _)| Place {
                key: key.to_owned(),
                value: value.clone(),
                pair: None,
            });
            return Ok(scan);
        }
    }
    Ok(scan)
}

/// A value, and the customers that have it.
type Block = (String, Vec<RecordId>);

/// The next values of a key with the customers that have them, and whether these are the last.
fn blocks(tx: &mut Transaction<'_>, key: &str, after: Option<&Place>) -> Result<(Vec<Block>, bool), Error> {
    let mut values = record_values::table
        .filter(record_values::tenant_id.eq(tx.tenant()))
        .filter(record_values::kind.eq(Kind::Customer))
        .filter(record_values::field.eq(key))
        .order((record_values::value, record_values::record_id))
        .limit(i64::try_from(PORTION).unwrap_or(i64::MAX))
        .select((record_values::value, record_values::record_id))
        .into_boxed::<sql::MultiBackend>();
    match after {
        Some(Place {
            value, pair: Some(_), ..
        }) => values = values.filter(record_values::value.ge(value.clone())),
        Some(Place { value, pair: None, .. }) => values = values.filter(record_values::value.gt(value.clone())),
        None => {}
    }
    let rows: Vec<(String, RecordId)> = values.load(tx.connection())?;
    let is_last = rows.len() < PORTION;
    let mut blocks: Vec<Block> = Vec::new();
    for (value, id) in rows {
        match blocks.last_mut() {
            Some((last, ids)) if *last == value => ids.push(id),
            _ => blocks.push((value, vec![id])),
        }
    }
    // The last one may go on beyond the portion; if it is the only one, it is far too large anyway.
    if !is_last && blocks.len() > 1 {
        blocks.pop();
    }
    Ok((blocks, is_last))
}

/// Adds the pairs that share a value; false when the page is full.
fn pairs_of(
    tx: &mut Transaction<'_>,
    key: &'static str,
    blocks: &[Block],
    after: Option<&Place>,
    min_score: f64,
    limit: usize,
    scan: &mut Scan,
) -> Result<bool, Error> {
    let shared = || {
        let several = blocks.iter().filter(|(_, ids)| ids.len() > 1);
        several.map(|(value, ids)| (value, &ids[..ids.len().min(MOST_SHARING)]))
    };
    let ids: BTreeSet<RecordId> = shared().flat_map(|(_, ids)| ids.iter().copied()).collect();
    let customers = load(tx, &ids.into_iter().collect::<Vec<_>>())?;
    let known: HashMap<RecordId, (DuplicateName, Identity)> = customers
        .iter()
        .map(|(id, customer)| (*id, (DuplicateName::from(customer), Identity::of(&customer.fields))))
        .collect();
    for (value, ids) in shared() {
        let done = after.filter(|place| place.value == *value).and_then(|place| place.pair);
        for (index, one) in ids.iter().enumerate() {
            for other in &ids[index + 1..] {
                if done.is_some_and(|done| (*one, *other) <= done) {
                    continue;
                }
                let (Some((name, identity)), Some((other_name, other_identity))) = (known.get(one), known.get(other))
                else {
                    continue;
                };
                let likeness = identity.likeness(other_identity);
                // Who shares several values is told with the first of them.
                let keys = identity.keys();
                let first = keys.intersection(&other_identity.keys()).next().cloned();
                if likeness.score < min_score || first.is_none_or(|first| first != (key, value.clone())) {
                    continue;
                }
                scan.pairs.push(DuplicatePair {
                    customers: vec![name.clone(), other_name.clone()],
                    likeness,
                });
                if scan.pairs.len() == limit {
                    scan.next = Some(Place {
                        key: key.to_owned(),
                        value: value.clone(),
                        pair: Some((*one, *other)),
                    });
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}
