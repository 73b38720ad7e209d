//! What is known of a person (demographics), what it wishes (preferences), and what an organisation is.

use crate::fault::Fault;
use crate::money::{Money, MoneyText};
use crate::validation::{Word, check_words, faults_of, invalid};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidateUrl, ValidationError};

sql::text_enum! {
    /// The gender that a person states.
    pub enum Gender {
        /// Female.
        Female = "female",
        /// Male.
        Male = "male",
        /// Neither.
        NonBinary = "non_binary",
        /// Another one.
        Other = "other",
        /// Asked, and not told.
        Undisclosed = "undisclosed",
    }
}

sql::text_enum! {
    /// The highest level of education reached.
    pub enum Education {
        /// Primary school.
        Primary = "primary",
        /// Secondary school.
        Secondary = "secondary",
        /// An apprenticeship or vocational school.
        Vocational = "vocational",
        /// A first degree.
        Bachelor = "bachelor",
        /// A second degree.
        Master = "master",
        /// A doctorate.
        Doctorate = "doctorate",
        /// Another one.
        Other = "other",
    }
}

sql::text_enum! {
    /// A way to talk with a customer.
    pub enum ContactChannel {
        /// E-mail.
        Email = "email",
        /// A phone call.
        Phone = "phone",
        /// A text message.
        Sms = "sms",
        /// A chat.
        Chat = "chat",
        /// A message in a social network.
        Social = "social",
        /// A letter.
        Post = "post",
        /// A visit.
        Visit = "visit",
    }
}

sql::text_enum! {
    /// How often a customer wishes to hear of news at most.
    pub enum ContactFrequency {
        /// Once a day.
        Daily = "daily",
        /// Once a week.
        Weekly = "weekly",
        /// Once a month.
        Monthly = "monthly",
        /// Four times a year.
        Quarterly = "quarterly",
        /// Once a year.
        Yearly = "yearly",
        /// Not at all.
        Never = "never",
    }
}

/// What is known of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Demographics {
    /// The gender that the person states.
    pub gender: Option<Gender>,
    /// The highest level of education reached.
    pub education: Option<Education>,
    /// What the person does for a living.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, examples("nurse"))]
    pub occupation: Option<String>,
    /// How many people live in the household.
    #[validate(range(min = 1, max = 100))]
    #[schema(minimum = 1, maximum = 100)]
    pub household_size: Option<i32>,
    /// The band of income, in the words of who keeps the data.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_length = 1, max_length = 50, examples("40-60k"))]
    pub income_band: Option<String>,
}

/// How a customer wishes to be treated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Preferences {
    /// The preferred way to be talked to.
    pub channel: Option<ContactChannel>,
    /// How often to hear of news at most.
    pub frequency: Option<ContactFrequency>,
    /// When not to be disturbed, every day. The filter field `preferences.quiet_hours` holds the hours, `00` to `23`, of
    /// which at least a minute is quiet: `[has_none]=21` finds who may be called between nine and ten in the evening.
    #[validate(nested)]
    pub quiet_hours: Option<QuietHours>,
    /// What the customer likes of what is sold.
    #[schema(value_type = HashSet<Word>, max_items = 100)]
    pub product_likes: Vec<String>,
}

/// A time of every day, in the customer's time zone. It may span midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "check_span"))]
pub struct QuietHours {
    /// The first minute.
    #[validate(custom(function = "check_time"))]
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("22:00"))]
    pub start: String,
    /// The first minute after it; another one than the start.
    #[validate(custom(function = "check_time"))]
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("07:30"))]
    pub end: String,
}

/// What an organisation is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Organisation {
    /// The name in its register.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Acme Corporation Ltd."))]
    pub legal_name: Option<String>,
    /// What it is in.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, examples("software"))]
    pub industry: Option<String>,
    /// How many people work there.
    #[validate(range(min = 0, max = 100_000_000))]
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub employees: Option<i32>,
    /// The year it was founded.
    #[validate(range(min = 1, max = 9999))]
    #[schema(minimum = 1, maximum = 9999, examples(1996))]
    pub founded_year: Option<i32>,
    /// What it earns in a year; not negative.
    #[schema(value_type = Option<MoneyText>)]
    pub annual_revenue: Option<Money>,
    /// Its site, by `http` or `https`.
    #[validate(custom(function = "check_website"))]
    #[schema(format = "uri", max_length = 500, examples("https://acme.example"))]
    pub website: Option<String>,
    /// The number by which its tax office knows it.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_length = 1, max_length = 50, examples("DE123456789"))]
    pub tax_id: Option<String>,
}

fn check_time(time: &str) -> Result<(), ValidationError> {
    let plain = time.len() == 5 && time.is_ascii() && chrono::NaiveTime::parse_from_str(time, "%H:%M").is_ok();
    if plain && time.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
        Ok(())
    } else {
        Err(invalid("invalid_format", "must be a time of day such as 22:00"))
    }
}

