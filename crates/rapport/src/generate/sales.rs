//! Synthetic products, one pipeline with its stages, and opportunities on them.

use chrono::Days;
use serde_json::{Value, json};

use super::draw::{Draw, Kind};
use super::words::{HEADS, MIDDLES, PRODUCT_KINDS};
use super::{Size, money, reference};

/// Name, kind and probability of the stages, in their order.
pub(super) const STAGES: [(&str, &str, u8); 6] = [
    ("Qualified", "open", 10),
    ("Discovery", "open", 25),
    ("Proposal", "open", 50),
    ("Negotiation", "open", 75),
    ("Won", "won", 100),
    ("Lost", "lost", 0),
];

/// The one pipeline.
pub(super) fn pipeline() -> Value {
    json!({"name": "Synthetic sales", "description": "Generated data", "tags": ["synthetic"]})
}

/// A stage by its position.
pub(super) fn stage(size: &Size, index: u64) -> Value {
    let (name, kind, probability) = STAGES[usize::try_from(index).unwrap_or(0) % STAGES.len()];
    json!({
        "pipeline_id": reference(size.seed, "pipeline", 0), "name": name, "position": index + 1, "kind": kind,
        "probability": probability,
    })
}

/// A product.
pub(super) fn product(seed: u64, index: u64) -> Value {
    let (name, category, cents) = product_facts(seed, index);
    json!({
        "name": name, "sku": format!("SYN-{seed}-{index:04}"), "category": category, "unit_price": money(cents),
        "active": true, "tags": ["synthetic"],
    })
}

fn product_facts(seed: u64, index: u64) -> (String, &'static str, u64) {
    let mut draw = Draw::new(seed, Kind::Product, index);
    let (kind, category) = *draw.pick(PRODUCT_KINDS);
    let name = format!(
        "{}{} {kind} {}",
        draw.pick(HEADS),
        draw.pick(MIDDLES),
        draw.between(1, 99) * 10
    );
    let cents = u64::from(draw.between(5, 400)) * u64::from(draw.between(1, 50)) * 100 - 1;
    (name, category, cents)
}

/// Whose an opportunity is: what is drawn for it first.
pub(super) fn customer_of(size: &Size, index: u64) -> u64 {
    Draw::new(size.seed, Kind::Opportunity, index).index(size.customers)
}

/// An opportunity of some customer: one in four is open, of the others three in five are won.
pub(super) fn opportunity(size: &Size, index: u64) -> Value {
    let mut draw = Draw::new(size.seed, Kind::Opportunity, index);
    let customer = draw.index(size.customers);
    let (lines, total) = lines(&mut draw, size);
    let stage = match draw.below(100) {
        0..10 => 0,
        10..17 => 1,
        17..22 => 2,
        22..25 => 3,
        25..70 => 4,
        _ => 5,
    };
    let mut record = json!({
        "name": format!("Deal {}", index + 1),
        "customer_id": reference(size.seed, "customer", customer),
        "pipeline_id": reference(size.seed, "pipeline", 0),
        "stage_id": reference(size.seed, "stage", stage),
        "amount": money(total),
        "lines": lines,
        "tags": ["synthetic"],
    });
    let age = u64::from(draw.below(if stage < 4 { 200 } else { 900 }));
    let opened = size.until - Days::new(age);
    record["opened_on"] = json!(opened.to_string());
    if stage < 4 {
        let expected = size.until + Days::new(u64::from(draw.between(1, 180)));
        record["expected_close_on"] = json!(expected.to_string());
    } else {
        let closed = (opened + Days::new(u64::from(draw.between(5, 150)))).min(size.until);
        record["closed_on"] = json!(closed.to_string());
        let reasons: &[&str] = if stage == 4 {
            &["price", "quality", "relationship"]
        } else {
            &["budget", "competitor", "price", "timing"]
        };
        record["close_reason"] = json!(draw.pick(reasons));
    }
    record
}

/// One to three lines and their sum in cents.
fn lines(draw: &mut Draw, size: &Size) -> (Vec<Value>, u64) {
    let mut total = 0;
    let lines = (0..draw.between(1, 3)).map(|_| {
        let index = draw.index(size.products);
        let cents = product_facts(size.seed, index).2;
        let quantity = draw.between(1, 12);
        total += cents * u64::from(quantity);
        json!({
            "product_id": reference(size.seed, "product", index), "quantity": quantity.to_string(),
            "unit_price": money(cents),
        })
    });
    (lines.collect(), total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::SIZE;

    #[test]
    fn an_amount_is_the_sum_of_its_lines() {
        let cents = |money: &Value| {
            money["amount"]
                .as_str()
                .unwrap()
                .replace('.', "")
                .parse::<u64>()
                .unwrap()
        };
        for index in 0..200 {
            let record = opportunity(&SIZE, index);
            let sum: u64 = record["lines"]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| cents(&line["unit_price"]) * line["quantity"].as_str().unwrap().parse::<u64>().unwrap())
                .sum();
            assert_eq!(cents(&record["amount"]), sum);
        }
    }

    #[test]
    fn closed_ones_close_after_they_open_and_open_ones_have_a_date_to_expect() {
        for index in 0..500 {
            let record = opportunity(&SIZE, index);
            let date = |name: &str| record[name].as_str().map(str::to_owned);
            match date("closed_on") {
                Some(closed) => assert!(closed >= date("opened_on").unwrap() && date("close_reason").is_some()),
                None => assert!(date("expected_close_on").is_some()),
            }
        }
    }
}
