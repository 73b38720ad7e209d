//! Merging two customers into one, and undoing it: what the survivor becomes, and what goes back.
//!
//! The rules hold for members by their form and not by their name, so they work on the JSON that a client sees.

use super::customers::CustomerFields;
use crate::fault::{Fault, Refusal, faultless};
use crate::input;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sql::ids::{CustomerId, EventId, PrincipalId, TenantId};
use sql::{Json, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use validator::Validate;

sql::text_enum! {
    /// Whose value the survivor of a merge gets.
    pub enum MergeSide {
        /// The one it has, even if that is none.
        Survivor = "survivor",
        /// That of the customer which is merged into it, even if that is none.
        Merged = "merged",
    }
}

/// Whose value of a member the survivor gets. Where nothing is chosen, it keeps its own, and gets the other one's where it
/// has none; lists are united without repeats, and the members of an object are looked at one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, expecting = "an object")]
pub struct MergeChoices {
    /// Of `owner_id`.
    pub owner_id: Option<MergeSide>,
    /// Of `team_id`.
    pub team_id: Option<MergeSide>,
    /// Of `tags`.
    pub tags: Option<MergeSide>,
    /// Of custom values, by the keys of their fields.
    pub custom: BTreeMap<String, MergeSide>,
    /// Of `name`.
    pub name: Option<MergeSide>,
    /// Of `given_name`.
    pub given_name: Option<MergeSide>,
    /// Of `family_name`.
    pub family_name: Option<MergeSide>,
    /// Of `lifecycle`. The history of both is kept, so any stage may follow.
    pub lifecycle: Option<MergeSide>,
    /// Of `emails`.
    pub emails: Option<MergeSide>,
    /// Of `phones`.
    pub phones: Option<MergeSide>,
    /// Of `addresses`.
    pub addresses: Option<MergeSide>,
    /// Of `handles`.
    pub handles: Option<MergeSide>,
    /// Of `language`.
    pub language: Option<MergeSide>,
    /// Of `time_zone`.
    pub time_zone: Option<MergeSide>,
    /// Of `birth_date`.
    pub birth_date: Option<MergeSide>,
    /// Of `demographics` as a whole.
    pub demographics: Option<MergeSide>,
    /// Of `interests`.
    pub interests: Option<MergeSide>,
    /// Of `preferences` as a whole.
    pub preferences: Option<MergeSide>,
    /// Of `organisation` as a whole.
    pub organisation: Option<MergeSide>,
}

/// What is merged into a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CustomerMerger {
    /// The customer that is taken in, by its id or as `by/{system}/{external_id}`. It must be of the same `kind`.
    #[schema(value_type = uuid::Uuid)]
    pub from: CustomerId,
    /// Whose values the survivor gets.
    #[serde(default)]
    pub fields: MergeChoices,
}

/// A member that a merge changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedMember {
    /// Where it stands, as a JSON Pointer.
    pub pointer: String,
    /// Its value before.
    pub before: Value,
    /// Its value after.
    pub after: Value,
}

/// That a customer was taken into another one.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = sql::schema::customer_merges, treat_none_as_default_value = false)]
pub struct CustomerMerge {
    /// The tenant it belongs to; never shown.
    #[serde(skip)]
    pub tenant_id: TenantId,
    /// Names the merge.
    #[schema(value_type = uuid::Uuid)]
    pub id: EventId,
    /// The customer that goes on.
    #[schema(value_type = uuid::Uuid)]
    pub survivor_id: CustomerId,
    /// The customer that was taken in.
    #[schema(value_type = uuid::Uuid)]
    pub merged_id: CustomerId,
    /// When.
    pub created_at: Timestamp,
    /// The user or service account that did it.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub created_by: Option<PrincipalId>,
    /// How many records of each resource were moved to the survivor, and rows of the history within records.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    pub moved: Json<BTreeMap<String, i64>>,
    /// What it changed of the survivor; never shown.
    #[serde(skip)]
    pub changes: Json<Vec<MergedMember>>,
    /// When it was undone.
    pub undone_at: Option<Timestamp>,
    /// The user or service account that undid it.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub undone_by: Option<PrincipalId>,
}

/// Members that hold members of their own, each of which counts by itself. Other objects, such as amounts, mean something
/// as a whole only.
const PARTED: [&str; 4] = ["custom", "demographics", "preferences", "organisation"];

