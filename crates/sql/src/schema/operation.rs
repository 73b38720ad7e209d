//! O. Operation: tenants and who acts in them.

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
        custom -> Document,
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
        custom -> Document,
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
        custom -> Document,
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
