//! Compiles the check of one value.

use super::compile::Compiler;
use super::fragment::{Alias, Fragment};
use super::text;
use domain::registry::{Field, FieldType, Source};
use domain::rule::{Check, Comparison, Operand, Quantifier, Value};

impl Compiler<'_> {
    /// A check of an operand that holds values of a field's type.
    pub(super) fn check(&mut self, alias: Alias, field: &'static Field, operand: &dyn Fn(&mut Self), check: &Check) {
        match check {
            Check::Compare(comparison, Operand::Field { field: other, offset }) => {
                self.reference(alias, field, *comparison, other, *offset);
            }
            Check::Anniversary(ranges) => self.anniversary(field, operand, ranges),
            Check::Exists => {
                operand(self);
                self.sql.raw(" IS NOT NULL");
            }
            Check::Missing => {
                operand(self);
                self.sql.raw(" IS NULL");
            }
            Check::Compare(comparison, Operand::Value(value)) => {
                operand(self);
                self.sql.raw(symbol(*comparison)).bind(stored(field, value));
            }
            Check::Between(first, last) => {
                operand(self);
                self.sql
                    .raw(" BETWEEN ")
                    .bind(stored(field, first))
                    .raw(" AND ")
                    .bind(stored(field, last));
            }
            Check::Outside(first, last) => {
                operand(self);
                self.sql
                    .raw(" NOT BETWEEN ")
                    .bind(stored(field, first))
                    .raw(" AND ")
                    .bind(stored(field, last));
            }
            Check::In(values) | Check::Has(Quantifier::Any | Quantifier::All, values) => {
                operand(self);
                self.sql.raw(" IN ");
                self.values(field, values);
            }
            Check::NotIn(values) | Check::Has(Quantifier::None, values) => {
                operand(self);
                self.sql.raw(" NOT IN ");
                self.values(field, values);
            }
            Check::Like(way, text) => {
                operand(self);
                self.sql
                    .dialect(" ILIKE ", " LIKE ")
                    .bind(Value::Text(text::pattern(*way, text)));
                self.sql.dialect("", text::ESCAPE);
            }
        }
    }

    /// What can be appended wherever it is needed, in both dialects.
    fn aside(&mut self, write: impl FnOnce(&mut Self)) -> Fragment {
        let mut aside = self.sql.beside();
        std::mem::swap(self.sql, &mut aside);
        write(self);
        std::mem::swap(self.sql, &mut aside);
        self.sql.leave_aliases_to(&aside);
        aside
    }

    fn values(&mut self, field: &Field, values: &[Value]) {
        self.sql.raw("(");
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.sql.raw(", ");
            }
            self.sql.bind(stored(field, value));
        }
        self.sql.raw(")");
    }

    /// Another field of the same record, some time later.
    fn reference(
        &mut self,
        alias: Alias,
        field: &'static Field,
        comparison: Comparison,
        other: &'static Field,
        offset: i64,
    ) {
        self.sql.raw("(");
        if field.field_type == FieldType::Money {
            self.currency(alias, field);
            self.sql.raw(" = ");
            self.currency(alias, other);
            self.sql.raw(" AND ");
        }
        self.operand(alias, field);
        self.sql.raw(symbol(comparison));
        let value = self.aside(|compiler| compiler.operand(alias, other));
        let shifted = |fragment: &mut Fragment, [before, between, after]: [&'static str; 3], offset: Value| {
            fragment.raw(before).append(value.clone());
            fragment.raw(between).bind(offset).raw(after);
        };
        match (offset, field.field_type) {
            (0, _) => _ = self.sql.append(value),
            (_, FieldType::Date) => {
                let days = Value::Text(format!("{offset} days"));
                let number = Value::Integer(offset);
                self.sql.either(
                    |postgres| shifted(postgres, ["(", " + CAST(", " AS integer))"], number),
                    |sqlite| shifted(sqlite, ["date(", ", ", ")"], days),
                );
            }
            _ => {
                let (one, two) = (Value::Integer(offset), Value::Integer(offset));
                self.sql.either(
                    |postgres| shifted(postgres, ["(", " + ", " * interval '1 microsecond')"], one),
                    |sqlite| shifted(sqlite, ["(", " + ", ")"], two),
                );
            }
        }
        self.sql.raw(")");
    }

    fn anniversary(&mut self, field: &Field, operand: &dyn Fn(&mut Self), ranges: &[(String, String)]) {
        let as_text = matches!(field.source, Source::Json { .. });
        self.sql.raw("(");
        for (index, (first, last)) in ranges.iter().enumerate() {
            if index > 0 {
                self.sql.raw(" OR ");
            }
            self.sql
                .dialect(if as_text { "substr(" } else { "to_char(" }, "substr(");
            operand(self);
            self.sql
                .dialect(if as_text { ", 6, 5)" } else { ", 'MM-DD')" }, ", 6, 5)");
            self.sql
                .dialect(" COLLATE \"C\"", "")
                .raw(" BETWEEN ")
                .bind(Value::Text(first.clone()));
            self.sql.raw(" AND ").bind(Value::Text(last.clone()));
        }
        self.sql.raw(")");
    }
}

/// A value in the form in which the field keeps it.
pub(super) fn stored(field: &Field, value: &Value) -> Value {
    if !matches!(field.source, Source::Json { .. }) {
        return value.clone();
    }
    match value {
        Value::Id(id) => Value::Text(id.to_string()),
        Value::Date(date) => Value::Text(date.to_string()),
        Value::Instant(instant) => Value::Text(instant.to_rfc3339()),
        other => other.clone(),
    }
}

pub(super) const fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => " = ",
        Comparison::NotEqual => " <> ",
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
    }
}

/// The currency of the amounts that a check compares with.
pub(super) fn currency_of(check: &Check) -> Option<Value> {
    let value = match check {
        Check::Compare(_, Operand::Value(value)) | Check::Between(value, _) | Check::Outside(value, _) => Some(value),
        Check::In(values) | Check::NotIn(values) => values.first(),
        _ => None,
    };
    match value {
        Some(Value::Money(money)) => Some(Value::Text(money.currency().as_str().to_owned())),
        _ => None,
    }
}
