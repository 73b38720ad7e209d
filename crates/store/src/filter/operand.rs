//! Writes where a field's value is kept: a column, two columns, or a member of JSON.

use super::compile::{Compiler, tenant_value};
use super::fragment::{Alias, Fragment};
use domain::registry::{Field, FieldType, Source};
use domain::rule::Value;

impl Compiler<'_> {
    /// The value of a field that is not a list.
    pub(super) fn operand(&mut self, alias: Alias, field: &Field) {
        match self.as_of {
            Some(instant) if field.is_told() => self.value_then(alias, field, instant),
            _ => self.value_now(alias, field),
        }
    }

    /// The value that it has today.
    pub(super) fn value_now(&mut self, alias: Alias, field: &Field) {
        match field.source {
            Source::Column(column) | Source::Money { minor: column, .. } => _ = self.sql.column(alias, column),
            Source::Json { column, member } => self.in_json(alias, column, member, field.field_type),
            Source::Values => _ = self.sql.raw("NULL"),
            Source::Change { side, of } => self.told(alias, side, of),
            Source::Custom { column, .. } => self.custom_value(alias, field, column),
            Source::Beside { table, record, column } => {
                let beside = self.sql.new_alias();
                // A count that was never begun is zero.
                let (before, after) = if field.optional {
                    ("(SELECT ", ")")
                } else {
                    ("COALESCE((SELECT ", "), 0)")
                };
                self.sql.raw(before).column(beside, column).raw(" FROM ").name(table);
                self.sql.raw(" AS ").alias(beside).raw(" WHERE ");
                self.sql
                    .column(beside, "tenant_id")
                    .raw(" = ")
                    .column(alias, "tenant_id");
                self.sql
                    .raw(" AND ")
                    .column(beside, record)
                    .raw(" = ")
                    .column(alias, "id")
                    .raw(after);
            }
        }
    }

    /// A column of the row with the record's value of a custom field.
    fn custom_value(&mut self, alias: Alias, field: &Field, column: &'static str) {
        let value = self.sql.new_alias();
        self.sql.raw("(SELECT ").column(value, column).raw(" FROM ");
        self.sql.name("custom_values").raw(" AS ").alias(value).raw(" WHERE ");
        self.sql.column(value, "tenant_id").raw(" = ");
        self.sql.column(alias, "tenant_id").raw(" AND ");
        self.of_custom_field(value, field);
        self.sql.raw(" AND ").column(value, "record_id").raw(" = ");
        self.sql.column(alias, "id").raw(")");
    }

    /// A row holds a value of a custom field.
    fn of_custom_field(&mut self, alias: Alias, field: &Field) {
        let Source::Custom { kind, .. } = field.source else {
            return;
        };
        self.sql.column(alias, "kind").raw(" = ");
        self.sql.bind(Value::Text(kind.as_str().to_owned()));
        self.sql.raw(" AND ").column(alias, "field").raw(" = ");
        self.sql.bind(Value::Text(field.name.to_owned()));
    }

    /// The rows of the tenant with values of a custom field.
    pub(super) fn custom_rows(&mut self, alias: Alias, field: &Field) {
        let tenant = tenant_value(self.tenant);
        self.sql.column(alias, "tenant_id").raw(" = ").bind(tenant);
        self.sql.raw(" AND ");
        self.of_custom_field(alias, field);
    }

    /// A member of a JSON column, as the type of its field. Days, instants and ids are compared as the texts they are.
    fn in_json(&mut self, alias: Alias, column: &'static str, member: &'static str, field_type: FieldType) {
        let path = |fragment: &mut Fragment, [before, after]: [&'static str; 2]| {
            fragment
                .raw(before)
                .column(alias, column)
                .raw("->>'")
                .raw(member)
                .raw(after);
        };
        let postgres = |fragment: &mut Fragment| match field_type {
            FieldType::Integer => path(fragment, ["CAST(", "' AS bigint)"]),
            FieldType::Bool => path(fragment, ["CAST(", "' AS boolean)"]),
            FieldType::Money => {
                fragment
                    .raw("CAST(replace(")
                    .column(alias, column)
                    .raw("->'")
                    .raw(member);
                fragment.raw("'->>'amount', '.', '') AS bigint)");
            }
            _ => path(fragment, ["((", "') COLLATE \"C\")"]),
        };
        let sqlite = |fragment: &mut Fragment| {
            let [before, after] = match field_type {
                FieldType::Money => ["CAST(replace(json_extract(", ".amount'), '.', '') AS INTEGER)"],
                _ => ["json_extract(", "')"],
            };
            fragment
                .raw(before)
                .column(alias, column)
                .raw(", '$.")
                .raw(member)
                .raw(after);
        };
        self.sql.either(postgres, sqlite);
    }

    /// The currency of an amount.
    pub(super) fn currency(&mut self, alias: Alias, field: &Field) {
        match self.as_of {
            Some(instant) if field.is_told() => self.currency_then(alias, field, instant),
            _ => self.currency_now(alias, field),
        }
    }

    /// The currency that it has today.
    pub(super) fn currency_now(&mut self, alias: Alias, field: &Field) {
        match field.source {
            Source::Money { currency, .. } => _ = self.sql.column(alias, currency),
            Source::Json { column, member } => {
                self.sql.either(
                    |postgres| {
                        postgres
                            .raw("(")
                            .column(alias, column)
                            .raw("->'")
                            .raw(member)
                            .raw("'->>'currency')");
                    },
                    |sqlite| {
                        sqlite
                            .raw("json_extract(")
                            .column(alias, column)
                            .raw(", '$.")
                            .raw(member)
                            .raw(".currency')");
                    },
                );
            }
            Source::Custom { .. } => self.custom_value(alias, field, "currency"),
            Source::Change { side, of } => self.told_currency(alias, side, of),
            Source::Column(_) | Source::Values | Source::Beside { .. } => _ = self.sql.raw("NULL"),
        }
    }
}
