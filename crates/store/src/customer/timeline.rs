//! The timeline of a customer: each source is asked for the entries after a place, and no more than fit on a page.

use crate::customer::merges;
use crate::customer::overview::{compares, field, key};
use crate::filter::Page;
use crate::kinds::with_record;
use crate::records;
use crate::stored::{Stored, Table};
use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::customer::customers::Customer;
use domain::customer::lifecycle_changes::LifecycleChange;
use domain::customer::timeline::{Place, Telling, TimelineEntry, TimelineKind, page_of, shortened, without_lifecycle};
use domain::record::RecordLink;
use domain::rule::{Check, Comparison, Position, Rule, Value};
use domain::{Kind, Record};
use serde_json::{Map, Value as Json, json};
use sql::ids::{CustomerId, PrincipalId, RecordId};
use sql::schema::{events, lifecycle_changes};
use sql::{Json as Document, MultiBackend, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Which part of a timeline is asked for.
#[derive(Debug, Clone)]
pub struct Slice {
    /// What it is about, of what the caller may read.
    pub kinds: BTreeSet<TimelineKind>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// After this place.
    pub after: Option<Place>,
    /// The most entries.
    pub limit: usize,
}

/// A part of the timeline of a customer, the latest first, and whether more follows.
pub fn timeline(tx: &mut Transaction<'_>, id: RecordId, slice: &Slice) -> Result<(Vec<TimelineEntry>, bool), Error> {
    let customer = records::get::<Customer>(tx, id)?;
    let mut sources = vec![of_log(tx, &customer, slice)?];
    for kind in &slice.kinds {
        if let Some(telling) = kind.records() {
            let (kind, id) = (*kind, customer.meta.id);
            sources.push(with_record!(telling.kind, |R| of_records::<R>(
                tx, kind, &telling, id, slice
            )?));
        }
    }
    if slice.kinds.contains(&TimelineKind::Lifecycle) {
        sources.push(of_lifecycle(tx, &customer, slice)?);
    }
    Ok(page_of(sources, slice.limit, TimelineEntry::place))
}

impl Slice {
    /// What each source gives at most: one more than the page holds tells whether there is another.
    fn most(&self) -> usize {
        self.limit + 1
    }
}

fn of_records<R: Stored>(
    tx: &mut Transaction<'_>,
    kind: TimelineKind,
    telling: &Telling,
    customer: RecordId,
    slice: &Slice,
) -> Result<Vec<TimelineEntry>, Error> {
    let when = |how, instant| compares(R::KIND, telling.at, how, Value::Instant(instant));
    let mut rules = vec![compares(
        R::KIND,
        telling.customer,
        Comparison::Equal,
        Value::Id(customer),
    )?];
    // Those that have no such instant have nothing to tell.
    rules.push(field(R::KIND, telling.at, Check::Exists)?);
    if let Some(from) = slice.from {
        rules.push(when(Comparison::GreaterOrEqual, from)?);
    }
    if let Some(to) = slice.to {
        rules.push(when(Comparison::Less, to)?);
    }
    let page = Page {
        rule: Some(Rule::All(rules)),
        sort: vec![key(R::KIND, telling.at, true)?, key(R::KIND, "id", true)?],
        after: slice
            .after
            .map(|Place(at, id)| Position(vec![Some(Value::Instant(at)), Some(Value::Id(id))])),
        limit: i64::try_from(slice.most()).unwrap_or(i64::MAX),
        kept: true,
        ..Page::default()
    };
    let found = records::page::<R>(tx, &page)?;
    found.iter().map(|record| told(record, kind, telling)).collect()
}

fn told<R: Record>(record: &R, kind: TimelineKind, telling: &Telling) -> Result<TimelineEntry, Error> {
    let mut json = serde_json::to_value(record)?;
    let at = json[telling.at].as_str().and_then(Timestamp::parse);
    let occurred_at = at.ok_or_else(|| Error::Internal(format!("a {} does not say when it was", R::KIND)))?;
    let shown = telling.shows.iter();
    let data = shown.map(|name| ((*name).to_owned(), json[*name].take()));
    let data = data.filter(|(_, value)| !value.is_null()).collect();
    Ok(TimelineEntry {
        id: record.meta().id,
        kind,
        event: telling.event.to_owned(),
        occurred_at,
        subject: RecordLink {
            kind: R::KIND,
            id: record.meta().id,
        },
        title: shortened(record.title()),
        actor_id: record.meta().created_by,
        data,
    })
}

fn of_lifecycle(tx: &mut Transaction<'_>, customer: &Customer, slice: &Slice) -> Result<Vec<TimelineEntry>, Error> {
    let id = CustomerId(customer.meta.id.0);
    let mut moves = lifecycle_changes::table
        .filter(lifecycle_changes::tenant_id.eq(tx.tenant()))
        .filter(lifecycle_changes::customer_id.eq(id))
        .order((lifecycle_changes::changed_at.desc(), lifecycle_changes::id.desc()))
        .limit(i64::try_from(slice.most()).unwrap_or(i64::MAX))
        .select(LifecycleChange::as_select())
        .into_boxed::<MultiBackend>();
    if let Some(from) = slice.from {
        moves = moves.filter(lifecycle_changes::changed_at.ge(from));
    }
    if let Some(to) = slice.to {
        moves = moves.filter(lifecycle_changes::changed_at.lt(to));
    }
    if let Some(Place(at, id)) = slice.after {
        moves = moves
            .filter(lifecycle_changes::changed_at.le(at))
            .filter(lifecycle_changes::changed_at.lt(at).or(lifecycle_changes::id.lt(id)));
    }
    let moves: Vec<LifecycleChange> = moves.load(tx.connection())?;
    let entry = |change: LifecycleChange| TimelineEntry {
        id: RecordId(change.id.0),
        kind: TimelineKind::Lifecycle,
        event: match change.from_stage {
            None => "customer.created".to_owned(),
            Some(_) => "customer.lifecycle_changed".to_owned(),
        },
        occurred_at: change.changed_at,
        subject: link(customer),
        title: shortened(customer.title()),
        actor_id: change.changed_by,
        data: Map::from_iter([
            ("from_stage".to_owned(), json!(change.from_stage)),
            ("to_stage".to_owned(), json!(change.to_stage)),
            ("reason".to_owned(), json!(change.reason)),
        ]),
    };
    Ok(moves.into_iter().map(entry).collect())
}

const fn link(customer: &Customer) -> RecordLink {
    RecordLink {
        kind: Kind::Customer,
        id: customer.meta.id,
    }
}

/// An event as the log has it.
#[derive(Queryable)]
struct Logged {
    id: RecordId,
    kind: String,
    occurred_at: Timestamp,
    actor_id: Option<PrincipalId>,
    subject: RecordLink,
    changes: Document<Map<String, Json>>,
}

/// Events that are looked at in one go, at least: the caller may not see the records of some.
const PORTION: usize = 100;

fn of_log(tx: &mut Transaction<'_>, customer: &Customer, slice: &Slice) -> Result<Vec<TimelineEntry>, Error> {
    let kinds: Vec<&'static str> = slice.kinds.iter().flat_map(|kind| kind.events()).copied().collect();
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    let (portion, mut after) = (slice.most().max(PORTION), slice.after);
    let mut entries = Vec::new();
    loop {
        let events = portion_of_log(tx, customer, &kinds, slice, after, portion)?;
        after = events.last().map(|event| Place(event.occurred_at, event.id));
        let is_last = events.len() < portion;
        entries.extend(entries_of(tx, customer, events)?);
        if is_last || entries.len() >= slice.most() {
            return Ok(entries);
        }
    }
}

fn portion_of_log(
    tx: &mut Transaction<'_>,
    customer: &Customer,
    kinds: &[&'static str],
    slice: &Slice,
    after: Option<Place>,
    portion: usize,
) -> Result<Vec<Logged>, Error> {
    let mut told = events::table
        .filter(events::tenant_id.eq(tx.tenant()))
        .filter(events::customer_id.eq(CustomerId(customer.meta.id.0)))
        .filter(events::kind.eq_any(kinds.to_vec()))
        .order((events::occurred_at.desc(), events::id.desc()))
        .limit(i64::try_from(portion).unwrap_or(i64::MAX))
        .select((
            events::id,
            events::kind,
            events::occurred_at,
            events::actor_id,
            (events::subject_type, events::subject_id),
            events::changes,
        ))
        .into_boxed::<MultiBackend>();
    if let Some(from) = slice.from {
        told = told.filter(events::occurred_at.ge(from));
    }
    if let Some(to) = slice.to {
        told = told.filter(events::occurred_at.lt(to));
    }
    if let Some(Place(at, id)) = after {
        told = told
            .filter(events::occurred_at.le(at))
            .filter(events::occurred_at.lt(at).or(events::id.lt(id)));
    }
    Ok(told.load(tx.connection())?)
}

/// The entries that events make, without those about records that are deleted or that the caller may not see.
fn entries_of(tx: &mut Transaction<'_>, customer: &Customer, events: Vec<Logged>) -> Result<Vec<TimelineEntry>, Error> {
    let titles = titles(tx, customer, &events)?;
    let entry = |event: Logged| {
        let kind = TimelineKind::of_event(&event.kind)?;
        let title = titles.get(&named(&event))?.clone();
        let data = without_lifecycle(event.changes.into_inner());
        (kind != TimelineKind::Customer || event.kind != "customer.updated" || !data.is_empty()).then_some(
            TimelineEntry {
                id: event.id,
                kind,
                event: event.kind,
                occurred_at: event.occurred_at,
                subject: event.subject,
                title,
                actor_id: event.actor_id,
                data,
            },
        )
    };
    Ok(events.into_iter().filter_map(entry).collect())
}

/// The record whose title an event bears: its subject, or the segment that a customer entered or left.
fn named(event: &Logged) -> RecordLink {
    let segment = event.changes.get("segment_id").and_then(|change| {
        let sides = ["after", "before"].into_iter();
        let mut ids = sides.filter_map(|side| change[side].as_str()?.parse().ok());
        ids.next()
    });
    match segment {
        Some(id) if event.kind.starts_with("segment.") => RecordLink {
            kind: Kind::Segment,
            id,
        },
        _ => event.subject,
    }
}

/// What records are called, in one query a kind.
fn titles(
    tx: &mut Transaction<'_>,
    customer: &Customer,
    events: &[Logged],
) -> Result<HashMap<RecordLink, String>, Error> {
    let mut wanted: BTreeMap<Kind, BTreeSet<RecordId>> = BTreeMap::new();
    for link in events.iter().map(named).filter(|link| *link != self::link(customer)) {
        wanted.entry(link.kind).or_default().insert(link.id);
    }
    let mut titles = HashMap::from([(link(customer), shortened(customer.title()))]);
    for (kind, ids) in wanted {
        let ids: Vec<RecordId> = ids.into_iter().collect();
        let tenant = tx.tenant();
        if kind == Kind::Customer {
            for (id, name) in merges::names(tx, &ids)? {
                titles.insert(RecordLink { kind, id }, shortened(&name));
            }
        }
        with_record!(kind, |R| {
            let visible = records::visible_condition::<R>(tx);
            for record in R::find_many(tx.connection(), tenant, &ids, visible)? {
                let link = RecordLink {
                    kind,
                    id: record.meta().id,
                };
                titles.insert(link, shortened(record.title()));
            }
        });
    }
    Ok(titles)
}
