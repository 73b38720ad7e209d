//! Where other records name a customer. Columns are found in the registry; what it does not tell stands here, and tests
//! compare it with the schema and with the API document.

use domain::Kind;
use domain::registry::{COMMON_RELATIONS, Link, Source};

/// A list in a JSON column whose entries name records.
#[derive(Debug, Clone, Copy)]
pub struct ListPlace {
    /// The kind of record.
    pub kind: Kind,
    /// The column, which is also the name of the member.
    pub column: &'static str,
    /// The member of an entry that holds the id.
    pub member: &'static str,
    /// The field under which the ids stand in `record_values`.
    pub field: &'static str,
    /// What stands before the id there.
    pub prefix: &'static str,
    /// Columns whose ids stand under the same field.
    pub beside: &'static [&'static str],
    /// Members that two entries must not share; none if they may share all but some.
    pub unique: &'static [&'static str],
}

const fn entries(kind: Kind, column: &'static str, field: &'static str) -> ListPlace {
    ListPlace {
        kind,
        column,
        member: "customer_id",
        field,
        prefix: "",
        beside: &[],
        unique: &[],
    }
}

const fn links(kind: Kind) -> ListPlace {
    ListPlace {
        member: "id",
        prefix: "customer:",
        ..entries(kind, "links", "links")
    }
}

/// Every such list.
pub const LISTS: &[ListPlace] = &[
    entries(Kind::Interaction, "participants", "customer_ids"),
    links(Kind::Interaction),
    ListPlace {
        beside: &["customer_id"],
        unique: &["customer_id", "user_id"],
        ..entries(Kind::Appointment, "participants", "customer_ids")
    },
    links(Kind::Appointment),
    links(Kind::Task),
    links(Kind::Ticket),
    entries(Kind::Opportunity, "contacts", "contact_ids"),
];

/// Tables of rows within records that name a customer in `customer_id` and are named by `id`.
pub const ROWS: &[&str] = &["ticket_comments", "lifecycle_changes"];

/// The columns in which records of a kind name a customer: references, and what they belong to.
pub fn columns(kind: Kind) -> Vec<&'static str> {
    let registry = kind.registry();
    let named = registry.all_fields().filter_map(|field| match field.source {
        Source::Column(column) if field.references == Some(Kind::Customer) => Some(column),
        _ => None,
    });
    let belonging = COMMON_RELATIONS.iter().filter_map(|relation| match relation.link {
        Link::Many { column } if relation.target == kind => Some(column),
        _ => None,
    });
    named.chain(belonging).collect()
}

/// The lists of a kind of record.
pub(super) fn lists(kind: Kind) -> impl Iterator<Item = &'static ListPlace> {
    LISTS.iter().filter(move |list| list.kind == kind)
}

/// The values of a list in `record_values`, by which customer it is.
pub(super) const fn value(list: &ListPlace, from: bool) -> &'static str {
    match (list.prefix.is_empty(), from) {
        (true, true) => "@from_text",
        (true, false) => "@to_text",
        (false, true) => "@from_link",
        (false, false) => "@to_link",
    }
}
