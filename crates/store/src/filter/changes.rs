//! Writes what an event tells of a field: the value before or after, as the field has it.
//!
//! The log outlives the definition of a custom field, so that a value may be of another type than its field is now: it
//! is read only where it has the form of the type, and is missing elsewhere.

use super::compile::Compiler;
use super::fragment::{Alias, Fragment};
use domain::custom_values::NUMBER_SCALE;
use domain::registry::{Field, FieldType, Side};
use domain::rule::Value;

/// Where the changes of an event tell of a field: a member of the record, or a member within that.
pub(super) struct Path {
    member: &'static str,
    within: Option<&'static str>,
}

impl Path {
    pub(super) fn of(field: &Field) -> Self {
        match field.name.split_once('.') {
            Some((member, within)) => Self {
                member,
                within: Some(within),
            },
            None => Self {
                member: field.name,
                within: None,
            },
        }
    }

    /// That the event changed the field.
    pub(super) fn is_changed(&self, sql: &mut Fragment, alias: Alias) {
        sql.raw("(").column(alias, "changes");
        sql.dialect(" -> '", " -> '$.").raw(self.member).raw("' IS NOT NULL");
        if self.within.is_some() {
            // The change may be one of another member within.
            sql.raw(" AND ");
            self.text(sql, alias, Side::Before);
            sql.dialect(" IS DISTINCT FROM ", " IS NOT ");
            self.text(sql, alias, Side::After);
        }
        sql.raw(")");
    }

    /// A side of the change as text, on SQLite as the value that it is.
    pub(super) fn text(&self, sql: &mut Fragment, alias: Alias, side: Side) {
        sql.either(
            |postgres| self.postgres(postgres, alias, side, " ->> '"),
            |sqlite| self.sqlite(sqlite, "json_extract(", alias, side, "')"),
        );
    }

    /// `(changes -> 'organisation' -> 'after' ->> 'industry')`
    fn postgres(&self, sql: &mut Fragment, alias: Alias, side: Side, last: &'static str) {
        sql.raw("(")
            .column(alias, "changes")
            .raw(" -> '")
            .raw(self.member)
            .raw("'");
        match self.within {
            None => sql.raw(last).raw(side.as_str()),
            Some(within) => sql.raw(" -> '").raw(side.as_str()).raw("'").raw(last).raw(within),
        };
        sql.raw("')");
    }

    /// `json_extract(changes, '$.organisation.after.industry')`
    fn sqlite(&self, sql: &mut Fragment, before: &'static str, alias: Alias, side: Side, after: &'static str) {
        sql.raw(before).column(alias, "changes").raw(", '$.").raw(self.member);
        sql.raw(".").raw(side.as_str());
        if let Some(within) = self.within {
            sql.raw(".").raw(within);
        }
        sql.raw(after);
    }

