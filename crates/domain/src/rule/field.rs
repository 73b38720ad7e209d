//! Tests of one field: finds the field, checks the operator, reads the value. Rules of JSON and query parameters
//! both come here.

use super::literal::{Bounds, Raw, Wrong, wrong};
use super::{
    CalendarUnit, Check, Comparison, MOST_VALUES, Match, Operand, Operator, Quantifier, Rule, RuleContext, Shape, Span,
    Test, Value,
};
use crate::fault::Fault;
use crate::kind::Kind;
use crate::registry::{Field, FieldType, Link, Registry, Relation, Source};
use crate::search::Search;
use serde_json::Value as Json;

/// What a path of the rule language leads to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// A field of the record or of one that it is tied to.
    Field(Option<&'static Relation>, &'static Field),
    /// The record itself, or one that it is tied to.
    Record(Option<&'static Relation>),
}

/// Finds a field by its name, `relation.name` one hop away, or the record at a relation's end.
pub(super) fn resolve(path: &str, registry: &'static Registry, context: &RuleContext) -> Option<Target> {
    if let Some(field) = context.field(registry, path) {
        return Some(Target::Field(None, field));
    }
    let (hop, name) = path.split_once('.').unwrap_or((path, ""));
    let relation = registry
        .relation(hop)
        .filter(|relation| matches!(relation.link, Link::One { .. }))?;
    if name.is_empty() {
        return (hop == path).then_some(Target::Record(Some(relation)));
    }
    let field = context.field(relation.target.registry(), name)?;
    Some(Target::Field(Some(relation), field))
}

/// Collects the faults of one value at its pointer, and counts the values of lists.
pub(super) struct Reader<'a> {
    pub(super) context: &'a RuleContext,
    pub(super) faults: &'a mut Vec<Fault>,
    pub(super) values: &'a mut usize,
    /// Whether the past is asked for, of which not every field tells.
    pub(super) past: bool,
}

