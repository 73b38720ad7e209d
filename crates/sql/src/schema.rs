//! The tables, as the migrations make them. Every key begins with the tenant.
#![expect(missing_docs, reason = "a column's meaning stands in the record that reads it")]

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// One company's data.
    tenants (id) {
        id -> Identifier,
        name -> Text,
        currency -> Text,
        time_zone -> Text,
        require_if_match -> Bool,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// What people write down about records.
    notes (tenant_id, id) {
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
        subject_type -> Text,
        subject_id -> Identifier,
        body -> Text,
        pinned -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Contacts with customers.
    interactions (tenant_id, id) {
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
        channel -> Text,
        direction -> Nullable<Text>,
        customer_id -> Nullable<Identifier>,
        subject -> Nullable<Text>,
        body -> Nullable<Text>,
        started_at -> Instant,
        ended_at -> Nullable<Instant>,
        outcome -> Nullable<Text>,
        sentiment -> Nullable<Text>,
        thread -> Nullable<Text>,
        network -> Nullable<Text>,
        handle -> Nullable<Text>,
        url -> Nullable<Text>,
        participants -> Document,
        links -> Document,
        answered_at -> Nullable<Instant>,
        duration_seconds -> Nullable<BigInt>,
        message_count -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// What the interactions of customers amount to.
    customer_activity (tenant_id, customer_id) {
        tenant_id -> Identifier,
        customer_id -> Identifier,
        last_interaction_at -> Nullable<Instant>,
        interaction_count -> BigInt,
        call_count -> BigInt,
        email_count -> BigInt,
        meeting_count -> BigInt,
        visit_count -> BigInt,
        chat_count -> BigInt,
        sms_count -> BigInt,
        fax_count -> BigInt,
        web_count -> BigInt,
        social_count -> BigInt,
        note_count -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Events of other systems that were taken in.
    inbound_events (tenant_id, source, event_id) {
        tenant_id -> Identifier,
        source -> Text,
        event_id -> Text,
        interaction_id -> Identifier,
        received_at -> Instant,
    }
}

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

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Groups of users.
    teams (tenant_id, id) {
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
        name -> Text,
        description -> Nullable<Text>,
        parent_id -> Nullable<Identifier>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// People who log in.
    users (tenant_id, id) {
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
        name -> Text,
        email -> Nullable<Text>,
        role -> Text,
        record_rule -> Nullable<Text>,
        active -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Programs that log in.
    service_accounts (tenant_id, id) {
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
        name -> Text,
        description -> Nullable<Text>,
        role -> Text,
        record_rule -> Nullable<Text>,
        active -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Persons and organisations.
    customers (tenant_id, id) {
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
        kind -> Text,
        name -> Text,
        given_name -> Nullable<Text>,
        family_name -> Nullable<Text>,
        lifecycle -> Text,
        emails -> Document,
        phones -> Document,
        addresses -> Document,
        handles -> Document,
        language -> Nullable<Text>,
        time_zone -> Nullable<Text>,
        birth_date -> Nullable<Date>,
        demographics -> Document,
        interests -> Document,
        preferences -> Document,
        organisation -> Document,
        lifecycle_since -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Ties between customers.
    relationships (tenant_id, id) {
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
        from_id -> Identifier,
        to_id -> Identifier,
        role -> Text,
        title -> Nullable<Text>,
        started_on -> Nullable<Date>,
        ended_on -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Things that are sold.
    products (tenant_id, id) {
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
        name -> Text,
        sku -> Nullable<Text>,
        description -> Nullable<Text>,
        category -> Nullable<Text>,
        unit_price_minor -> Nullable<BigInt>,
        unit_price_currency -> Nullable<Text>,
        active -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Ordered ways of selling.
    pipelines (tenant_id, id) {
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
        name -> Text,
        description -> Nullable<Text>,
        active -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Steps of pipelines.
    stages (tenant_id, id) {
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
        pipeline_id -> Identifier,
        name -> Text,
        position -> Integer,
        kind -> Text,
        probability -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Possible sales.
    opportunities (tenant_id, id) {
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
        name -> Text,
        customer_id -> Nullable<Identifier>,
        pipeline_id -> Identifier,
        stage_id -> Identifier,
        amount_minor -> Nullable<BigInt>,
        amount_currency -> Nullable<Text>,
        probability -> Nullable<Integer>,
        expected_close_on -> Nullable<Date>,
        opened_on -> Nullable<Date>,
        closed_on -> Nullable<Date>,
        channel -> Nullable<Text>,
        close_reason -> Nullable<Text>,
        lines -> Document,
        contacts -> Document,
        competitors -> Document,
        status -> Text,
        stage_entered_at -> Instant,
    }
}

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

    /// How a customer went from stage to stage of its lifecycle.
    lifecycle_changes (tenant_id, customer_id, id) {
        tenant_id -> Identifier,
        customer_id -> Identifier,
        id -> Identifier,
        from_stage -> Nullable<Text>,
        to_stage -> Text,
        reason -> Nullable<Text>,
        changed_at -> Instant,
        changed_by -> Nullable<Identifier>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// How an opportunity went from stage to stage; the open entry has no `left_at`.
    stage_changes (tenant_id, opportunity_id, id) {
        tenant_id -> Identifier,
        opportunity_id -> Identifier,
        id -> Identifier,
        stage_id -> Identifier,
        entered_at -> Instant,
        left_at -> Nullable<Instant>,
        changed_by -> Nullable<Identifier>,
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

    /// How users prove who they are: an Argon2id string.
    passwords (tenant_id, user_id) {
        tenant_id -> Identifier,
        user_id -> Identifier,
        hash -> Text,
        changed_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// How service accounts prove who they are: the SHA-256 of a random secret.
    client_secrets (tenant_id, id) {
        tenant_id -> Identifier,
        id -> Identifier,
        service_account_id -> Identifier,
        hash -> Text,
        prefix -> Text,
        created_at -> Instant,
        expires_at -> Instant,
        revoked_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Log-ins: the families of refresh tokens (RFC 9700 section 4.14).
    sessions (tenant_id, id) {
        tenant_id -> Identifier,
        id -> Identifier,
        principal_id -> Identifier,
        scope -> Text,
        created_at -> Instant,
        expires_at -> Instant,
        revoked_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Each refresh token of a session; used once.
    refresh_tokens (tenant_id, hash) {
        tenant_id -> Identifier,
        hash -> Text,
        session_id -> Identifier,
        issued_at -> Instant,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Failed log-ins by what was tried and from where.
    login_failures (account, address) {
        account -> Text,
        address -> Text,
        failures -> Integer,
        first_at -> Instant,
        last_at -> Instant,
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

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// What somebody is to do.
    tasks (tenant_id, id) {
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
        subject -> Text,
        description -> Nullable<Text>,
        kind -> Text,
        priority -> Text,
        status -> Text,
        due_on -> Nullable<Date>,
        due_at -> Nullable<Instant>,
        time_zone -> Nullable<Text>,
        remind_at -> Nullable<Instant>,
        recurrence -> Nullable<Text>,
        customer_id -> Nullable<Identifier>,
        previous_task_id -> Nullable<Identifier>,
        links -> Document,
        done_at -> Nullable<Instant>,
        deadline_at -> Nullable<Instant>,
        overdue -> Bool,
        next_reminder_at -> Nullable<Instant>,
        wakes_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// When people meet.
    appointments (tenant_id, id) {
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
        subject -> Text,
        description -> Nullable<Text>,
        location -> Nullable<Text>,
        starts_at -> Nullable<Instant>,
        ends_at -> Nullable<Instant>,
        starts_on -> Nullable<Date>,
        ends_on -> Nullable<Date>,
        time_zone -> Nullable<Text>,
        status -> Text,
        show_as -> Text,
        participants -> Document,
        reminders -> Document,
        recurrence -> Nullable<Text>,
        except_on -> Document,
        customer_id -> Nullable<Identifier>,
        links -> Document,
        first_starts_at -> Instant,
        last_ends_at -> Nullable<Instant>,
        next_reminder_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// The secret addresses of users' calendars.
    calendar_feeds (tenant_id, id) {
        tenant_id -> Identifier,
        id -> Identifier,
        user_id -> Identifier,
        name -> Text,
        hash -> Text,
        prefix -> Text,
        created_at -> Instant,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    appointments,
    business_hours,
    calendar_feeds,
    client_secrets,
    customer_activity,
    customers,
    events,
    external_ids,
    inbound_events,
    interactions,
    lifecycle_changes,
    notes,
    opportunities,
    passwords,
    pipelines,
    products,
    record_values,
    refresh_tokens,
    relationships,
    search_texts,
    segment_cursors,
    segment_members,
    segment_refreshes,
    segments,
    service_accounts,
    sessions,
    sla_policies,
    stage_changes,
    stages,
    teams,
    tenants,
    ticket_alarms,
    ticket_comments,
    ticket_numbers,
    tickets,
    users,
);
