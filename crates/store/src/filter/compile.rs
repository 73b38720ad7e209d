//! Compiles a rule to a boolean expression.
//!
//! In SQL a comparison with NULL is neither true nor false; in a rule it is false. Where that makes no difference
//! (a `WHERE` of `AND` and `OR`) comparisons stay bare, so that indexes serve them. Beneath a `NOT`, scopes are
//! *strict*: each comparison yields true or false.

use super::check::currency_of;
use super::fragment::{Alias, Fragment};
use super::text;
use domain::Kind;
use domain::operation::visibility::Visibility;
use domain::registry::{Field, Link, Registry, Relation, Source};
use domain::rule::{Check, Comparison, Operand, Rule, Test, Value};
use domain::search::Search;
use sql::Timestamp;
use sql::ids::{RecordId, TenantId};

/// Writes conditions on the records of one table.
pub(super) struct Compiler<'a> {
    pub(super) sql: &'a mut Fragment,
    pub(super) tenant: TenantId,
    pub(super) visibility: Visibility,
    /// The instant of the past that is asked about.
    pub(super) as_of: Option<Timestamp>,
    root: Scope,
}

/// The records that a condition is about.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    pub(super) registry: &'static Registry,
    pub(super) alias: Alias,
    pub(super) strict: bool,
}

impl Scope {
    pub(super) const fn strict(self) -> Self {
        Self { strict: true, ..self }
    }
}

impl<'a> Compiler<'a> {
    pub(super) const fn new(
        sql: &'a mut Fragment,
        registry: &'static Registry,
        tenant: TenantId,
        visibility: Visibility,
    ) -> Self {
        let root = Scope {
            registry,
            alias: Alias::Table(registry.table),
            strict: false,
        };
        Self {
            sql,
            tenant,
            visibility,
            as_of: None,
            root,
        }
    }

    /// The same, said of rows of another table, which tell whose they are as the records do.
    pub(super) const fn over(mut self, table: &'static str) -> Self {
        self.root.alias = Alias::Table(table);
        self
    }

    /// The same, said of an instant of the past.
    pub(super) const fn at(self, as_of: Option<Timestamp>) -> Self {
        Self { as_of, ..self }
    }

    /// Those of the tenant that the caller may see.
    pub(super) fn visible(&mut self) {
        self.seen(self.root);
    }

    /// Those that are not deleted; of the past: those that were there.
    pub(super) fn not_deleted(&mut self) {
        self.there(self.root);
    }

    fn there(&mut self, scope: Scope) {
        match self.as_of {
            Some(instant) => self.was_there(scope, instant),
            None => _ = self.sql.column(scope.alias, "deleted_at").raw(" IS NULL"),
        }
    }

    pub(super) fn rule(&mut self, rule: &Rule) {
        if !is_plain(rule) || self.as_of.is_some() {
            self.sql.varies();
        }
        self.node(self.root, rule);
    }

    pub(super) fn search(&mut self, search: &Search) {
        self.found(self.root, search);
    }

    fn seen(&mut self, scope: Scope) {
        let alias = scope.alias;
        self.sql
            .column(alias, "tenant_id")
            .raw(" = ")
            .bind(tenant_value(self.tenant));
        let (user, team) = match self.visibility {
            Visibility::Team { user, team } if scope.registry.owned => (user, team),
            Visibility::Own { user } if scope.registry.owned => (user, None),
            _ => return,
        };
        let user = Value::Id(RecordId(user.0));
        self.sql.raw(" AND (").column(alias, "owner_id").raw(" = ").bind(user);
        if let Some(team) = team {
            let team = Value::Id(RecordId(team.0));
            let member = self.sql.new_alias();
            self.sql
                .raw(" OR ")
                .column(alias, "team_id")
                .raw(" = ")
                .bind(team.clone());
            self.sql.raw(" OR ").column(alias, "owner_id").raw(" IN (SELECT ");
            self.sql
                .column(member, "id")
                .raw(" FROM ")
                .name("users")
                .raw(" AS ")
                .alias(member)
                .raw(" WHERE ");
            self.sql
                .column(member, "tenant_id")
                .raw(" = ")
                .bind(tenant_value(self.tenant));
            self.sql
                .raw(" AND ")
                .column(member, "team_id")
                .raw(" = ")
                .bind(team)
                .raw(")");
        }
        self.sql.raw(")");
    }