    /// The value on PostgreSQL.
    fn postgres_value(&self, sql: &mut Fragment, alias: Alias, side: Side, field_type: FieldType) {
        let text = |sql: &mut Fragment| self.postgres(sql, alias, side, " ->> '");
        let json = |sql: &mut Fragment| self.postgres(sql, alias, side, " -> '");
        let typed = |sql: &mut Fragment, name: &'static str| {
            sql.raw("CASE WHEN jsonb_typeof(");
            json(sql);
            sql.raw(") = '").raw(name).raw("' THEN ");
        };
        let like = |sql: &mut Fragment, pattern: &'static str| {
            sql.raw("CASE WHEN ");
            text(sql);
            sql.raw(" ~ '").raw(pattern).raw("' THEN ");
        };
        let cast = |sql: &mut Fragment, before: &'static str, after: &'static str| {
            sql.raw(before);
            text(sql);
            sql.raw(after);
        };
        match field_type {
            FieldType::Text | FieldType::Choice(_) => {
                typed(sql, "string");
                cast(sql, "", " END COLLATE \"C\"");
            }
            FieldType::Bool => {
                typed(sql, "boolean");
                cast(sql, "CAST(", " AS boolean) END");
            }
            FieldType::Integer => {
                typed(sql, "number");
                cast(sql, "CAST(CAST(", " AS numeric) AS bigint) END");
            }
            FieldType::Decimal => {
                typed(sql, "number");
                cast(sql, "CAST(CAST(", " AS numeric) * ");
                sql.bind(Value::Integer(NUMBER_SCALE)).raw(" AS bigint) END");
            }
            FieldType::Id => {
                like(sql, "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$");
                cast(sql, "CAST(", " AS uuid) END");
            }
            FieldType::Date => {
                // Counted from the first of the month: a text that only looks like a day is no error.
                like(sql, "^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}$");
                cast(sql, "CAST(substr(", ", 1, 8) || '01' AS date) + ");
                cast(sql, "(CAST(substr(", ", 9, 2) AS integer) - 1) END");
            }
            FieldType::Instant => {
                like(sql, "^[0-9]{4}-[0-9]{2}-[0-9]{2}T");
                cast(sql, "CAST(", " AS timestamptz) END");
            }
            FieldType::Money => {
                let amount = |sql: &mut Fragment| {
                    json(sql);
                    sql.raw(" ->> 'amount'");
                };
                sql.raw("CASE WHEN (");
                amount(sql);
                sql.raw(") ~ '^-?[0-9.]+$' THEN CAST(replace(");
                amount(sql);
                sql.raw(", '.', '') AS bigint) END");
            }
            FieldType::List => _ = sql.raw("NULL"),
        }
    }

    /// The value on SQLite.
    fn sqlite_value(&self, sql: &mut Fragment, alias: Alias, side: Side, field_type: FieldType) {
        let types = match field_type {
            FieldType::Bool => "'true', 'false'",
            FieldType::Integer | FieldType::Decimal => "'integer', 'real'",
            FieldType::Money => "'object'",
            _ => "'text'",
        };
        self.sqlite(sql, "CASE WHEN json_type(", alias, side, "') IN (");
        sql.raw(types).raw(")");
        let value = |sql: &mut Fragment, before, after| self.sqlite(sql, before, alias, side, after);
        if field_type == FieldType::Date {
            value(sql, " AND json_extract(", "') GLOB '????-[01][0-9]-[0-3][0-9]'");
        }
        sql.raw(" THEN ");
        match field_type {
            FieldType::Decimal => {
                value(sql, "CAST(ROUND(json_extract(", "') * ");
                sql.bind(Value::Integer(NUMBER_SCALE)).raw(") AS INTEGER)");
            }
            FieldType::Id => value(sql, "unhex(json_extract(", "'), '-')"),
            FieldType::Date => value(sql, "date(json_extract(", "'))"),
            FieldType::Instant => {
                value(sql, "(unixepoch(substr(json_extract(", "'), 1, 19)) * 1000000 + ");
                value(sql, "CAST(substr(json_extract(", "'), 21, 6) AS INTEGER))");
            }
            FieldType::Money => value(sql, "CAST(replace(json_extract(", ".amount'), '.', '') AS INTEGER)"),
            _ => value(sql, "json_extract(", "')"),
        }
        sql.raw(" END");
    }
}

impl Compiler<'_> {
    /// The value of a field before or after an event; NULL where the event did not change it.
    pub(super) fn told(&mut self, alias: Alias, side: Side, of: &Field) {
        let path = Path::of(of);
        if path.within.is_some() {
            self.sql.raw("CASE WHEN ");
            path.is_changed(self.sql, alias);
            self.sql.raw(" THEN ");
        }
        self.told_as(alias, side, of, of.field_type);
        if path.within.is_some() {
            self.sql.raw(" END");
        }
    }

    /// The same of an event that is known to have changed the field, in the form of a type.
    pub(super) fn told_as(&mut self, alias: Alias, side: Side, of: &Field, form: FieldType) {
        let path = Path::of(of);
        self.sql.raw("(").either(
            |postgres| path.postgres_value(postgres, alias, side, form),
            |sqlite| path.sqlite_value(sqlite, alias, side, form),
        );
        self.sql.raw(")");
    }

    /// The currency of an amount before or after an event.
    pub(super) fn told_currency(&mut self, alias: Alias, side: Side, of: &Field) {
        let path = Path::of(of);
        self.sql.either(
            |postgres| {
                postgres.raw("(");
                path.postgres(postgres, alias, side, " -> '");
                postgres.raw(" ->> 'currency')");
            },
            |sqlite| path.sqlite(sqlite, "json_extract(", alias, side, ".currency')"),
        );
    }
}
