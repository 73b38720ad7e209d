//! `fields=` and `include=`: which members of a record are sent, and which other records with it.

use crate::caller::Caller;
use crate::limits::INCLUDED;
use crate::problem::Problem;
use crate::query::Query;
use domain::Record;
use domain::operation::scopes::Scope as Permission;
use domain::registry::{Link, Relation};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use sql::ids::RecordId;
use std::collections::HashMap;
use store::shown::Members;
use store::{Error, Transaction, references};

/// What to send of each record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Projection {
    fields: Option<Vec<String>>,
    include: Vec<&'static Relation>,
}

impl Projection {
    /// Takes `fields` and `include` from the query.
    pub(crate) fn taken<R: Record>(query: &mut Query, caller: &Caller) -> Result<Self, Problem> {
        let fields = query.take_list("fields");
        let include = query.take_list("include").unwrap_or_default();
        Self::of::<R>(fields, &include, caller, query)
    }

    /// From names that were sent in a body or in the query; faults are noted with the query.
    pub(crate) fn of<R: Record>(
        fields: Option<Vec<String>>,
        include: &[String],
        caller: &Caller,
        query: &mut Query,
    ) -> Result<Self, Problem> {
        let known = crate::openapi::member_names::<R>();
        for name in fields.iter().flatten().filter(|name| !known.contains(name)) {
            query.fault(
                "fields",
                "unknown_field",
                format!("must be names of {}", known.join(", ")),
            );
            if name.is_empty() {
                break;
            }
        }
        let registry = R::KIND.registry();
        let mut relations = Vec::new();
        for name in include {
            if let Some(relation) = registry.relation(name) {
                caller.require(Permission::Read(relation.target))?;
                relations.push(relation);
            } else {
                let names: Vec<_> = registry.all_relations().map(|relation| relation.name).collect();
                query.fault(
                    "include",
                    "unknown_relation",
                    format!("must be one of {}", names.join(", ")),
                );
            }
        }
        Ok(Self {
            fields,
            include: relations,
        })
    }

    /// Whether records are sent as they are.
    pub(crate) fn is_whole(&self) -> bool {
        self.fields.is_none() && self.include.is_empty()
    }
}

/// The bytes of a large record, about.
const RECORD_BYTES: usize = 1_500;

/// Records on their way into an array. Each is written as it comes and can be gone before the next one is read, so that
/// all of them stand in the same memory.
pub(crate) struct Projected<'a> {
    projection: &'a Projection,
    out: Vec<u8>,
    /// Where the last record begins, when records are sent whole.
    last: usize,
    /// The texts of records of which a part is sent, or others with them: what these are is asked for all at once.
    whole: Vec<Box<RawValue>>,
}

impl<'a> Projected<'a> {
    /// After what was written already, with room for so many whole records: the answer need not move as it grows to these.
    pub(crate) fn after(written: &[u8], projection: &'a Projection, expected: usize) -> Self {
        let room = if projection.is_whole() { expected } else { 0 };
        let mut out = Vec::with_capacity(RECORD_BYTES * (room + 1));
        out.extend_from_slice(written);
        out.push(b'[');
        Self {
            projection,
            last: out.len(),
            out,
            whole: Vec::new(),
        }
    }

    /// One more record.
    pub(crate) fn add<R: Record>(&mut self, record: &R) -> Result<(), Error> {
        if !self.projection.is_whole() {
            self.whole.push(to_raw_value(record)?);
            return Ok(());
        }
        if self.out.len() > self.last {
            self.out.push(b',');
        }
        self.last = self.out.len();
        Ok(serde_json::to_writer(&mut self.out, record)?)
    }

