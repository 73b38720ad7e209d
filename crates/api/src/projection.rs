//! `fields=` and `include=`: which members of a record are sent, and which other records with it.

use crate::caller::Caller;
use crate::limits::INCLUDED;
use crate::problem::Problem;
use crate::query::Query;
use domain::Record;
use domain::operation::scopes::Scope as Permission;
use domain::registry::{Link, Relation};
use serde_json::{Map, Value};
use sql::ids::RecordId;
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

/// The records as they are sent: one query a relation, never one a record.
pub(crate) fn project<R: Record>(
    tx: &mut Transaction<'_>,
    records: &[&R],
    projection: &Projection,
) -> Result<Vec<Value>, Error> {
    let mut values = records
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<Vec<_>, _>>()?;
    let included = projection
        .include
        .iter()
        .map(|relation| load(tx, relation, &values))
        .collect::<Result<Vec<_>, _>>()?;
    for (value, record) in values.iter_mut().zip(records) {
        let Value::Object(members) = value else { continue };
        let embedded: Vec<_> = projection
            .include
            .iter()
            .zip(&included)
            .map(|(relation, found)| (relation.name, found.of(relation, record.meta().id, members)))
            .collect();
        if let Some(fields) = &projection.fields {
            members.retain(|name, _| fields.contains(name));
        }
        members.extend(embedded.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    Ok(values)
}

/// What a relation leads to, for all records of a page.
enum Included {
    One(std::collections::HashMap<RecordId, Value>),
    Many(std::collections::HashMap<RecordId, Vec<Value>>),
}

fn load(tx: &mut Transaction<'_>, relation: &Relation, values: &[Value]) -> Result<Included, Error> {
    let ids = |member: &str| {
        let mut ids: Vec<RecordId> = values.iter().filter_map(|value| id_in(value.get(member)?)).collect();
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

fn id_in(value: &Value) -> Option<RecordId> {
    value.as_str()?.parse().ok()
}

impl Included {
    fn of(&self, relation: &Relation, id: RecordId, members: &Map<String, Value>) -> Value {
        match (self, relation.link) {
            (Self::One(found), Link::One { column }) => members
                .get(column)
                .and_then(id_in)
                .and_then(|id| found.get(&id))
                .cloned()
                .unwrap_or_default(),
            (Self::Many(found), _) => Value::Array(found.get(&id).cloned().unwrap_or_default()),
            (Self::One(_), Link::Many { .. }) => Value::Null,
        }
    }
}
