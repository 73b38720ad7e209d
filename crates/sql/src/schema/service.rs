//! T. Service.

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// When teams are at work.
    business_hours (tenant_id, id) {
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
        time_zone -> Text,
        openings -> Document,
        holidays -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// By when tickets are to be answered and solved.
    sla_policies (tenant_id, id) {
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
        position -> Integer,
        active -> Bool,
        conditions -> Document,
        business_hours_id -> Nullable<Identifier>,
        targets -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Matters that customers bring.
    tickets (tenant_id, id) {
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
        subject -> Text,
        description -> Nullable<Text>,
        kind -> Text,
        status -> Text,
        priority -> Text,
        queue -> Nullable<Text>,
        assignee_id -> Nullable<Identifier>,
        customer_id -> Nullable<Identifier>,
        requester_id -> Nullable<Identifier>,
        channel -> Nullable<Text>,
        watcher_ids -> Document,
        links -> Document,
        complaint -> Document,
        number -> BigInt,
        due_at -> Nullable<Instant>,
        response_due_at -> Nullable<Instant>,
        resolution_due_at -> Nullable<Instant>,
        breached -> Bool,
        progress -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// What is said in tickets.
    ticket_comments (tenant_id, ticket_id, id) {
        tenant_id -> Identifier,
        ticket_id -> Identifier,
        id -> Identifier,
        body -> Text,
        public -> Bool,
        customer_id -> Nullable<Identifier>,
        created_at -> Instant,
        created_by -> Nullable<Identifier>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// When the clocks of a ticket must be looked at next.
    ticket_alarms (tenant_id, ticket_id) {
        tenant_id -> Identifier,
        ticket_id -> Identifier,
        due_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// The last number that a tenant gave to a ticket.
    ticket_numbers (tenant_id) {
        tenant_id -> Identifier,
        last -> BigInt,
    }
}
