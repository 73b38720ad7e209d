//! Recurrence rules (RFC 5545 section 3.3.10), as far as calendar programs write them: by days, weeks, months and years.
//! On which days a rule falls is in `recurring_days`.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc, Weekday};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::str::FromStr;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Characters of a rule at most.
const LONGEST: usize = 255;
/// Occurrences that `COUNT` may ask for.
pub const MOST_OCCURRENCES: u16 = 1000;
/// Periods that may lie between two occurrences.
const LONGEST_INTERVAL: u16 = 1000;

/// How often something takes place again, as text: `FREQ=WEEKLY;BYDAY=MO,WE`.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Recurrence {
    text: String,
    rule: Rule,
}

/// A rule that has been read. The lists are sorted, and each value stands there once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The period that is counted.
    pub frequency: Frequency,
    /// Every how many periods.
    pub interval: u16,
    /// When it ends.
    pub end: End,
    /// Only in these months.
    pub months: Vec<u8>,
    /// Only on these days of a month; from its end when negative.
    pub month_days: Vec<i8>,
    /// Only on these days of the week.
    pub week_days: Vec<NthWeekday>,
    /// Of the days of a period only those in these places; from the end when negative.
    pub positions: Vec<i16>,
    /// The first day of a week.
    pub week_start: Weekday,
}

sql::text_enum! {
    /// The period that is counted.
    pub enum Frequency {
        /// Days.
        Daily = "DAILY",
        /// Weeks.
        Weekly = "WEEKLY",
        /// Months.
        Monthly = "MONTHLY",
        /// Years.
        Yearly = "YEARLY",
    }
}

/// When a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Not at all.
    Never,
    /// After so many occurrences, the first one included.
    After(u16),
    /// With this day.
    Day(NaiveDate),
    /// At this instant, which may still be that of an occurrence.
    At(DateTime<Utc>),
}

/// A day of the week; the first, second, last, … of its month or year where that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NthWeekday {
    /// Which one; from the end when negative.
    pub nth: Option<i8>,
    /// The day of the week.
    pub day: Weekday,
}

impl Recurrence {
    /// The text in its one form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// What is left of the rule when its first occurrence is over; none when it was the last one.
    pub fn continued(&self) -> Option<Self> {
        let end = match self.rule.end {
            End::After(1) => return None,
            End::After(count) => End::After(count - 1),
            end => end,
        };
        Some(
            Rule {
                end,
                ..self.rule.clone()
            }
            .into(),
        )
    }
}

impl From<Rule> for Recurrence {
    fn from(rule: Rule) -> Self {
        Self {
            text: rule.to_string(),
            rule,
        }
    }
}

impl FromStr for Recurrence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("must have at most {LONGEST} characters"));
        }
        let text = text.trim().to_ascii_uppercase();
        let text = text.strip_prefix("RRULE:").unwrap_or(&text);
        let mut parts = BTreeMap::new();
        for part in text.split(';') {
            let (name, value) = part
                .split_once('=')
                .ok_or("must be made of parts such as FREQ=WEEKLY")?;
            if parts.insert(name, value).is_some() {
                return Err("must have each part once".to_owned());
            }
        }
        let rule = read(&mut parts)?;
        if !parts.is_empty() {
            let known = "FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS and WKST";
            return Err(format!("must have no other parts than {known}"));
        }
        check(&rule)?;
        Ok(rule.into())
    }
}

fn read(parts: &mut BTreeMap<&str, &str>) -> Result<Rule, String> {
    let frequency = parts.remove("FREQ").ok_or("must have a part FREQ")?;
    let frequency = frequency.parse().map_err(|choices| format!("FREQ {choices}"))?;
    let interval = parts
        .remove("INTERVAL")
        .map(|text| number("INTERVAL", text, 1..=LONGEST_INTERVAL));
    let count = parts
        .remove("COUNT")
        .map(|text| number("COUNT", text, 1..=MOST_OCCURRENCES));
    let end = match (count.transpose()?, parts.remove("UNTIL")) {
        (Some(_), Some(_)) => return Err("must have COUNT or UNTIL, not both".to_owned()),
        (Some(count), None) => End::After(count),
        (None, Some(until)) => {
            read_until(until).ok_or("UNTIL must be a day such as 20261231 or an instant such as 20261231T220000Z")?
        }
        (None, None) => End::Never,
    };
    let mut list = |name: &'static str| {
        parts
            .remove(name)
            .map(|text| text.split(',').map(str::to_owned).collect::<BTreeSet<_>>())
    };
    let (months, month_days) = (list("BYMONTH"), list("BYMONTHDAY"));
    let (week_days, positions) = (list("BYDAY"), list("BYSETPOS"));
    let week_start = parts
        .remove("WKST")
        .map(|text| weekday(text).ok_or("WKST must be one of MO, TU, WE, TH, FR, SA, SU"));
    Ok(Rule {
        frequency,
        interval: interval.transpose()?.unwrap_or(1),
        end,
        months: numbers("BYMONTH", months, 1..=12)?,
        month_days: signed("BYMONTHDAY", month_days, 31)?,
        week_days: read_week_days(week_days)?,
        positions: signed("BYSETPOS", positions, 366)?,
        week_start: week_start.transpose()?.unwrap_or(Weekday::Mon),
    })
}

