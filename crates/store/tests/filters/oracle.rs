//! Says by itself which records pass a rule, from the contract of the rule language and not from any SQL.

use domain::registry::{Field, FieldType, Link, Relation};
use domain::rule::{
    Check, Comparison, EventPattern, Function, Holds, Logged, Match, Operand, Quantifier, Related, Rule, Test, Value,
};
use domain::{Kind, search};
use sql::Timestamp;
use sql::ids::RecordId;
use std::cmp::Ordering;
use std::collections::HashMap;

/// A record as the rule language sees it.
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) id: RecordId,
    pub(crate) values: HashMap<&'static str, Value>,
    pub(crate) lists: HashMap<&'static str, Vec<String>>,
    pub(crate) text: String,
    /// What happened to it. An event has the values of the fields of events.
    pub(crate) events: Vec<Record>,
}

/// All records there are.
pub(crate) struct World(pub(crate) Vec<Record>);

impl World {
    pub(crate) fn matching(&self, kind: Kind, rule: &Rule) -> Vec<RecordId> {
        let records = self
            .0
            .iter()
            .filter(|record| record.kind == kind && self.passes(record, rule));
        records.map(|record| record.id).collect()
    }

    fn passes(&self, record: &Record, rule: &Rule) -> bool {
        match rule {
            Rule::All(rules) => rules.iter().all(|rule| self.passes(record, rule)),
            Rule::Any(rules) => rules.iter().any(|rule| self.passes(record, rule)),
            Rule::Not(rule) => !self.passes(record, rule),
            Rule::Test(test) => self.test(record, test),
            Rule::Found { via: None, search } => found(record, search),
            Rule::Found { via: Some(via), search } => self.related(record, via).any(|other| found(other, search)),
            Rule::Member(_) => panic!("the oracle knows of no segments"),
            Rule::Logged(logged) => {
                let events = record.events.iter().filter(|event| self.is_meant(event, logged));
                let count = Value::Integer(i64::try_from(events.count()).unwrap());
                value_passes(Some(&count), &logged.count)
            }
            Rule::Related(related) => self.holds(record, related),
        }
    }

    fn is_meant(&self, event: &Record, logged: &Logged) -> bool {
        let Value::Text(kind) = &event.values["kind"] else {
            panic!("an event has a kind");
        };
        let named = logged.event.as_ref().is_none_or(|pattern| match pattern {
            EventPattern::Exactly(name) => kind == name,
            EventPattern::StartingWith(prefix) => kind.starts_with(prefix),
        });
        let changed = logged.change.as_ref().is_none_or(|change| {
            let side = |side: &str| event.values.get(format!("{side}.{}", change.field.name).as_str());
            let came = |wanted: &Option<String>, value: Option<&Value>| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| value.and_then(told) == Some(wanted.clone()))
            };
            let (before, after) = (side("before"), side("after"));
            !kind.ends_with(".created")
                && (before.is_some() || after.is_some())
                && came(&change.from, before)
                && came(&change.to, after)
        });
        let occurred = event.values.get("occurred_at");
        let in_time = logged
            .window
            .as_ref()
            .is_none_or(|window| value_passes(occurred, window));
        let passes = logged.filter.as_ref().is_none_or(|filter| self.passes(event, filter));
        named && changed && in_time && passes
    }

    fn test(&self, record: &Record, test: &Test) -> bool {
        match test.via {
            None => field_passes(record, test.field, &test.check),
            Some(via) => match self.related(record, via).next() {
                Some(other) => field_passes(other, test.field, &test.check),
                None => test.check == Check::Missing,
            },
        }
    }

    fn related<'a>(&'a self, record: &'a Record, relation: &'a Relation) -> impl Iterator<Item = &'a Record> {
        self.0.iter().filter(move |other| {
            other.kind == relation.target
                && match relation.link {
                    Link::One { column } => record.values.get(column) == Some(&Value::Id(other.id)),
                    Link::Many { column } => other.values.get(column) == Some(&Value::Id(record.id)),
                }
        })
    }

    fn holds(&self, record: &Record, related: &Related) -> bool {
        let in_window = self
            .related(record, related.relation)
            .filter(|other| related.window.as_ref().is_none_or(|window| self.test(other, window)));
        let passes = |other: &&Record| related.filter.as_ref().is_none_or(|rule| self.passes(other, rule));
        match &related.holds {
            Holds::Quantifier(Quantifier::Any) => in_window.filter(passes).count() > 0,
            Holds::Quantifier(Quantifier::None) => in_window.filter(passes).count() == 0,
            Holds::Quantifier(Quantifier::All) => in_window.into_iter().all(|other| passes(&other)),
            Holds::Aggregate { function, check } => {
                figure(&in_window.filter(passes).collect::<Vec<_>>(), *function, check)
            }
        }
    }
}

