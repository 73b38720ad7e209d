//! Names of places, languages and times as the world has agreed on them: ISO 3166-1, BCP 47, IANA.

use crate::validation::invalid;
use chrono::{DateTime, Duration, NaiveDateTime, Offset, TimeZone as _, Utc};
use chrono_tz::Tz;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use language_tags::LanguageTag;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::str::FromStr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};
use validator::ValidationError;

/// The officially assigned ISO 3166-1 alpha-2 codes, in alphabetical order.
pub const COUNTRIES: [&str; 249] = [
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB", "BD",
    "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY", "BZ", "CA",
    "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE",
    "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA",
    "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK",
    "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP",
    "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT",
    "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS",
    "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ",
    "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS",
    "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST",
    "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW",
    "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA",
    "ZM", "ZW",
];

/// A country by its ISO 3166-1 alpha-2 code; the type that documents such a text.
#[derive(Debug)]
pub struct CountryCode;

impl ToSchema for CountryCode {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("CountryCode")
    }
}

impl PartialSchema for CountryCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A country by its ISO 3166-1 alpha-2 code."))
            .enum_values(Some(COUNTRIES))
            .examples(["DE"])
            .into()
    }
}

/// That a text is the code of a country.
pub fn check_country(code: &str) -> Result<(), ValidationError> {
    if COUNTRIES.binary_search(&code).is_ok() {
        Ok(())
    } else {
        Err(invalid(
            "unknown_country",
            "must be an ISO 3166-1 alpha-2 code such as DE",
        ))
    }
}

/// The tag in its usual spelling (`de-CH`, not `DE-ch`); none when it is not well-formed.
pub fn language_tag(text: &str) -> Option<String> {
    LanguageTag::parse(text).ok().map(LanguageTag::into_string)
}

/// That a text is a well-formed BCP 47 language tag.
pub fn check_language(tag: &str) -> Result<(), ValidationError> {
    if language_tag(tag).is_some() {
        Ok(())
    } else {
        Err(invalid("invalid_format", "must be a BCP 47 language tag such as de-CH"))
    }
}

/// A zone of the IANA time zone database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct TimeZone(pub Tz);

impl TimeZone {
    /// The name in the IANA database.
    pub fn as_str(&self) -> &'static str {
        self.0.name()
    }
}

impl Default for TimeZone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl FromStr for TimeZone {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = name.parse().map(Self);
        known.map_err(|_| "must be an IANA time zone such as Europe/Berlin".to_owned())
    }
}

/// The instant at which clocks in a zone show a time. Of two it is the first; a time that clocks skip is read
/// by the offset before the jump, so the start of a day without midnight is its first instant.
pub(crate) fn at_local(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    if let Some(instant) = zone.from_local_datetime(&local).earliest() {
        return instant.with_timezone(&Utc);
    }
    let offset = zone.offset_from_utc_datetime(&(local - Duration::hours(24))).fix();
    Utc.from_utc_datetime(&(local - Duration::seconds(offset.local_minus_utc().into())))
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

impl ToSchema for TimeZone {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("TimeZone")
    }
}

impl PartialSchema for TimeZone {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A zone of the IANA time zone database."))
            .format(Some(SchemaFormat::Custom("time-zone".to_owned())))
            .pattern(Some("^[A-Za-z][A-Za-z0-9_+/-]*$"))
            .max_length(Some(40))
            .examples(["Europe/Berlin"])
            .into()
    }
}

sql::text_column!(TimeZone);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_upper_case_codes_only() {
        assert!(COUNTRIES.is_sorted());
        assert!(
            ["DE", "US", "ZW", "SS", "AX"]
                .iter()
                .all(|code| check_country(code).is_ok())
        );
        assert!(
            ["de", "XX", "UK", "DEU", "", "001"]
                .iter()
                .all(|code| check_country(code).is_err())
        );
    }

    #[test]
    fn language_tags_come_in_their_usual_spelling() {
        assert_eq!(language_tag("DE-ch").as_deref(), Some("de-CH"));
        assert_eq!(language_tag("zh-hant-tw").as_deref(), Some("zh-Hant-TW"));
        assert!(
            ["", "d", "de_DE", "de--CH", "deutsch-sprache-lang-x"]
                .iter()
                .all(|tag| check_language(tag).is_err())
        );
    }

    #[test]
    fn every_time_zone_fits_its_schema_and_reads_back() {
        for zone in chrono_tz::TZ_VARIANTS {
            let name = TimeZone(zone).as_str();
            assert_eq!(name.parse::<TimeZone>().map(|zone| zone.0), Ok(zone));
            assert!(name.len() <= 40, "{name}");
            assert!(name.starts_with(|first: char| first.is_ascii_alphabetic()));
            assert!(
                name.chars().all(|c| c.is_ascii_alphanumeric() || "_+/-".contains(c)),
                "{name}"
            );
        }
        assert!("Mars/Olympus_Mons".parse::<TimeZone>().is_err());
    }
}
