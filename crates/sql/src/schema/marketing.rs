//! M. Marketing.

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Sets of customers.
    segments (tenant_id, id) {
        tenant_id -> Identifier,
        id -> Identifier,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        created_by -> Nullable<Identifier>,
        updated_by -> Nullable<Identifier>,
        deleted_at -> Nullable<Instant>,
        owner_id -> Nullable<Identifier>,
        team_id -> Nullable<Identifier>,
        tags -> Document,
        external_ids -> Document,
        custom -> Document,
        name -> Text,
        description -> Nullable<Text>,
        kind -> Text,
        rule -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Who is in which segment.
    segment_members (tenant_id, segment_id, customer_id) {
        tenant_id -> Identifier,
        segment_id -> Identifier,
        customer_id -> Identifier,
        entered_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// When the rules of segments must be applied to all customers.
    segment_refreshes (tenant_id, segment_id) {
        tenant_id -> Identifier,
        segment_id -> Identifier,
        due_at -> Nullable<Instant>,
        done_to -> Nullable<Identifier>,
        refreshed_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// How far segments have followed the log of events.
    segment_cursors (tenant_id) {
        tenant_id -> Identifier,
        position -> BigInt,
        last_event -> Identifier,
    }
}