    /// What holds of every record that a sub-select looks at.
    pub(super) fn seen_and_not_deleted(&mut self, scope: Scope) {
        self.seen(scope);
        self.sql.raw(" AND ");
        self.there(scope);
    }

    pub(super) fn node(&mut self, scope: Scope, rule: &Rule) {
        match rule {
            Rule::All(rules) => self.joined(scope, rules, " AND ", "(1 = 1)"),
            Rule::Any(rules) => self.joined(scope, rules, " OR ", "(1 = 0)"),
            Rule::Not(rule) => {
                self.sql.raw("NOT ");
                self.grouped(|compiler| compiler.node(scope.strict(), rule));
            }
            Rule::Test(test) => self.test(scope, test),
            Rule::Found { via: None, search } => self.found(scope, search),
            Rule::Found {
                via: Some(relation),
                search,
            } => self.hop(scope, relation, |compiler, inner| compiler.found(inner, search)),
            Rule::Related(related) => self.related(scope, related),
            Rule::Member(segment) => self.in_segment(scope, *segment),
            Rule::Logged(logged) => self.logged(scope, logged),
        }
    }

    fn joined(&mut self, scope: Scope, rules: &[Rule], with: &'static str, empty: &'static str) {
        if rules.is_empty() {
            self.sql.raw(empty);
            return;
        }
        self.grouped(|compiler| {
            for (index, rule) in rules.iter().enumerate() {
                if index > 0 {
                    compiler.sql.raw(with);
                }
                compiler.node(scope, rule);
            }
        });
    }

    pub(super) fn grouped(&mut self, write: impl FnOnce(&mut Self)) {
        self.sql.raw("(");
        write(self);
        self.sql.raw(")");
    }

    fn test(&mut self, scope: Scope, test: &Test) {
        match (test.via, &test.check) {
            (None, check) => self.field(scope, test.field, check),
            (Some(relation), Check::Missing) => {
                self.sql.raw("NOT ");
                self.hop(scope.strict(), relation, |compiler, inner| {
                    compiler.field(inner, test.field, &Check::Exists);
                });
            }
            (Some(relation), check) => {
                self.hop(scope, relation, |compiler, inner| {
                    compiler.field(inner, test.field, check);
                });
            }
        }
    }

    /// The record at the end of a to-one relation passes a condition.
    fn hop(&mut self, scope: Scope, relation: &Relation, condition: impl FnOnce(&mut Self, Scope)) {
        let (own, other) = match relation.link {
            Link::One { column } => (column, "id"),
            Link::Many { column } => ("id", column),
        };
        let registry = relation.target.registry();
        self.member(scope, own, registry.table, other, |compiler, alias| {
            let inner = Scope {
                registry,
                alias,
                strict: false,
            };
            compiler.seen_and_not_deleted(inner);
            compiler.sql.raw(" AND ");
            condition(compiler, inner);
        });
    }

    /// A column is among those of the rows of another table that pass a condition. `IN` lets the rarer side lead;
    /// `EXISTS` is never NULL and is what the databases negate well.
    pub(super) fn member(
        &mut self,
        scope: Scope,
        own: &'static str,
        table: &'static str,
        other: &'static str,
        condition: impl FnOnce(&mut Self, Alias),
    ) {
        let alias = self.sql.new_alias();
        if scope.strict {
            self.sql.raw("EXISTS (SELECT 1");
        } else {
            self.end(scope, own);
            self.sql.raw(" IN (SELECT ").column(alias, other);
        }
        self.sql
            .raw(" FROM ")
            .name(table)
            .raw(" AS ")
            .alias(alias)
            .raw(" WHERE ");
        if scope.strict {
            self.sql.column(alias, other).raw(" = ");
            self.end(scope, own);
            self.sql.raw(" AND ");
        }
        condition(self, alias);
        self.sql.raw(")");
    }

