//! Reads the nodes that look at related records.

use super::field::{Target, required, resolve};
use super::literal::{Raw, wrong};
use super::parse::{Parser, window_member};
use super::{
    AggregateFunction, Check, Comparison, Function, Holds, Operand, Operator, Quantifier, Related, Rule, RuleContext,
    Test, Value,
};
use crate::registry::{Field, FieldType, Registry};
use chrono::{Days, NaiveDate};
use serde_json::{Map, Value as Json};

/// What `count` compares like.
const WHOLE_NUMBER: &Field = &Field::new("count", FieldType::Integer);
/// How much finer than a whole number the mean of whole numbers is compared.
const MEAN_SCALE: i64 = 10_000;

impl Parser<'_> {
    /// `{"related": …, "where": …, "window": …, "aggregate": {…}, "op": …, "value": …}` or with a `quantifier`
    pub(super) fn related(
        &mut self,
        node: &Map<String, Json>,
        registry: &'static Registry,
        at: &str,
        depth: usize,
    ) -> Option<Rule> {
        let members = ["related", "where", "window", "aggregate", "op", "value", "quantifier"];
        self.only(node, &members, at);
        let relation = node
            .get("related")
            .and_then(Json::as_str)
            .and_then(|name| registry.relation(name));
        let Some(relation) = relation else {
            let names: Vec<_> = registry.all_relations().map(|relation| relation.name).collect();
            let message = format!("must be one of {}", names.join(", "));
            return self.fault(format!("{at}/related"), "unknown_relation", message);
        };
        let target = relation.target.registry();
        let filter = match node.get("where") {
            Some(rule) => self
                .node(rule, target, &format!("{at}/where"), depth + 1)
                .map(|rule| Some(Box::new(rule))),
            None => Some(None),
        };
        let dated = self.date_field(node, target, at);
        let window = match (node.get("window"), dated) {
            (Some(window), Some(field)) => self.related_window(window, field, target, at).map(Some),
            (None, _) => Some(None),
            _ => None,
        };
        let holds = self.holds(node, target, dated, at);
        Some(Rule::Related(Related {
            relation,
            filter: filter?,
            window: window?,
            holds: holds?,
        }))
    }

    /// The field by which related records are in a window, and first or last.
    fn date_field(&mut self, node: &Map<String, Json>, target: &'static Registry, at: &str) -> Option<&'static Field> {
        let name = node.get("window").and_then(|window| window.get("field"));
        let Some(name) = name else {
            return target.field("created_at");
        };
        let field = name.as_str().and_then(|name| target.field(name));
        let dated = field.filter(|field| matches!(field.field_type, FieldType::Date | FieldType::Instant));
        if dated.is_none() {
            let message = format!("must be a field of {} that holds days or instants", target.plural);
            return self.fault(format!("{at}/window/field"), "unknown_field", message);
        }
        dated
    }

    /// A window that only names its field lets every record in.
    fn related_window(
        &mut self,
        json: &Json,
        field: &'static Field,
        target: &'static Registry,
        at: &str,
    ) -> Option<Test> {
        let at = format!("{at}/window");
        if json
            .as_object()
            .is_some_and(|window| window.len() == 1 && window.contains_key("field"))
        {
            return Some(Test {
                via: None,
                field,
                check: Check::Exists,
            });
        }
        let members = ["field", "last", "next", "this", "previous", "between"];
        let (operator, value) = self.window(json, &members, &at)?;
        let value_at = format!("{at}/{}", window_member(operator));
        let check = self
            .reader()
            .check(field, operator, Some(value), Some(target), &value_at)?;
        Some(Test {
            via: None,
            field,
            check,
        })
    }

    fn holds(
        &mut self,
        node: &Map<String, Json>,
        target: &'static Registry,
        dated: Option<&'static Field>,
        at: &str,
    ) -> Option<Holds> {
        let Some(aggregate) = node.get("aggregate") else {
            for name in ["op", "value"].iter().filter(|name| node.contains_key(**name)) {
                self.fault::<()>(format!("{at}/{name}"), "unknown_field", "goes with an aggregate");
            }
            let Some(name) = node.get("quantifier") else {
                return Some(Holds::Quantifier(Quantifier::Any));
            };
            let found = name.as_str().and_then(|name| name.parse().ok());
            if found.is_none() {
                return self.fault(format!("{at}/quantifier"), "not_a_choice", "must be any, all or none");
            }
            return found.map(Holds::Quantifier);
        };
        if node.contains_key("quantifier") {
            return self.fault(
                format!("{at}/quantifier"),
                "unknown_field",
                "does not go with an aggregate",
            );
        }
        let Json::Object(aggregate) = aggregate else {
            let message = "must be an object such as {\"fn\": \"sum\", \"field\": \"amount\"}";
            return self.fault(format!("{at}/aggregate"), "invalid_type", message);
        };
        self.only(aggregate, &["fn", "field"], &format!("{at}/aggregate"));
        let operator = self.operator(node, at);
        let field = self.aggregated(aggregate, target, at);
        let function = aggregate
            .get("fn")
            .and_then(Json::as_str)
            .and_then(|name| name.parse().ok());
        let Some(function) = function else {
            let message = format!("must be one of {}", AggregateFunction::TEXTS.join(", "));
            return self.fault(format!("{at}/aggregate/fn"), "not_a_choice", message);
        };
        let value = node.get("value").map(Raw::Json);
        self.figure(function, field.ok()?, dated, (operator?, value), at)
    }

    /// The field that an aggregate is about, if it names one.
    fn aggregated(
        &mut self,
        aggregate: &Map<String, Json>,
        target: &'static Registry,
        at: &str,
    ) -> Result<Option<&'static Field>, ()> {
        let Some(name) = aggregate.get("field") else {
            return Ok(None);
        };
        if let Some(Target::Field(None, field)) = name.as_str().and_then(|name| resolve(name, target, self.context)) {
            return Ok(Some(field));
        }
        let message = format!("must be a field of {}", target.plural);
        self.fault::<()>(format!("{at}/aggregate/field"), "unknown_field", message);
        Err(())
    }

    fn figure(
        &mut self,
        function: AggregateFunction,
        field: Option<&'static Field>,
        dated: Option<&'static Field>,
        (operator, value): (Operator, Option<Raw<'_>>),
        at: &str,
    ) -> Option<Holds> {
        let days_since = function == AggregateFunction::DaysSinceLast;
        let Some(function) = function_of(function, field, dated?) else {
            let message = "count takes no field; the others need one of a type that they can work on";
            return self.fault(format!("{at}/aggregate/field"), "invalid_value", message);
        };
        let check = if days_since {
            self.days_since(function.field()?, (operator, value), at)
        } else {
            self.figure_check(function, (operator, value), at)
        };
        check.map(|check| Holds::Aggregate { function, check })
    }

    fn figure_check(
        &mut self,
        function: Function,
        (operator, value): (Operator, Option<Raw<'_>>),
        at: &str,
    ) -> Option<Check> {
        let compared = function.compared();
        let allowed = compared.field_type.operators().contains(&operator);
        let asks_presence = matches!(operator, Operator::Exists | Operator::Missing);
        let mean = matches!(function, Function::Average(_, scale) if scale > 1) && !asks_presence;
        if !allowed || (mean && !is_plain_comparison(operator)) {
            return self.fault(
                format!("{at}/op"),
                "operator_not_allowed",
                "does not go with this figure",
            );
        }
        let value_at = format!("{at}/value");
        if !mean {
            return self.reader().check(compared, operator, value, None, &value_at);
        }
        let scaled = required(value).and_then(|value| value.scaled(MEAN_SCALE));
        let scaled = self.reader().note(&value_at, scaled)?;
        number_check(operator, scaled)
    }

    /// Days since the last one, said of its date: at least n days ago is on that day or before.
    fn days_since(
        &mut self,
        field: &'static Field,
        (operator, value): (Operator, Option<Raw<'_>>),
        at: &str,
    ) -> Option<Check> {
        let context = self.context.clone();
        let value_at = format!("{at}/value");
        if matches!(operator, Operator::Exists | Operator::Missing) {
            return self.reader().check(field, operator, value, None, &value_at);
        }
        if operator == Operator::Between {
            let Check::Between(Value::Integer(fewest), Value::Integer(most)) =
                self.reader().check(WHOLE_NUMBER, operator, value, None, &value_at)?
            else {
                return None;
            };
            let days = days_ago(&context, most).zip(days_ago(&context, fewest));
            let days = self
                .reader()
                .note(&value_at, days.ok_or_else(|| wrong("leads out of the calendar")))?;
            let (first, last) = context.day_bounds(field.field_type == FieldType::Instant, days);
            return Some(Check::Between(first, last));
        }
        if !is_plain_comparison(operator) {
            return self.fault(
                format!("{at}/op"),
                "operator_not_allowed",
                "does not go with days_since_last",
            );
        }
        let day = required(value)
            .and_then(Raw::integer)
            .and_then(|days| days_ago(&context, days).ok_or_else(|| wrong("leads out of the calendar")));
        let day = self.reader().note(&value_at, day)?;
        let (first, last) = context.day_bounds(field.field_type == FieldType::Instant, (day, day));
        let compare = |comparison, value| Check::Compare(comparison, Operand::Value(value));
        Some(match operator {
            Operator::Gt => compare(Comparison::Less, first),
            Operator::Gte => compare(Comparison::LessOrEqual, last),
            Operator::Lt => compare(Comparison::Greater, last),
            Operator::Lte => compare(Comparison::GreaterOrEqual, first),
            Operator::Ne => Check::Outside(first, last),
            _ => Check::Between(first, last),
        })
    }
}

impl Function {
    /// The field that the figure is about.
    pub const fn field(self) -> Option<&'static Field> {
        match self {
            Self::Count => None,
            Self::CountDistinct(field)
            | Self::Sum(field)
            | Self::Average(field, _)
            | Self::Least(field)
            | Self::Greatest(field)
            | Self::First(field, _)
            | Self::Last(field, _) => Some(field),
        }
    }

    /// The field whose values are compared like the figure.
    fn compared(self) -> &'static Field {
        match self {
            Self::Count | Self::CountDistinct(_) => WHOLE_NUMBER,
            other => other.field().unwrap_or(WHOLE_NUMBER),
        }
    }
}

