//! Amounts of money, exact: a decimal with its currency outside, minor units inside.

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;
use utoipa::ToSchema;

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$", examples("EUR"))]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The three-letter code.
    pub fn as_str(&self) -> &'static str {
        self.0.code()
    }

    /// How many decimals its amounts have: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self(iso_currency::Currency::EUR)
    }
}

impl FromStr for Currency {
    type Err = String;
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let known = iso_currency::Currency::from_code(code).map(Self);
        known.ok_or_else(|| "must be an ISO 4217 currency code such as EUR".to_owned())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

sql::text_column!(Currency);

/// An amount in a currency. It fits minor units in 64 bits and has no more decimals than the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Money as JSON shows it; the type that documents [`Money`].
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money)]
pub struct MoneyText {
    /// A decimal with no more places than the currency has.
    #[schema(pattern = r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$", examples("1250.00"))]
    amount: String,
    currency: Currency,
}

/// Amounts have at most 13 digits before the point, so that the sum of thousands of them still fits.
const MOST: i64 = 10_i64.pow(13);

impl Money {
    /// From minor units: `Money::from_minor(125_000, eur)` is 1,250.00 euros.
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// From a decimal; the error says what is wrong with it.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, String> {
        let decimals = currency.decimals();
        if amount.normalize().scale() > decimals {
            return Err(format!(
                "has more than the {decimals} decimals of {}",
                currency.as_str()
            ));
        }
        let minor = Some(amount)
            .filter(|amount| amount.abs() < Decimal::from(MOST))
            .and_then(|amount| amount.checked_mul(Decimal::from(10_u64.pow(decimals))))
            .and_then(|minor| minor.to_i64());
        minor
            .map(|minor| Self { minor, currency })
            .ok_or_else(|| "is too large".to_owned())
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount as a decimal, with all decimals of the currency.
    pub fn amount(self) -> Decimal {
        Decimal::new(self.minor, self.currency.decimals())
    }

    /// The sum, when both are of one currency and it fits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_add(other.minor)?;
        (self.currency == other.currency).then_some(Self {
            minor,
            currency: self.currency,
        })
    }

    /// The product with a factor, rounded half to even to minor units; none when it does not fit.
    pub fn checked_mul(self, factor: Decimal) -> Option<Self> {
        let minor = Decimal::from(self.minor).checked_mul(factor)?.round().to_i64()?;
        Some(Self {
            minor,
            currency: self.currency,
        })
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyText {
            amount: self.amount().to_string(),
            currency: self.currency,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = MoneyText::deserialize(deserializer)?;
        let amount = parse_amount(&text.amount).map_err(serde::de::Error::custom)?;
        Self::new(amount, text.currency).map_err(|fault| serde::de::Error::custom(format!("amount {fault}")))
    }
}

/// Reads a plain decimal: digits, a point, a sign. No exponent, no spaces.
pub fn parse_amount(text: &str) -> Result<Decimal, String> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-')
        && text.len() <= 24;
    let amount = plain.then(|| Decimal::from_str(text).ok()).flatten();
    amount.ok_or_else(|| "must be a decimal such as 1250.00".to_owned())
}

/// Declares an optional amount kept in two columns of a table, to be embedded in a record's fields.
///
/// ```text
/// money_columns! {
///     /// What one unit costs.
///     pub struct UnitPrice in products (unit_price_minor, unit_price_currency)
/// }
/// ```
#[macro_export]
macro_rules! money_columns {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident in $table:ident ($minor:ident, $currency:ident)) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(transparent)]
        $visibility struct $name(pub Option<$crate::money::Money>);

        const _: () = {
            use ::diesel::prelude::*;
            use ::sql::schema::$table::{self, $currency, $minor};
            use $crate::money::{Currency, Money};

            type Columns = (Option<i64>, Option<Currency>);
            type Assignments = (::diesel::dsl::Eq<$minor, Option<i64>>, ::diesel::dsl::Eq<$currency, Option<Currency>>);

            impl $name {
                fn assignments(self) -> Assignments {
                    ($minor.eq(self.0.map(Money::minor)), $currency.eq(self.0.map(Money::currency)))
                }
            }

            impl<DB, St> Queryable<St, DB> for $name
            where
                DB: ::diesel::backend::Backend,
                Columns: ::diesel::deserialize::FromStaticSqlRow<St, DB>,
            {
                type Row = Columns;
                fn build((minor, currency): Columns) -> ::diesel::deserialize::Result<Self> {
                    Ok(Self(minor.zip(currency).map(|(minor, currency)| Money::from_minor(minor, currency))))
                }
            }

            impl<DB: ::diesel::backend::Backend> Selectable<DB> for $name {
                type SelectExpression = ($minor, $currency);
                fn construct_selection() -> Self::SelectExpression {
                    ($minor, $currency)
                }
            }

            impl Insertable<$table::table> for $name {
                type Values = <Assignments as Insertable<$table::table>>::Values;
                fn values(self) -> Self::Values {
                    self.assignments().values()
                }
            }

            impl Insertable<$table::table> for &$name {
                type Values = <Assignments as Insertable<$table::table>>::Values;
                fn values(self) -> Self::Values {
                    self.assignments().values()
                }
            }

            impl AsChangeset for $name {
                type Target = $table::table;
                type Changeset = <Assignments as AsChangeset>::Changeset;
                fn as_changeset(self) -> Self::Changeset {
                    self.assignments().as_changeset()
                }
            }

            impl AsChangeset for &$name {
                type Target = $table::table;
                type Changeset = <Assignments as AsChangeset>::Changeset;
                fn as_changeset(self) -> Self::Changeset {
                    self.assignments().as_changeset()
                }
            }
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(amount: &str, currency: &str) -> Result<i64, String> {
        let amount = parse_amount(amount)?;
        Money::new(amount, currency.parse()?).map(Money::minor)
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        assert_eq!(read("1250.5", "EUR"), Ok(125_050));
        assert_eq!(read("-0.01", "EUR"), Ok(-1));
        assert_eq!(read("7", "JPY"), Ok(7));
        assert_eq!(read("1.234", "KWD"), Ok(1234));
        assert_eq!(read("9999999999999.99", "EUR"), Ok(999_999_999_999_999));
        for (amount, currency) in [
            ("1.001", "EUR"),
            ("1.5", "JPY"),
            ("10000000000000", "EUR"),
            ("1e3", "EUR"),
            ("", "EUR"),
        ] {
            assert!(read(amount, currency).is_err(), "{amount} {currency}");
        }
    }

    #[test]
    fn json_shows_all_decimals() {
        let money = Money::from_minor(-50, "EUR".parse().unwrap());
        let json = serde_json::to_string(&money).unwrap();
        assert_eq!(json, r#"{"amount":"-0.50","currency":"EUR"}"#);
        assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }
}