fn check_span(hours: &QuietHours) -> Result<(), ValidationError> {
    if hours.start == hours.end {
        Err(invalid("empty_span", "must end at another time than it starts"))
    } else {
        Ok(())
    }
}

fn check_website(url: &str) -> Result<(), ValidationError> {
    let by_web = url.starts_with("https://") || url.starts_with("http://");
    if by_web && url.len() <= 500 && url.validate_url() {
        Ok(())
    } else {
        Err(invalid(
            "invalid_format",
            "must be a URL of http or https with at most 500 characters",
        ))
    }
}

impl QuietHours {
    /// The hours of the day, `00` to `23`, of which at least a minute is quiet.
    pub(super) fn hours(&self) -> Vec<String> {
        let minute = |time: &str| {
            let (hour, minute) = time.split_once(':')?;
            Some(hour.parse::<i32>().ok()? * 60 + minute.parse::<i32>().ok()?)
        };
        let Some((start, end)) = minute(&self.start).zip(minute(&self.end)) else {
            return Vec::new();
        };
        let last = start + (end - start).rem_euclid(24 * 60) - 1;
        let hours = (start / 60..=last / 60).take(24);
        hours.map(|hour| format!("{:02}", hour % 24)).collect()
    }
}

impl Demographics {
    /// The faults under `/demographics`.
    pub(super) fn add_faults(&self, faults: &mut Vec<Fault>) {
        add_validated("/demographics", self, faults);
    }
}

impl Preferences {
    /// The faults under `/preferences`.
    pub(super) fn add_faults(&self, faults: &mut Vec<Fault>) {
        add_validated("/preferences", self, faults);
        check_words("/preferences/product_likes", &self.product_likes, 100, faults);
    }
}

impl Organisation {
    /// The faults under `/organisation`.
    pub(super) fn add_faults(&self, faults: &mut Vec<Fault>) {
        add_validated("/organisation", self, faults);
        if self.annual_revenue.is_some_and(|revenue| revenue.minor() < 0) {
            faults.push(Fault::new(
                "/organisation/annual_revenue/amount",
                "out_of_range",
                "must be at least 0",
            ));
        }
    }
}

fn add_validated(pointer: &str, part: &impl Validate, faults: &mut Vec<Fault>) {
    if let Err(errors) = part.validate() {
        faults.extend(faults_of(&errors, pointer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults<T: for<'de> Deserialize<'de>>(json: &str, add: impl Fn(&T, &mut Vec<Fault>)) -> Vec<String> {
        let mut faults = Vec::new();
        add(&serde_json::from_str(json).unwrap(), &mut faults);
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn nothing_known_is_no_fault() {
        assert!(faults("{}", Demographics::add_faults).is_empty());
        assert!(faults("{}", Preferences::add_faults).is_empty());
        assert!(faults("{}", Organisation::add_faults).is_empty());
        assert!(serde_json::from_str::<Demographics>(r#"{"shoe_size": 42}"#).is_err());
    }

    #[test]
    fn each_fault_stands_at_its_place() {
        let json = r#"{"occupation": "", "household_size": 0}"#;
        let found = faults(json, Demographics::add_faults);
        assert_eq!(found, ["/demographics/household_size", "/demographics/occupation"]);

        let json = r#"{"quiet_hours": {"start": "24:00", "end": "7:00"}, "product_likes": ["tea", "tea"]}"#;
        let found = faults(json, Preferences::add_faults);
        let places = [
            "/preferences/quiet_hours/end",
            "/preferences/quiet_hours/start",
            "/preferences/product_likes/1",
        ];
        assert_eq!(found, places);

        let json = r#"{"website": "ftp://acme.example", "annual_revenue": {"amount": "-1.00", "currency": "EUR"}}"#;
        let found = faults(json, Organisation::add_faults);
        assert_eq!(found, ["/organisation/website", "/organisation/annual_revenue/amount"]);
    }

    #[test]
    fn quiet_hours_may_span_midnight_but_not_be_empty() {
        let hours = |start: &str, end: &str| format!(r#"{{"quiet_hours": {{"start": "{start}", "end": "{end}"}}}}"#);
        assert!(faults(&hours("22:00", "06:30"), Preferences::add_faults).is_empty());
        assert_eq!(
            faults(&hours("22:00", "22:00"), Preferences::add_faults),
            ["/preferences/quiet_hours"]
        );
        assert_eq!(
            faults(&hours("+1:00", "22:00"), Preferences::add_faults),
            ["/preferences/quiet_hours/start"]
        );
    }

    #[test]
    fn hours_are_quiet_when_a_minute_of_them_is() {
        let hours = |start: &str, end: &str| {
            QuietHours {
                start: start.into(),
                end: end.into(),
            }
            .hours()
            .join(" ")
        };
        assert_eq!(hours("22:00", "00:00"), "22 23");
        assert_eq!(hours("22:59", "01:01"), "22 23 00 01");
        assert_eq!(hours("12:00", "12:01"), "12");
        assert_eq!(hours("12:30", "12:15").split(' ').count(), 24);
    }
}