impl Reader<'_> {
    /// The value, or the fault noted at the pointer.
    pub(super) fn note<T>(&mut self, pointer: &str, result: Result<T, Wrong>) -> Option<T> {
        result
            .map_err(|(code, message)| self.faults.push(Fault::new(pointer, code, message)))
            .ok()
    }

    /// The rule that a target passes an operator with this value.
    pub(super) fn test(
        &mut self,
        target: Target,
        operator: Operator,
        raw: Option<Raw<'_>>,
        registry: &'static Registry,
        [operator_pointer, value_pointer]: [&str; 2],
    ) -> Option<Rule> {
        let (via, field) = match target {
            Target::Record(via) if operator == Operator::Search => {
                let text = self.note(value_pointer, required(raw).and_then(Raw::text))?;
                let search = Search::parse(text, value_pointer).map_err(|fault| self.faults.push(fault));
                return search.ok().map(|search| Rule::Found { via, search });
            }
            Target::Record(_) => {
                let fault = Fault::new(operator_pointer, "operator_not_allowed", "a record takes only search");
                self.faults.push(fault);
                return None;
            }
            Target::Field(via, field) => (via, field),
        };
        self.allow(field, operator, operator_pointer)?;
        if operator == Operator::Search {
            return self.words(via, field, raw, value_pointer);
        }
        let own = via.is_none().then_some(registry);
        let check = self.check(field, operator, raw, own, value_pointer)?;
        let kind = via.map_or(registry.kind, |relation| relation.target);
        let offered = self.offered(kind, field, &check);
        self.note(value_pointer, offered)?;
        Some(Rule::Test(Test { via, field, check }))
    }

    /// That the options of a custom field which a check names are on offer.
    fn offered(&self, kind: Kind, field: &Field, check: &Check) -> Result<(), Wrong> {
        let name = match field.source {
            Source::Change { of, .. } => of.name,
            _ => field.name,
        };
        let Some(options) = self.context.custom.options(kind, name) else {
            return Ok(());
        };
        let known = match check {
            Check::Compare(_, Operand::Value(Value::Text(text))) => options.contains(&text.as_str()),
            Check::In(values) | Check::NotIn(values) | Check::Has(_, values) => values
                .iter()
                .all(|value| matches!(value, Value::Text(text) if options.contains(&text.as_str()))),
            _ => true,
        };
        if known {
            Ok(())
        } else {
            Err(("not_a_choice", format!("must be of {}", options.join(", ")).into()))
        }
    }

    fn allow(&mut self, field: &Field, operator: Operator, pointer: &str) -> Option<()> {
        let allowed = field.field_type.operators();
        if allowed.contains(&operator) {
            return Some(());
        }
        let names = allowed.iter().map(Operator::as_str).collect::<Vec<_>>().join(", ");
        let message = format!("the field takes {names}");
        self.faults.push(Fault::new(pointer, "operator_not_allowed", message));
        None
    }

    /// Each word of a search stands in the field's text.
    fn words(
        &mut self,
        via: Option<&'static Relation>,
        field: &'static Field,
        raw: Option<Raw<'_>>,
        pointer: &str,
    ) -> Option<Rule> {
        let text = self.note(pointer, required(raw).and_then(Raw::text))?;
        let words = text.split_whitespace().map(|word| {
            let check = Check::Like(Match::Contains, word.to_owned());
            Rule::Test(Test { via, field, check })
        });
        let words: Vec<_> = words.collect();
        if words.is_empty() || words.len() > 16 {
            self.faults
                .push(Fault::new(pointer, "invalid_value", "must have 1 to 16 words"));
            return None;
        }
        Some(Rule::All(words))
    }

    /// The check of a field's value, or of a figure that has its type. `own` is the registry of the fields that a
    /// `ref` may name.
    pub(super) fn check(
        &mut self,
        field: &'static Field,
        operator: Operator,
        raw: Option<Raw<'_>>,
        own: Option<&'static Registry>,
        pointer: &str,
    ) -> Option<Check> {
        if operator.shape() == Shape::Flag {
            let holds = raw.filter(|raw| !matches!(raw, Raw::Text("") | Raw::Json(Json::Null)));
            let holds = self.note(pointer, holds.map_or(Ok(true), Raw::bool))?;
            let exists = holds == (operator == Operator::Exists);
            return Some(if exists { Check::Exists } else { Check::Missing });
        }
        let raw = self.note(pointer, required(raw))?;
        if let Raw::Json(Json::Object(object)) = raw
            && object.contains_key("ref")
        {
            return self.reference(field, operator, raw, own, pointer);
        }
        let context = self.context;
        match operator.shape() {
            Shape::One => {
                let bounds = self.note(pointer, raw.of(field, context))?;
                Some(comparison_check(field, operator, bounds))
            }
            Shape::Pair => self.pair(field, raw, pointer),
            Shape::Many => {
                let values = self.many(field, raw, pointer)?;
                Some(list_check(field, operator, values))
            }
            Shape::Text => {
                let text = self.note(pointer, raw.text())?;
                let text = if field.folded {
                    text.to_lowercase()
                } else {
                    text.to_owned()
                };
                Some(Check::Like(match_of(operator), text))
            }
            _ => {
                let check = window_check(field, operator, raw, context);
                self.note(pointer, check)
            }
        }
    }

    fn pair(&mut self, field: &'static Field, raw: Raw<'_>, pointer: &str) -> Option<Check> {
        let items = self.note(pointer, raw.several())?;
        let [(first_end, first), (last_end, last)] = items.as_slice() else {
            let fault = Fault::new(pointer, "invalid_value", "must be two values, the first and the last");
            self.faults.push(fault);
            return None;
        };
        let context = self.context;
        let first = self.note(&format!("{pointer}{first_end}"), first.raw().of(field, context));
        let last = self.note(&format!("{pointer}{last_end}"), last.raw().of(field, context));
        let (first, last) = (first?.first, last?.last);
        if let (Value::Money(first), Value::Money(last)) = (&first, &last)
            && first.currency() != last.currency()
        {
            let fault = Fault::new(pointer, "invalid_value", "must be two amounts in one currency");
            self.faults.push(fault);
            return None;
        }
        Some(Check::Between(first, last))
    }

    fn many(&mut self, field: &'static Field, raw: Raw<'_>, pointer: &str) -> Option<Vec<Value>> {
        let items = self.note(pointer, raw.several())?;
        *self.values += items.len();
        if items.is_empty() || *self.values > MOST_VALUES {
            let message = format!("must have at least one value; a whole rule at most {MOST_VALUES}");
            self.faults.push(Fault::new(pointer, "invalid_length", message));
            return None;
        }
        let context = self.context;
        let values: Vec<_> = items
            .iter()
            .map(|(end, item)| {
                let value = item.raw().of(field, context).and_then(|bounds| {
                    bounds
                        .single()
                        .ok_or_else(|| wrong("must be an instant such as 2026-01-31T09:30:00Z"))
                });
                self.note(&format!("{pointer}{end}"), value)
            })
            .collect();
        values.into_iter().collect()
    }

    fn reference(
        &mut self,
        field: &'static Field,
        operator: Operator,
        raw: Raw<'_>,
        own: Option<&'static Registry>,
        pointer: &str,
    ) -> Option<Check> {
        let result = match (comparison(operator), own) {
            (Some(comparison), Some(own)) => {
                let other = reference(field, raw, own, self.context);
                let other = other.and_then(|other| self.operand_with_past(other, own));
                other.map(|other| Check::Compare(comparison, other))
            }
            (None, _) => Err(wrong("another field goes only with eq, ne, gt, gte, lt and lte")),
            (_, None) => Err(wrong("another field can only be compared with one of the same record")),
        };
        self.note(pointer, result)
    }
}

