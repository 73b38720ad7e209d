//! From JSON that a client sent to the settable part of a record, with every fault and where it stands.

mod objects;
#[cfg(test)]
mod tests;

use crate::fault::{Fault, Refusal};
use crate::record::{CustomCheck, Fields};
use crate::validation::faults_of;
use objects::Objects;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use validator::Validate;

/// Faults told of one body at most.
const MOST_FAULTS: usize = 50;

/// Reads a settable part without custom values.
pub fn parse<F: Fields>(body: &Value) -> Result<F, Vec<Fault>> {
    parse_with(body, None)
}

/// Reads a settable part.
pub fn parse_with<F: Fields>(body: &Value, custom: Option<CustomCheck<'_>>) -> Result<F, Vec<Fault>> {
    parse_over(None, body, custom)
}

/// Reads a settable part that takes the place of another one, if there was one. The first attempt is the fast one; only a
/// faulty body is looked at closely.
fn parse_over<F: Fields>(before: Option<&F>, body: &Value, custom: Option<CustomCheck<'_>>) -> Result<F, Vec<Fault>> {
    F::deserialize(Objects(body))
        .map_err(|_| explain::<F>(body, |fields| fields.clone().checked_with(before, custom).err()))
}

/// Reads any other body, such as that of an action.
pub fn parse_body<T: DeserializeOwned>(body: &Value) -> Result<T, Vec<Fault>> {
    T::deserialize(Objects(body)).map_err(|_| explain::<T>(body, |_| None))
}

/// Reads any other body, and validates it.
pub fn parse_valid<T: DeserializeOwned + Validate>(body: &Value) -> Result<T, Refusal> {
    let invalid = |read: &T| {
        read.validate()
            .err()
            .map(|errors| Refusal::Invalid(faults_of(&errors, "")))
    };
    match T::deserialize(Objects(body)) {
        Ok(read) => match invalid(&read) {
            None => Ok(read),
            Some(refusal) => Err(refusal),
        },
        Err(_) => Err(Refusal::Invalid(explain::<T>(body, invalid))),
    }
}

/// The settable part after a merge patch (RFC 7396): what is left out stays, null clears.
pub fn merged<F: Fields>(before: &F, patch: &Value, custom: Option<CustomCheck<'_>>) -> Result<F, Vec<Fault>> {
    let Value::Object(members) = patch else {
        return Err(vec![not_an_object()]);
    };
    let mut merged =
        serde_json::to_value(before).map_err(|error| vec![Fault::new("", "invalid", error.to_string())])?;
    for name in F::REPLACED_WHOLE {
        if let (Some(old), Some(_)) = (merged.get_mut(*name), members.get(*name)) {
            *old = Value::Null;
        }
    }
    let mut faults = Vec::new();
    note_unknown(&merged, members, "", &mut faults);
    merge(&mut merged, patch);
    match parse_over(Some(before), &merged, custom) {
        Ok(fields) if faults.is_empty() => Ok(fields),
        Ok(_) => Err(faults),
        Err(more) => {
            let new = more
                .into_iter()
                .filter(|fault| !faults.contains(fault))
                .collect::<Vec<_>>();
            faults.extend(new);
            Err(faults)
        }
    }
}

/// Notes the members of a patch that the document does not know: null would clear them without a word.
fn note_unknown(document: &Value, patch: &Map<String, Value>, at: &str, faults: &mut Vec<Fault>) {
    for (name, value) in patch {
        let pointer = format!("{at}/{}", escaped(name));
        // Which members this one may have, the tenant says.
        if pointer == "/custom" {
            continue;
        }
        match (document.get(name), value) {
            (None, _) => faults.push(unknown_field(&pointer)),
            (Some(inner @ Value::Object(_)), Value::Object(patch)) => note_unknown(inner, patch, &pointer, faults),
            _ => {}
        }
    }
}

/// Merges a patch into a document (RFC 7396 section 2).
pub fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        patch.clone_into(document);
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(members) = document else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.shift_remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

