//! Cells to JSON values: text, numbers, money, dates, booleans and lists, each read in the format the mapping says.

use std::str::FromStr;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::mapping::{Kind, Options};

/// A type with its options checked and its columns found.
#[derive(Debug)]
pub(super) enum Convert {
    Text,
    Integer(Number),
    Decimal(Number),
    Money(Number, Currency),
    Date(String),
    Bool,
    List(String),
}

/// How a number is written in the file.
#[derive(Debug)]
pub(super) struct Number {
    multiplier: Option<Decimal>,
    decimal_mark: char,
    group_mark: Option<char>,
}

/// Where an amount's currency stands.
#[derive(Debug)]
pub(super) enum Currency {
    Fixed(String),
    Column(usize),
}

impl Convert {
    /// Checks a type's options; every mistake is added to `faults`.
    pub(super) fn compile(
        options: &Options,
        find: &impl Fn(&str) -> Result<usize, String>,
        faults: &mut Vec<String>,
    ) -> Option<Self> {
        let kind = options.kind.unwrap_or(Kind::Text);
        foreign_options(kind, options, faults);
        Some(match kind {
            Kind::Text => Self::Text,
            Kind::Integer => Self::Integer(number(options, faults)?),
            Kind::Decimal => Self::Decimal(number(options, faults)?),
            Kind::Money => Self::Money(number(options, faults)?, currency(options, find, faults)?),
            Kind::Date => Self::Date(date_format(options, faults)?),
            Kind::Bool => Self::Bool,
            Kind::List => {
                let separator = options.separator.clone().unwrap_or_else(|| ",".to_owned());
                if separator.is_empty() {
                    faults.push("`separator` is empty".to_owned());
                }
                Self::List(separator)
            }
        })
    }

    /// Reads one non-empty text. `alias` puts right what the mapping lists as another spelling.
    pub(super) fn read(&self, text: &str, alias: impl Fn(&str) -> String, cells: &[String]) -> Result<Value, String> {
        match self {
            Self::Text => Ok(Value::String(alias(text))),
            Self::List(separator) => {
                let items = text
                    .split(separator.as_str())
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                Ok(items.map(alias).map(Value::String).collect())
            }
            Self::Integer(number) => number.integer(&alias(text)),
            Self::Decimal(number) => Ok(json!(plain(number.read(&alias(text))?))),
            Self::Money(number, currency) => {
                let amount = number.read(&alias(text))?;
                Ok(json!({"amount": plain(amount), "currency": currency.of(cells)?}))
            }
            Self::Date(format) => {
                let text = alias(text);
                let date = NaiveDate::parse_from_str(&text, format);
                let date = date.map_err(|_| format!("`{text}` is not a date of the form {format}"))?;
                Ok(json!(date.format("%Y-%m-%d").to_string()))
            }
            Self::Bool => boolean(&alias(text)),
        }
    }
}

impl Number {
    fn read(&self, text: &str) -> Result<Decimal, String> {
        let fault = || format!("`{text}` is not a number");
        let mut digits = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                _ if Some(character) == self.group_mark => {}
                _ if character == self.decimal_mark => digits.push('.'),
                '.' | '_' => return Err(fault()),
                _ => digits.push(character),
            }
        }
        let value = Decimal::from_str(&digits).map_err(|_| fault())?;
        match self.multiplier {
            Some(multiplier) => value
                .checked_mul(multiplier)
                .ok_or_else(|| format!("`{text}` is too large a number")),
            None => Ok(value),
        }
    }

    fn integer(&self, text: &str) -> Result<Value, String> {
        let value = self.read(text)?.normalize();
        let whole = (value.scale() == 0)
            .then(|| i64::try_from(value.mantissa()).ok())
            .flatten();
        whole
            .map(|whole| json!(whole))
            .ok_or_else(|| format!("`{text}` is not a whole number"))
    }
}