    /// A column by which records are tied, which may have named another record in the past.
    fn end(&mut self, scope: Scope, column: &'static str) {
        match scope.registry.field_in(column) {
            Some(field) if self.as_of.is_some() => self.operand(scope.alias, field),
            _ => _ = self.sql.column(scope.alias, column),
        }
    }

    fn field(&mut self, scope: Scope, field: &'static Field, check: &Check) {
        if field.source == Source::Values {
            self.list(scope, field, check);
            return;
        }
        if let Source::Beside { table, record, column } = field.source
            && field.optional
            && !scope.strict
            && matches!(check, Check::Compare(_, Operand::Value(_)) | Check::Between(..))
        {
            // A row that is missing passes none of these checks, so the index of the other table may lead.
            self.member(scope, "id", table, record, |compiler, alias| {
                let sql = &mut *compiler.sql;
                sql.column(alias, "tenant_id")
                    .raw(" = ")
                    .bind(tenant_value(compiler.tenant))
                    .raw(" AND ");
                let operand = |compiler: &mut Self| _ = compiler.sql.column(alias, column);
                compiler.check(alias, field, &operand, check);
            });
            return;
        }
        if let Source::Custom { column, .. } = field.source
            && !matches!(check, Check::Compare(_, Operand::Field { .. }))
            && self.as_of.is_none()
        {
            self.custom(scope, field, column, check);
            return;
        }
        let by_value = !matches!(check, Check::Compare(_, Operand::Field { .. }));
        let always_there = !field.optional && self.as_of.is_none();
        let decided = matches!(check, Check::Exists | Check::Missing) || (always_there && by_value);
        self.decided(scope.strict && !decided, |compiler| {
            if let Some(currency) = currency_of(check) {
                let amount = |compiler: &mut Self| compiler.operand(scope.alias, field);
                compiler.grouped(|compiler| {
                    compiler.currency(scope.alias, field);
                    compiler.sql.raw(" = ").bind(currency).raw(" AND ");
                    compiler.check(scope.alias, field, &amount, check);
                });
            } else {
                let operand = |compiler: &mut Self| compiler.operand(scope.alias, field);
                let of_one_customer = field.references == Some(Kind::Customer)
                    && matches!(check, Check::Compare(Comparison::Equal, Operand::Value(_)));
                // SQLite, which keeps no statistics, would sooner read all records of a tenant along an index that has
                // the order or the groups asked for.
                if of_one_customer {
                    compiler.sql.dialect("", "likelihood(");
                }
                compiler.check(scope.alias, field, &operand, check);
                if of_one_customer {
                    compiler.sql.dialect("", ", 0.000001)");
                }
            }
        });
    }

    /// Makes NULL false where `wrap` asks for it.
    pub(super) fn decided(&mut self, wrap: bool, write: impl FnOnce(&mut Self)) {
        if wrap {
            self.sql.raw("COALESCE(");
            write(self);
            self.sql.raw(", FALSE)");
        } else {
            write(self);
        }
    }

    fn found(&mut self, scope: Scope, search: &Search) {
        text::found(self.sql, scope.alias, scope.registry.kind, self.tenant, search);
    }
}

pub(super) fn tenant_value(tenant: TenantId) -> Value {
    Value::Id(RecordId(tenant.0))
}

/// Whether a rule is one test with a fixed number of values, of which there are few different texts.
fn is_plain(rule: &Rule) -> bool {
    match rule {
        Rule::Test(test) => matches!(
            test.check,
            Check::Exists | Check::Missing | Check::Compare(_, Operand::Value(_)) | Check::Between(..)
        ),
        _ => false,
    }
}
