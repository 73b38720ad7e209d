//! Customers: persons and organisations in one kind of record.

use super::contact_points::{self, EmailAddress, Handle, Phone, PostalAddress, primary};
use super::duplicates::{Identity, NAME_KEYS, TAX_KEYS};
use super::lifecycle::Lifecycle;
use super::profile::{
    ContactChannel, ContactFrequency, Demographics, Education, Gender, Organisation, Preferences, QuietHours,
};
use crate::fault::{Fault, Refusal, faultless};
use crate::kind::Kind;
use crate::locale::{TimeZone, check_language, language_tag};
use crate::record::{Fields, Meta, Record};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::validation::{Word, check_date, check_words};
use crate::{common_fields, record_parts, settable, written_whole};
use chrono::{Datelike, NaiveDate};
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use serde::Serialize;
use sql::{Json, Timestamp};
use utoipa::ToSchema;

sql::text_enum! {
    /// What a customer is.
    pub enum CustomerKind {
        /// A human being.
        Person = "person",
        /// A company, an association, an authority.
        Organisation = "organisation",
    }
}

settable! {
    /// What a client may set on a customer.
    pub struct CustomerFields in customers {
        /// What it is. An organisation has no `given_name`, `family_name`, `birth_date` and demographics.
        pub kind: CustomerKind,
        /// What it is called. For a person it may be left out when `given_name` or `family_name` is there: it is then
        /// made of them, and follows them for as long as it is not set to something else.
        #[serde(default)]
        #[validate(length(max = 255))]
        #[schema(default = "", max_length = 255, examples("Ada Lovelace"))]
        pub name: String,
        /// The name given to a person.
        #[validate(length(min = 1, max = 100))]
        #[schema(min_length = 1, max_length = 100, examples("Ada"))]
        pub given_name: Option<String>,
        /// The name a person shares with the family.
        #[validate(length(min = 1, max = 100))]
        #[schema(min_length = 1, max_length = 100, examples("Lovelace"))]
        pub family_name: Option<String>,
        /// Where it stands in its lifecycle. A new record may stand anywhere; a later move must be a legal one.
        #[serde(default = "lead")]
        #[schema(default = "lead")]
        pub lifecycle: Lifecycle,
        /// E-mail addresses. The filter field `emails` finds them in any case.
        #[serde(default)]
        #[schema(value_type = Vec<EmailAddress>, max_items = 20)]
        pub emails: Json<Vec<EmailAddress>>,
        /// Phone numbers. The filter field `phones` finds them by their E.164 form.
        #[serde(default)]
        #[schema(value_type = Vec<Phone>, max_items = 20)]
        pub phones: Json<Vec<Phone>>,
        /// Postal addresses. The filter fields `country` and `city` find them by the country or city of any of them.
        #[serde(default)]
        #[schema(value_type = Vec<PostalAddress>, max_items = 20)]
        pub addresses: Json<Vec<PostalAddress>>,
        /// Names in social networks. The filter field `handles` finds them as `network:handle`, in any case.
        #[serde(default)]
        #[schema(value_type = Vec<Handle>, max_items = 20)]
        pub handles: Json<Vec<Handle>>,
        /// The preferred language, as a BCP 47 tag.
        #[validate(custom(function = "check_language"))]
        #[schema(max_length = 100, pattern = "^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*$", examples("de-CH"))]
        pub language: Option<String>,
        /// The time zone it lives in.
        pub time_zone: Option<TimeZone>,
        /// The day a person was born.
        #[validate(custom(function = "check_date"))]
        pub birth_date: Option<NaiveDate>,
        /// What is known of a person.
        #[serde(default)]
        #[schema(value_type = Demographics)]
        pub demographics: Json<Demographics>,
        /// What it is interested in.
        #[serde(default)]
        #[schema(value_type = HashSet<Word>, max_items = 100)]
        pub interests: Json<Vec<String>>,
        /// How it wishes to be treated.
        #[serde(default)]
        #[schema(value_type = Preferences)]
        pub preferences: Json<Preferences>,
        /// What an organisation, or a person's business, is.
        #[serde(default)]
        #[schema(value_type = Organisation)]
        pub organisation: Json<Organisation>,
    }
}

const fn lead() -> Lifecycle {
    Lifecycle::Lead
}

impl CustomerFields {
    /// The name that a person's given and family name make.
    fn personal_name(&self) -> String {
        let parts: Vec<_> = [&self.given_name, &self.family_name]
            .into_iter()
            .flatten()
            .map(|part| part.trim())
            .collect();
        parts.join(" ").trim().to_owned()
    }

    /// The country of the primary postal address.
    fn country(&self) -> Option<&str> {
        primary(&self.addresses)?.country.as_deref()
    }

    fn add_name_faults(&self, faults: &mut Vec<Fault>) {
        if self.name.is_empty() {
            let message = match self.kind {
                CustomerKind::Person => "is required where neither given_name nor family_name is there",
                CustomerKind::Organisation => "is required",
            };
            faults.push(Fault::new("/name", "required", message));
        }
    }