/// A value as an event tells it.
fn told(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Id(id) => Some(id.to_string()),
        Value::Date(date) => Some(date.to_string()),
        _ => None,
    }
}

fn found(record: &Record, search: &search::Search) -> bool {
    search
        .words()
        .iter()
        .chain(search.short_words())
        .all(|word| record.text.contains(word.as_str()))
}

fn field_passes(record: &Record, field: &Field, check: &Check) -> bool {
    if field.field_type == FieldType::List {
        let empty = Vec::new();
        let list = record.lists.get(field.name).unwrap_or(&empty);
        let has = |value: &Value| matches!(value, Value::Text(text) if list.contains(text));
        return match check {
            Check::Exists => !list.is_empty(),
            Check::Missing => list.is_empty(),
            Check::Has(Quantifier::Any, values) => values.iter().any(has),
            Check::Has(Quantifier::All, values) => values.iter().all(has),
            Check::Has(Quantifier::None, values) => !values.iter().any(has),
            Check::Like(way, text) => list.iter().any(|value| stands_in(*way, text, value)),
            other => panic!("{other:?} is no check of a list"),
        };
    }
    if let Check::Compare(comparison, Operand::Field { field: other, offset }) = check {
        let other = record.values.get(other.name).map(|value| later(value, *offset));
        let pair = record.values.get(field.name).zip(other);
        return pair.is_some_and(|(one, other)| {
            compare(one, &other).is_some_and(|order| comparison_holds(*comparison, order))
        });
    }
    value_passes(record.values.get(field.name), check)
}

fn value_passes(value: Option<&Value>, check: &Check) -> bool {
    let Some(value) = value else {
        return *check == Check::Missing;
    };
    let within = |first, last| {
        let past_first = compare(value, first)?;
        let past_last = compare(value, last)?;
        Some(past_first.is_ge() && past_last.is_le())
    };
    match check {
        Check::Exists => true,
        Check::Missing => false,
        Check::Compare(comparison, Operand::Value(other)) => {
            compare(value, other).is_some_and(|order| comparison_holds(*comparison, order))
        }
        Check::Between(first, last) => within(first, last) == Some(true),
        Check::Outside(first, last) => within(first, last) == Some(false),
        Check::In(values) => values.contains(value),
        Check::NotIn(values) => !values.contains(value),
        Check::Like(way, text) => matches!(value, Value::Text(whole) if stands_in(*way, text, whole)),
        Check::Anniversary(ranges) => {
            let Value::Date(date) = value else {
                panic!("{value:?} has no anniversary")
            };
            let day = date.format("%m-%d").to_string();
            ranges.iter().any(|(first, last)| *first <= day && day <= *last)
        }
        other => panic!("{other:?} is no check of a value"),
    }
}

/// None for amounts in different currencies.
fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => Some(one.as_bytes().cmp(other.as_bytes())),
        (Value::Integer(one), Value::Integer(other)) => Some(one.cmp(other)),
        (Value::Id(one), Value::Id(other)) => Some(one.cmp(other)),
        (Value::Instant(one), Value::Instant(other)) => Some(one.cmp(other)),
        (Value::Date(one), Value::Date(other)) => Some(one.cmp(other)),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (Value::Money(one), Value::Money(other)) => {
            (one.currency() == other.currency()).then(|| one.minor().cmp(&other.minor()))
        }
        other => panic!("{other:?} cannot be compared"),
    }
}

fn comparison_holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
    }
}

fn stands_in(way: Match, text: &str, whole: &str) -> bool {
    let (text, whole) = (text.to_ascii_lowercase(), whole.to_ascii_lowercase());
    match way {
        Match::Contains => whole.contains(&text),
        Match::StartsWith => whole.starts_with(&text),
        Match::EndsWith => whole.ends_with(&text),
    }
}

