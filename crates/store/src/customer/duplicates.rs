//! How possible duplicates are found: by the values that they share, never by a look at all customers.

use crate::records;
use crate::stored::Table;
use crate::{Error, Transaction};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use domain::customer::customers::Customer;
use domain::customer::duplicates::{DuplicateCandidate, DuplicateName, DuplicatePair, Identity, KEYS, REFUSED};
use domain::{Kind, Record};
use serde::{Deserialize, Serialize};
use sql::ids::{CustomerId, RecordId};
use sql::schema::record_values;
use sql::{DatabaseConnection, on_either};
use std::collections::{BTreeSet, HashMap};

/// Customers that share a value with one and are compared with it, at most. What many share says little.
const MOST_CANDIDATES: i64 = 50;

/// So many keys are asked for one by one on PostgreSQL, too: a statement that has to be planned costs as much.
const FEW_KEYS: usize = 4;

/// Refuses new customers that there seem to be already, unless the caller knows better.
pub(crate) fn check_new(tx: &mut Transaction<'_>, new: &[Customer]) -> Result<(), Error> {
    if !tx.refuses_duplicates() {
        return Ok(());
    }
    let new: Vec<_> = new.iter().map(|new| (new, Identity::of(&new.fields))).collect();
    let keys: Vec<_> = new.iter().map(|(_, identity)| identity.keys()).collect();
    let sharing = sharing(tx, &keys)?;
    let mut earlier_by_key: HashMap<&DuplicateKey, Vec<usize>> = HashMap::new();
    for (index, ((_, identity), ids)) in new.iter().zip(sharing).enumerate() {
        let mut candidates = alike(tx, identity, &ids, REFUSED)?;
        let earlier: BTreeSet<_> = keys[index]
            .iter()
            .filter_map(|key| earlier_by_key.get(key))
            .flatten()
            .collect();
        let earlier = earlier
            .into_iter()
            .map(|at| candidate(new[*at].0, identity, &new[*at].1));
        candidates.extend(earlier.filter(|earlier| earlier.likeness.score >= REFUSED));
        if !candidates.is_empty() {
            return Err(Error::Duplicate(candidates));
        }
        for key in &keys[index] {
            earlier_by_key.entry(key).or_default().push(index);
        }
    }
    Ok(())
}

/// The customers that may be the same as one, the most alike first.
pub fn of(tx: &mut Transaction<'_>, id: RecordId, min_score: f64) -> Result<Vec<DuplicateCandidate>, Error> {
    let customer = records::get::<Customer>(tx, id)?;
    let identity = Identity::of(&customer.fields);
    let mut ids = sharing(tx, &[identity.keys()])?.concat();
    ids.retain(|other| *other != id);
    alike(tx, &identity, &ids, min_score)
}

/// Those of some customers that are alike enough, the most alike first.
fn alike(
    tx: &mut Transaction<'_>,
    identity: &Identity,
    ids: &[RecordId],
    min_score: f64,
) -> Result<Vec<DuplicateCandidate>, Error> {
    let others = load(tx, ids)?;
    let found = others
        .values()
        .map(|other| candidate(other, identity, &Identity::of(&other.fields)));
    let mut found: Vec<_> = found.filter(|found| found.likeness.score >= min_score).collect();
    found.sort_by(|one, other| {
        let by_score = other.likeness.score.total_cmp(&one.likeness.score);
        by_score.then(one.id.cmp(&other.id))
    });
    Ok(found)
}

fn candidate(other: &Customer, identity: &Identity, others: &Identity) -> DuplicateCandidate {
    DuplicateCandidate {
        id: CustomerId(other.meta.id.0),
        name: other.fields.name.clone(),
        likeness: identity.likeness(others),
    }
}

/// For the keys of each of some customers, the customers that share one of them.
fn sharing(tx: &mut Transaction<'_>, keys: &[BTreeSet<DuplicateKey>]) -> Result<Vec<Vec<RecordId>>, Error> {
    let found = having(tx, keys.iter().flatten().cloned().collect())?;
    let sharing = keys.iter().map(|keys| {
        let ids = keys.iter().filter_map(|key| found.get(key)).flatten().copied();
        ids.collect::<BTreeSet<_>>().into_iter().collect()
    });
    Ok(sharing.collect())
}

type DuplicateKey = (&'static str, String);

/// The customers that have each of some keys.
fn having(
    tx: &mut Transaction<'_>,
    keys: BTreeSet<DuplicateKey>,
) -> Result<HashMap<DuplicateKey, Vec<RecordId>>, Error> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        number: i64,
        #[diesel(sql_type = sql::types::Identifier)]
        record_id: RecordId,
    }
    let tenant = tx.tenant();
    let mut found: HashMap<DuplicateKey, Vec<RecordId>> = HashMap::new();
    match tx.connection() {
        _ if keys.is_empty() => {}
        DatabaseConnection::Postgres(c) if keys.len() > FEW_KEYS => {
            let keys: Vec<_> = keys.into_iter().collect();
            let (fields, values): (Vec<_>, Vec<_>) = keys.iter().map(|(field, value)| (*field, value.as_str())).unzip();
            let rows: Vec<Found> = diesel::sql_query(
                "SELECT number, record_id FROM unnest($1, $2) WITH ORDINALITY AS keys (field, value, number), \
                 LATERAL (SELECT record_id FROM record_values WHERE tenant_id = $3 AND kind = 'customer' \
                 AND record_values.field = keys.field AND record_values.value = keys.value LIMIT $4) AS owners",
            )
            .bind::<Array<Text>, _>(fields)
            .bind::<Array<Text>, _>(values)
            .bind::<sql::types::Identifier, _>(tenant)
            .bind::<BigInt, _>(MOST_CANDIDATES)
            .load(c)?;
            for row in rows {
                let key = usize::try_from(row.number - 1).ok().and_then(|index| keys.get(index));
                found
                    .entry(key.cloned().unwrap_or_default())
                    .or_default()
                    .push(row.record_id);
            }
        }
        // Asked one by one, by a statement that stays prepared. Of all keys at once, SQLite would read every value of every
        // customer, or have a new statement for each number of them.
        c => {
            for (field, value) in keys {
                let sharing = record_values::table
                    .filter(record_values::tenant_id.eq(tenant))
                    .filter(record_values::kind.eq(Kind::Customer))
                    .filter(record_values::field.eq(field))
                    .filter(record_values::value.eq(&value))
                    .limit(MOST_CANDIDATES)
                    .select(record_values::record_id);
                let sharing: Vec<RecordId> = on_either!(c, |c| sharing.load(c))?;
                found.insert((field, value), sharing);
            }
        }
    }
    Ok(found)
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
