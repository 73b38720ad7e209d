//! Which customers the events of the log touch: those that they are about, and those that a record they are about names.

use crate::events::Event;
use crate::kinds::with_record;
use crate::stored::Table;
use crate::{Error, Transaction};
use domain::Kind;
use domain::registry::Link;
use serde_json::Value;
use sql::ids::{CustomerId, RecordId};
use std::collections::{BTreeMap, BTreeSet};

/// Whom events may have made enter or leave.
#[derive(Default)]
pub(super) struct Touched {
    /// These customers.
    pub(super) customers: BTreeSet<CustomerId>,
    /// Those that are tied to records of these kinds in ways that only a walk can find.
    pub(super) kinds: BTreeSet<Kind>,
    /// Anyone: a record is gone that led to one.
    pub(super) anyone: bool,
}

impl Touched {
    pub(super) fn by<'e>(tx: &mut Transaction<'_>, told: impl Iterator<Item = &'e Event>) -> Result<Self, Error> {
        let mut touched = Self::default();
        let mut related: BTreeMap<(Kind, RecordId), Vec<&Event>> = BTreeMap::new();
        for event in told {
            match event.subject.kind {
                Kind::Customer => _ = touched.customers.insert(CustomerId(event.subject.id.0)),
                kind if columns_to_customer(kind).next().is_none() => _ = touched.kinds.insert(kind),
                _ if event.kind.ends_with(".purged") => touched.anyone = true,
                kind => related.entry((kind, event.subject.id)).or_default().push(event),
            }
        }
        for ((kind, id), events) in related {
            let now = record_now(tx, kind, id)?;
            for column in columns_to_customer(kind) {
                let Some(field) = kind.registry().field_in(column) else {
                    continue;
                };
                let pointer = format!("/{}", field.name.replace('.', "/"));
                let present = now.as_ref().and_then(|record| record.pointer(&pointer));
                let told = events.iter().flat_map(|event| values_told(event, field.name));
                touched
                    .customers
                    .extend(present.into_iter().chain(told).filter_map(customer_in));
            }
        }
        Ok(touched)
    }
}

/// The columns by which records of a kind name a customer.
fn columns_to_customer(kind: Kind) -> impl Iterator<Item = &'static str> {
    let relations = Kind::Customer.registry().all_relations();
    relations.filter_map(move |relation| match relation.link {
        Link::Many { column } if relation.target == kind => Some(column),
        _ => None,
    })
}

/// A record as it is now, deleted or not.
fn record_now(tx: &mut Transaction<'_>, kind: Kind, id: RecordId) -> Result<Option<Value>, Error> {
    let tenant = tx.tenant();
    let json = with_record!(kind, |R| R::find(tx.connection(), tenant, id, false)?
        .map(|record| serde_json::to_value(&record)))
    .transpose()?;
    Ok(json)
}

/// The values of a field before and after an event.
fn values_told<'e>(event: &'e Event, field: &str) -> impl Iterator<Item = &'e Value> + use<'e> {
    let (member, within) = field.split_once('.').unwrap_or((field, ""));
    let pointer = if within.is_empty() {
        String::new()
    } else {
        format!("/{within}")
    };
    let change = event.changes.get(member);
    ["before", "after"]
        .into_iter()
        .filter_map(move |side| change?.get(side)?.pointer(&pointer))
}

fn customer_in(value: &Value) -> Option<CustomerId> {
    value.as_str()?.parse().ok()
}
