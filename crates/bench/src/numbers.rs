//! Numbers as people read them, and the one in the middle.

pub(crate) fn whole(number: Option<f64>) -> String {
    number.map_or_else(
        || "–".to_owned(),
        |number| {
            if number < 100.0 {
                return format!("{number:.1}");
            }
            // Printed without a fraction it is a whole number.
            thousands(format!("{number:.0}").parse().unwrap_or_default())
        },
    )
}

pub(crate) fn millis(number: Option<f64>) -> String {
    number.map_or_else(
        || "–".to_owned(),
        |number| {
            if number < 10.0 {
                format!("{number:.2}")
            } else {
                format!("{number:.0}")
            }
        },
    )
}

pub(crate) fn part(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"))
}

/// 1234567 as 1,234,567.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "a size for people to read")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The one in the middle, or the mean of the two.
pub(crate) fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        Some(sorted[middle])
    } else {
        Some(f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, sorted[middle]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, f64::NAN, 3.0]), Some(2.5));
    }
}
