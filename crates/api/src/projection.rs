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

/// The members of a record, as they are sent.
type Members<'a> = HashMap<&'a str, &'a RawValue>;

/// Writes records as they are sent, in an array: one query a relation, never one a record.
pub(crate) fn project<R: Record>(
    tx: &mut Transaction<'_>,
    records: &[R],
    projection: &Projection,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if projection.is_whole() {
        return Ok(serde_json::to_writer(out, records)?);
    }
    let whole = texts(records)?;
    Ok(serde_json::to_writer(out, &projection.trimmed::<R>(tx, &whole)?)?)
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
    let whole = texts(std::slice::from_ref(record))?;
    let trimmed = projection.trimmed::<R>(tx, &whole)?;
    Ok(trimmed
        .first()
        .map(serde_json::to_string)
        .transpose()?
        .unwrap_or_default())
}

fn texts<R: Record>(records: &[R]) -> Result<Vec<Box<RawValue>>, Error> {
    Ok(records.iter().map(to_raw_value).collect::<Result<_, _>>()?)
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
    fn trimmed<'a, R: Record>(
        &self,
        tx: &mut Transaction<'_>,
        whole: &'a [Box<RawValue>],
    ) -> Result<Vec<Trimmed<'a>>, Error> {
        let members = whole.iter().map(|record| serde_json::from_str(record.get()));
        let members: Vec<Members<'_>> = members.collect::<Result<_, _>>()?;
        let included = self.include.iter().map(|relation| load(tx, relation, &members));
        let included = included.collect::<Result<Vec<_>, _>>()?;
        let trimmed = members.iter().map(|members| {
            let embedded = self.include.iter().zip(&included);
            Trimmed {
                own: self.trim::<R>(members),
                embedded: embedded
                    .map(|(relation, found)| (relation.name, found.of(relation, members)))
                    .collect(),
            }
        });
        Ok(trimmed.collect())
    }

    /// The members that were asked for, in their order.
    fn trim<'a, R: Record>(&self, members: &Members<'a>) -> Vec<(&'a str, &'a RawValue)> {
        let wanted = |name: &&String| self.fields.as_ref().is_none_or(|fields| fields.contains(name));
        let names = crate::openapi::member_names::<R>().iter().filter(wanted);
        names
            .filter_map(|name| members.get_key_value(name.as_str()))
            .map(|(name, value)| (*name, *value))
            .collect()
    }
}

/// What a relation leads to, for all records of a page.
enum Included {
    One(HashMap<RecordId, Value>),
    Many(HashMap<RecordId, Vec<Value>>),
}

fn load(tx: &mut Transaction<'_>, relation: &Relation, records: &[Members<'_>]) -> Result<Included, Error> {
    let ids = |member: &str| {
        let mut ids: Vec<RecordId> = records.iter().filter_map(|members| id_in(members, member)).collect();
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

fn id_in(members: &Members<'_>, member: &str) -> Option<RecordId> {
    members.get(member)?.get().trim_matches('"').parse().ok()
}

impl Included {
    fn of(&self, relation: &Relation, members: &Members<'_>) -> Value {
        match (self, relation.link) {
            (Self::One(found), Link::One { column }) => id_in(members, column)
                .and_then(|id| found.get(&id))
                .cloned()
                .unwrap_or_default(),
            (Self::Many(found), _) => {
                let found = id_in(members, "id").and_then(|id| found.get(&id));
                Value::Array(found.cloned().unwrap_or_default())
            }
            (Self::One(_), Link::Many { .. }) => Value::Null,
        }
    }
}
