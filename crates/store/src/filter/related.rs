//! Compiles what a rule says of related records.

use super::check::{currency_of, stored, symbol};
use super::compile::{Compiler, Scope};
use super::fragment::Alias;
use domain::registry::{Field, FieldType, Link};
use domain::rule::{Check, Function, Holds, Operand, Quantifier, Related, Rule, Value};

/// What counts are compared like.
const WHOLE_NUMBER: &Field = &Field::new("count", FieldType::Integer);

impl Compiler<'_> {
    pub(super) fn related(&mut self, scope: Scope, related: &Related) {
        match &related.holds {
            Holds::Quantifier(Quantifier::Any) => self.any(scope, related, related.filter.as_deref()),
            Holds::Quantifier(Quantifier::None) => {
                self.sql.raw("NOT ");
                self.any(scope.strict(), related, related.filter.as_deref());
            }
            Holds::Quantifier(Quantifier::All) => {
                let Some(filter) = &related.filter else {
                    self.sql.raw("(1 = 1)");
                    return;
                };
                self.sql.raw("NOT ");
                self.any(scope.strict(), related, Some(&Rule::Not(filter.clone())));
            }
            Holds::Aggregate { function, check } => self.figure(scope, related, *function, check),
        }
    }

    fn any(&mut self, scope: Scope, related: &Related, filter: Option<&Rule>) {
        let registry = related.relation.target.registry();
        let (own, other) = ends(related);
        self.member(scope, own, registry.table, other, |compiler, alias| {
            let inner = Scope {
                registry,
                alias,
                strict: false,
            };
            compiler.counted(inner, related, filter);
        });
    }

    /// The related records that a rule is about: in its window, and passing the filter.
    fn counted(&mut self, inner: Scope, related: &Related, filter: Option<&Rule>) {
        self.seen_and_not_deleted(inner);
        if let Some(window) = &related.window {
            self.sql.raw(" AND ");
            self.node(inner, &Rule::Test(window.clone()));
        }
        if let Some(filter) = filter {
            self.sql.raw(" AND ");
            self.node(inner, filter);
        }
    }

    /// A figure over the related records passes a check: `(SELECT sum(…) >= … FROM … WHERE …)`.
    fn figure(&mut self, scope: Scope, related: &Related, function: Function, check: &Check) {
        let dated = dated(function);
        // Without a record there is no row at all, and so no value.
        let without = match check {
            Check::Missing if dated.is_some() => Some(", TRUE)"),
            _ if scope.strict => Some(", FALSE)"),
            _ => None,
        };
        if without.is_some() {
            self.sql.raw("COALESCE(");
        }
        self.figure_of(scope, related, function, currency_of(check), |compiler, alias| {
            compiler.figure_check(alias, function, check);
        });
        if let Some(without) = without {
            self.sql.raw(without);
        }
    }

    /// Anything that is selected from the related records: `(SELECT … FROM … WHERE …)`.
    pub(super) fn figure_of(
        &mut self,
        scope: Scope,
        related: &Related,
        function: Function,
        currency: Option<Value>,
        select: impl FnOnce(&mut Self, Alias),
    ) {
        let registry = related.relation.target.registry();
        let (own, other) = ends(related);
        let alias = self.sql.new_alias();
        let inner = Scope {
            registry,
            alias,
            strict: false,
        };
        self.sql.raw("(SELECT ");
        select(self, alias);
        self.sql
            .raw(" FROM ")
            .name(registry.table)
            .raw(" AS ")
            .alias(alias)
            .raw(" WHERE ");
        self.sql
            .column(alias, other)
            .raw(" = ")
            .column(scope.alias, own)
            .raw(" AND ");
        self.counted(inner, related, related.filter.as_deref());
        if let (Some(currency), Some(field)) = (currency, function.field()) {
            self.sql.raw(" AND ");
            self.currency(alias, field);
            self.sql.raw(" = ").bind(currency);
        }
        if let Some((dated, descending)) = dated(function) {
            let direction = if descending { " DESC" } else { "" };
            self.sql.raw(" AND ");
            self.operand(alias, dated);
            self.sql.raw(" IS NOT NULL ORDER BY ");
            self.operand(alias, dated);
            self.sql
                .raw(direction)
                .raw(", ")
                .column(alias, "id")
                .raw(direction)
                .raw(" LIMIT 1");
        }
        self.sql.raw(")");
    }

    /// The figure itself.
    pub(super) fn figure_value(&mut self, alias: Alias, function: Function) {
        let (before, field, after) = match function {
            Function::Count => {
                self.sql.raw("COUNT(*)");
                return;
            }
            Function::CountDistinct(field) => ("COUNT(DISTINCT ", field, ")"),
            Function::Sum(field) => ("COALESCE(SUM(", field, "), 0)"),
            Function::Average(field, _) => ("CAST(AVG(", field, ") AS double precision)"),
            Function::Least(field) => ("MIN(", field, ")"),
            Function::Greatest(field) => ("MAX(", field, ")"),
            Function::First(field, _) | Function::Last(field, _) => ("", field, ""),
        };
        self.sql.raw(before);
        self.operand(alias, field);
        self.sql.raw(after);
    }

    fn figure_check(&mut self, alias: Alias, function: Function, check: &Check) {
        let of = |compiler: &mut Self, before: &'static str, field: &Field, after: &'static str| {
            compiler.sql.raw(before);
            compiler.operand(alias, field);
            compiler.sql.raw(after);
        };
        let counted = function.field().unwrap_or(WHOLE_NUMBER);
        match function {
            Function::Count => {
                let count = |compiler: &mut Self| _ = compiler.sql.raw("COUNT(*)");
                self.check(alias, WHOLE_NUMBER, &count, check);
            }
            Function::CountDistinct(field) => {
                let count = |compiler: &mut Self| of(compiler, "COUNT(DISTINCT ", field, ")");
                self.check(alias, WHOLE_NUMBER, &count, check);
            }
            Function::Sum(field) => {
                let sum = |compiler: &mut Self| of(compiler, "COALESCE(SUM(", field, "), 0)");
                self.check(alias, counted, &sum, check);
            }
            Function::Least(field) => {
                let least = |compiler: &mut Self| of(compiler, "MIN(", field, ")");
                self.check(alias, counted, &least, check);
            }
            Function::Greatest(field) => {
                let greatest = |compiler: &mut Self| of(compiler, "MAX(", field, ")");
                self.check(alias, counted, &greatest, check);
            }
            Function::First(field, _) | Function::Last(field, _) => {
                let value = |compiler: &mut Self| compiler.operand(alias, field);
                self.check(alias, counted, &value, check);
            }
            Function::Average(field, scale) => self.average(alias, field, scale, check),
        }
    }

    /// `SUM(x) >= mean * COUNT(x)` says the same as `AVG(x) >= mean`, exactly and on both databases.
    fn average(&mut self, alias: Alias, field: &'static Field, scale: i64, check: &Check) {
        let sum = |compiler: &mut Self| {
            compiler.sql.raw("SUM(");
            compiler.operand(alias, field);
            compiler.sql.raw(") * ").bind(Value::Integer(scale));
        };
        let mean = |compiler: &mut Self, value: &Value| {
            compiler
                .sql
                .raw("CAST(")
                .bind(stored(field, value))
                .raw(" AS numeric) * COUNT(");
            compiler.operand(alias, field);
            compiler.sql.raw(")");
        };
        match check {
            Check::Compare(comparison, Operand::Value(value)) => {
                sum(self);
                self.sql.raw(symbol(*comparison));
                mean(self, value);
            }
            Check::Between(first, last) => {
                sum(self);
                self.sql.raw(" BETWEEN ");
                mean(self, first);
                self.sql.raw(" AND ");
                mean(self, last);
            }
            other => self.check(alias, field, &sum, other),
        }
    }
}

/// The field by which the first or the last record is found, and whether it is the last.
const fn dated(function: Function) -> Option<(&'static Field, bool)> {
    match function {
        Function::First(_, dated) => Some((dated, false)),
        Function::Last(_, dated) => Some((dated, true)),
        _ => None,
    }
}

/// The columns by which a record and its related ones are tied: its own, and theirs.
const fn ends(related: &Related) -> (&'static str, &'static str) {
    match related.relation.link {
        Link::One { column } => (column, "id"),
        Link::Many { column } => ("id", column),
    }
}