impl Currency {
    fn of<'a>(&'a self, cells: &'a [String]) -> Result<&'a str, String> {
        match self {
            Self::Fixed(code) => Ok(code),
            Self::Column(index) => match cells.get(*index).map(String::as_str) {
                Some("") | None => Err("the amount has no currency".to_owned()),
                Some(code) => Ok(code),
            },
        }
    }
}

/// A number without trailing zeros that a multiplication left behind.
fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

fn boolean(text: &str) -> Result<Value, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "on" => Ok(json!(true)),
        "false" | "no" | "n" | "0" | "off" => Ok(json!(false)),
        _ => Err(format!("`{text}` is neither true nor false (give it an alias)")),
    }
}

/// Options that say nothing about this type are mistakes, not decoration.
fn foreign_options(kind: Kind, options: &Options, faults: &mut Vec<String>) {
    let numeric = matches!(kind, Kind::Integer | Kind::Decimal | Kind::Money);
    let rules = [
        ("format", options.format.is_some(), kind == Kind::Date, "date"),
        ("currency", options.currency.is_some(), kind == Kind::Money, "money"),
        (
            "currency_column",
            options.currency_column.is_some(),
            kind == Kind::Money,
            "money",
        ),
        (
            "multiplier",
            options.multiplier.is_some(),
            numeric,
            "integer, decimal or money",
        ),
        (
            "decimal_mark",
            options.decimal_mark.is_some(),
            numeric,
            "integer, decimal or money",
        ),
        (
            "group_mark",
            options.group_mark.is_some(),
            numeric,
            "integer, decimal or money",
        ),
        ("separator", options.separator.is_some(), kind == Kind::List, "list"),
    ];
    for (name, given, fits, wanted) in rules {
        if given && !fits {
            faults.push(format!("`{name}` needs `type` to be {wanted}"));
        }
    }
}

fn number(options: &Options, faults: &mut Vec<String>) -> Option<Number> {
    let decimal_mark = options.decimal_mark.unwrap_or('.');
    if options.group_mark == Some(decimal_mark) {
        faults.push(format!("`group_mark` and `decimal_mark` are both `{decimal_mark}`"));
        return None;
    }
    let multiplier = match &options.multiplier {
        None => None,
        Some(value) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let Ok(number) = Decimal::from_str(&text) else {
                faults.push(format!("`multiplier` is no number: {text}"));
                return None;
            };
            Some(number)
        }
    };
    Some(Number {
        multiplier,
        decimal_mark,
        group_mark: options.group_mark,
    })
}

fn currency(
    options: &Options,
    find: &impl Fn(&str) -> Result<usize, String>,
    faults: &mut Vec<String>,
) -> Option<Currency> {
    match (&options.currency, &options.currency_column) {
        (Some(code), None) if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Some(Currency::Fixed(code.clone()))
        }
        (Some(code), None) => {
            faults.push(format!("`currency` is an ISO 4217 code such as USD, not `{code}`"));
            None
        }
        (None, Some(column)) => find(column)
            .map(Currency::Column)
            .map_err(|fault| faults.push(fault))
            .ok(),
        _ => {
            faults.push("money needs either `currency` or `currency_column`".to_owned());
            None
        }
    }
}

/// A format is tried on a date before any row is: chrono reports bad ones only when they are used.
fn date_format(options: &Options, faults: &mut Vec<String>) -> Option<String> {
    use chrono::format::{Item, StrftimeItems};
    let format = options.format.clone().unwrap_or_else(|| "%Y-%m-%d".to_owned());
    let items: Vec<_> = StrftimeItems::new(&format).collect();
    let date = NaiveDate::from_ymd_opt(2001, 2, 3)?;
    let whole = !items.contains(&Item::Error)
        && NaiveDate::parse_from_str(&date.format_with_items(items.iter()).to_string(), &format) == Ok(date);
    if whole {
        return Some(format);
    }
    faults.push(format!(
        "`format` does not make a whole date (such as %d/%m/%Y): {format}"
    ));
    None
}

#[cfg(test)]
mod tests;
