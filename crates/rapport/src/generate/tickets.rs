//! Synthetic tickets: most of them closed, one in twelve a complaint.

use serde_json::{Map, Value, json};

use super::draw::{Draw, Kind};
use super::words::{COMPLAINTS, MATTERS};
use super::{Size, money, reference};

/// The ticket with a number.
pub(super) fn ticket(size: &Size, index: u64) -> Value {
    let mut draw = Draw::new(size.seed, Kind::Ticket, index);
    let customer = draw.customer(size.customers);
    let kind = match draw.below(100) {
        0..45 => "question",
        45..78 => "incident",
        78..80 => "problem",
        80..92 => "task",
        _ => "complaint",
    };
    let (subject, queue, description) = *draw.pick(MATTERS);
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| drop(record.insert(name.to_owned(), value));
    put("subject", json!(format!("{subject} ({})", index + 1)));
    put("description", json!(description));
    put("type", json!(kind));
    put("status", json!(status(&mut draw)));
    put("priority", json!(priority(&mut draw)));
    put("queue", json!(queue));
    put("channel", json!(channel(&mut draw)));
    put("customer_id", reference(size.seed, "customer", customer));
    put("tags", json!(["synthetic"]));
    if kind == "complaint" {
        put("complaint", complaint(&mut draw));
    }
    Value::Object(record)
}

fn status(draw: &mut Draw) -> &'static str {
    match draw.below(100) {
        0..62 => "closed",
        62..76 => "solved",
        76..87 => "open",
        87..93 => "pending",
        93..95 => "on_hold",
        _ => "new",
    }
}

fn priority(draw: &mut Draw) -> &'static str {
    match draw.below(100) {
        0..20 => "low",
        20..76 => "normal",
        76..94 => "high",
        _ => "urgent",
    }
}

fn channel(draw: &mut Draw) -> &'static str {
    match draw.below(100) {
        0..40 => "email",
        40..65 => "phone",
        65..80 => "web",
        80..92 => "chat",
        92..95 => "social",
        95..97 => "sms",
        97..99 => "post",
        _ => "visit",
    }
}

/// What it is about; three in five have a known cause, and two in five are made up for.
fn complaint(draw: &mut Draw) -> Value {
    let (category, causes) = *draw.pick(COMPLAINTS);
    let mut complaint = json!({"category": category});
    if draw.percent(60) {
        complaint["root_cause"] = json!(draw.pick(causes));
    }
    if draw.percent(40) {
        let kind = *draw.pick(&["apology", "refund", "credit", "discount", "replacement"]);
        complaint["redress"] = json!({"kind": kind});
        if matches!(kind, "refund" | "credit" | "discount") {
            complaint["redress"]["amount"] = money(u64::from(draw.between(5, 400)) * 100);
        }
    }
    complaint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::SIZE;

    #[test]
    fn only_complaints_tell_what_they_complain_about() {
        let mut complaints = 0;
        for index in 0..1_000 {
            let record = ticket(&SIZE, index);
            let of_its_type = record["type"] == "complaint";
            assert_eq!(record.get("complaint").is_some(), of_its_type, "{record}");
            complaints += u32::from(of_its_type);
        }
        assert!((50..120).contains(&complaints), "{complaints}");
    }

    #[test]
    fn most_are_done_with() {
        let done = (0..1_000).filter(|index| {
            let record = ticket(&SIZE, *index);
            record["status"] == "closed" || record["status"] == "solved"
        });
        assert!((700..820).contains(&done.count()));
    }
}
