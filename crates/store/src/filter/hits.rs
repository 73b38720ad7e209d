//! The first records by id that a text search finds, fetched one after the other in that order until there are enough:
//! a fragment may be in thousands.

use super::Condition;
use super::compile::tenant_value;
use super::fragment::{Alias, Fragment};
use super::text;
use domain::rule::Value;
use domain::search::Search;

/// Those of some records that a search finds: as many as are wanted, the first by id. `after` is where they begin.
pub(super) fn first(among: &Condition, search: &Search, after: Option<&Value>, wanted: i64) -> Condition {
    let mut found = Condition {
        fragment: among.fragment.beside(),
        ..among.clone()
    };
    let sql = &mut found.fragment;
    let hits = Hits {
        among,
        search,
        wanted,
        texts: sql.new_alias(),
        latecomers: sql.new_alias(),
        before: sql.new_alias(),
    };
    let record = Alias::Table(among.registry.table);
    sql.column(record, "tenant_id")
        .raw(" = ")
        .bind(tenant_value(among.tenant));
    sql.raw(" AND ").column(record, "id").raw(" IN (");
    sql.either(
        |postgres| hits.on_postgres(postgres, after),
        |sqlite| hits.on_sqlite(sqlite, after),
    );
    sql.raw(")");
    found
}

/// What is looked for, and the names of the tables that it is looked for in.
struct Hits<'a> {
    among: &'a Condition,
    search: &'a Search,
    wanted: i64,
    texts: Alias,
    latecomers: Alias,
    before: Alias,
}

impl Hits<'_> {
    /// All hits are found by the index, put in order, and their records looked at one by one. Each step is fenced off from
    /// the next: the planner would walk along the records instead, or look at all of them.
    ///
    /// Where few records may be meant at all, it is left to the planner from which side they are found.
    fn on_postgres(&self, sql: &mut Fragment, after: Option<&Value>) {
        sql.raw("WITH found AS MATERIALIZED (");
        text::hits_on_postgres(
            sql,
            self.texts,
            self.among.registry.kind,
            self.among.tenant,
            self.search,
        );
        sql.raw(") ");
        if self.among.is_narrowed() {
            self.records(sql);
            sql.raw(" FROM ").name(self.among.registry.table);
            sql.raw(" WHERE ").column(self.table(), "id");
            sql.raw(" IN (SELECT record_id FROM found) AND ")
                .append(self.among.fragment.clone());
            return;
        }
        sql.raw("SELECT passing.id FROM (SELECT record_id FROM found");
        if let Some(after) = after {
            sql.raw(" WHERE record_id > ").bind(after.clone());
        }
        sql.raw(" ORDER BY record_id OFFSET 0) AS hits CROSS JOIN LATERAL (");
        self.records(sql);
        sql.raw(" FROM ").name(self.among.registry.table);
        sql.raw(" WHERE ")
            .column(self.table(), "id")
            .raw(" = hits.record_id AND ");
        sql.append(self.among.fragment.clone());
        sql.raw(" OFFSET 0) AS passing ORDER BY hits.record_id LIMIT ");
        sql.bind(Value::Integer(self.wanted));
    }

    /// The index gives its hits in the order of rows, which is that of ids but for the latecomers: a row that is none has a
    /// greater id than all rows before it. So the first hits by id are among the first by row and the latecomers.
    fn on_sqlite(&self, sql: &mut Fragment, after: Option<&Value>) {
        sql.raw("SELECT id FROM (");
        self.records(sql);
        sql.raw(" FROM search_index");
        self.passing(sql);
        if let Some(after) = after {
            sql.raw(" AND search_index.rowid > ");
            self.last_row_before(sql, after);
        }
        sql.raw(" ORDER BY search_index.rowid LIMIT ")
            .bind(Value::Integer(self.wanted));
        sql.raw(") UNION ALL ");
        self.records(sql);
        // Where there is none, nothing is looked for.
        sql.raw(" FROM (SELECT 1 FROM search_latecomers AS ")
            .alias(self.latecomers);
        sql.raw(" WHERE ");
        self.in_scope(sql, self.latecomers);
        sql.raw(" LIMIT 1) CROSS JOIN search_index CROSS JOIN search_latecomers AS ")
            .alias(self.latecomers);
        sql.raw(" ON ");
        self.in_scope(sql, self.latecomers);
        sql.raw(" AND ")
            .column(self.latecomers, "row")
            .raw(" = search_index.rowid");
        self.passing(sql);
    }

    /// Joins the records of the hits, as far as they pass.
    fn passing(&self, sql: &mut Fragment) {
        let (texts, record) = (self.texts, self.table());
        sql.raw(" CROSS JOIN search_texts AS ").alias(texts);
        sql.raw(" ON ").column(texts, "row").raw(" = search_index.rowid");
        sql.raw(" CROSS JOIN ").name(self.among.registry.table);
        sql.raw(" ON ")
            .column(record, "tenant_id")
            .raw(" = ")
            .column(texts, "tenant_id");
        sql.raw(" AND ")
            .column(record, "id")
            .raw(" = ")
            .column(texts, "record_id");
        sql.raw(" WHERE ");
        text::is_hit_on_sqlite(sql, texts, self.among.registry.kind, self.among.tenant, self.search);
        sql.raw(" AND ").append(self.among.fragment.clone());
    }

    /// A row that comes before those of all records after a place, but for latecomers.
    fn last_row_before(&self, sql: &mut Fragment, place: &Value) {
        let (before, latecomers) = (self.before, self.latecomers);
        sql.raw("COALESCE((SELECT ").column(before, "row");
        sql.raw(" FROM search_texts AS ").alias(before).raw(" WHERE ");
        self.in_scope(sql, before);
        sql.raw(" AND ")
            .column(before, "record_id")
            .raw(" <= ")
            .bind(place.clone());
        sql.raw(" AND NOT EXISTS (SELECT 1 FROM search_latecomers AS ")
            .alias(latecomers);
        sql.raw(" WHERE ");
        self.in_scope(sql, latecomers);
        sql.raw(" AND ")
            .column(latecomers, "row")
            .raw(" = ")
            .column(before, "row");
        sql.raw(") ORDER BY ")
            .column(before, "record_id")
            .raw(" DESC LIMIT 1), 0)");
    }

    /// Within, the table of the records has its own name, so the condition on them reads the same.
    fn records(&self, sql: &mut Fragment) {
        sql.raw("SELECT ").column(self.table(), "id").raw(" AS id");
    }

    fn in_scope(&self, sql: &mut Fragment, rows: Alias) {
        text::in_scope(sql, rows, self.among.registry.kind, self.among.tenant);
    }

    const fn table(&self) -> Alias {
        Alias::Table(self.among.registry.table)
    }
}