    fn add_kind_faults(&self, faults: &mut Vec<Fault>) {
        let of_persons = [
            ("/given_name", self.given_name.is_some()),
            ("/family_name", self.family_name.is_some()),
            ("/birth_date", self.birth_date.is_some()),
            ("/demographics", *self.demographics != Demographics::default()),
        ];
        if self.kind == CustomerKind::Organisation {
            let present = of_persons.into_iter().filter(|(_, present)| *present);
            faults.extend(present.map(|(pointer, _)| Fault::new(pointer, "persons_only", "belongs to persons only")));
        }
    }

    /// That nothing has happened which cannot have happened yet. A day begins up to 14 hours before it does in UTC.
    fn check_past(&self, now: Timestamp) -> Result<(), Refusal> {
        let today = (now.utc() + chrono::TimeDelta::hours(14)).date_naive();
        let mut faults = Vec::new();
        if self.birth_date.is_some_and(|date| date > today) {
            faults.push(Fault::new("/birth_date", "out_of_range", "must not be in the future"));
        }
        if self.organisation.founded_year.is_some_and(|year| year > today.year()) {
            faults.push(Fault::new(
                "/organisation/founded_year",
                "out_of_range",
                "must not be in the future",
            ));
        }
        faultless(faults)
    }
}

impl Fields for CustomerFields {
    common_fields!();

    fn normalise(&mut self, before: Option<&Self>, faults: &mut Vec<Fault>) {
        self.name = self.name.trim().to_owned();
        if self.name.is_empty() && self.kind == CustomerKind::Person {
            self.name = self.personal_name();
        }
        contact_points::choose_primary(&mut self.addresses);
        contact_points::normalise_emails(&mut self.emails);
        let country = self.country().map(ToOwned::to_owned);
        let known = before.map_or(&[][..], |before| before.phones.as_slice());
        contact_points::normalise_phones(&mut self.phones, country.as_deref(), known, faults);
        contact_points::normalise_handles(&mut self.handles);
        if let Some(tag) = self.language.as_deref().and_then(language_tag) {
            self.language = Some(tag);
        }
    }

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        self.add_name_faults(faults);
        self.add_kind_faults(faults);
        contact_points::check_emails(&self.emails, faults);
        contact_points::check_addresses(&self.addresses, faults);
        contact_points::check_phones(&self.phones, faults);
        contact_points::check_handles(&self.handles, faults);
        check_words("/interests", &self.interests, 100, faults);
        self.demographics.add_faults(faults);
        self.preferences.add_faults(faults);
        self.organisation.add_faults(faults);
    }
}

/// What follows from a customer's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sql::schema::customers, treat_none_as_default_value = false)]
pub struct CustomerState {
    /// Since when it stands in the present stage of its lifecycle.
    pub lifecycle_since: Timestamp,
}

written_whole!(CustomerState);

/// A person or an organisation that one deals with, from first notice on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Customer {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: CustomerFields,
    /// What follows from its history.
    #[serde(flatten)]
    pub state: CustomerState,
}

impl Customer {
    /// A new customer, of checked fields. Its lifecycle may begin at any stage.
    pub fn create(meta: Meta, fields: CustomerFields, now: Timestamp) -> Result<Self, Refusal> {
        fields.check_past(now)?;
        let state = CustomerState { lifecycle_since: now };
        Ok(Self { meta, fields, state })
    }

    /// The customer after a change to checked fields: moves along its lifecycle by legal steps only.
    pub fn change(&self, meta: Meta, mut fields: CustomerFields, now: Timestamp) -> Result<Self, Refusal> {
        fields.check_past(now)?;
        let before = &self.fields;
        before.lifecycle.moved_to(fields.lifecycle)?;
        let made_of_parts = before.kind == CustomerKind::Person && before.name == before.personal_name();
        let new_name = fields.personal_name();
        if made_of_parts && fields.kind == CustomerKind::Person && fields.name == before.name && !new_name.is_empty() {
            fields.name = new_name;
        }
        let moved = before.lifecycle != fields.lifecycle;
        let lifecycle_since = if moved { now } else { self.state.lifecycle_since };
        let state = CustomerState { lifecycle_since };
        Ok(Self { meta, fields, state })
    }
}

/// The table of what a customer's interactions amount to.
const ACTIVITY: &str = "customer_activity";

