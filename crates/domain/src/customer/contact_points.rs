//! How to reach a customer: e-mail addresses, phones, postal addresses and names in social networks.
//!
//! Of each list but the last, one entry is the primary one; see [`choose_primary`].

use super::phone_numbers::to_e164;
use crate::fault::Fault;
use crate::locale::{CountryCode, check_country};
use crate::validation::{check_each, check_unique, invalid};
use email_address::{EmailAddress as Address, Options};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// How many entries one list may have.
pub const MOST: usize = 20;

/// An e-mail address of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EmailAddress {
    /// The address. Its domain is kept in lower case, the part before the `@` as it was written.
    #[validate(custom(function = "check_email"))]
    #[schema(format = "idn-email", min_length = 3, max_length = 254, examples("ada@example.com"))]
    pub address: String,
    /// What it is for.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_length = 1, max_length = 50, examples("work"))]
    pub label: Option<String>,
    /// Whether it is the one to use. Exactly one is: the first, when none is marked.
    #[serde(default)]
    pub primary: bool,
}

/// A phone number of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Phone {
    /// The number; kept as E.164. It may be written with spaces, brackets, dots and dashes. Without `+` it is read as
    /// dialled in the country of the customer's primary postal address. Extensions belong into `label`.
    #[schema(
        min_length = 3,
        max_length = 40,
        pattern = "^[+0-9 ()./\\u00A0\\u2010-\\u2015-]*$",
        examples("+493012345678")
    )]
    pub number: String,
    /// What it is for.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_length = 1, max_length = 50, examples("mobile"))]
    pub label: Option<String>,
    /// Whether it is the one to use. Exactly one is: the first, when none is marked.
    #[serde(default)]
    pub primary: bool,
}

/// A postal address of a customer. It says at least one of street, city, region, postal code and country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    /// What it is for.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_length = 1, max_length = 50, examples("billing"))]
    pub label: Option<String>,
    /// Whether it is the one to use. Exactly one is: the first, when none is marked.
    #[serde(default)]
    pub primary: bool,
    /// Street and number, or whatever stands above the city; lines are parted by a line feed.
    #[validate(length(min = 1, max = 300))]
    #[schema(min_length = 1, max_length = 300, examples("12 St James's Square"))]
    pub street: Option<String>,
    /// The city.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, examples("London"))]
    pub city: Option<String>,
    /// State, province or county.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100)]
    pub region: Option<String>,
    /// The postal code.
    #[validate(length(min = 1, max = 20))]
    #[schema(min_length = 1, max_length = 20, examples("SW1Y 4JH"))]
    pub postal_code: Option<String>,
    /// The country, by its ISO 3166-1 alpha-2 code.
    #[validate(custom(function = "check_country"))]
    #[schema(value_type = Option<CountryCode>)]
    pub country: Option<String>,
}

/// The name of a customer in a social network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Handle {
    /// The network, in lower case.
    #[validate(custom(function = "check_network"))]
    #[schema(pattern = "^[a-z0-9_]{1,32}$", examples("linkedin"))]
    pub network: String,
    /// The name there; an `@` before it is left out.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, examples("ada.lovelace"))]
    pub handle: String,
}

impl PostalAddress {
    /// Whether it says nothing of any place.
    const fn is_empty(&self) -> bool {
        self.street.is_none()
            && self.city.is_none()
            && self.region.is_none()
            && self.postal_code.is_none()
            && self.country.is_none()
    }
}

/// Trims an address and puts its domain, which ignores case, in lower case. The part before the `@` may mind case
/// (RFC 5321 section 2.4), so it stays as it was written.
pub fn normalise_email(address: &str) -> String {
    match address.trim().rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
        None => address.trim().to_owned(),
    }
}

/// That a text is an e-mail address by itself: no name before it, no IP address after the `@`.
pub fn check_email(address: &str) -> Result<(), ValidationError> {
    let options = Options::default().without_display_text().without_domain_literal();
    match Address::parse_with_options(address, options) {
        Ok(parsed) if parsed.as_str().len() <= 254 => Ok(()),
        _ => Err(invalid("invalid_format", "must be an e-mail address")),
    }
}

/// That a text can name a social network.
pub fn check_network(network: &str) -> Result<(), ValidationError> {
    let plain = network
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plain && (1..=32).contains(&network.len()) {
        Ok(())
    } else {
        Err(invalid(
            "invalid_format",
            "must be 1 to 32 lower-case letters, digits and underscores",
        ))
    }
}

