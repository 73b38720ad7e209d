//! How segments are kept. Who is in them is kept by `segment_members`, and kept in step by `segment_refreshes`.

use crate::marketing::{segment_members, segment_refreshes};
use crate::stored::Stored;
use crate::{Error, Transaction, records, stored};
use domain::marketing::segments::{Segment, SegmentFields, SegmentKind, read_rule};
use domain::{Fault, Meta, Refusal};
use serde_json::Value;
use sql::ids::{RecordId, SegmentId};
use std::collections::BTreeSet;

stored!(Segment in segments { fields: SegmentFields });

/// How deep segments may name one another.
const DEEPEST: usize = 8;

impl Stored for Segment {
    fn decide(
        tx: &mut Transaction<'_>,
        before: Option<&Self>,
        meta: Meta,
        fields: SegmentFields,
    ) -> Result<Self, Error> {
        let segment = Self::decide(before, meta, fields, &tx.rule_context()?)?;
        check_segments(tx, &segment)?;
        Ok(segment)
    }

    fn after_write(tx: &mut Transaction<'_>, before: Option<&Self>, after: &Self) -> Result<(), Error> {
        let same = before.is_some_and(|before| {
            before.fields.rule == after.fields.rule && before.meta.deleted_at == after.meta.deleted_at
        });
        if same || after.fields.kind == SegmentKind::Static {
            return Ok(());
        }
        let restored = before.is_some_and(|before| before.meta.deleted_at.is_some());
        if after.meta.deleted_at.is_some() || (restored && !after.is_dynamic()) {
            return Ok(());
        }
        segment_refreshes::make_due(tx, &[SegmentId(after.meta.id.0)])
    }

    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let id = SegmentId(self.meta.id.0);
        segment_refreshes::forget(tx, id)?;
        segment_members::forget_segment(tx, id)
    }
}

/// Every segment that the rule names must be there, and none may lead back to this one.
fn check_segments(tx: &mut Transaction<'_>, segment: &Segment) -> Result<(), Error> {
    let Some(rule) = &segment.fields.rule else {
        return Ok(());
    };
    let mut faults = Vec::new();
    for (pointer, named) in named_segments(rule, "/rule") {
        let fault = match named.parse::<RecordId>() {
            Ok(id) => fault_of(tx, SegmentId(id.0), SegmentId(segment.meta.id.0))?,
            Err(_) => None,
        };
        faults.extend(fault.map(|(code, message)| Fault::new(pointer, code, message)));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(faults).into())
    }
}

fn fault_of(
    tx: &mut Transaction<'_>,
    named: SegmentId,
    own: SegmentId,
) -> Result<Option<(&'static str, &'static str)>, Error> {
    let mut level = BTreeSet::from([named]);
    for depth in 0..DEEPEST {
        if level.contains(&own) {
            return Ok(Some(("circle", "leads back to this segment")));
        }
        let mut next = BTreeSet::new();
        for id in level {
            match records::find_visible::<Segment>(tx, RecordId(id.0), false)? {
                Some(segment) => {
                    if let Some(rule) = &segment.fields.rule {
                        next.extend(read_rule(rule, &tx.rule_context()?)?.segments());
                    }
                }
                None if depth == 0 => return Ok(Some(("unknown_reference", "there is no such segment"))),
                None => {}
            }
        }
        if next.is_empty() {
            return Ok(None);
        }
        level = next;
    }
    Ok(Some(("too_deep", "segments may name one another 8 deep")))
}

/// Every `{"segment": "…"}` of a rule, with where it stands.
fn named_segments(rule: &Value, pointer: &str) -> Vec<(String, String)> {
    match rule {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| {
                let pointer = format!("{pointer}/{name}");
                match member.as_str() {
                    Some(id) if name == "segment" => vec![(pointer, id.to_owned())],
                    _ => named_segments(member, &pointer),
                }
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| named_segments(item, &format!("{pointer}/{index}")))
            .collect(),
        _ => Vec::new(),
    }
}
