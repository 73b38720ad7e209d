//! What every kind of record has: events, lookups, answers kept for idempotency keys.

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// The values of multi-valued fields (tags, e-mail addresses, ...), one row each, for finding records by them.
    record_values (tenant_id, kind, field, value, record_id) {
        tenant_id -> Identifier,
        kind -> Text,
        field -> Text,
        value -> Text,
        record_id -> Identifier,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// The values of custom fields, one row each, for finding and sorting records by them.
    custom_values (tenant_id, kind, record_id, field) {
        tenant_id -> Identifier,
        kind -> Text,
        field -> Text,
        record_id -> Identifier,
        text -> Nullable<Text>,
        number -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        minor -> Nullable<BigInt>,
        day -> Nullable<Date>,
        flag -> Nullable<Bool>,
        reference -> Nullable<Identifier>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// The ids that other systems know a record by.
    external_ids (tenant_id, kind, system, external_id) {
        tenant_id -> Identifier,
        kind -> Text,
        system -> Text,
        external_id -> Text,
        record_id -> Identifier,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Every change, in commit order. Nothing else announces a change.
    events (tenant_id, position, id) {
        tenant_id -> Identifier,
        position -> BigInt,
        id -> Identifier,
        kind -> Text,
        occurred_at -> Instant,
        actor_kind -> Text,
        actor_id -> Nullable<Identifier>,
        subject_type -> Text,
        subject_id -> Identifier,
        version -> BigInt,
        changes -> Document,
        request_id -> Nullable<Text>,
        customer_id -> Nullable<Identifier>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Answers kept so that a repeated request has one effect.
    idempotency_keys (tenant_id, principal_id, method, path, key) {
        tenant_id -> Identifier,
        principal_id -> Identifier,
        method -> Text,
        path -> Text,
        key -> Text,
        fingerprint -> Text,
        created_at -> Instant,
        status -> Integer,
        headers -> Document,
        body -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// How far each tenant's event log has been trimmed.
    event_retention (tenant_id) {
        tenant_id -> Identifier,
        trimmed_to -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// The folded text by which a record is found; the index over it differs by database.
    search_texts (row) {
        row -> BigInt,
        tenant_id -> Identifier,
        kind -> Text,
        record_id -> Identifier,
        text -> Text,
    }
}
