//! Compiles text search, and the patterns of `LIKE`.

use super::compile::tenant_value;
use super::fragment::{Alias, Fragment};
use domain::Kind;
use domain::rule::{Match, Value};
use domain::search::Search;
use sql::ids::TenantId;

/// PostgreSQL escapes by a backslash unasked, and plans an index for the pattern as it stands only then.
pub(super) const ESCAPE: &str = " ESCAPE '\\'";

/// A pattern that matches a text as it is.
pub(super) fn pattern(way: Match, text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    match way {
        Match::Contains => format!("%{escaped}%"),
        Match::StartsWith => format!("{escaped}%"),
        Match::EndsWith => format!("%{escaped}"),
    }
}

/// The record is among those whose folded text contains the words. Each database looks them up in its trigram index
/// first and on its own; PostgreSQL must be kept from walking along the order of the list instead.
pub(super) fn found(sql: &mut Fragment, record: Alias, kind: Kind, tenant: TenantId, search: &Search) {
    let rows = sql.new_alias();
    sql.column(record, "id").raw(" IN (");
    sql.either(
        |postgres| {
            postgres.raw("WITH found AS MATERIALIZED (");
            hits_on_postgres(postgres, rows, kind, tenant, search);
            postgres.raw(") SELECT record_id FROM found");
        },
        |sqlite| {
            sqlite.raw("SELECT ").column(rows, "record_id");
            sqlite.raw(" FROM search_index CROSS JOIN search_texts AS ").alias(rows);
            sqlite
                .raw(" ON ")
                .column(rows, "row")
                .raw(" = search_index.rowid WHERE ");
            is_hit_on_sqlite(sqlite, rows, kind, tenant, search);
        },
    );
    sql.raw(")");
}

/// Selects the ids of the records whose texts contain all words. How many there are decides how they are best looked up,
/// so it is planned anew each time.
pub(super) fn hits_on_postgres(sql: &mut Fragment, rows: Alias, kind: Kind, tenant: TenantId, search: &Search) {
    sql.varies();
    sql.raw("SELECT ").column(rows, "record_id");
    sql.raw(" FROM search_texts AS ").alias(rows).raw(" WHERE ");
    in_scope(sql, rows, kind, tenant);
    for word in search.words().iter().chain(search.short_words()) {
        contains(sql, rows, word);
    }
}

/// A row of the index and that of its text, which are joined, are a hit. The index knows nothing of short words.
pub(super) fn is_hit_on_sqlite(sql: &mut Fragment, rows: Alias, kind: Kind, tenant: TenantId, search: &Search) {
    if search.short_words().len() > 1 {
        sql.varies();
    }
    sql.raw("search_index MATCH ")
        .bind(Value::Text(phrases(search.words())));
    sql.raw(" AND ");
    in_scope(sql, rows, kind, tenant);
    for word in search.short_words() {
        contains(sql, rows, word);
    }
}

/// Rows of one kind of a tenant.
pub(super) fn in_scope(sql: &mut Fragment, rows: Alias, kind: Kind, tenant: TenantId) {
    sql.column(rows, "tenant_id").raw(" = ").bind(tenant_value(tenant));
    let kind = Value::Text(kind.as_str().to_owned());
    sql.raw(" AND ").column(rows, "kind").raw(" = ").bind(kind);
}

fn contains(sql: &mut Fragment, rows: Alias, word: &str) {
    let pattern = Value::Text(pattern(Match::Contains, word));
    sql.raw(" AND ").column(rows, "text").raw(" LIKE ").bind(pattern);
    sql.dialect("", ESCAPE);
}

/// Words as FTS5 phrases, all of which must occur. Within quotes only the quote itself means anything.
fn phrases(words: &[String]) -> String {
    let phrases = words.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\"")));
    phrases.collect::<Vec<_>>().join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_their_text_only() {
        assert_eq!(pattern(Match::Contains, r"50%_\"), r"%50\%\_\\%");
        assert_eq!(pattern(Match::StartsWith, "a"), "a%");
        assert_eq!(pattern(Match::EndsWith, "a"), "%a");
    }

    #[test]
    fn phrases_are_quoted() {
        let words = ["a\"b OR c".to_owned(), "def".to_owned()];
        assert_eq!(phrases(&words), "\"a\"\"b OR c\" AND \"def\"");
    }
}
