//! From a kind known at run time to its record type.

/// Repeats an expression once per kind of record, with `R` as the record's type.
///
/// ```text
/// with_record!(kind, |R| R::find(connection, tenant, id, false).map(|found| found.is_some()))
/// ```
macro_rules! with_record {
    ($kind:expr, |$R:ident| $body:expr) => {
        with_record!($kind, |$R| $body,
            Customer: ::domain::customer::customers::Customer,
            Relationship: ::domain::customer::relationships::Relationship,
            Note: ::domain::customer::notes::Note,
            Document: ::domain::customer::documents::Document,
            Interaction: ::domain::interaction::interactions::Interaction,
            CustomField: ::domain::customer::custom_fields::CustomField,
            Product: ::domain::sales::products::Product,
            Pipeline: ::domain::sales::pipelines::Pipeline,
            Stage: ::domain::sales::stages::Stage,
            Opportunity: ::domain::sales::opportunities::Opportunity,
            BusinessHours: ::domain::service::business_hours::BusinessHours,
            SlaPolicy: ::domain::service::sla_policies::SlaPolicy,
            Ticket: ::domain::service::tickets::Ticket,
            Task: ::domain::interaction::tasks::Task,
            Appointment: ::domain::interaction::appointments::Appointment,
            Segment: ::domain::marketing::segments::Segment,
            User: ::domain::operation::users::User,
            Team: ::domain::operation::teams::Team,
            ServiceAccount: ::domain::operation::service_accounts::ServiceAccount,
        )
    };
    ($kind:expr, |$R:ident| $body:expr, $($variant:ident: $type:ty,)+) => {
        match $kind {
            $(::domain::Kind::$variant => {
                type $R = $type;
                $body
            })+
        }
    };
}

pub(crate) use with_record;
