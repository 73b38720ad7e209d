//! Synthetic interactions: two years of calls, e-mails, meetings and the rest, in the order of their time. One in
//! twelve belongs to an opportunity; the others spread over the customers as `Draw::customer` says.

use chrono::{DateTime, Datelike, Days, NaiveTime, TimeDelta, Utc, Weekday};
use serde_json::{Map, Value, json};

use super::draw::{Draw, Kind};
use super::words::{GIVEN_TAILS, HEADS, MIDDLES, NETWORKS, TOPICS};
use super::{Size, reference, sales};

/// How many days before the end of the data the first one takes place.
const DAYS: u64 = 730;
const OFFICE_OPENS: u32 = 8 * 3600;
const OFFICE_CLOSES: u32 = 18 * 3600;
const DAY: u32 = 24 * 3600;

/// The interaction with a number.
pub(super) fn interaction(size: &Size, index: u64) -> Value {
    let mut draw = Draw::new(size.seed, Kind::Interaction, index);
    let opportunity = (size.opportunities > 0 && draw.percent(8)).then(|| draw.index(size.opportunities));
    let customer = match opportunity {
        Some(opportunity) => sales::customer_of(size, opportunity),
        None => draw.customer(size.customers),
    };
    let channel = channel(&mut draw);
    let direction = direction(&mut draw, channel);
    let started = started_at(&mut draw, size, index, channel);
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| drop(record.insert(name.to_owned(), value));
    put("channel", json!(channel));
    put("direction", json!(direction));
    put("customer_id", reference(size.seed, "customer", customer));
    put("started_at", instant(started));
    put("tags", json!(["synthetic"]));
    let (outcome, seconds) = outcome(&mut draw, channel, direction);
    put("ended_at", instant(started + TimeDelta::seconds(seconds.into())));
    put("outcome", json!(outcome));
    if outcome == "productive" || outcome == "unproductive" {
        put("sentiment", sentiment(&mut draw, outcome));
    }
    let (topic, sentence) = *draw.pick(TOPICS);
    put("subject", json!(topic));
    if is_written(channel) || draw.percent(30) {
        put("body", json!(sentence));
    }
    match channel {
        // The e-mails of a quarter to one customer are one conversation.
        "email" => {
            let quarter = started.year() * 4 + i32::try_from(started.month0() / 3).unwrap_or(0);
            put(
                "thread",
                json!(format!("<{}.{customer}.{quarter}@example.com>", size.seed)),
            );
        }
        "social" => {
            put("network", json!(draw.pick(NETWORKS)));
            put("handle", json!(format!("{}{customer}", handle(&mut draw))));
        }
        "meeting" | "visit" => put("participants", attendees(&mut draw, size, customer)),
        _ => {}
    }
    if let Some(opportunity) = opportunity {
        let id = reference(size.seed, "opportunity", opportunity);
        record.insert("links".into(), json!([{"type": "opportunity", "id": id}]));
    }
    Value::Object(record)
}

fn channel(draw: &mut Draw) -> &'static str {
    match draw.below(100) {
        0..34 => "call",
        34..62 => "email",
        62..72 => "chat",
        72..79 => "meeting",
        79..86 => "web",
        86..90 => "sms",
        90..94 => "social",
        94..97 => "visit",
        97..99 => "note",
        _ => "fax",
    }
}

fn direction(draw: &mut Draw, channel: &str) -> &'static str {
    let inbound = match channel {
        "note" => return "internal",
        "web" | "social" | "chat" => 85,
        "meeting" | "visit" => 20,
        _ => 45,
    };
    if draw.percent(inbound) { "inbound" } else { "outbound" }
}

/// Whether it happens by writing, at any hour.
fn is_written(channel: &str) -> bool {
    matches!(channel, "email" | "chat" | "sms" | "fax" | "social" | "note")
}

/// Interactions follow each other in time; those between people take place on working days.
fn started_at(draw: &mut Draw, size: &Size, index: u64, channel: &str) -> DateTime<Utc> {
    let passed = u128::from(index) * u128::from(DAYS) / u128::from(size.interactions.max(1));
    let mut day = size.until - Days::new(DAYS - u64::try_from(passed).unwrap_or(0));
    let in_office = !is_written(channel) && channel != "web";
    if in_office {
        day = match day.weekday() {
            Weekday::Sat => day - Days::new(1),
            Weekday::Sun => day - Days::new(2),
            _ => day,
        };
    }
    let (first, last) = if in_office {
        (OFFICE_OPENS, OFFICE_CLOSES)
    } else {
        (0, DAY)
    };
    let time = NaiveTime::from_num_seconds_from_midnight_opt(draw.between(first, last - 1), 0).unwrap_or_default();
    day.and_time(time).and_utc()
}

