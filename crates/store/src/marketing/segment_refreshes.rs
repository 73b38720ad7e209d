//! How dynamic segments and snapshots are kept in step: by walking through all customers when a rule is new or depends
//! on the time, and by following the log of events for the customers that a change touches.
//!
//! What is found by reading is written only if nobody has done that part meanwhile, so that several instances may work
//! and each customer still enters and leaves once.

use crate::events::{self, Cursor};
use crate::filter::Condition;
use crate::marketing::segment_members::move_members;
use crate::marketing::touched_customers::Touched;
use crate::records;
use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::Kind;
use domain::marketing::segments::{Segment, SegmentKind};
use domain::operation::visibility::Visibility;
use domain::rule::Rule;
use sql::ids::{CustomerId, EventId, RecordId, SegmentId};
use sql::schema::{customers, segment_cursors, segment_members, segment_refreshes, segments};
use sql::{Timestamp, on_either};
use std::collections::BTreeSet;

/// Customers that a walk looks at in one portion.
const WALKED: i64 = 2000;
/// Events that are followed in one portion.
const FOLLOWED: usize = 500;

/// A portion of work that was found.
#[derive(Debug, Clone)]
pub enum Work {
    /// The next customers of a walk.
    Walk(Walk),
    /// The next events of the log.
    Follow(Follow),
}

/// Customers after one and up to another, compared with a rule.
#[derive(Debug, Clone)]
pub struct Walk {
    moves: Moves,
    after: Option<RecordId>,
    /// The last one looked at; none when these were the last.
    to: Option<RecordId>,
    next_due: Option<Timestamp>,
}

/// What events amount to for the dynamic segments.
#[derive(Debug, Clone)]
pub struct Follow {
    after: Cursor,
    to: Cursor,
    moves: Vec<Moves>,
    due: Vec<SegmentId>,
}

/// Who enters a segment and who leaves it.
#[derive(Debug, Clone)]
struct Moves {
    segment: SegmentId,
    /// Of the segment when its rule was read.
    version: i64,
    entering: Vec<CustomerId>,
    leaving: Vec<CustomerId>,
}

impl Moves {
    fn between(segment: &Segment, matching: &BTreeSet<CustomerId>, members: &BTreeSet<CustomerId>) -> Self {
        Self {
            segment: SegmentId(segment.meta.id.0),
            version: segment.meta.version,
            entering: matching.difference(members).copied().collect(),
            leaving: members.difference(matching).copied().collect(),
        }
    }
}

/// Has the rules of segments applied to all customers, as soon as possible and from the beginning.
pub(crate) fn make_due(tx: &mut Transaction<'_>, ids: &[SegmentId]) -> Result<(), Error> {
    for id in ids {
        let due = (
            segment_refreshes::due_at.eq(Some(tx.now())),
            segment_refreshes::done_to.eq(None::<RecordId>),
        );
        let row = (
            segment_refreshes::tenant_id.eq(tx.tenant()),
            segment_refreshes::segment_id.eq(id),
            due,
        );
        on_either!(tx.connection(), |c| diesel::insert_into(segment_refreshes::table)
            .values(row)
            .on_conflict((segment_refreshes::tenant_id, segment_refreshes::segment_id))
            .do_update()
            .set(due)
            .execute(c))?;
    }
    begin_following(tx)
}

/// Has a segment refreshed: a snapshot is taken anew.
pub fn refresh(tx: &mut Transaction<'_>, id: RecordId) -> Result<(), Error> {
    let segment = records::get::<Segment>(tx, id)?;
    if segment.fields.kind == SegmentKind::Static {
        let message = "a static segment has no rule to apply";
        return Err(domain::Refusal::conflict("static", message).into());
    }
    make_due(tx, &[SegmentId(id.0)])
}

