//! Synthetic customers: seven persons to three organisations.

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};

use super::draw::{Draw, Kind};
use super::words::{
    DOMAINS, FAMILY_TAILS, GIVEN_TAILS, HEADS, INDUSTRIES, INTERESTS, MIDDLES, OCCUPATIONS, PLACES, Place, TAGS,
};

/// The customer with a number.
pub(super) fn customer(seed: u64, index: u64) -> Value {
    let mut draw = Draw::new(seed, Kind::Customer, index);
    let place = draw.pick(PLACES);
    if draw.percent(70) {
        person(&mut draw, place, index)
    } else {
        organisation(&mut draw, place, index)
    }
}

fn person(draw: &mut Draw, place: &Place, index: u64) -> Value {
    let given = name(draw, GIVEN_TAILS);
    let family = name(draw, FAMILY_TAILS);
    let mailbox = format!("{}.{}.{index}", given.to_lowercase(), family.to_lowercase());
    let mut record = common(draw, place, &mailbox, "home");
    record.insert("kind".into(), json!("person"));
    record.insert("name".into(), json!(format!("{given} {family}")));
    record.insert("given_name".into(), json!(given));
    record.insert("family_name".into(), json!(family));
    record.insert("birth_date".into(), json!(birth_date(draw)));
    record.insert(
        "demographics".into(),
        json!({
            "gender": draw.pick(&["female", "male", "other"]),
            "education": draw.pick(&["primary", "secondary", "vocational", "bachelor", "master", "doctorate"]),
            "occupation": draw.pick(OCCUPATIONS),
            "household_size": draw.between(1, 6),
            "income_band": draw.pick(&["low", "middle", "high"]),
        }),
    );
    record.insert("interests".into(), json!(draw.some(INTERESTS, 4)));
    record.insert(
        "preferences".into(),
        json!({
            "channel": draw.pick(&["email", "phone", "sms"]),
            "frequency": draw.pick(&["weekly", "monthly", "quarterly"]),
            "product_likes": draw.some(&["devices", "furniture", "lighting", "network", "services"], 2),
        }),
    );
    Value::Object(record)
}

fn organisation(draw: &mut Draw, place: &Place, index: u64) -> Value {
    let (industry, suffix) = *draw.pick(INDUSTRIES);
    let word = name(draw, FAMILY_TAILS);
    let label = format!("{word} {suffix}");
    let mailbox = format!("office.{}.{index}", word.to_lowercase());
    let mut record = common(draw, place, &mailbox, "work");
    let employees = draw.between(1, 40) * draw.between(1, 100);
    let domain = draw.pick(DOMAINS);
    record.insert("kind".into(), json!("organisation"));
    record.insert("name".into(), json!(label));
    record.insert(
        "organisation".into(),
        json!({
            "legal_name": format!("{label} {}", draw.pick(&["Ltd", "Inc", "GmbH", "SA", "AB"])),
            "industry": industry,
            "employees": employees,
            "founded_year": draw.between(1950, 2024),
            "annual_revenue": {"amount": format!("{}.00", u64::from(employees) * u64::from(draw.between(40_000, 240_000))), "currency": "EUR"},
            "website": format!("https://{}.{domain}/", word.to_lowercase()),
        }),
    );
    Value::Object(record)
}

/// What persons and organisations share.
fn common(draw: &mut Draw, place: &Place, mailbox: &str, label: &str) -> Map<String, Value> {
    let street = place
        .street
        .replace('*', &name(draw, FAMILY_TAILS))
        .replace("{}", &draw.between(1, 240).to_string());
    let mut tags = vec!["synthetic"];
    tags.extend(draw.some(TAGS, 2));
    let record = json!({
        "lifecycle": lifecycle(draw),
        "emails": [{"address": format!("{mailbox}@{}", draw.pick(DOMAINS)), "label": label, "primary": true}],
        "phones": [{"number": draw.digits(place.phone), "label": label, "primary": true}],
        "addresses": [{
            "label": label, "primary": true, "street": street, "city": place.city, "region": place.region,
            "postal_code": draw.digits(place.postal_code), "country": place.country,
        }],
        "language": place.language,
        "time_zone": place.time_zone,
        "tags": tags,
    });
    if let Value::Object(map) = record {
        map
    } else {
        Map::new()
    }
}

fn name(draw: &mut Draw, tails: &[&str]) -> String {
    format!("{}{}{}", draw.pick(HEADS), draw.pick(MIDDLES), draw.pick(tails))
}

fn lifecycle(draw: &mut Draw) -> &'static str {
    match draw.below(100) {
        0..25 => "lead",
        25..45 => "prospect",
        45..75 => "customer",
        75..88 => "loyal",
        88..95 => "dormant",
        _ => "lost",
    }
}

fn birth_date(draw: &mut Draw) -> String {
    let first = NaiveDate::from_ymd_opt(1940, 1, 1).unwrap_or_default();
    (first + Days::new(u64::from(draw.below(68 * 365)))).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_are_valid_and_from_ranges_for_fiction() {
        for index in 0..2000 {
            let record = customer(1, index);
            let number = record["phones"][0]["number"].as_str().unwrap();
            let parsed = phonenumber::parse(None, number).unwrap();
            assert!(phonenumber::is_valid(&parsed), "{number}");
            let e164 = parsed.format().mode(phonenumber::Mode::E164).to_string();
            assert_eq!(e164, number);
        }
    }

    #[test]
    fn addresses_lead_nowhere() {
        for index in 0..500 {
            let record = customer(9, index);
            let address = record["emails"][0]["address"].as_str().unwrap();
            assert!(DOMAINS.iter().any(|domain| address.ends_with(domain)), "{address}");
            assert!(address.is_ascii(), "{address}");
            assert!(
                !record["addresses"][0]["street"]
                    .as_str()
                    .unwrap()
                    .contains(['*', '{', '#'])
            );
        }
    }

    #[test]
    fn both_kinds_occur() {
        let persons = (0..1000)
            .filter(|index| customer(3, *index)["kind"] == "person")
            .count();
        assert!((600..800).contains(&persons), "{persons}");
    }
}