/// What came of it, and how many seconds it lasted.
fn outcome(draw: &mut Draw, channel: &str, direction: &str) -> (&'static str, u32) {
    let reached = if draw.percent(72) { "productive" } else { "unproductive" };
    match channel {
        "call" if direction == "outbound" => match draw.below(100) {
            0..22 => ("no_answer", draw.between(15, 45)),
            22..27 => ("busy", draw.between(2, 6)),
            27..37 => ("voicemail", draw.between(20, 90)),
            _ => (reached, draw.between(40, 1_500)),
        },
        "call" => (reached, draw.between(40, 1_500)),
        "email" if direction == "outbound" && draw.percent(3) => ("bounced", 0),
        "meeting" | "visit" if draw.percent(6) => ("cancelled", 0),
        "meeting" => (reached, draw.between(1, 8) * 900),
        "visit" => (reached, draw.between(2, 12) * 900),
        "chat" => (reached, draw.between(90, 2_400)),
        "web" => (reached, draw.between(20, 1_200)),
        _ => (reached, 0),
    }
}

/// Half of them tell how the customer felt.
fn sentiment(draw: &mut Draw, outcome: &str) -> Value {
    let told = draw.below(200);
    let (worst, bad, plain, good) = if outcome == "productive" {
        (2, 9, 40, 82)
    } else {
        (12, 42, 80, 96)
    };
    json!(match told {
        told if told < worst => Some("very_negative"),
        told if told < bad => Some("negative"),
        told if told < plain => Some("neutral"),
        told if told < good => Some("positive"),
        told if told < 100 => Some("very_positive"),
        _ => None,
    })
}

/// The customer, and now and then another one.
fn attendees(draw: &mut Draw, size: &Size, customer: u64) -> Value {
    let attendee = |index| json!({"customer_id": reference(size.seed, "customer", index), "role": "attendee"});
    let other = draw.customer(size.customers);
    if other != customer && draw.percent(30) {
        json!([attendee(customer), attendee(other)])
    } else {
        json!([attendee(customer)])
    }
}

fn handle(draw: &mut Draw) -> String {
    let name = format!("{}{}{}", draw.pick(HEADS), draw.pick(MIDDLES), draw.pick(GIVEN_TAILS));
    name.to_lowercase()
}

fn instant(at: DateTime<Utc>) -> Value {
    json!(at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::SIZE;
    use std::collections::BTreeMap;

    fn all() -> Vec<Value> {
        (0..SIZE.interactions).map(|index| interaction(&SIZE, index)).collect()
    }

    #[test]
    fn they_take_place_within_two_years_one_day_after_the_other() {
        let days: Vec<_> = all()
            .iter()
            .map(|record| record["started_at"].as_str().unwrap()[..10].to_owned())
            .collect();
        let (first, end) = ((SIZE.until - Days::new(DAYS + 2)).to_string(), SIZE.until.to_string());
        assert!(days.iter().all(|day| *day >= first && *day < end));
        // A day in the office that falls on a Sunday is brought forward by two.
        let thinned: Vec<_> = days.iter().step_by(100).collect();
        assert!(thinned.is_sorted(), "{thinned:?}");
    }

    #[test]
    fn none_ends_before_it_begins() {
        for record in all() {
            let at = |name: &str| record[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
            assert!(at("started_at") <= at("ended_at"), "{record}");
        }
    }

    #[test]
    fn some_customers_have_many_and_many_have_few() {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for record in all() {
            *counts
                .entry(record["customer_id"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.sort_unstable();
        let median = counts[counts.len() / 2];
        assert!(median <= 5, "{median}");
        assert!(counts[counts.len() - 1] > 10 * median);
    }

    #[test]
    fn one_that_belongs_to_an_opportunity_is_with_its_customer() {
        let mut linked = 0;
        for index in 0..SIZE.interactions {
            let record = interaction(&SIZE, index);
            let Some(link) = record["links"][0]["id"].as_str() else {
                continue;
            };
            linked += 1;
            let opportunity: u64 = link.rsplit('-').next().unwrap().parse().unwrap();
            assert_eq!(
                record["customer_id"],
                sales::opportunity(&SIZE, opportunity)["customer_id"]
            );
        }
        assert!(linked > SIZE.interactions / 20, "{linked}");
    }
}