/// What the survivor becomes.
pub fn merged(
    survivor: &CustomerFields,
    merged: &CustomerFields,
    choices: &MergeChoices,
) -> Result<CustomerFields, Refusal> {
    if survivor.kind != merged.kind {
        let message = format!("is of kind {}, and the survivor of kind {}", merged.kind, survivor.kind);
        return Err(Refusal::fault("/from", "other_kind", message));
    }
    check_custom_choices(survivor, merged, choices)?;
    let (ours, theirs, choices) = (json_of(survivor), json_of(merged), json_of(choices));
    let mut united = Map::new();
    for (name, ours) in ours.as_object().into_iter().flatten() {
        let value = match choices[name].as_str() {
            Some("survivor") => ours.clone(),
            Some("merged") => theirs[name].clone(),
            _ if PARTED.contains(&name.as_str()) => parts_of_both(ours, &theirs[name], &choices[name]),
            _ => of_both(name, ours, &theirs[name]),
        };
        united.insert(name.clone(), value);
    }
    read(Value::Object(united), "/fields")
}

/// Values of custom fields that neither has cannot be chosen.
fn check_custom_choices(
    survivor: &CustomerFields,
    merged: &CustomerFields,
    choices: &MergeChoices,
) -> Result<(), Refusal> {
    let is_known = |key: &String| survivor.custom.0.contains_key(key) || merged.custom.0.contains_key(key);
    let unknown = choices.custom.keys().filter(|key| !is_known(key));
    let fault = |key: &String| {
        let pointer = format!("/fields/custom/{}", input::escaped(key));
        Fault::new(pointer, "unknown_field", "is no custom value of either customer")
    };
    faultless(unknown.map(fault).collect())
}

fn parts_of_both(ours: &Value, theirs: &Value, choices: &Value) -> Value {
    let mut parts = ours.as_object().cloned().unwrap_or_default();
    for (name, theirs) in theirs.as_object().into_iter().flatten() {
        let ours = parts.get(name).unwrap_or(&Value::Null);
        let value = match choices[name].as_str() {
            Some("survivor") => continue,
            Some("merged") => theirs.clone(),
            _ => of_both(name, ours, theirs),
        };
        parts.insert(name.clone(), value);
    }
    // What is chosen and not there is gone.
    parts.retain(|name, _| choices[name] != "merged" || !theirs[name].is_null());
    Value::Object(parts)
}

fn of_both(name: &str, ours: &Value, theirs: &Value) -> Value {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => Value::Array(union(name, ours, theirs)),
        (Value::Null, theirs) => theirs.clone(),
        (ours, _) => ours.clone(),
    }
}

/// Ours, and those of theirs that are not among them. The primary one stays the primary one.
fn union(name: &str, ours: &[Value], theirs: &[Value]) -> Vec<Value> {
    let mut seen: BTreeSet<String> = ours.iter().map(|item| key(name, item)).collect();
    let mut all = ours.to_vec();
    for item in theirs {
        if !seen.insert(key(name, item)) {
            continue;
        }
        let mut item = item.clone();
        if let Some(primary) = item.get_mut("primary").filter(|_| !ours.is_empty()) {
            *primary = json!(false);
        }
        all.push(item);
    }
    all
}

/// What makes two items of a list the same.
fn key(name: &str, item: &Value) -> String {
    let text = |member: &str| item[member].as_str().unwrap_or_default().to_lowercase();
    match name {
        "emails" => text("address"),
        "phones" => text("number"),
        "handles" => format!("{}:{}", text("network"), text("handle")),
        "addresses" => {
            let mut place = item.clone();
            if let Value::Object(members) = &mut place {
                members.retain(|name, _| name != "label" && name != "primary");
            }
            place.to_string()
        }
        _ => item.to_string(),
    }
}

/// The members that differ between two settable parts, those of inner objects by themselves.
pub fn changes<F: Serialize>(before: &F, after: &F) -> Vec<MergedMember> {
    let (before, after) = (json_of(before), json_of(after));
    let mut changes = Vec::new();
    for name in names(&before, &after) {
        let (pointer, before, after) = (format!("/{}", input::escaped(&name)), &before[&name], &after[&name]);
        if PARTED.contains(&name.as_str()) {
            for part in names(before, after) {
                let pointer = format!("{pointer}/{}", input::escaped(&part));
                note(&mut changes, pointer, &before[&part], &after[&part]);
            }
        } else {
            note(&mut changes, pointer, before, after);
        }
    }
    changes
}

