//! What was at an instant of the past: today's value, unless the log tells of a change since. Then it is what stood before
//! the first of these changes. Events are found by their subject, and only where the record was written since.

use super::changes::Path;
use super::compile::{Compiler, Scope};
use super::fragment::Alias;
use domain::registry::{Field, FieldType, Side, Source};
use domain::rule::Value;
use sql::Timestamp;

/// What ends a record's being there, and what begins it again, as events of its kind.
const ENDINGS: [&str; 2] = ["deleted", "merged"];
const RETURNS: [&str; 2] = ["restored", "unmerged"];

impl Compiler<'_> {
    /// The value that a field had.
    pub(super) fn value_then(&mut self, alias: Alias, field: &Field, instant: Timestamp) {
        // A member of JSON is compared in the form that it has there.
        let in_json = matches!(field.source, Source::Json { .. });
        let form = match field.field_type {
            FieldType::Id | FieldType::Date | FieldType::Instant if in_json => FieldType::Text,
            other => other,
        };
        let now = |compiler: &mut Self| compiler.value_now(alias, field);
        let before = |compiler: &mut Self, event| compiler.told_as(event, Side::Before, field, form);
        self.then(alias, field, instant, &now, &before);
    }

    /// The currency that an amount had.
    pub(super) fn currency_then(&mut self, alias: Alias, field: &Field, instant: Timestamp) {
        let now = |compiler: &mut Self| compiler.currency_now(alias, field);
        let before = |compiler: &mut Self, event| compiler.told_currency(event, Side::Before, field);
        self.then(alias, field, instant, &now, &before);
    }

    fn then(
        &mut self,
        alias: Alias,
        field: &Field,
        instant: Timestamp,
        now: &dyn Fn(&mut Self),
        before: &dyn Fn(&mut Self, Alias),
    ) {
        let path = Path::of(field);
        self.sql.raw("CASE WHEN ").column(alias, "updated_at").raw(" <= ");
        self.sql.bind(Value::Instant(instant)).raw(" THEN ");
        now(self);
        // PostgreSQL may answer EXISTS from a hash of the whole log, but looks this up for each record.
        self.sql.raw(" WHEN (SELECT 1");
        let event = self.since(alias, instant);
        path.is_changed(self.sql.raw(" AND "), event);
        self.sql.raw(" LIMIT 1) IS NOT NULL THEN (SELECT ");
        // The names of sub-selects are given out in the order in which they are written, so this one is known ahead.
        let event = self.sql.next_alias();
        before(self, event);
        let event = self.since(alias, instant);
        path.is_changed(self.sql.raw(" AND "), event);
        self.first(event);
        self.sql.raw(") ELSE ");
        now(self);
        self.sql.raw(" END");
    }

    /// ` FROM events …`: those of a record after an instant.
    fn since(&mut self, alias: Alias, instant: Timestamp) -> Alias {
        let event = self.sql.new_alias();
        self.sql
            .raw(" FROM ")
            .name("events")
            .raw(" AS ")
            .alias(event)
            .raw(" WHERE ");
        self.sql
            .column(event, "tenant_id")
            .raw(" = ")
            .column(alias, "tenant_id");
        self.sql
            .raw(" AND ")
            .column(event, "subject_id")
            .raw(" = ")
            .column(alias, "id");
        self.sql.raw(" AND ").column(event, "occurred_at").raw(" > ");
        self.sql.bind(Value::Instant(instant));
        event
    }

    /// The version tells the order of the changes of a record, whatever the clocks of several instances say.
    fn first(&mut self, event: Alias) {
        self.sql.raw(" ORDER BY ").column(event, "version").raw(", ");
        self.sql.column(event, "position").raw(" LIMIT 1");
    }

    /// That a record had been created and was not deleted.
    pub(super) fn was_there(&mut self, scope: Scope, instant: Timestamp) {
        let alias = scope.alias;
        self.sql
            .column(alias, "created_at")
            .raw(" <= ")
            .bind(Value::Instant(instant));
        self.sql.raw(" AND CASE WHEN ").column(alias, "updated_at").raw(" <= ");
        self.sql.bind(Value::Instant(instant)).raw(" THEN ");
        self.sql
            .column(alias, "deleted_at")
            .raw(" IS NULL ELSE COALESCE((SELECT ");
        let kinds = |whats: &[&str]| {
            let kinds = whats.iter().map(|what| format!("{}.{what}", scope.registry.kind));
            kinds.map(Value::Text).collect::<Vec<_>>()
        };
        let event = self.sql.next_alias();
        self.is_one_of(event, &kinds(&ENDINGS));
        self.since(alias, instant);
        self.sql.raw(" AND ");
        self.is_one_of(event, &kinds(&[ENDINGS, RETURNS].concat()));
        self.first(event);
        self.sql.raw("), ").column(alias, "deleted_at").raw(" IS NULL) END");
    }

    fn is_one_of(&mut self, event: Alias, kinds: &[Value]) {
        self.sql.column(event, "kind").raw(" IN (");
        for (index, kind) in kinds.iter().enumerate() {
            self.sql.raw(if index > 0 { ", " } else { "" }).bind(kind.clone());
        }
        self.sql.raw(")");
    }
}
