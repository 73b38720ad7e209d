//! C. The customer.

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Files that belong to records.
    documents (tenant_id, id) {
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
        subject_type -> Text,
        subject_id -> Identifier,
        name -> Text,
        description -> Nullable<Text>,
        content_version -> BigInt,
        content_type -> Nullable<Text>,
        size -> Nullable<BigInt>,
        sha256 -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Every content that a document has had, and the object that holds it.
    document_versions (tenant_id, document_id, id) {
        tenant_id -> Identifier,
        document_id -> Identifier,
        id -> Identifier,
        number -> BigInt,
        object -> Identifier,
        content_type -> Text,
        size -> BigInt,
        sha256 -> Text,
        created_at -> Instant,
        created_by -> Nullable<Identifier>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Objects that nothing names any longer, until they are removed.
    document_removals (tenant_id, object) {
        tenant_id -> Identifier,
        object -> Identifier,
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
        custom -> Document,
        subject_type -> Text,
        subject_id -> Identifier,
        body -> Text,
        pinned -> Bool,
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
        custom -> Document,
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
        custom -> Document,
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

    /// The fields that a tenant adds to its records.
    custom_fields (tenant_id, id) {
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
        resource -> Text,
        key -> Text,
        name -> Text,
        description -> Nullable<Text>,
        value_type -> Text,
        options -> Document,
        target -> Nullable<Text>,
        required -> Bool,
        archived -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// Customers that were taken into others.
    customer_merges (tenant_id, id) {
        tenant_id -> Identifier,
        id -> Identifier,
        survivor_id -> Identifier,
        merged_id -> Identifier,
        created_at -> Instant,
        created_by -> Nullable<Identifier>,
        moved -> Document,
        changes -> Document,
        undone_at -> Nullable<Instant>,
        undone_by -> Nullable<Identifier>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::*;

    /// What merges moved.
    customer_merge_moves (tenant_id, merge_id, source, record_id) {
        tenant_id -> Identifier,
        merge_id -> Identifier,
        source -> Text,
        record_id -> Identifier,
        version -> BigInt,
        places -> Text,
        changes -> Nullable<Document>,
    }
}
