//! Why a customer is in a segment or not: the rule, with what each of its nodes came to and the value it saw.

use crate::filter::Condition;
use crate::filter::seen::{Looking, Seen, currency_seen};
use crate::records;
use crate::{Error, Transaction, past, references};
use diesel::prelude::*;
use domain::custom_values::{NUMBER_SCALE, number_json};
use domain::customer::customers::Customer;
use domain::marketing::segments::{Segment, read_rule};
use domain::money::Money;
use domain::record::{Record, Reference};
use domain::registry::{Field, FieldType, Link, Source};
use domain::rule::{Function, Holds, Related, Rule, Test};
use domain::{Fields, Kind, Refusal};
use serde::Serialize;
use serde_json::{Value, json};
use sql::Timestamp;
use sql::ids::{CustomerId, RecordId, SegmentId};
use sql::schema::{customers, segment_members};
use utoipa::ToSchema;

/// Why a customer is in a segment or not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// Whether it is a member, as far as the changes were followed.
    pub member: bool,
    /// Since when.
    pub entered_at: Option<Timestamp>,
    /// Whether it passes the rule now, or passed it at `as_of`; missing for a static segment.
    pub holds: Option<bool>,
    /// The rule, each node with `holds`, and those without nodes below with the value `seen`.
    #[schema(value_type = Option<Object>)]
    pub rule: Option<Value>,
}

/// Explains a segment for one customer: its rule as it is, for the customer as it is or was at an instant of the past.
pub fn explain(
    tx: &mut Transaction<'_>,
    segment: RecordId,
    customer: CustomerId,
    as_of: Option<Timestamp>,
) -> Result<Explanation, Error> {
    let segment = records::get::<Segment>(tx, segment)?;
    let customer = named_customer(tx, RecordId(customer.0))?;
    let entered_at: Option<Timestamp> = segment_members::table
        .find((
            tx.tenant(),
            SegmentId(segment.meta.id.0),
            CustomerId(customer.meta.id.0),
        ))
        .select(segment_members::entered_at)
        .first(tx.connection())
        .optional()?;
    let rule = match &segment.fields.rule {
        Some(rule) => {
            // Reads the whole first, so that everything wrong with it is told.
            past::read_rule_at(tx, rule, as_of)?;
            let one = Explained::new(tx, &customer, as_of)?;
            Some(explain_rule(tx, rule, &one)?)
        }
        None if as_of.is_some() => {
            return Err(Refusal::fault(
                "/as_of",
                "not_allowed",
                "goes with a rule, which a static segment lacks",
            )
            .into());
        }
        None => None,
    };
    Ok(Explanation {
        member: entered_at.is_some(),
        entered_at,
        holds: rule.as_ref().map(holds),
        rule,
    })
}

fn named_customer(tx: &mut Transaction<'_>, id: RecordId) -> Result<Customer, Error> {
    let reference = Reference {
        pointer: "/customer_id".to_owned(),
        kind: Kind::Customer,
        id,
    };
    match references::fault_of(tx, reference)? {
        Some(fault) => Err(Refusal::Invalid(vec![fault]).into()),
        None => records::get(tx, id),
    }
}

/// Whom a rule is explained for.
#[derive(Debug)]
pub struct Explained<'a> {
    customer: &'a Customer,
    /// As it is, or was.
    record: Value,
    as_of: Option<Timestamp>,
}

impl<'a> Explained<'a> {
    /// A customer as it is, or as it was at an instant of the past.
    pub fn new(tx: &mut Transaction<'_>, customer: &'a Customer, as_of: Option<Timestamp>) -> Result<Self, Error> {
        let record = past::record_at(tx, customer.meta.id, serde_json::to_value(customer)?, as_of)?;
        let one = Self {
            customer,
            record,
            as_of,
        };
        if as_of.is_some() && !one.passes(tx, None)? {
            return Err(Refusal::fault("/as_of", "out_of_range", "the customer was not there then").into());
        }
        Ok(one)
    }

    /// Asks the database, as a list of customers would.
    fn passes(&self, tx: &mut Transaction<'_>, rule: Option<&Rule>) -> Result<bool, Error> {
        let (registry, tenant, visibility) = (Kind::Customer.registry(), tx.tenant(), tx.scope().visibility);
        let condition = match self.as_of {
            Some(instant) => Condition::as_of(registry, tenant, visibility, instant),
            None => Condition::new(registry, tenant, visibility),
        };
        let found: i64 = customers::table
            .filter(condition.with_rule(rule))
            .filter(customers::id.eq(self.customer.meta.id))
            .select(diesel::dsl::count_star())
            .first(tx.connection())?;
        Ok(found > 0)
    }
}

/// The nodes of a rule with what each comes to for a customer.
pub fn explain_rule(tx: &mut Transaction<'_>, node: &Value, customer: &Explained<'_>) -> Result<Value, Error> {
    let mut explained = node.as_object().cloned().unwrap_or_default();
    let verdict = match node {
        Value::Object(members) if members.contains_key("all") => {
            let nodes = explain_each(tx, &members["all"], customer)?;
            let verdict = nodes.iter().all(holds);
            explained.insert("all".to_owned(), Value::Array(nodes));
            verdict
        }
        Value::Object(members) if members.contains_key("any") => {
            let nodes = explain_each(tx, &members["any"], customer)?;
            let verdict = nodes.iter().any(holds);
            explained.insert("any".to_owned(), Value::Array(nodes));
            verdict
        }
        Value::Object(members) if members.contains_key("not") => {
            let node = explain_rule(tx, &members["not"], customer)?;
            let verdict = !holds(&node);
            explained.insert("not".to_owned(), node);
            verdict
        }
        leaf => {
            let context = past::context_at(tx, customer.as_of)?;
            let rule = read_rule(leaf, &context)?;
            let seen = seen(tx, &rule, customer)?;
            explained.insert("seen".to_owned(), seen);
            customer.passes(tx, Some(&rule))?
        }
    };
    explained.insert("holds".to_owned(), json!(verdict));
    Ok(Value::Object(explained))
}