/// An entry of a list of which one is the primary one.
pub trait ContactPoint {
    /// Whether it is the primary one.
    fn primary(&self) -> bool;
    /// The mark, to set it.
    fn primary_mut(&mut self) -> &mut bool;
}

macro_rules! contact_points {
    ($($name:ident),+) => {$(
        impl ContactPoint for $name {
            fn primary(&self) -> bool {
                self.primary
            }
            fn primary_mut(&mut self) -> &mut bool {
                &mut self.primary
            }
        }
    )+};
}
contact_points!(EmailAddress, Phone, PostalAddress);

/// Marks the first entry when none is marked.
pub fn choose_primary<T: ContactPoint>(points: &mut [T]) {
    if points.iter().any(ContactPoint::primary) {
        return;
    }
    if let Some(first) = points.first_mut() {
        *first.primary_mut() = true;
    }
}

/// The primary entry.
pub fn primary<T: ContactPoint>(points: &[T]) -> Option<&T> {
    points.iter().find(|point| point.primary())
}

/// That at most one entry is marked.
fn check_primary<T: ContactPoint>(pointer: &str, points: &[T], faults: &mut Vec<Fault>) {
    let marked = points.iter().enumerate().filter(|(_, point)| point.primary());
    faults.extend(marked.skip(1).map(|(index, _)| {
        let pointer = format!("{pointer}/{index}/primary");
        Fault::new(
            pointer,
            "second_primary",
            "only one entry of the list can be the primary one",
        )
    }));
}

/// Brings e-mail addresses to their one form.
pub(super) fn normalise_emails(emails: &mut [EmailAddress]) {
    for email in &mut *emails {
        email.address = normalise_email(&email.address);
    }
    choose_primary(emails);
}

/// Brings phone numbers to E.164, and tells of those that cannot be read; `country` is where numbers without `+` are
/// dialled. Those that are known are E.164 already.
pub(super) fn normalise_phones(phones: &mut [Phone], country: Option<&str>, known: &[Phone], faults: &mut Vec<Fault>) {
    for (index, phone) in phones.iter_mut().enumerate() {
        if known.iter().any(|known| known.number == phone.number) {
            continue;
        }
        match to_e164(&phone.number, country) {
            Ok(number) => phone.number = number,
            Err(message) => faults.push(Fault::new(format!("/phones/{index}/number"), "invalid_format", message)),
        }
    }
    choose_primary(phones);
}

/// Brings handles to their one form: without spaces around and an `@` before.
pub fn normalise_handles(handles: &mut [Handle]) {
    for handle in handles {
        handle.handle = handle.handle.trim().trim_start_matches(['@', ' ']).to_owned();
    }
}

/// The faults of a list of e-mail addresses.
pub(super) fn check_emails(emails: &[EmailAddress], faults: &mut Vec<Fault>) {
    check_each("/emails", emails, MOST, faults);
    check_unique(
        "/emails",
        emails.iter().map(|email| email.address.to_lowercase()),
        faults,
    );
    check_primary("/emails", emails, faults);
}

/// The faults of a list of phones, but for those that [`normalise_phones`] tells.
pub(super) fn check_phones(phones: &[Phone], faults: &mut Vec<Fault>) {
    check_each("/phones", phones, MOST, faults);
    check_unique("/phones", phones.iter().map(|phone| &phone.number), faults);
    check_primary("/phones", phones, faults);
}

/// The faults of a list of postal addresses.
pub(super) fn check_addresses(addresses: &[PostalAddress], faults: &mut Vec<Fault>) {
    check_each("/addresses", addresses, MOST, faults);
    for (index, address) in addresses.iter().enumerate() {
        if address.is_empty() {
            let message = "must say at least one of street, city, region, postal_code, country";
            faults.push(Fault::new(format!("/addresses/{index}"), "required", message));
        }
    }
    check_primary("/addresses", addresses, faults);
}

/// The faults of a list of names in social networks.
pub(super) fn check_handles(handles: &[Handle], faults: &mut Vec<Fault>) {
    check_each("/handles", handles, MOST, faults);
    check_unique("/handles", handles.iter().map(handle_value), faults);
}

/// A name as it is found by: `network:handle` in lower case.
pub fn handle_value(handle: &Handle) -> String {
    format!("{}:{}", handle.network, handle.handle.to_lowercase())
}
