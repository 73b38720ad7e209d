//! The tables, as the migrations make them. Every key begins with the tenant.
#![expect(missing_docs, reason = "a column's meaning stands in the record that reads it")]

mod customer;
mod interaction;
mod marketing;
mod mechanics;
mod operation;
mod sales;
mod service;

pub use customer::*;
pub use interaction::*;
pub use marketing::*;
pub use mechanics::*;
pub use operation::*;
pub use sales::*;
pub use service::*;

diesel::allow_tables_to_appear_in_same_query!(
    appointments,
    business_hours,
    calendar_feeds,
    client_secrets,
    custom_fields,
    custom_values,
    customer_activity,
    customer_merge_moves,
    customer_merges,
    customers,
    document_removals,
    document_versions,
    documents,
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

diesel::allow_columns_to_appear_in_same_group_by_clause!(
    opportunities::status,
    opportunities::probability,
    opportunities::amount_currency,
    stages::probability,
);