/// The first segment of a tenant begins to follow the log where that ends now.
fn begin_following(tx: &mut Transaction<'_>) -> Result<(), Error> {
    let end = events::end(tx)?;
    let row = (
        segment_cursors::tenant_id.eq(tx.tenant()),
        segment_cursors::position.eq(end.position),
        segment_cursors::last_event.eq(end.id),
    );
    on_either!(tx.connection(), |c| diesel::insert_into(segment_cursors::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// Forgets that a segment is to be refreshed.
pub(crate) fn forget(tx: &mut Transaction<'_>, segment: SegmentId) -> Result<(), Error> {
    let refresh = segment_refreshes::table.find((tx.tenant(), segment));
    diesel::delete(refresh).execute(tx.connection())?;
    Ok(())
}

/// The next portion of work, if there is any.
pub fn find_work(tx: &mut Transaction<'_>) -> Result<Option<Work>, Error> {
    if let Some(walk) = find_walk(tx)? {
        return Ok(Some(Work::Walk(walk)));
    }
    Ok(find_events(tx)?.map(Work::Follow))
}

/// Does a portion of work, unless somebody else has done it meanwhile. There may be more.
pub fn do_work(tx: &mut Transaction<'_>, work: &Work) -> Result<bool, Error> {
    match work {
        Work::Walk(walk) => do_walk(tx, walk)?,
        Work::Follow(follow) => do_follow(tx, follow)?,
    }
    Ok(true)
}

fn find_walk(tx: &mut Transaction<'_>) -> Result<Option<Walk>, Error> {
    let alive = segments::table
        .filter(segments::tenant_id.eq(tx.tenant()))
        .filter(segments::deleted_at.is_null())
        .select(segments::id);
    let due: Option<(RecordId, Option<RecordId>)> = segment_refreshes::table
        .filter(segment_refreshes::tenant_id.eq(tx.tenant()))
        .filter(segment_refreshes::due_at.le(tx.now()))
        .filter(segment_refreshes::segment_id.eq_any(alive))
        .order(segment_refreshes::due_at)
        .select((segment_refreshes::segment_id, segment_refreshes::done_to))
        .first(tx.connection())
        .optional()?;
    let Some((id, after)) = due else { return Ok(None) };
    let segment = records::get::<Segment>(tx, id)?;
    let context = tx.rule_context()?;
    let rule = segment.rule(&context)?;
    let start = after.unwrap_or(RecordId(uuid::Uuid::nil()));
    let matching: Vec<RecordId> = customers::table
        .filter(passing(tx, rule.as_ref()))
        .filter(customers::id.gt(start))
        .order(customers::id)
        .limit(WALKED)
        .select(customers::id)
        .load(tx.connection())?;
    let full = i64::try_from(matching.len()).is_ok_and(|count| count == WALKED);
    let to = if full { matching.last().copied() } else { None };
    let last = to.unwrap_or(RecordId(uuid::Uuid::max()));
    let members: Vec<CustomerId> = segment_members::table
        .filter(segment_members::tenant_id.eq(tx.tenant()))
        .filter(segment_members::segment_id.eq(SegmentId(id.0)))
        .filter(segment_members::customer_id.gt(start))
        .filter(segment_members::customer_id.le(last))
        .select(segment_members::customer_id)
        .load(tx.connection())?;
    let matching = matching.into_iter().map(|id| CustomerId(id.0)).collect();
    let members = members.into_iter().collect();
    Ok(Some(Walk {
        moves: Moves::between(&segment, &matching, &members),
        after,
        to,
        next_due: segment.next_refresh(&context),
    }))
}

/// The customers that are not deleted and pass a rule.
fn passing(tx: &Transaction<'_>, rule: Option<&Rule>) -> Condition {
    Condition::new(Kind::Customer.registry(), tx.tenant(), Visibility::All).with_rule(rule)
}

fn do_walk(tx: &mut Transaction<'_>, walk: &Walk) -> Result<(), Error> {
    let row = segment_refreshes::table.find((tx.tenant(), walk.moves.segment));
    let as_found = match walk.after {
        Some(after) => diesel::update(row.filter(segment_refreshes::done_to.eq(after)))
            .set(segment_refreshes::done_to.eq(walk.to))
            .execute(tx.connection())?,
        None => diesel::update(row.filter(segment_refreshes::done_to.is_null()))
            .set(segment_refreshes::done_to.eq(walk.to))
            .execute(tx.connection())?,
    };
    if as_found == 0 || !make_moves(tx, &walk.moves)? {
        return Ok(());
    }
    if walk.to.is_none() {
        let row = segment_refreshes::table.find((tx.tenant(), walk.moves.segment));
        diesel::update(row)
            .set((
                segment_refreshes::due_at.eq(walk.next_due),
                segment_refreshes::refreshed_at.eq(Some(tx.now())),
            ))
            .execute(tx.connection())?;
    }
    Ok(())
}

/// Makes the moves if the segment is still the one whose rule was read.
fn make_moves(tx: &mut Transaction<'_>, moves: &Moves) -> Result<bool, Error> {
    let segment = records::find_visible::<Segment>(tx, RecordId(moves.segment.0), false)?;
    if segment.is_none_or(|segment| segment.meta.version != moves.version) {
        return Ok(false);
    }
    move_members(tx, moves.segment, &moves.entering, &moves.leaving)?;
    Ok(true)
}

fn find_events(tx: &mut Transaction<'_>) -> Result<Option<Follow>, Error> {
    let cursor: Option<(i64, EventId)> = segment_cursors::table
        .find(tx.tenant())
        .select((segment_cursors::position, segment_cursors::last_event))
        .first(tx.connection())
        .optional()?;
    let Some((position, id)) = cursor else { return Ok(None) };
    let after = Cursor { position, id };
    let (told, to) = match events::after(tx, after, &[], FOLLOWED) {
        Ok(told) if told.events.is_empty() => return Ok(None),
        Ok(told) => (Some(told.events), told.next),
        // The log was trimmed meanwhile, so only a walk can tell.
        Err(Error::CursorExpired) => (None, events::end(tx)?),
        Err(error) => return Err(error),
    };
    let segments = dynamic(tx)?;
    let mut follow = Follow {
        after,
        to,
        moves: Vec::new(),
        due: Vec::new(),
    };
    let ids = segments.iter().map(|(segment, _)| SegmentId(segment.meta.id.0));
    let Some(told) = told else {
        follow.due = ids.collect();
        return Ok(Some(follow));
    };
    if segments.is_empty() {
        return Ok(Some(follow));
    }
    let names_segments = segments.iter().any(|(_, rule)| !rule.segments().is_empty());
    let told = told
        .iter()
        .filter(|event| names_segments || !event.kind.starts_with("segment."));
    let touched = Touched::by(tx, told)?;
    for (segment, rule) in &segments {
        if touched.anyone || !rule.reaches().is_disjoint(&touched.kinds) {
            follow.due.push(SegmentId(segment.meta.id.0));
        } else if !touched.customers.is_empty() {
            follow.moves.push(moves_among(tx, segment, rule, &touched.customers)?);
        }
    }
    Ok(Some(follow))
}

/// The dynamic segments of the tenant, with their rules as of now.
fn dynamic(tx: &mut Transaction<'_>) -> Result<Vec<(Segment, Rule)>, Error> {
    let ids: Vec<RecordId> = segments::table
        .filter(segments::tenant_id.eq(tx.tenant()))
        .filter(segments::deleted_at.is_null())
        .filter(segments::kind.eq(SegmentKind::Dynamic))
        .select(segments::id)
        .load(tx.connection())?;
    let context = tx.rule_context()?;
    let mut found = Vec::new();
    for id in ids {
        let segment = records::get::<Segment>(tx, id)?;
        if let Some(rule) = segment.rule(&context)? {
            found.push((segment, rule));
        }
    }
    Ok(found)
}

fn moves_among(
    tx: &mut Transaction<'_>,
    segment: &Segment,
    rule: &Rule,
    touched: &BTreeSet<CustomerId>,
) -> Result<Moves, Error> {
    let (mut matching, mut members) = (BTreeSet::new(), BTreeSet::new());
    let touched: Vec<CustomerId> = touched.iter().copied().collect();
    for some in touched.chunks(500) {
        let pass: Vec<CustomerId> = customers::table
            .filter(passing(tx, Some(rule)))
            .filter(customers::id.eq_any(some.to_vec()))
            .select(customers::id)
            .load(tx.connection())?;
        matching.extend(pass);
        let present: Vec<CustomerId> = segment_members::table
            .filter(segment_members::tenant_id.eq(tx.tenant()))
            .filter(segment_members::segment_id.eq(SegmentId(segment.meta.id.0)))
            .filter(segment_members::customer_id.eq_any(some.to_vec()))
            .select(segment_members::customer_id)
            .load(tx.connection())?;
        members.extend(present);
    }
    Ok(Moves::between(segment, &matching, &members))
}

fn do_follow(tx: &mut Transaction<'_>, follow: &Follow) -> Result<(), Error> {
    let cursor = segment_cursors::table
        .find(tx.tenant())
        .filter(segment_cursors::last_event.eq(follow.after.id));
    let as_found = diesel::update(cursor)
        .set((
            segment_cursors::position.eq(follow.to.position),
            segment_cursors::last_event.eq(follow.to.id),
        ))
        .execute(tx.connection())?;
    if as_found == 0 {
        return Ok(());
    }
    // A segment that changed meanwhile is due for a walk anyway.
    for moves in &follow.moves {
        make_moves(tx, moves)?;
    }
    make_due(tx, &follow.due)
}