fn explain_each(tx: &mut Transaction<'_>, nodes: &Value, customer: &Explained<'_>) -> Result<Vec<Value>, Error> {
    let nodes = nodes.as_array().map(Vec::as_slice).unwrap_or_default();
    nodes.iter().map(|node| explain_rule(tx, node, customer)).collect()
}

fn holds(explained: &Value) -> bool {
    explained.get("holds").and_then(Value::as_bool).unwrap_or(false)
}

fn seen(tx: &mut Transaction<'_>, rule: &Rule, explained: &Explained<'_>) -> Result<Value, Error> {
    let customer = explained.customer;
    let looking = Looking {
        registry: Kind::Customer.registry(),
        tenant: tx.tenant(),
        visibility: tx.scope().visibility,
        as_of: explained.as_of,
    };
    match rule {
        Rule::Test(test) => of_field(tx, looking, test, explained),
        Rule::Related(related) => {
            let value = load(tx, looking.related(related), customer)?;
            Ok(match currency_seen(related) {
                Some(currency) => amount(&value, &currency),
                None if is_decimal(related) => decimal(&value),
                None => value,
            })
        }
        Rule::Logged(logged) => load(tx, looking.logged(logged), customer),
        Rule::Found { .. } => Ok(json!(customer.search_texts())),
        _ => Ok(Value::Null),
    }
}

/// Whether a figure is one of decimals, which are kept in parts.
fn is_decimal(related: &Related) -> bool {
    let Holds::Aggregate { function, .. } = &related.holds else {
        return false;
    };
    !matches!(function, Function::CountDistinct(_))
        && function
            .field()
            .is_some_and(|field| field.field_type == FieldType::Decimal)
}

/// The number that so many parts are; a mean of parts is no whole number.
#[expect(clippy::cast_precision_loss, reason = "the scale is a small number")]
fn decimal(parts: &Value) -> Value {
    match (parts.as_i64(), parts.as_f64()) {
        (Some(whole), _) => number_json(whole),
        (None, Some(mean)) => json!(mean / NUMBER_SCALE as f64),
        _ => Value::Null,
    }
}

fn amount(minor: &Value, currency: &str) -> Value {
    let money = minor
        .as_i64()
        .zip(currency.parse().ok())
        .map(|(minor, currency)| Money::from_minor(minor, currency));
    money.map_or(Value::Null, |money| json!(money))
}

fn of_field(
    tx: &mut Transaction<'_>,
    looking: Looking,
    test: &Test,
    explained: &Explained<'_>,
) -> Result<Value, Error> {
    let (customer, record) = (explained.customer, &explained.record);
    let Some(relation) = test.via else {
        return match test.field.source {
            Source::Values => values(customer, test.field),
            Source::Beside { .. } => load(tx, looking.field(test.field), customer),
            _ => Ok(member(record, test.field)),
        };
    };
    let Link::One { column } = relation.link else {
        return Ok(Value::Null);
    };
    let Some(id) = record
        .get(column)
        .and_then(Value::as_str)
        .and_then(|id| id.parse().ok())
    else {
        return Ok(Value::Null);
    };
    let mut related = references::load_related(tx, relation.target, &[id])?;
    Ok(match related.remove(&id) {
        Some(record) => member(&past::record_at(tx, id, record, explained.as_of)?, test.field),
        None => Value::Null,
    })
}

fn member(record: &Value, field: &Field) -> Value {
    let pointer = format!("/{}", field.name.replace('.', "/"));
    record.pointer(&pointer).cloned().unwrap_or_default()
}

fn values(customer: &Customer, field: &Field) -> Result<Value, Error> {
    if field.name.starts_with("custom.") {
        return Ok(member(&serde_json::to_value(customer)?, field));
    }
    if field.name == "tags" {
        return Ok(json!(customer.fields.common().tags));
    }
    let of_field = customer.values().into_iter().find(|(name, _)| *name == field.name);
    Ok(of_field.map_or(Value::Null, |(_, values)| json!(values)))
}

fn load(tx: &mut Transaction<'_>, seen: Seen, customer: &Customer) -> Result<Value, Error> {
    let row = customers::table.find((tx.tenant(), customer.meta.id));
    macro_rules! value {
        ($figure:expr, $type:ty) => {{
            let value: Option<$type> = row.select($figure).first(tx.connection())?;
            json!(value)
        }};
    }
    Ok(match seen {
        Seen::Integer(figure) => value!(figure, i64),
        Seen::Mean(figure) => value!(figure, f64),
        Seen::Text(figure) => value!(figure, String),
        Seen::Bool(figure) => value!(figure, bool),
        Seen::Date(figure) => value!(figure, chrono::NaiveDate),
        Seen::Instant(figure) => value!(figure, Timestamp),
        Seen::Id(figure) => value!(figure, RecordId),
    })
}
