//! Compiles checks of values that stand in rows of their own: lists and custom fields.

use super::check::currency_of;
use super::compile::{Compiler, Scope, tenant_value};
use domain::registry::Field;
use domain::rule::{Check, Quantifier, Value};

impl Compiler<'_> {
    /// A row of a custom field passes a check. A record without one passes none but that it is missing.
    pub(super) fn custom(&mut self, scope: Scope, field: &'static Field, column: &'static str, check: &Check) {
        let missing = *check == Check::Missing;
        if missing {
            self.sql.raw("NOT ");
        }
        let scope = if missing { scope.strict() } else { scope };
        self.member(scope, "id", "custom_values", "record_id", |compiler, alias| {
            compiler.custom_rows(alias, field);
            if missing {
                return;
            }
            if let Some(currency) = currency_of(check) {
                compiler
                    .sql
                    .raw(" AND ")
                    .column(alias, "currency")
                    .raw(" = ")
                    .bind(currency);
            }
            // Said for SQLite, which does not conclude it from every check: the indexes are of what is not NULL.
            compiler.sql.raw(" AND ").column(alias, column).raw(" IS NOT NULL AND ");
            let operand = |compiler: &mut Self| _ = compiler.sql.column(alias, column);
            compiler.check(alias, field, &operand, check);
        });
    }

    pub(super) fn list(&mut self, scope: Scope, field: &'static Field, check: &Check) {
        let (negated, check) = match check {
            Check::Missing => (true, &Check::Exists),
            Check::Has(Quantifier::None, values) => (true, &Check::Has(Quantifier::Any, values.clone())),
            other => (false, other),
        };
        let scope = Scope {
            strict: scope.strict || negated,
            ..scope
        };
        if negated {
            self.sql.raw("NOT ");
        }
        self.member(scope, "id", "record_values", "record_id", |compiler, alias| {
            let kind = Value::Text(scope.registry.kind.as_str().to_owned());
            let sql = &mut *compiler.sql;
            sql.column(alias, "tenant_id")
                .raw(" = ")
                .bind(tenant_value(compiler.tenant));
            sql.raw(" AND ").column(alias, "kind").raw(" = ").bind(kind);
            sql.raw(" AND ")
                .column(alias, "field")
                .raw(" = ")
                .bind(Value::Text(field.name.to_owned()));
            if *check == Check::Exists {
                return;
            }
            sql.raw(" AND ");
            let operand = |compiler: &mut Self| _ = compiler.sql.column(alias, "value");
            compiler.check(alias, field, &operand, check);
            if let Check::Has(Quantifier::All, values) = check {
                let distinct: std::collections::HashSet<_> = values.iter().map(|value| format!("{value:?}")).collect();
                let count = i64::try_from(distinct.len()).unwrap_or(i64::MAX);
                compiler.sql.raw(" GROUP BY ").column(alias, "record_id");
                compiler.sql.raw(" HAVING COUNT(*) = ").bind(Value::Integer(count));
            }
        });
    }
}
