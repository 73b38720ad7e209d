//! Writes where a field's value is kept: a column, two columns, or a member of JSON.

use super::compile::Compiler;
use super::fragment::{Alias, Fragment};
use domain::registry::{Field, FieldType, Source};

impl Compiler<'_> {
    /// The value of a field that is not a list.
    pub(super) fn operand(&mut self, alias: Alias, field: &Field) {
        match field.source {
            Source::Column(column) | Source::Money { minor: column, .. } => _ = self.sql.column(alias, column),
            Source::Json { column, member } => self.in_json(alias, column, member, field.field_type),
            Source::Values => _ = self.sql.raw("NULL"),
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
            Source::Column(_) | Source::Values | Source::Beside { .. } => _ = self.sql.raw("NULL"),
        }
    }
}