fn not_an_object() -> Fault {
    Fault::new("", "invalid_type", "must be a JSON object")
}

fn unknown_field(pointer: &str) -> Fault {
    Fault::new(pointer, "unknown_field", "is not a field that can be set")
}

/// Finds all faults: reads, notes the first fault, mends or removes what is at fault, and reads again.
fn explain<T: DeserializeOwned>(body: &Value, validate: impl Fn(&T) -> Option<Refusal>) -> Vec<Fault> {
    if !body.is_object() {
        return vec![not_an_object()];
    }
    let mut search = Search {
        rest: body.clone(),
        removed: HashMap::new(),
        mended: HashSet::new(),
        faults: Vec::new(),
    };
    // Each round takes something out or mends it once; the bound holds whatever serde may say.
    for _ in 0..MOST_FAULTS * 10 {
        if search.faults.len() >= MOST_FAULTS {
            break;
        }
        match serde_path_to_error::deserialize::<_, T>(Objects(&search.rest)) {
            Ok(value) => {
                if let Some(Refusal::Invalid(more)) = validate(&value) {
                    search.add_unless_under_known(more);
                }
                break;
            }
            Err(error) => {
                let path = path_of(error.path());
                if !search.note(path, &error.into_inner().to_string()) {
                    break;
                }
            }
        }
    }
    search.faults
}

struct Search {
    rest: Value,
    /// Items taken out of arrays, by the array's pointer: their places, so that later indices can be told right.
    removed: HashMap<String, Vec<usize>>,
    /// Members that were missing and have been put in.
    mended: HashSet<Vec<String>>,
    faults: Vec<Fault>,
}

impl Search {
    /// Notes one fault and takes it out of the way. False when that cannot be done.
    fn note(&mut self, mut path: Vec<String>, message: &str) -> bool {
        if let Some(name) = quoted_after(message, "missing field ") {
            path.push(escaped(name));
            self.note_missing(&path)
        } else if let Some(name) = quoted_after(message, "unknown field ") {
            if path.last().is_none_or(|last| *last != escaped(name)) {
                path.push(escaped(name));
            }
            self.faults.push(unknown_field(&self.original(&path)));
            self.remove(&path)
        } else {
            let pointer = self.original(&path);
            // What was missing was mended by a guess: a wrong guess is not the client's fault.
            if !self.faults.iter().any(|fault| fault.pointer == pointer) {
                self.faults
                    .push(Fault::new(pointer, code_of(message), words_of(message)));
            }
            match first_choice(message) {
                Some(choice) => self.replace(&path, choice),
                None => self.remove(&path),
            }
        }
    }

    fn note_missing(&mut self, path: &[String]) -> bool {
        let pointer = self.original(path);
        if !self.faults.iter().any(|fault| fault.pointer == pointer) {
            self.faults.push(Fault::new(pointer, "required", "is required"));
        }
        let Some((_, parent)) = path.split_last() else {
            return false;
        };
        // Where no guess was right, what lacks the member goes as a whole.
        if self.mended.insert(path.to_vec()) {
            self.replace(path, STAND_IN.clone())
        } else {
            self.remove(parent)
        }
    }

    /// Puts another value in the place of a member.
    fn replace(&mut self, path: &[String], value: Value) -> bool {
        let Some((name, parent)) = path.split_last() else {
            return false;
        };
        let parent_pointer = pointer_of(parent);
        match self.rest.pointer_mut(&parent_pointer) {
            Some(Value::Object(members)) => {
                let before = members.insert(unescaped(name), value.clone());
                before != Some(value)
            }
            // An enum within an item is told of as if the item had a member of the variant's name.
            _ => self.remove(path),
        }
    }

