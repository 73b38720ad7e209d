//! Exact decimals that are no money: quantities and percentages. Decimal strings in JSON, never floats.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;
use utoipa::ToSchema;

/// Declares a decimal from 0 to a bound, with at most four places, that is a string in JSON.
macro_rules! decimal_text {
    ($(#[$meta:meta])* $name:ident up to $most:literal, $hint:literal) => {
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
        $(#[$meta])*
        pub struct $name(Decimal);

        impl $name {
            /// The number.
            pub const fn decimal(self) -> Decimal {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = &'static str;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let number = plain_decimal(text).filter(|number| *number <= Decimal::from($most));
                number.map(Self).ok_or($hint)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

decimal_text! {
    /// How many, exact: a decimal with at most four places.
    #[schema(value_type = String, pattern = r"^[0-9]{1,9}(\.[0-9]{1,4})?$", examples("2.5"))]
    Quantity up to 1_000_000_000, "must be a decimal string such as 2.5, with at most 9 digits and 4 decimals"
}

decimal_text! {
    /// A part of a hundred, exact: a decimal from 0 to 100 with at most four places.
    #[schema(value_type = String, pattern = r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)$", examples("12.5"))]
    Percent up to 100, "must be a decimal string from 0 to 100, with at most 4 decimals"
}

/// Reads digits with an optional point and places, and brings `2.50` to its one form `2.5`.
fn plain_decimal(text: &str) -> Option<Decimal> {
    let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let plain = digits(whole, 9) && digits(places, 4);
    plain
        .then(|| Decimal::from_str(text).ok())
        .flatten()
        .map(|number| number.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_plain_decimals_within_bounds() {
        for text in ["0", "1", "2.5", "999999999.9999"] {
            assert_eq!(text.parse::<Quantity>().unwrap().decimal().to_string(), text);
        }
        for text in [
            "",
            ".",
            ".5",
            "5.",
            "-1",
            "+1",
            "1e3",
            " 1",
            "1.23456",
            "1000000000",
            "٣",
        ] {
            assert!(text.parse::<Quantity>().is_err(), "{text:?}");
        }
        assert!("100.0000".parse::<Percent>().is_ok());
        assert!("100.0001".parse::<Percent>().is_err());
    }

    #[test]
    fn has_one_form_in_json() {
        let quantity: Quantity = serde_json::from_str("\"002.50\"").unwrap();
        assert_eq!(serde_json::to_string(&quantity).unwrap(), "\"2.5\"");
        assert!(
            serde_json::from_str::<Quantity>("2.5").is_err(),
            "a JSON number may have lost digits already"
        );
    }
}
