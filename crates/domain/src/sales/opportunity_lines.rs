//! What stands inside an opportunity: the lines that it would sell and the people it is sold to.

use crate::decimal::{Percent, Quantity};
use crate::fault::Fault;
use crate::money::{Currency, Money, MoneyText};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sql::ids::{CustomerId, ProductId};
use utoipa::ToSchema;

/// A product with its quantity and price, as part of an opportunity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpportunityLine {
    /// What would be sold.
    #[schema(value_type = uuid::Uuid)]
    pub product_id: ProductId,
    /// How many.
    pub quantity: Quantity,
    /// What one unit costs here.
    #[schema(value_type = MoneyText)]
    pub unit_price: Money,
    /// What is taken off the price.
    #[serde(default)]
    #[schema(default = "0")]
    pub discount_percent: Percent,
}

impl OpportunityLine {
    /// Quantity times price less discount, rounded once to the currency's decimals; none when it does not fit.
    pub fn total(&self) -> Option<Money> {
        let kept = (Decimal::ONE_HUNDRED - self.discount_percent.decimal()) / Decimal::ONE_HUNDRED;
        self.unit_price.checked_mul(self.quantity.decimal().checked_mul(kept)?)
    }
}

/// The sum of the lines; none when there are no lines, their currencies differ or the sum does not fit.
pub fn lines_total(lines: &[OpportunityLine]) -> Option<Money> {
    let mut totals = lines.iter().map(OpportunityLine::total);
    let first = totals.next()??;
    totals.try_fold(first, |sum, total| sum.checked_add(total?))
}

/// That the lines and the amount are in one currency, and that the lines have a sum.
pub(crate) fn check_lines(lines: &[OpportunityLine], amount: Option<Money>, faults: &mut Vec<Fault>) {
    let expected: Option<Currency> = amount
        .or(lines.first().map(|line| line.unit_price))
        .map(Money::currency);
    let before = faults.len();
    for (index, line) in lines.iter().enumerate() {
        if Some(line.unit_price.currency()) != expected {
            let message = "must be in the currency of the amount and the other lines";
            faults.push(Fault::new(
                format!("/lines/{index}/unit_price/currency"),
                "currency_differs",
                message,
            ));
        }
    }
    if faults.len() == before && !lines.is_empty() && lines_total(lines).is_none() {
        faults.push(Fault::new("/lines", "out_of_range", "add up to more than can be kept"));
    }
}

sql::text_enum! {
    /// What a contact does in an opportunity.
    pub enum ContactRole {
        /// Says yes or no in the end.
        DecisionMaker = "decision_maker",
        /// Handles the purchase and its terms.
        Buyer = "buyer",
        /// Is listened to by those who decide.
        Influencer = "influencer",
        /// Speaks for the sale inside the customer.
        Champion = "champion",
        /// Judges whether it fits.
        Evaluator = "evaluator",
        /// Will work with what is sold.
        User = "user",
        /// Anything else.
        Other = "other",
    }
}

/// A person who takes part in an opportunity on the customer's side.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpportunityContact {
    /// Who it is.
    #[schema(value_type = uuid::Uuid)]
    pub customer_id: CustomerId,
    /// What the person does in it.
    pub role: ContactRole,
}

sql::text_enum! {
    /// The channel by which a sale is made.
    pub enum SalesChannel {
        /// By visits to the customer.
        Field = "field",
        /// By telephone.
        CallCentre = "call_centre",
        /// Over the counter.
        RetailOutlet = "retail_outlet",
        /// On the web.
        Web = "web",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quantity: &str, price: &str, currency: &str, discount: &str) -> OpportunityLine {
        OpportunityLine {
            product_id: ProductId::new(),
            quantity: quantity.parse().unwrap(),
            unit_price: Money::new(price.parse().unwrap(), currency.parse().unwrap()).unwrap(),
            discount_percent: discount.parse().unwrap(),
        }
    }

    #[test]
    fn a_line_is_rounded_once() {
        let total = line("3", "9.99", "EUR", "12.5").total().unwrap();
        assert_eq!(total.amount().to_string(), "26.22");
        assert_eq!(
            line("0.3333", "1000", "JPY", "0").total().unwrap().amount().to_string(),
            "333"
        );
        assert_eq!(line("7", "50", "EUR", "100").total().unwrap().minor(), 0);
    }

    #[test]
    fn lines_add_up_in_one_currency_only() {
        let euros = [line("1", "10", "EUR", "0"), line("2", "5.50", "EUR", "0")];
        assert_eq!(lines_total(&euros).unwrap().amount().to_string(), "21.00");
        assert_eq!(lines_total(&[]), None);
        assert_eq!(
            lines_total(&[line("1", "10", "EUR", "0"), line("1", "10", "USD", "0")]),
            None
        );
    }

    #[test]
    fn a_strange_currency_and_a_sum_too_large_are_faults() {
        let mut faults = Vec::new();
        let mixed = [line("1", "10", "EUR", "0"), line("1", "10", "USD", "0")];
        check_lines(
            &mixed,
            Some(Money::from_minor(100, "USD".parse().unwrap())),
            &mut faults,
        );
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].pointer, "/lines/0/unit_price/currency");

        faults.clear();
        check_lines(&[line("999999999", "9999999999999", "EUR", "0")], None, &mut faults);
        assert_eq!(faults[0].pointer, "/lines");
    }
}