/// What the parts must be to each other.
fn check(rule: &Rule) -> Result<(), String> {
    let by_month_or_year = matches!(rule.frequency, Frequency::Monthly | Frequency::Yearly);
    let limits = [&rule.months.len(), &rule.month_days.len(), &rule.week_days.len()];
    if rule.week_days.iter().any(|day| day.nth.is_some()) && !by_month_or_year {
        Err("BYDAY may count days with FREQ=MONTHLY and FREQ=YEARLY only".to_owned())
    } else if !rule.month_days.is_empty() && rule.frequency == Frequency::Weekly {
        Err("BYMONTHDAY must not stand with FREQ=WEEKLY".to_owned())
    } else if !rule.positions.is_empty() && limits.iter().all(|length| **length == 0) {
        Err("BYSETPOS must stand with BYMONTH, BYMONTHDAY or BYDAY".to_owned())
    } else {
        Ok(())
    }
}

fn number<T>(name: &str, text: &str, bounds: std::ops::RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| format!("{name} must be from {} to {}", bounds.start(), bounds.end()))
}

fn numbers<T>(
    name: &str,
    texts: Option<BTreeSet<String>>,
    bounds: std::ops::RangeInclusive<T>,
) -> Result<Vec<T>, String>
where
    T: FromStr + Ord + Display + Clone,
{
    let texts = texts.into_iter().flatten();
    let numbers: BTreeSet<T> = texts
        .map(|text| number(name, &text, bounds.clone()))
        .collect::<Result<_, _>>()?;
    Ok(numbers.into_iter().collect())
}

/// Whole numbers but zero, up to a bound on either side.
fn signed<T>(name: &str, texts: Option<BTreeSet<String>>, most: T) -> Result<Vec<T>, String>
where
    T: FromStr + Ord + Display + Copy + std::ops::Neg<Output = T> + From<i8>,
{
    let numbers = numbers(name, texts, -most..=most)?;
    if numbers.contains(&T::from(0)) {
        return Err(format!("{name} must not have 0"));
    }
    Ok(numbers)
}

fn read_week_days(texts: Option<BTreeSet<String>>) -> Result<Vec<NthWeekday>, String> {
    let mut days = texts
        .into_iter()
        .flatten()
        .map(|text| nth_weekday(&text).ok_or("BYDAY must be made of days such as MO, 1MO or -1FR".to_owned()))
        .collect::<Result<Vec<_>, _>>()?;
    days.sort_by_key(|day| (day.nth, day.day.num_days_from_monday()));
    days.dedup();
    Ok(days)
}

fn nth_weekday(text: &str) -> Option<NthWeekday> {
    let (nth, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let nth = match nth {
        "" => None,
        nth => Some(nth.parse().ok().filter(|nth: &i8| (1..=53).contains(&nth.abs()))?),
    };
    Some(NthWeekday {
        nth,
        day: weekday(day)?,
    })
}

fn read_until(text: &str) -> Option<End> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y%m%d") {
        return Some(End::Day(day)).filter(|_| text.len() == 8);
    }
    let instant = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok()?;
    Some(End::At(instant.and_utc())).filter(|_| text.len() == 16)
}

const WEEK_DAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

fn weekday(text: &str) -> Option<Weekday> {
    let found = WEEK_DAYS.iter().find(|(name, _)| *name == text);
    found.map(|(_, day)| *day)
}

fn weekday_name(day: Weekday) -> &'static str {
    let found = WEEK_DAYS.iter().find(|(_, other)| *other == day);
    found.map_or("MO", |(name, _)| name)
}

impl Display for NthWeekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nth) = self.nth {
            write!(f, "{nth}")?;
        }
        f.write_str(weekday_name(self.day))
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", self.frequency)?;
        if self.interval > 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        match self.end {
            End::Never => {}
            End::After(count) => write!(f, ";COUNT={count}")?,
            End::Day(day) => write!(f, ";UNTIL={}", day.format("%Y%m%d"))?,
            End::At(instant) => write!(f, ";UNTIL={}", instant.format("%Y%m%dT%H%M%SZ"))?,
        }
        write_list(f, "BYMONTH", &self.months)?;
        write_list(f, "BYMONTHDAY", &self.month_days)?;
        write_list(f, "BYDAY", &self.week_days)?;
        write_list(f, "BYSETPOS", &self.positions)?;
        if self.week_start != Weekday::Mon {
            write!(f, ";WKST={}", weekday_name(self.week_start))?;
        }
        Ok(())
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, name: &str, values: &[impl Display]) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        if index == 0 {
            write!(f, ";{name}={value}")?;
        } else {
            write!(f, ",{value}")?;
        }
    }
    f.write_str("")
}

impl Serialize for Recurrence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Recurrence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl ToSchema for Recurrence {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Recurrence")
    }
}

impl PartialSchema for Recurrence {
    fn schema() -> RefOr<Schema> {
        let about = "A recurrence rule (RFC 5545 section 3.3.10) of days, weeks, months or years, made of FREQ and, \
            where needed, INTERVAL, COUNT or UNTIL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS and WKST.";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(about))
            .pattern(Some("^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9,+-]+)*$"))
            .max_length(Some(LONGEST))
            .examples(["FREQ=WEEKLY;BYDAY=MO,WE"])
            .into()
    }
}

sql::text_column!(Recurrence);

#[cfg(test)]
mod tests;
