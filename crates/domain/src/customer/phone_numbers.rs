//! Phone numbers: from any human spelling to E.164.
//!
//! A number is checked against the numbering plan of its country by length and general form only. Stricter checks
//! would refuse ranges that were opened after the plan was compiled in, and with them every later change of a record.
//!
//! The first number of a process waits a tenth of a second for the library to read the numbering plans of the world, and
//! what waits for its transaction, too. They take nine megabytes, so a service that has no number to read does without them.

use phonenumber::{Mode, PhoneNumber, country, metadata};

/// What may stand between the digits.
const fn is_filler(c: char) -> bool {
    matches!(
        c,
        ' ' | '(' | ')' | '.' | '/' | '-' | '\u{a0}' | '\u{2010}'..='\u{2015}'
    )
}

/// The number as E.164, read as dialled in a country (ISO 3166-1 alpha-2) when it does not start with `+`.
/// The error says what is wrong with it.
pub fn to_e164(text: &str, country: Option<&str>) -> Result<String, &'static str> {
    let trimmed = text.trim();
    if text.chars().count() > 40 {
        return Err("must have at most 40 characters");
    }
    let digits = trimmed.strip_prefix('+').unwrap_or(trimmed);
    if !digits.chars().all(|c| c.is_ascii_digit() || is_filler(c)) {
        return Err("must be a phone number of digits, spaces and ( ) . / -, with + before the country code");
    }
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let number = if trimmed.starts_with('+') {
        parse(None, &format!("+{digits}"))
    } else {
        let country = country.and_then(|code| code.parse::<country::Id>().ok());
        let dialled_in =
            country.ok_or("must start with + and the country code, as the customer's country is not known")?;
        parse(Some(dialled_in), &digits)
    };
    number.ok_or("is not a number of the country's numbering plan")
}

fn parse(country: Option<country::Id>, digits: &str) -> Option<String> {
    // Shorter ones are emergency and service numbers, which E.164 does not name.
    if digits.len() < 5 {
        return None;
    }
    let number = phonenumber::parse(country, digits).ok().filter(is_possible)?;
    let e164 = number.format().mode(Mode::E164).to_string();
    (8..=16).contains(&e164.len()).then_some(e164)
}

/// Whether some country with this calling code has numbers of this form.
fn is_possible(number: &PhoneNumber) -> bool {
    let national = number.national().to_string();
    let plans = metadata::DATABASE.by_code(&number.code().value()).unwrap_or_default();
    plans
        .iter()
        .any(|plan| plan.descriptors().general().is_match(&national))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_human_spelling_becomes_e164() {
        for (text, e164) in [
            ("+49 30 12345678", "+493012345678"),
            ("+49 (0)30 / 1234-5678", "+493012345678"),
            ("+44 (0)20 7946 0018", "+442079460018"),
            ("+1 (202) 555-0143", "+12025550143"),
            ("+1.202.555.0143", "+12025550143"),
            ("+39 06 1234 5678", "+390612345678"),
            (" +62\u{a0}812\u{2013}3456\u{2013}7890 ", "+6281234567890"),
        ] {
            assert_eq!(to_e164(text, None).as_deref(), Ok(e164), "{text}");
        }
    }

    #[test]
    fn numbers_without_plus_are_dialled_in_the_customers_country() {
        assert_eq!(to_e164("030 12345678", Some("DE")).as_deref(), Ok("+493012345678"));
        assert_eq!(to_e164("0049 30 12345678", Some("CH")).as_deref(), Ok("+493012345678"));
        assert_eq!(to_e164("(202) 555-0143", Some("US")).as_deref(), Ok("+12025550143"));
        assert!(to_e164("030 12345678", None).is_err());
        assert!(to_e164("030 12345678", Some("AQ")).is_err(), "no numbering plan");
    }

    #[test]
    fn what_is_no_phone_number_is_refused() {
        for text in [
            "",
            "+",
            "110",
            "+49",
            "+49 30 1234 ext 5",
            "+1 800 FLOWERS",
            "+999 123456",
            "12+34567",
            "+12345",
        ] {
            assert!(to_e164(text, Some("DE")).is_err(), "{text}");
        }
        assert!(to_e164(&"+49 ".repeat(20), None).is_err());
    }

    proptest! {
        #[test]
        fn reading_is_total_and_settles_at_once(text in "\\+?[0-9 ()./-]{0,20}", country in prop::sample::select(&crate::locale::COUNTRIES[..])) {
            if let Ok(number) = to_e164(&text, Some(country)) {
                prop_assert_eq!(to_e164(&number, None), Ok(number.clone()));
                prop_assert!(number.starts_with('+') && number[1..].bytes().all(|byte| byte.is_ascii_digit()));
            }
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,45}") {
            let _ = to_e164(&text, Some("US"));
        }
    }
}
