//! Business hours: when a team is at work, by day of the week, with its holidays, in a time zone.

use crate::fault::Fault;
use crate::kind::Kind;
use crate::locale::TimeZone;
use crate::record::{Fields, Meta, Record};
use crate::registry::{Field, Registry, Relation};
use crate::service::calendar::{Calendar, MINUTES_OF_DAY, WorkingHours};
use crate::validation::{check_count, check_date, check_unique};
use crate::{common_fields, record_parts, settable};
use chrono::NaiveDate;
use diesel::prelude::Queryable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sql::Json;
use std::fmt;
use utoipa::ToSchema;

sql::text_enum! {
    /// A day of the week.
    pub enum Weekday {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
}

impl From<Weekday> for chrono::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// A time of the day, from `00:00` to `24:00`, which is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", min_length = 5, max_length = 5, examples("09:00"))]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// How many minutes after midnight it is.
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

impl std::str::FromStr for TimeOfDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |part: &str| (part.len() == 2).then(|| part.bytes().all(|byte| byte.is_ascii_digit()));
        let read = || {
            let (hours, minutes) = text.split_once(':')?;
            (digits(hours)? && digits(minutes)?).then_some(())?;
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            let all = hours * 60 + minutes;
            (minutes < 60 && all <= MINUTES_OF_DAY).then_some(Self(all))
        };
        read().ok_or("must be a time of day such as 09:00, at most 24:00")
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An interval of a day of the week in which it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"day": "monday", "from": "09:00", "to": "17:00"}))]
pub struct Opening {
    /// The day.
    pub day: Weekday,
    /// When it opens.
    pub from: TimeOfDay,
    /// When it closes, on the same day.
    pub to: TimeOfDay,
}

settable! {
    /// What a client may set on business hours.
    pub struct BusinessHoursFields in business_hours {
        /// What they are called.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Support Hamburg"))]
        pub name: String,
        /// The zone whose clocks they are read off.
        pub time_zone: TimeZone,
        /// When it is open, at least an hour a week. A day may have several intervals; they must not overlap.
        #[schema(value_type = HashSet<Opening>, min_items = 1, max_items = 70)]
        pub openings: Json<Vec<Opening>>,
        /// The days on which it stays closed.
        #[serde(default)]
        #[schema(value_type = HashSet<NaiveDate>, max_items = 1000)]
        pub holidays: Json<Vec<NaiveDate>>,
    }
}

/// A week must be open for so long, so that every target is reached within the calendar.
const LEAST_WEEK: u32 = 60;

impl Fields for BusinessHoursFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        check_count("/openings", self.openings.len(), 70, faults);
        let before = faults.len();
        for (index, opening) in self.openings.iter().enumerate() {
            if opening.to <= opening.from {
                let message = "must be later than from";
                faults.push(Fault::new(format!("/openings/{index}/to"), "out_of_range", message));
            }
            let earlier = self
                .openings
                .iter()
                .take(index)
                .filter(|other| other.day == opening.day);
            if earlier
                .clone()
                .any(|other| opening.from < other.to && other.from < opening.to)
            {
                let message = "overlaps with another interval of the day";
                faults.push(Fault::new(format!("/openings/{index}"), "overlapping", message));
            }
        }
        let minutes = self.openings.iter().map(|one| one.to.0.saturating_sub(one.from.0));
        if faults.len() == before && minutes.map(u32::from).sum::<u32>() < LEAST_WEEK {
            faults.push(Fault::new(
                "/openings",
                "out_of_range",
                "must be open for an hour a week at least",
            ));
        }
        check_count("/holidays", self.holidays.len(), 1000, faults);
        check_unique("/holidays", self.holidays.iter(), faults);
        for (index, day) in self.holidays.iter().enumerate() {
            if check_date(day).is_err() {
                let message = "must be a day of the years 1 to 9999";
                faults.push(Fault::new(format!("/holidays/{index}"), "out_of_range", message));
            }
        }
    }
}

/// When a team is at work.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct BusinessHours {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: BusinessHoursFields,
}

impl BusinessHours {
    /// As a calendar to count with.
    pub fn calendar(&self) -> Calendar {
        let openings = self.fields.openings.iter();
        let openings = openings.map(|one| (one.day.into(), one.from.minutes(), one.to.minutes()));
        let holidays = self.fields.holidays.iter().copied();
        // They were checked to be open when they were written.
        WorkingHours::new(self.fields.time_zone.0, openings, holidays).map_or(Calendar::Always, Calendar::Hours)
    }
}

/// The fields of business hours.
pub const REGISTRY: Registry = Registry {
    kind: Kind::BusinessHours,
    plural: "business_hours",
    table: "business_hours",
    fields: &[
        Field::text("name").required().sortable().indexed(),
        Field::text("time_zone").required(),
    ],
    relations: &[Relation::many("sla_policies", Kind::SlaPolicy, "business_hours_id")],
    owned: false,
};

impl Record for BusinessHours {
    record_parts!(BusinessHoursFields);
    const KIND: Kind = Kind::BusinessHours;

    fn title(&self) -> &str {
        &self.fields.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn faults(openings: &Value) -> Vec<String> {
        let body = json!({"name": "Office", "time_zone": "Europe/Berlin", "openings": openings});
        let read = crate::input::parse::<BusinessHoursFields>(&body);
        let faults = match read.map(Fields::checked) {
            Ok(Ok(_)) => Vec::new(),
            Ok(Err(crate::Refusal::Invalid(faults))) | Err(faults) => faults,
            Ok(Err(other)) => panic!("{other}"),
        };
        faults
            .iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect()
    }

    #[test]
    fn times_of_day_are_read_as_they_are_written() {
        for text in ["00:00", "09:05", "23:59", "24:00"] {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
        }
        for text in ["24:01", "25:00", "9:00", "09:60", "09", "09:0", "+9:00", "09:00:00", ""] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
    }

    #[test]
    fn hours_that_overlap_or_are_hardly_any_are_refused() {
        let open = |day: &str, from: &str, to: &str| json!({"day": day, "from": from, "to": to});
        let good = [
            open("monday", "09:00", "12:00"),
            open("monday", "12:00", "17:00"),
            open("sunday", "00:00", "24:00"),
        ];
        assert_eq!(faults(&json!(good)), [""; 0]);
        assert_eq!(faults(&json!([])), ["/openings out_of_range"]);
        assert_eq!(
            faults(&json!([open("friday", "09:00", "09:59")])),
            ["/openings out_of_range"]
        );
        let bad = [
            open("monday", "09:00", "12:00"),
            open("monday", "11:00", "17:00"),
            open("tuesday", "17:00", "09:00"),
            open("monday", "25:00", "26:00"),
        ];
        let told = ["/openings/3/from invalid_value", "/openings/3/to invalid_value"];
        let found = faults(&json!(bad));
        assert!(
            told.iter().all(|fault| found.contains(&(*fault).to_owned())),
            "{found:?}"
        );
        assert_eq!(
            faults(&json!(&bad[..3])),
            ["/openings/1 overlapping", "/openings/2/to out_of_range"]
        );
    }
}
