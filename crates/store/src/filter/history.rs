//! Compiles what a rule says of the log of events, and of membership in segments.

use super::changes::Path;
use super::compile::{Compiler, Scope, tenant_value};
use super::fragment::{Alias, Fragment};
use domain::registry::{Field, FieldType, Side};
use domain::rule::events::events_of;
use domain::rule::{Check, Comparison, EventPattern, FieldChange, LOGGED_AT, Logged, Operand, Value};
use sql::ids::{RecordId, SegmentId};

/// What counts are compared like.
const WHOLE_NUMBER: &Field = &Field::new("count", FieldType::Integer).required();

impl Compiler<'_> {
    pub(super) fn in_segment(&mut self, scope: Scope, segment: SegmentId) {
        self.member(scope, "id", "segment_members", "customer_id", |compiler, alias| {
            let tenant = tenant_value(compiler.tenant);
            let segment = Value::Id(RecordId(segment.0));
            compiler.sql.column(alias, "tenant_id").raw(" = ").bind(tenant);
            compiler
                .sql
                .raw(" AND ")
                .column(alias, "segment_id")
                .raw(" = ")
                .bind(segment);
        });
    }

    /// Events of the record are few and found by its id, so they are counted for each record that passes the rest.
    pub(super) fn logged(&mut self, scope: Scope, logged: &Logged) {
        let alias = self.sql.new_alias();
        let at_least_once = Check::Compare(Comparison::GreaterOrEqual, Operand::Value(Value::Integer(1)));
        if logged.count == at_least_once {
            self.sql.raw("EXISTS (SELECT 1");
        } else {
            self.sql.raw("(SELECT ");
            let count = |compiler: &mut Self| _ = compiler.sql.raw("COUNT(*)");
            self.check(alias, WHOLE_NUMBER, &count, &logged.count);
        }
        self.sql
            .raw(" FROM ")
            .name("events")
            .raw(" AS ")
            .alias(alias)
            .raw(" WHERE ");
        self.told_of(scope, alias, logged);
        self.sql.raw(")");
    }

    /// How many events of the record pass.
    pub(super) fn logged_count(&mut self, scope: Scope, logged: &Logged) {
        let alias = self.sql.new_alias();
        self.sql
            .raw("(SELECT COUNT(*) FROM ")
            .name("events")
            .raw(" AS ")
            .alias(alias);
        self.sql.raw(" WHERE ");
        self.told_of(scope, alias, logged);
        self.sql.raw(")");
    }

    fn told_of(&mut self, scope: Scope, alias: Alias, logged: &Logged) {
        let tenant = tenant_value(self.tenant);
        self.sql.column(alias, "tenant_id").raw(" = ").bind(tenant);
        self.sql.raw(" AND ").column(alias, "subject_id").raw(" = ");
        self.sql.column(scope.alias, "id");
        match &logged.event {
            Some(EventPattern::Exactly(kind)) => {
                let kind = Value::Text(kind.clone());
                self.sql.raw(" AND ").column(alias, "kind").raw(" = ").bind(kind);
            }
            Some(EventPattern::StartingWith(prefix)) => {
                let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
                self.sql.raw(" AND substr(").column(alias, "kind").raw(", 1, CAST(");
                self.sql.bind(Value::Integer(length)).raw(" AS integer)) = ");
                self.sql.bind(Value::Text(prefix.clone()));
            }
            None => {}
        }
        if let Some(instant) = self.as_of {
            let instant = Value::Instant(instant);
            self.sql
                .raw(" AND ")
                .column(alias, LOGGED_AT.name)
                .raw(" <= ")
                .bind(instant);
        }
        if let Some(window) = &logged.window {
            self.sql.raw(" AND ");
            let occurred = |compiler: &mut Self| _ = compiler.sql.column(alias, LOGGED_AT.name);
            self.check(alias, LOGGED_AT, &occurred, window);
        }
        if let Some(filter) = &logged.filter {
            let event = Scope {
                registry: events_of(scope.registry.kind),
                alias,
                strict: false,
            };
            self.sql.raw(" AND ");
            // What an event tells does not change.
            let as_of = self.as_of.take();
            self.node(event, filter);
            self.as_of = as_of;
        }
        if let Some(change) = &logged.change {
            let created = format!("{}.created", scope.registry.kind);
            self.sql
                .raw(" AND ")
                .column(alias, "kind")
                .raw(" <> ")
                .bind(Value::Text(created));
            changed(self.sql, alias, change);
        }
    }
}

/// The changes of an event have the field, with the values before and after that are asked for.
fn changed(sql: &mut Fragment, alias: Alias, change: &FieldChange) {
    let path = Path::of(change.field);
    sql.raw(" AND ");
    path.is_changed(sql, alias);
    for (side, value) in [(Side::Before, &change.from), (Side::After, &change.to)] {
        if let Some(value) = value {
            sql.raw(" AND ");
            path.text(sql, alias, side);
            sql.raw(" = ").bind(Value::Text(value.clone()));
        }
    }
}
