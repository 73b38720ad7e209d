//! S. Sales.

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
        custom -> Document,
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
        custom -> Document,
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
        custom -> Document,
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
        custom -> Document,
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

    /// What opportunities come to by stage, whose they are, and currency: rows of one group add up.
    opportunity_totals (tenant_id, stage_id, id) {
        tenant_id -> Identifier,
        stage_id -> Identifier,
        id -> Identifier,
        owner_id -> Nullable<Identifier>,
        team_id -> Nullable<Identifier>,
        currency -> Nullable<Text>,
        count -> BigInt,
        amount_billions -> BigInt,
        amount_rest -> BigInt,
        unestimated_billions -> BigInt,
        unestimated_rest -> BigInt,
        estimated_billions -> BigInt,
        estimated_rest -> BigInt,
    }
}