/// The fields of a customer. The lists `country` and `city` hold those of all postal addresses.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Customer,
    plural: "customers",
    table: "customers",
    fields: &[
        Field::choice("kind", CustomerKind::TEXTS).required().indexed(),
        Field::text("name").required().sortable().indexed(),
        Field::text("given_name"),
        Field::text("family_name"),
        Field::choice("lifecycle", Lifecycle::TEXTS).required().indexed(),
        Field::new("lifecycle_since", FieldType::Instant).required(),
        Field::list("emails").folded(),
        Field::list("phones"),
        Field::list("country"),
        Field::list("city"),
        Field::list("handles").folded(),
        Field::text("language"),
        Field::text("time_zone"),
        Field::new("birth_date", FieldType::Date).sortable().indexed(),
        Field::json(
            "demographics.gender",
            "demographics",
            "gender",
            FieldType::Choice(Gender::TEXTS),
        ),
        Field::json(
            "demographics.education",
            "demographics",
            "education",
            FieldType::Choice(Education::TEXTS),
        ),
        Field::json("demographics.occupation", "demographics", "occupation", FieldType::Text),
        Field::json(
            "demographics.household_size",
            "demographics",
            "household_size",
            FieldType::Integer,
        ),
        Field::json(
            "demographics.income_band",
            "demographics",
            "income_band",
            FieldType::Text,
        ),
        Field::list("interests"),
        Field::json(
            "preferences.channel",
            "preferences",
            "channel",
            FieldType::Choice(ContactChannel::TEXTS),
        ),
        Field::json(
            "preferences.frequency",
            "preferences",
            "frequency",
            FieldType::Choice(ContactFrequency::TEXTS),
        ),
        Field::list("preferences.quiet_hours"),
        Field::list("preferences.product_likes"),
        Field::json("organisation.legal_name", "organisation", "legal_name", FieldType::Text),
        Field::json("organisation.industry", "organisation", "industry", FieldType::Text),
        Field::json(
            "organisation.employees",
            "organisation",
            "employees",
            FieldType::Integer,
        ),
        Field::json(
            "organisation.founded_year",
            "organisation",
            "founded_year",
            FieldType::Integer,
        ),
        Field::json(
            "organisation.annual_revenue",
            "organisation",
            "annual_revenue",
            FieldType::Money,
        ),
        Field::json("organisation.website", "organisation", "website", FieldType::Text),
        Field::json("organisation.tax_id", "organisation", "tax_id", FieldType::Text),
        Field::beside("last_interaction_at", ACTIVITY, "customer_id", FieldType::Instant),
        Field::beside("interaction_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("call_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("email_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("meeting_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("visit_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("chat_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("sms_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("fax_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("web_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("social_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
        Field::beside("note_count", ACTIVITY, "customer_id", FieldType::Integer).required(),
    ],
    relations: &[
        Relation::many("opportunities", Kind::Opportunity, "customer_id"),
        Relation::many("tickets", Kind::Ticket, "customer_id"),
        Relation::many("interactions", Kind::Interaction, "customer_id"),
        Relation::many("relationships_from", Kind::Relationship, "from_id"),
        Relation::many("relationships_to", Kind::Relationship, "to_id"),
    ],
    owned: true,
};

impl Record for Customer {
    record_parts!(CustomerFields);
    const KIND: Kind = Kind::Customer;
    const REFUSES_DUPLICATES: bool = true;

    fn title(&self) -> &str {
        &self.fields.name
    }

    fn search_texts(&self) -> Vec<&str> {
        let fields = &self.fields;
        let names = [
            Some(&fields.name),
            fields.given_name.as_ref(),
            fields.family_name.as_ref(),
            fields.organisation.legal_name.as_ref(),
        ];
        let emails = fields.emails.iter().map(|email| &email.address);
        let phones = fields.phones.iter().map(|phone| &phone.number);
        let handles = fields.handles.iter().map(|handle| &handle.handle);
        let texts = names.into_iter().flatten().chain(emails).chain(phones).chain(handles);
        texts.map(String::as_str).collect()
    }

    fn values(&self) -> Vec<(&'static str, Vec<String>)> {
        let fields = &self.fields;
        let of_addresses = |part: fn(&PostalAddress) -> Option<&String>| {
            let mut values: Vec<_> = fields.addresses.iter().filter_map(part).cloned().collect();
            values.sort_unstable();
            values.dedup();
            values
        };
        let quiet_hours = fields.preferences.quiet_hours.as_ref();
        let quiet_hours = quiet_hours.map(QuietHours::hours).unwrap_or_default();
        let keys = Identity::of(fields).keys();
        let looked_up_by = |name: &str| -> Vec<String> {
            let values = keys.iter().filter(|(key, _)| *key == name);
            values.map(|(_, value)| value.clone()).collect()
        };
        vec![
            (NAME_KEYS, looked_up_by(NAME_KEYS)),
            (TAX_KEYS, looked_up_by(TAX_KEYS)),
            (
                "emails",
                fields.emails.iter().map(|email| email.address.to_lowercase()).collect(),
            ),
            (
                "phones",
                fields.phones.iter().map(|phone| phone.number.clone()).collect(),
            ),
            ("country", of_addresses(|address| address.country.as_ref())),
            ("city", of_addresses(|address| address.city.as_ref())),
            (
                "handles",
                fields.handles.iter().map(contact_points::handle_value).collect(),
            ),
            ("interests", fields.interests.to_vec()),
            ("preferences.quiet_hours", quiet_hours),
            ("preferences.product_likes", fields.preferences.product_likes.clone()),
        ]
    }
}

#[cfg(test)]
mod tests;
