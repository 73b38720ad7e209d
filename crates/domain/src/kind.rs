//! The kinds of record, by the names used in URLs, events and references.

use crate::registry::Registry;

sql::text_enum! {
    /// A kind of record. The text is the singular; see [`Kind::plural`] for the one in URLs.
    pub enum Kind {
        /// A person or an organisation.
        Customer = "customer",
        /// A tie between two customers.
        Relationship = "relationship",
        /// What somebody wrote down about a record.
        Note = "note",
        /// A file that belongs to a record.
        Document = "document",
        /// A contact with a customer.
        Interaction = "interaction",
        /// A field that the tenant adds to a kind of record.
        CustomField = "custom_field",
        /// Something that is sold.
        Product = "product",
        /// An ordered way of selling.
        Pipeline = "pipeline",
        /// A step of a pipeline.
        Stage = "stage",
        /// A possible sale.
        Opportunity = "opportunity",
        /// When a team is at work.
        BusinessHours = "business_hours",
        /// By when tickets are to be answered and solved.
        SlaPolicy = "sla_policy",
        /// A matter that a customer brings.
        Ticket = "ticket",
        /// Something that somebody is to do.
        Task = "task",
        /// A time at which people meet.
        Appointment = "appointment",
        /// A set of customers.
        Segment = "segment",
        /// A person who logs in.
        User = "user",
        /// A group of users.
        Team = "team",
        /// A program that logs in.
        ServiceAccount = "service_account",
    }
}

impl Kind {
    /// The plural, as in URLs and scopes.
    pub const fn plural(self) -> &'static str {
        self.registry().plural
    }

    /// The kind with this plural.
    pub fn from_plural(plural: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.plural() == plural)
    }

    /// The declared fields of the kind.
    pub const fn registry(self) -> &'static Registry {
        match self {
            Self::Customer => &crate::customer::customers::REGISTRY,
            Self::Relationship => &crate::customer::relationships::REGISTRY,
            Self::Note => &crate::customer::notes::REGISTRY,
            Self::Document => &crate::customer::documents::REGISTRY,
            Self::CustomField => &crate::customer::custom_fields::REGISTRY,
            Self::Interaction => &crate::interaction::interactions::REGISTRY,
            Self::Product => &crate::sales::products::REGISTRY,
            Self::Pipeline => &crate::sales::pipelines::REGISTRY,
            Self::Stage => &crate::sales::stages::REGISTRY,
            Self::Opportunity => &crate::sales::opportunities::REGISTRY,
            Self::BusinessHours => &crate::service::business_hours::REGISTRY,
            Self::SlaPolicy => &crate::service::sla_policies::REGISTRY,
            Self::Ticket => &crate::service::tickets::REGISTRY,
            Self::Task => &crate::interaction::tasks::REGISTRY,
            Self::Appointment => &crate::interaction::appointments::REGISTRY,
            Self::Segment => &crate::marketing::segments::REGISTRY,
            Self::User => &crate::operation::users::REGISTRY,
            Self::Team => &crate::operation::teams::REGISTRY,
            Self::ServiceAccount => &crate::operation::service_accounts::REGISTRY,
        }
    }
}
