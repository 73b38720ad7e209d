//! Query parameters, taken one by one; whatever is left over is an error.

use crate::problem::Problem;
use actix_web::HttpRequest;
use domain::Fault;

/// The query parameters of a request.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
    faults: Vec<Fault>,
}

impl Query {
    /// Reads the query string (form encoding).
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string())
            .map_err(|_| Problem::new("invalid_parameter", "the query string is malformed"))?;
        if pairs
            .iter()
            .any(|(name, value)| name.contains('\0') || value.contains('\0'))
        {
            return Err(Problem::new("invalid_parameter", "U+0000 is not allowed"));
        }
        Ok(Self {
            pairs,
            faults: Vec::new(),
        })
    }

    /// Whether a text stands in the name or the value of a parameter.
    pub fn mentions(&self, text: &str) -> bool {
        let mut pairs = self.pairs.iter();
        pairs.any(|(name, value)| name.contains(text) || value.contains(text))
    }

    /// Takes a parameter that may stand once.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let place = self.pairs.iter().position(|(other, _)| other == name)?;
        let (_, value) = self.pairs.remove(place);
        if self.pairs.iter().any(|(other, _)| other == name) {
            self.fault(name, "duplicate", "stands there twice");
            self.pairs.retain(|(other, _)| other != name);
        }
        Some(value)
    }

    /// Takes a parameter and reads it; notes a fault when it cannot be read.
    pub fn take_as<T: std::str::FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let text = self.take(name)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.fault(name, "invalid_value", format!("must be {expected}"));
        }
        value
    }

    /// Takes `true` or `false`; false when it is left out.
    pub fn take_flag(&mut self, name: &str) -> bool {
        self.take_as(name, "true or false").unwrap_or(false)
    }

    /// Takes a whole number within bounds.
    pub fn take_number(&mut self, name: &str, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let number = self.take_as(name, &expected)?;
        if !bounds.contains(&number) {
            self.fault(name, "out_of_range", format!("must be {expected}"));
            return None;
        }
        Some(number)
    }

    /// Takes texts parted by commas.
    pub fn take_list(&mut self, name: &str) -> Option<Vec<String>> {
        self.take(name)
            .map(|text| text.split(',').map(|item| item.trim().to_owned()).collect())
    }

    /// Takes every parameter whose name begins like this.
    pub fn take_prefixed(&mut self, prefix: &str) -> Vec<(String, String)> {
        let (taken, rest) = std::mem::take(&mut self.pairs)
            .into_iter()
            .partition(|(name, _)| name.starts_with(prefix));
        self.pairs = rest;
        taken
    }

    /// Notes a fault of a parameter.
    pub fn fault(&mut self, name: &str, code: &str, message: impl Into<String>) {
        self.faults.push(Fault::new(format!("?{name}"), code, message));
    }

    /// Adds faults found elsewhere.
    pub fn add_faults(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    /// All parameters have been taken: tells every fault, and everything left over.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.pairs) {
            self.fault(&name, "unknown_parameter", "is not a parameter of this operation");
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid_parameters(self.faults))
        }
    }
}
