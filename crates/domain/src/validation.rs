//! From the validator's errors to faults with JSON Pointers, and the checks that several records share.

use crate::fault::Fault;
use crate::record::Common;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashSet;
use utoipa::ToSchema;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

/// A short free word, such as a tag.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 100, pattern = r"\S", examples("key account"))]
pub struct Word(pub String);

/// The name under which the validator puts errors that concern a struct as a whole.
const OF_THE_WHOLE: &str = "__all__";

/// The faults of a validated struct, under a pointer. The submitted values are never repeated.
pub fn faults_of(errors: &ValidationErrors, prefix: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (field, kind) in errors.errors() {
        let pointer = match field.as_ref() {
            OF_THE_WHOLE => prefix.to_owned(),
            field => format!("{prefix}/{field}"),
        };
        match kind {
            ValidationErrorsKind::Field(errors) => faults.extend(errors.iter().map(|error| fault_of(error, &pointer))),
            ValidationErrorsKind::Struct(inner) => faults.extend(faults_of(inner, &pointer)),
            ValidationErrorsKind::List(items) => {
                faults.extend(
                    items
                        .iter()
                        .flat_map(|(index, inner)| faults_of(inner, &format!("{pointer}/{index}"))),
                );
            }
        }
    }
    faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    faults
}

fn fault_of(error: &ValidationError, pointer: &str) -> Fault {
    let bound = |name: &str| error.params.get(name).map(ToString::to_string);
    let message = match (&error.message, error.code.as_ref(), bound("min"), bound("max")) {
        (Some(message), ..) => message.to_string(),
        (None, "length", Some(min), Some(max)) => format!("must have {min} to {max} characters"),
        (None, "length", None, Some(max)) => format!("must have at most {max} characters"),
        (None, "length", Some(min), None) => format!("must have at least {min} characters"),
        (None, "range", Some(min), Some(max)) => format!("must be from {min} to {max}"),
        (None, "range", None, Some(max)) => format!("must be at most {max}"),
        (None, "range", Some(min), None) => format!("must be at least {min}"),
        (None, "email", ..) => "must be an e-mail address".to_owned(),
        (None, "url", ..) => "must be a URL".to_owned(),
        (None, code, ..) => format!("is not valid: {}", code.replace('_', " ")),
    };
    Fault::new(pointer, code_of(error), message)
}

fn code_of(error: &ValidationError) -> &str {
    match error.code.as_ref() {
        "length" => "invalid_length",
        "range" => "out_of_range",
        "email" | "url" => "invalid_format",
        code => code,
    }
}

/// A validation error of our own, with its message.
pub fn invalid(code: &'static str, message: impl Into<Cow<'static, str>>) -> ValidationError {
    ValidationError::new(code).with_message(message.into())
}

/// Validates each item of a list, and that there are not too many.
pub fn check_each<T: Validate>(pointer: &str, items: &[T], most: usize, faults: &mut Vec<Fault>) {
    check_count(pointer, items.len(), most, faults);
    for (index, item) in items.iter().enumerate() {
        if let Err(errors) = item.validate() {
            faults.extend(faults_of(&errors, &format!("{pointer}/{index}")));
        }
    }
}

/// That a list has at most so many items.
pub fn check_count(pointer: &str, count: usize, most: usize, faults: &mut Vec<Fault>) {
    if count > most {
        faults.push(Fault::new(
            pointer,
            "too_many",
            format!("must have at most {most} items"),
        ));
    }
}

/// That no two items of a list have the same key.
pub fn check_unique<K: std::hash::Hash + Eq>(pointer: &str, keys: impl Iterator<Item = K>, faults: &mut Vec<Fault>) {
    let mut seen = HashSet::new();
    for (index, key) in keys.enumerate() {
        if !seen.insert(key) {
            faults.push(Fault::new(
                format!("{pointer}/{index}"),
                "duplicate",
                "stands in the list twice",
            ));
        }
    }
}

/// That words such as tags are neither empty nor long, and stand there once.
pub fn check_words(pointer: &str, words: &[String], most: usize, faults: &mut Vec<Fault>) {
    check_count(pointer, words.len(), most, faults);
    check_unique(pointer, words.iter(), faults);
    for (index, word) in words.iter().enumerate() {
        if word.trim().is_empty() || word.chars().count() > 100 {
            faults.push(Fault::new(
                format!("{pointer}/{index}"),
                "invalid_length",
                "must have 1 to 100 characters",
            ));
        }
    }
}

/// The part that every record has.
pub(crate) fn check_common(common: Common<'_>, faults: &mut Vec<Fault>) {
    check_words("/tags", common.tags, 100, faults);
    check_each("/external_ids", common.external_ids, 50, faults);
    check_unique("/external_ids", common.external_ids.iter(), faults);
}

/// That a calendar day is one that both databases and every client can hold: the years 1 to 9999.
pub fn check_date(date: &chrono::NaiveDate) -> Result<(), ValidationError> {
    use chrono::Datelike;
    if (1..=9999).contains(&date.year()) {
        Ok(())
    } else {
        Err(invalid("out_of_range", "must be a day of the years 1 to 9999"))
    }
}
