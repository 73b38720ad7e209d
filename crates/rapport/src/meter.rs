//! Progress of long work on standard error: a bar on a terminal, a line now and then where there is none.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a log that is no terminal gets a line.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// One measured piece of work after another.
pub(crate) struct Meter {
    bar: ProgressBar,
    label: String,
    started: Instant,
    spoken: Instant,
    rows: u64,
}

impl Meter {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix:>16} {bar:40} {percent:>3} %  {msg}  {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let now = Instant::now();
        Self {
            bar,
            label: String::new(),
            started: now,
            spoken: now,
            rows: 0,
        }
    }

    /// Starts the next piece: `total` is in any unit that `advance` counts in too.
    pub(crate) fn begin(&mut self, label: &str, total: u64) {
        label.clone_into(&mut self.label);
        self.started = Instant::now();
        self.spoken = self.started;
        self.rows = 0;
        self.bar.set_length(total);
        self.bar.reset();
        self.bar.set_prefix(label.to_owned());
        self.bar.set_message("");
    }

    /// Moves to `position` of the total after `rows` more rows.
    pub(crate) fn advance(&mut self, position: u64, rows: u64) {
        self.rows += rows;
        let text = format!(
            "{} rows, {}/s",
            thousands(self.rows),
            thousands(rate(self.rows, self.started.elapsed()))
        );
        if self.bar.is_hidden() && self.spoken.elapsed() >= LINE_EVERY {
            self.spoken = Instant::now();
            let percent = position * 100 / self.bar.length().unwrap_or(0).max(1);
            eprintln!("{}: {percent} %, {text}", self.label);
        }
        self.bar.set_position(position);
        self.bar.set_message(text);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Prints lines above the bar; good for callbacks from elsewhere.
    pub(crate) fn speaker(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let bar = self.bar.clone();
        move |text| bar.suspend(|| eprintln!("{text}"))
    }
}

/// Rows in a second, as far as a short time allows to say.
pub(crate) fn rate(rows: u64, elapsed: Duration) -> u64 {
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
    rows.saturating_mul(1_000_000) / micros
}

/// 1234567 as 1,234,567.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn a_rate_needs_no_whole_second() {
        assert_eq!(rate(50, Duration::from_millis(100)), 500);
    }
}