fn names(before: &Value, after: &Value) -> BTreeSet<String> {
    let members = [before, after].into_iter().filter_map(Value::as_object);
    members.flat_map(Map::keys).cloned().collect()
}

fn note(changes: &mut Vec<MergedMember>, pointer: String, before: &Value, after: &Value) {
    if before != after {
        changes.push(MergedMember {
            pointer,
            before: before.clone(),
            after: after.clone(),
        });
    }
}

/// The survivor after a merge is undone, and the members that stay as they are because somebody has changed them since.
/// External ids go back to whom they came from in any case.
pub fn unmerged(
    survivor: &CustomerFields,
    changes: &[MergedMember],
    merged: &CustomerFields,
) -> Result<(CustomerFields, Vec<String>), Refusal> {
    const EXTERNAL_IDS: &str = "/external_ids";
    let (ids, others): (Vec<_>, Vec<_>) = changes.iter().cloned().partition(|one| one.pointer == EXTERNAL_IDS);
    let (value, kept) = undone(&json_of(survivor), &others);
    let mut fields = read(value, "")?;
    let own: Vec<_> = ids.iter().filter_map(|one| one.before.as_array()).flatten().collect();
    fields
        .external_ids
        .retain(|id| own.contains(&&json!(id)) || !merged.external_ids.contains(id));
    Ok((fields, kept))
}

/// A settable part without some changes, and those that are not there any more.
pub fn undone(now: &Value, changes: &[MergedMember]) -> (Value, Vec<String>) {
    let (mut value, mut kept) = (now.clone(), Vec::new());
    for change in changes {
        if value.pointer(&change.pointer).unwrap_or(&Value::Null) == &change.after {
            set(&mut value, &change.pointer, &change.before);
        } else {
            kept.push(change.pointer.clone());
        }
    }
    (value, kept)
}

fn set(value: &mut Value, pointer: &str, new: &Value) {
    if let (Some(key), true) = (pointer.strip_prefix("/custom/"), new.is_null()) {
        // A custom value that is not there is not null, but missing.
        if let Some(custom) = value["custom"].as_object_mut() {
            custom.shift_remove(key);
        }
    } else if let Some(place) = value.pointer_mut(pointer) {
        new.clone_into(place);
    } else if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(members)) = value.pointer_mut(parent)
    {
        members.insert(name.to_owned(), new.clone());
    }
}

/// A settable part that names another record at some places. Of entries of a list that say the same afterwards, those that
/// were there before stay; `same` names the members that decide it, or none for all.
pub fn renamed(fields: &Value, pointers: &[String], to: &str, same: &[&str]) -> Value {
    let mut fields = fields.clone();
    let mut entries: BTreeSet<(String, usize)> = BTreeSet::new();
    for pointer in pointers {
        if let Some(place) = fields.pointer_mut(pointer) {
            *place = json!(to);
        }
        let mut parts = pointer.split('/').skip(1);
        if let (Some(list), Some(Ok(index))) = (parts.next(), parts.next().map(str::parse)) {
            entries.insert((list.to_owned(), index));
        }
    }
    for (list, index) in entries.into_iter().rev() {
        if let Some(Value::Array(items)) = fields.get_mut(&list) {
            let is_same = |other: &Value| {
                other == &items[index]
                    || !same.is_empty() && same.iter().all(|name| other[*name] == items[index][*name])
            };
            let mut others = items.iter().enumerate().filter(|(place, _)| *place != index);
            if items.len() > index && others.any(|(_, other)| is_same(other)) {
                items.remove(index);
            }
        }
    }
    fields
}

/// The places of a settable part that name one record, of those that name any.
pub fn naming(fields: &Value, pointers: impl Iterator<Item = String>, id: &str) -> Vec<String> {
    pointers
        .filter(|pointer| fields.pointer(pointer).and_then(Value::as_str) == Some(id))
        .collect()
}

fn json_of(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Reads what is put together of values that customers have, or had: their phone numbers are in their form already.
fn read(value: Value, prefix: &str) -> Result<CustomerFields, Refusal> {
    use crate::record::Fields;
    let fields: CustomerFields =
        serde_json::from_value(value).map_err(|error| Refusal::fault("", "invalid", error.to_string()))?;
    let had = fields.clone();
    let checked = fields.checked_with(Some(&had), None);
    checked.map_err(|refusal| match refusal {
        Refusal::Invalid(faults) => Refusal::Invalid(faults.into_iter().map(|fault| fault.under(prefix)).collect()),
        other => other,
    })
}

#[cfg(test)]
mod tests;