    /// The members of the last record, as it is when sent whole.
    pub(crate) fn last(&self) -> Result<Members<'_>, Error> {
        if let Some(text) = self.whole.last() {
            return Members::of(text.get());
        }
        let text = str::from_utf8(&self.out[self.last..]);
        Members::of(text.map_err(|error| Error::Internal(error.to_string()))?)
    }

    /// What was written in all: one query a relation, never one a record.
    pub(crate) fn finished(mut self, tx: &mut Transaction<'_>) -> Result<Vec<u8>, Error> {
        for (index, record) in self.projection.trimmed(tx, &self.whole)?.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            serde_json::to_writer(&mut self.out, record)?;
        }
        self.out.push(b']');
        // A client may take its time to read the answer.
        if self.out.len() < self.out.capacity() / 2 {
            self.out.shrink_to_fit();
        }
        Ok(self.out)
    }
}

/// A record as it is sent.
pub(crate) fn project_one<R: Record>(
    tx: &mut Transaction<'_>,
    record: &R,
    projection: &Projection,
) -> Result<String, Error> {
    if projection.is_whole() {
        return Ok(serde_json::to_string(record)?);
    }
    let whole = [to_raw_value(record)?];
    let trimmed = projection.trimmed(tx, &whole)?;
    Ok(trimmed
        .first()
        .map(serde_json::to_string)
        .transpose()?
        .unwrap_or_default())
}

/// What is sent of one record: members of its own, and what it includes.
struct Trimmed<'a> {
    own: Vec<(&'a str, &'a RawValue)>,
    embedded: Vec<(&'static str, Value)>,
}

impl Serialize for Trimmed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.own {
            map.serialize_entry(name, value)?;
        }
        for (name, value) in &self.embedded {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Projection {
    /// What was asked for of records whose texts these are.
    fn trimmed<'a>(&self, tx: &mut Transaction<'_>, whole: &'a [Box<RawValue>]) -> Result<Vec<Trimmed<'a>>, Error> {
        let members = whole.iter().map(|record| Members::of(record.get()));
        let members: Vec<Members<'_>> = members.collect::<Result<_, _>>()?;
        let included = self.include.iter().map(|relation| load(tx, relation, &members));
        let included = included.collect::<Result<Vec<_>, _>>()?;
        let trimmed = members.iter().map(|members| {
            let embedded = self.include.iter().zip(&included);
            Trimmed {
                own: members.iter().filter(|(name, _)| self.is_wanted(name)).collect(),
                embedded: embedded
                    .map(|(relation, found)| (relation.name, found.of(relation, members)))
                    .collect(),
            }
        });
        Ok(trimmed.collect())
    }

    fn is_wanted(&self, member: &str) -> bool {
        let fields = self.fields.as_ref();
        fields.is_none_or(|fields| fields.iter().any(|field| field == member))
    }
}

/// What a relation leads to, for all records of a page.
enum Included {
    One(HashMap<RecordId, Value>),
    Many(HashMap<RecordId, Vec<Value>>),
}

fn load(tx: &mut Transaction<'_>, relation: &Relation, records: &[Members<'_>]) -> Result<Included, Error> {
    let ids = |member: &str| {
        let mut ids: Vec<RecordId> = records.iter().filter_map(|members| members.id_in(member)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    match relation.link {
        Link::One { column } => references::load_related(tx, relation.target, &ids(column)).map(Included::One),
        Link::Many { .. } => {
            references::load_referring(tx, relation.target, relation.link, &ids("id"), INCLUDED).map(Included::Many)
        }
    }
}

impl Included {
    fn of(&self, relation: &Relation, members: &Members<'_>) -> Value {
        match (self, relation.link) {
            (Self::One(found), Link::One { column }) => members
                .id_in(column)
                .and_then(|id| found.get(&id))
                .cloned()
                .unwrap_or_default(),
            (Self::Many(found), _) => {
                let found = members.id_in("id").and_then(|id| found.get(&id));
                Value::Array(found.cloned().unwrap_or_default())
            }
            (Self::One(_), Link::Many { .. }) => Value::Null,
        }
    }
}