    /// Takes a member or an item out; a mended member gets another guess instead.
    fn remove(&mut self, path: &[String]) -> bool {
        let Some((name, parent)) = path.split_last() else {
            return false;
        };
        let parent_pointer = pointer_of(parent);
        match self.rest.pointer_mut(&parent_pointer) {
            Some(Value::Object(members)) => match next_guess(members.get(&unescaped(name))) {
                Some(guess) => members.insert(unescaped(name), guess).is_some(),
                None => members.shift_remove(&unescaped(name)).is_some(),
            },
            Some(Value::Array(items)) => match name.parse::<usize>() {
                Ok(index) if index < items.len() => {
                    items.remove(index);
                    self.removed.entry(parent_pointer).or_default().push(index);
                    true
                }
                _ => false,
            },
            _ => self.remove(parent),
        }
    }

    /// The pointer into the body as it was sent.
    fn original(&self, path: &[String]) -> String {
        let mut pointer = String::new();
        for (depth, name) in path.iter().enumerate() {
            let removed = self.removed.get(&pointer_of(&path[..depth]));
            let place = removed.and_then(|removed| {
                let index = name.parse::<usize>().ok()?;
                Some(
                    removed
                        .iter()
                        .rev()
                        .fold(index, |index, gone| if *gone <= index { index + 1 } else { index }),
                )
            });
            pointer.push('/');
            pointer.push_str(&place.map_or_else(|| name.clone(), |index| index.to_string()));
        }
        pointer
    }

    fn add_unless_under_known(&mut self, more: Vec<Fault>) {
        let known: Vec<String> = self.faults.iter().map(|fault| fault.pointer.clone()).collect();
        let covers = |fault: &Fault| {
            known
                .iter()
                .any(|pointer| fault.pointer == *pointer || fault.pointer.starts_with(&format!("{pointer}/")))
        };
        self.faults
            .extend(more.into_iter().filter(|fault| !covers(fault)).take(MOST_FAULTS));
    }
}

/// Stands in for a missing member, so that the rest of the body can be read. No client can send it by chance.
static STAND_IN: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!("\u{0}missing"));

/// What else a missing member might be, when one guess was of the wrong type.
fn next_guess(guess: Option<&Value>) -> Option<Value> {
    let guesses = [
        STAND_IN.clone(),
        json!("00000000-0000-0000-0000-000000000000"),
        json!(-1),
        json!(false),
        json!([]),
        json!({}),
    ];
    let place = guesses
        .iter()
        .position(|other| Some(other) == guess && guess != Some(&json!({})))?;
    guesses.get(place + 1).cloned()
}

fn path_of(path: &serde_path_to_error::Path) -> Vec<String> {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(escaped(key)),
            Segment::Enum { variant } => Some(escaped(variant)),
            Segment::Unknown => None,
        })
        .collect()
}

fn pointer_of(path: &[String]) -> String {
    path.iter().fold(String::new(), |pointer, name| pointer + "/" + name)
}

/// A name inside a JSON Pointer (RFC 6901 section 3).
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// The name between back-quotes after a phrase of serde's.
fn quoted_after<'a>(message: &'a str, phrase: &str) -> Option<&'a str> {
    message.strip_prefix(phrase)?.strip_prefix('`')?.split('`').next()
}

/// The first of the choices that serde names when a text is none of them.
fn first_choice(message: &str) -> Option<Value> {
    let (_, choices) = message.strip_prefix("unknown variant ")?.rsplit_once(", expected ")?;
    choices.split('`').nth(1).map(Value::from)
}

fn code_of(message: &str) -> &'static str {
    if message.starts_with("invalid type") {
        "invalid_type"
    } else if message.starts_with("unknown variant") {
        "invalid_choice"
    } else if message.starts_with("duplicate field") {
        "duplicate_field"
    } else {
        "invalid_value"
    }
}

/// Serde's message without the value that was sent.
fn words_of(message: &str) -> String {
    let expected = message
        .split_once(", expected ")
        .map(|(_, expected)| expected.replace('`', ""));
    match expected {
        Some(expected) if message.starts_with("unknown variant") => format!("must be {expected}"),
        Some(expected) if message.starts_with("invalid") => format!("must be {expected}"),
        _ if message.starts_with("invalid") => "is not valid".to_owned(),
        _ if message.starts_with("UUID parsing failed") => "must be a UUID".to_owned(),
        _ => message.to_owned(),
    }
}
