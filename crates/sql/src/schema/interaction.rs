//! I. Interactions.

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
        custom -> Document,
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
        custom -> Document,
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
        custom -> Document,
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