fn later(value: &Value, offset: i64) -> Value {
    match value {
        Value::Date(date) => Value::Date(*date + chrono::Duration::days(offset)),
        Value::Instant(instant) => Value::Instant(Timestamp::from_micros(instant.micros() + offset).unwrap()),
        other => other.clone(),
    }
}

fn figure(records: &[&Record], function: Function, check: &Check) -> bool {
    let currency = match check {
        Check::Compare(_, Operand::Value(Value::Money(money))) | Check::Between(Value::Money(money), _) => {
            Some(money.currency())
        }
        Check::Outside(Value::Money(money), _) => Some(money.currency()),
        _ => None,
    };
    let in_currency = |value: &&Value| match (value, currency) {
        (Value::Money(money), Some(currency)) => money.currency() == currency,
        _ => true,
    };
    let values = |field: &Field| -> Vec<&Value> {
        records
            .iter()
            .filter_map(|record| record.values.get(field.name))
            .filter(in_currency)
            .collect()
    };
    let number = |count: usize| Value::Integer(i64::try_from(count).unwrap());
    match function {
        Function::Count => value_passes(Some(&number(records.len())), check),
        Function::CountDistinct(field) => {
            let distinct: std::collections::HashSet<String> =
                values(field).iter().map(|value| format!("{value:?}")).collect();
            value_passes(Some(&number(distinct.len())), check)
        }
        Function::Sum(field) => {
            let sum: i64 = values(field).iter().map(|value| whole(value)).sum();
            value_passes(Some(&Value::Integer(sum)), &in_minor(check))
        }
        Function::Average(field, scale) => {
            let values = values(field);
            let count = i64::try_from(values.len()).unwrap();
            let sum: i64 = values.iter().map(|value| whole(value) * scale).sum();
            let times = |value: &Value| Value::Integer(whole(value) * count);
            let check = match check {
                Check::Compare(comparison, Operand::Value(value)) => {
                    Check::Compare(*comparison, Operand::Value(times(value)))
                }
                Check::Between(first, last) => Check::Between(times(first), times(last)),
                other => other.clone(),
            };
            let sum = (count > 0).then_some(Value::Integer(sum));
            value_passes(sum.as_ref(), &check)
        }
        Function::Least(field) => {
            let least = values(field)
                .into_iter()
                .min_by(|one, other| compare(one, other).unwrap());
            value_passes(least, check)
        }
        Function::Greatest(field) => {
            let greatest = values(field)
                .into_iter()
                .max_by(|one, other| compare(one, other).unwrap());
            value_passes(greatest, check)
        }
        Function::First(field, dated) => value_passes(at_end(records, dated, currency, field, false), check),
        Function::Last(field, dated) => value_passes(at_end(records, dated, currency, field, true), check),
    }
}

/// The value in the first or last record by a date; where an amount is compared, of those in its currency.
fn at_end<'a>(
    records: &[&'a Record],
    dated: &Field,
    currency: Option<domain::money::Currency>,
    field: &Field,
    last: bool,
) -> Option<&'a Value> {
    let comparable = |record: &&&Record| match (record.values.get(field.name), currency) {
        (Some(Value::Money(money)), Some(currency)) => money.currency() == currency,
        (None, Some(_)) => false,
        _ => true,
    };
    let mut records: Vec<_> = records
        .iter()
        .filter(comparable)
        .filter(|record| record.values.contains_key(dated.name))
        .collect();
    records.sort_by(|one, other| {
        let order = compare(&one.values[dated.name], &other.values[dated.name]).unwrap();
        order.then(one.id.cmp(&other.id))
    });
    let record = if last { records.last() } else { records.first() };
    record.and_then(|record| record.values.get(field.name))
}

fn whole(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => *number,
        Value::Money(money) => money.minor(),
        other => panic!("{other:?} cannot be summed"),
    }
}

/// A check of amounts as one of their minor units.
fn in_minor(check: &Check) -> Check {
    let minor = |value: &Value| Value::Integer(whole(value));
    match check {
        Check::Compare(comparison, Operand::Value(value)) => Check::Compare(*comparison, Operand::Value(minor(value))),
        Check::Between(first, last) => Check::Between(minor(first), minor(last)),
        Check::In(values) => Check::In(values.iter().map(minor).collect()),
        Check::NotIn(values) => Check::NotIn(values.iter().map(minor).collect()),
        other => other.clone(),
    }
}