pub(super) fn required(raw: Option<Raw<'_>>) -> Result<Raw<'_>, Wrong> {
    raw.ok_or(("required", "is required".into()))
}

const fn comparison(operator: Operator) -> Option<Comparison> {
    Some(match operator {
        Operator::Eq => Comparison::Equal,
        Operator::Ne => Comparison::NotEqual,
        Operator::Gt => Comparison::Greater,
        Operator::Gte => Comparison::GreaterOrEqual,
        Operator::Lt => Comparison::Less,
        Operator::Lte => Comparison::LessOrEqual,
        _ => return None,
    })
}

const fn match_of(operator: Operator) -> Match {
    match operator {
        Operator::StartsWith => Match::StartsWith,
        Operator::EndsWith => Match::EndsWith,
        _ => Match::Contains,
    }
}

/// Compares with a value or with a day of instants: after it is after its last one, before it before its first.
fn comparison_check(field: &Field, operator: Operator, bounds: Bounds) -> Check {
    if field.field_type == FieldType::List {
        return Check::Has(Quantifier::Any, vec![bounds.first]);
    }
    let exact = bounds.first == bounds.last;
    let value = match operator {
        Operator::Eq if !exact => return Check::Between(bounds.first, bounds.last),
        Operator::Ne if !exact => return Check::Outside(bounds.first, bounds.last),
        Operator::Gt | Operator::Lte => bounds.last,
        _ => bounds.first,
    };
    Check::Compare(comparison(operator).unwrap_or(Comparison::Equal), Operand::Value(value))
}

fn list_check(field: &Field, operator: Operator, values: Vec<Value>) -> Check {
    match operator {
        Operator::HasAll => Check::Has(Quantifier::All, values),
        Operator::HasNone => Check::Has(Quantifier::None, values),
        Operator::NotIn => Check::NotIn(values),
        _ if field.field_type == FieldType::List => Check::Has(Quantifier::Any, values),
        _ => Check::In(values),
    }
}

/// The check of a day or an instant against relative time.
fn window_check(field: &Field, operator: Operator, raw: Raw<'_>, context: &RuleContext) -> Result<Check, Wrong> {
    let instants = field.field_type == FieldType::Instant;
    let text = raw.text()?;
    let out_of_range = || wrong("leads out of the calendar");
    if let (Ok(unit), Shape::Unit | Shape::DurationOrUnit) = (text.parse::<CalendarUnit>(), operator.shape()) {
        let shift = match operator {
            Operator::Next => 1,
            Operator::Previous => -1,
            _ => 0,
        };
        let days = unit.days(context.today(), shift).ok_or_else(out_of_range)?;
        let (first, last) = context.day_bounds(instants, days);
        return Ok(Check::Between(first, last));
    }
    if operator.shape() == Shape::Unit {
        return Err(wrong(format!("must be one of {}", CalendarUnit::TEXTS.join(", "))));
    }
    let span: Span = text.parse().map_err(wrong)?;
    if !instants && !span.is_of_days() {
        return Err(wrong("must be a duration of whole days, as the field holds days"));
    }
    if operator == Operator::AnniversaryWithin {
        return context
            .anniversaries(span)
            .map(Check::Anniversary)
            .ok_or_else(out_of_range);
    }
    if span.is_negative() {
        return Err(wrong("must not be negative: last looks back, next looks ahead"));
    }
    let span = if operator == Operator::Last {
        span.reversed()
    } else {
        span
    };
    let (first, last) = context.span_bounds(instants, span).ok_or_else(out_of_range)?;
    Ok(Check::Between(first, last))
}

/// `{"ref": "field", "offset": "-P30D"}`
fn reference(field: &Field, raw: Raw<'_>, own: &'static Registry, context: &RuleContext) -> Result<Operand, Wrong> {
    let Raw::Json(Json::Object(object)) = raw else {
        return Err(wrong("must name another field by ref"));
    };
    if object.keys().any(|key| key != "ref" && key != "offset") {
        return Err(("unknown_field", "may have only ref and offset".into()));
    }
    let name = object.get("ref").and_then(Json::as_str).unwrap_or_default();
    let other = context.field(own, name).ok_or_else(|| {
        (
            "unknown_field",
            format!("ref must name a field of {}", own.plural).into(),
        )
    })?;
    if !field.comparable_with(other) {
        return Err(("not_comparable", "the two fields hold different types of values".into()));
    }
    let Some(offset) = object.get("offset") else {
        return Ok(Operand::Field {
            field: other,
            offset: 0,
        });
    };
    let span: Span = Raw::Json(offset).text()?.parse().map_err(wrong)?;
    let offset = match field.field_type {
        FieldType::Instant => span.exact_micros(),
        FieldType::Date => span.exact_days().map(Into::into),
        _ => return Err(wrong("only days and instants take an offset")),
    };
    let offset = offset.ok_or_else(|| wrong("the offset must be of days or shorter parts, whole days for days"))?;
    Ok(Operand::Field { field: other, offset })
}

impl Field {
    /// Whether two fields of one kind can be compared in a query: same type of values, kept in the same form.
    fn comparable_with(&self, other: &Self) -> bool {
        let alike = match (self.field_type, other.field_type) {
            (FieldType::List, _) | (_, FieldType::List) => false,
            (FieldType::Text | FieldType::Choice(_), FieldType::Text | FieldType::Choice(_)) => true,
            (one, two) => one == two,
        };
        let elsewhere = |field: &Self| {
            matches!(
                field.source,
                Source::Json { .. } | Source::Beside { .. } | Source::Custom { .. }
            )
        };
        let form_differs = matches!(self.field_type, FieldType::Id | FieldType::Date | FieldType::Instant);
        alike && !(form_differs && (elsewhere(self) || elsewhere(other)))
    }
}