/// The figure over a field, if it can be had of its type of values.
fn function_of(function: AggregateFunction, field: Option<&'static Field>, dated: &'static Field) -> Option<Function> {
    let of = |allowed: fn(FieldType) -> bool| field.filter(|field| allowed(field.field_type));
    let single = |field_type| field_type != FieldType::List;
    let countable = |field_type| !matches!(field_type, FieldType::List | FieldType::Money);
    let summed = |field_type| matches!(field_type, FieldType::Integer | FieldType::Decimal | FieldType::Money);
    let days = |field_type| matches!(field_type, FieldType::Date | FieldType::Instant);
    match function {
        AggregateFunction::Count => field.is_none().then_some(Function::Count),
        AggregateFunction::CountDistinct => of(countable).map(Function::CountDistinct),
        AggregateFunction::Sum => of(summed).map(Function::Sum),
        AggregateFunction::Average => of(summed).map(|field| Function::Average(field, mean_scale(field))),
        AggregateFunction::Least => of(FieldType::ordered).map(Function::Least),
        AggregateFunction::Greatest => of(FieldType::ordered).map(Function::Greatest),
        AggregateFunction::First => of(single).map(|field| Function::First(field, dated)),
        AggregateFunction::Last => of(single).map(|field| Function::Last(field, dated)),
        AggregateFunction::DaysSinceLast => field.map_or(Some(dated), |_| of(days)).map(Function::Greatest),
    }
}

fn mean_scale(field: &Field) -> i64 {
    if matches!(field.field_type, FieldType::Money | FieldType::Decimal) {
        1
    } else {
        MEAN_SCALE
    }
}

const fn is_plain_comparison(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Eq | Operator::Ne | Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte
    )
}

fn number_check(operator: Operator, number: i64) -> Option<Check> {
    let comparison = match operator {
        Operator::Eq => Comparison::Equal,
        Operator::Ne => Comparison::NotEqual,
        Operator::Gt => Comparison::Greater,
        Operator::Gte => Comparison::GreaterOrEqual,
        Operator::Lt => Comparison::Less,
        Operator::Lte => Comparison::LessOrEqual,
        _ => return None,
    };
    Some(Check::Compare(comparison, Operand::Value(Value::Integer(number))))
}

fn days_ago(context: &RuleContext, days: i64) -> Option<NaiveDate> {
    let count = Days::new(u64::try_from(days).ok().filter(|days| *days <= 400_000)?);
    let day = context.today().checked_sub_days(count)?;
    (chrono::Datelike::year(&day) >= 1).then_some(day)
}
