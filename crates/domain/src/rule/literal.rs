//! Reads the values of rules, from JSON or from the text of a query parameter.

use super::{MOST_CHARACTERS, RuleContext, Value};
use crate::custom_values::NUMBER_SCALE;
use crate::money::{Currency, Money, parse_amount};
use crate::registry::{Field, FieldType};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value as Json;
use sql::Timestamp;
use std::borrow::Cow;

/// What is wrong at one place: its code and message.
pub(super) type Wrong = (&'static str, Cow<'static, str>);

/// A value as it came in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Raw<'a> {
    /// In a rule of JSON: numbers and booleans are such.
    Json(&'a Json),
    /// In a query parameter: everything is text.
    Text(&'a str),
}

/// What one value stands for: a day stands for all its instants.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds {
    pub(super) first: Value,
    pub(super) last: Value,
}

impl Bounds {
    fn exactly(value: Value) -> Self {
        Self {
            first: value.clone(),
            last: value,
        }
    }

    /// The one value that it is.
    pub(super) fn single(self) -> Option<Value> {
        (self.first == self.last).then_some(self.first)
    }
}

pub(super) fn wrong(message: impl Into<Cow<'static, str>>) -> Wrong {
    ("invalid_value", message.into())
}

impl<'a> Raw<'a> {
    /// Text, without what one of the databases cannot hold.
    pub(super) fn text(self) -> Result<&'a str, Wrong> {
        let text = match self {
            Self::Text(text) => Some(text),
            Self::Json(json) => json.as_str(),
        };
        let text = text.ok_or(("invalid_type", Cow::Borrowed("must be a text")))?;
        if text.contains('\0') {
            return Err(wrong("must not contain U+0000"));
        }
        if text.chars().count() > MOST_CHARACTERS {
            return Err((
                "too_long",
                format!("must have at most {MOST_CHARACTERS} characters").into(),
            ));
        }
        Ok(text)
    }

    pub(super) fn integer(self) -> Result<i64, Wrong> {
        let integer = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Json(json) => json.as_i64(),
        };
        integer.ok_or(("invalid_type", Cow::Borrowed("must be a whole number")))
    }

    pub(super) fn bool(self) -> Result<bool, Wrong> {
        let bool = match self {
            Self::Text("true") | Self::Json(Json::Bool(true)) => Some(true),
            Self::Text("false") | Self::Json(Json::Bool(false)) => Some(false),
            _ => None,
        };
        bool.ok_or(("invalid_type", Cow::Borrowed("must be true or false")))
    }

    /// A number with decimals as a whole number of `1 / scale`.
    pub(super) fn scaled(self, scale: i64) -> Result<i64, Wrong> {
        let text = match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(Json::Number(number)) => Cow::Owned(number.to_string()),
            Self::Json(json) => Cow::Borrowed(json.as_str().unwrap_or_default()),
        };
        let scaled = parse_amount(&text)
            .ok()
            .and_then(|number| number.checked_mul(Decimal::from(scale)))
            .filter(Decimal::is_integer)
            .and_then(|number| number.to_i64());
        scaled.ok_or_else(|| wrong("must be a number with at most four decimals"))
    }

    fn money(self, context: &RuleContext) -> Result<Money, Wrong> {
        if let Self::Json(json @ Json::Object(_)) = self {
            return serde_json::from_value(json.clone()).map_err(|_| {
                wrong("must be an amount and a currency, such as {\"amount\": \"500.00\", \"currency\": \"EUR\"}")
            });
        }
        let text = self.text()?;
        let (amount, currency) = match text.split_once(' ') {
            Some((amount, code)) => (amount, code.parse::<Currency>().map_err(wrong)?),
            None => (text, context.currency),
        };
        let amount =
            parse_amount(amount).map_err(|_| wrong("must be an amount such as \"500.00\" or \"500.00 EUR\""))?;
        Money::new(amount, currency).map_err(wrong)
    }

    fn date(self) -> Result<NaiveDate, Wrong> {
        day(self.text()?).ok_or_else(|| wrong("must be a day such as 2026-01-31"))
    }

    fn moment(self, context: &RuleContext) -> Result<Bounds, Wrong> {
        let text = self.text()?;
        if let Some(day) = day(text) {
            let (first, last) = context.day_bounds(true, (day, day));
            return Ok(Bounds { first, last });
        }
        let instant = Timestamp::parse(text)
            .ok_or_else(|| wrong("must be an instant such as 2026-01-31T09:30:00Z or a day such as 2026-01-31"))?;
        Ok(Bounds::exactly(Value::Instant(instant)))
    }

    /// A value of a field.
    pub(super) fn of(self, field: &Field, context: &RuleContext) -> Result<Bounds, Wrong> {
        let value = match field.field_type {
            FieldType::Text | FieldType::List if field.folded => Value::Text(self.text()?.to_lowercase()),
            // The options of a custom field are held against the tenant's definition by the reader.
            FieldType::Text | FieldType::List | FieldType::Choice([]) => Value::Text(self.text()?.to_owned()),
            FieldType::Choice(choices) => Value::Text(choice(self.text()?, choices)?),
            FieldType::Id => {
                let id = self.text()?.parse();
                Value::Id(id.map_err(|_| wrong("must be a UUID"))?)
            }
            FieldType::Integer => Value::Integer(self.integer()?),
            FieldType::Decimal => Value::Integer(self.scaled(NUMBER_SCALE)?),
            FieldType::Money => Value::Money(self.money(context)?),
            FieldType::Date => Value::Date(self.date()?),
            FieldType::Instant => return self.moment(context),
            FieldType::Bool => Value::Bool(self.bool()?),
        };
        Ok(Bounds::exactly(value))
    }

    /// Several values, each with the end of its pointer.
    pub(super) fn several(self) -> Result<Vec<(String, RawOwned<'a>)>, Wrong> {
        match self {
            Self::Text(text) => Ok(split_list(text)
                .into_iter()
                .map(|item| (String::new(), RawOwned::Text(item)))
                .collect()),
            Self::Json(Json::Array(items)) => {
                let items = items.iter().enumerate();
                Ok(items
                    .map(|(index, item)| (format!("/{index}"), RawOwned::Json(item)))
                    .collect())
            }
            Self::Json(_) => Err(("invalid_type", Cow::Borrowed("must be a list of values"))),
        }
    }
}

/// One of several values.
#[derive(Debug)]
pub(super) enum RawOwned<'a> {
    Json(&'a Json),
    Text(String),
}

impl RawOwned<'_> {
    pub(super) fn raw(&self) -> Raw<'_> {
        match self {
            Self::Json(json) => Raw::Json(json),
            Self::Text(text) => Raw::Text(text),
        }
    }
}

/// Splits a list at its commas. A backslash takes the next character as it is: `a\,b` is one value.
fn split_list(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ',' => items.push(String::new()),
            other => {
                let taken = if other == '\\' {
                    characters.next().unwrap_or(other)
                } else {
                    other
                };
                if let Some(item) = items.last_mut() {
                    item.push(taken);
                }
            }
        }
    }
    items
}

fn day(text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (text.len() == 10 && (1..=9999).contains(&date.year())).then_some(date)
}

pub(super) fn choice(text: &str, choices: &[&str]) -> Result<String, Wrong> {
    if choices.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(("not_a_choice", format!("must be one of {}", choices.join(", ")).into()))
    }
}
