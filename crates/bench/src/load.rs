//! The load generator: wrk, one thread of it, because it shares the cores with what it measures.

use crate::process::{command, output};
use crate::requests::Stream;
use crate::{Failure, Result};
use std::net::SocketAddr;
use std::path::Path;

/// What a run came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Milliseconds that half of the answers took at most.
    pub(crate) p50: f64,
    /// Milliseconds that 99 of 100 answers took at most.
    pub(crate) p99: f64,
    /// Answers that were no success, and requests that got none.
    pub(crate) errors: u64,
}

impl Figures {
    /// Those of a measurement that failed.
    pub(crate) const NONE: Self = Self {
        p50: f64::NAN,
        p99: f64::NAN,
        ..Self::of_rate(f64::NAN)
    };

    /// Those of pgbench, which has one only.
    pub(crate) const fn of_rate(rate: f64) -> Self {
        Self {
            rate,
            p50: 0.0,
            p99: 0.0,
            errors: 0,
        }
    }
}

/// How wrk is run.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) wrk: String,
    pub(crate) libraries: Option<String>,
    pub(crate) seconds: u32,
}

impl Load {
    /// The same, for so many seconds at least.
    pub(crate) fn at_least(&self, seconds: u32) -> Self {
        Self {
            seconds: self.seconds.max(seconds),
            ..self.clone()
        }
    }

    /// Sends a stream over so many connections; `first` is the number of its first request.
    pub(crate) async fn run(
        &self,
        address: SocketAddr,
        (stream, first): (&Stream, usize),
        token: &str,
        connections: u32,
        folder: &Path,
    ) -> Result<Figures> {
        let script = folder.join("requests.lua");
        std::fs::write(&script, stream.script(token, first))?;
        let mut command = command(&self.wrk, self.libraries.as_deref());
        command
            .args(["-t1", "--timeout", "10s", "-c", &connections.to_string()])
            .args(["-d", &format!("{}s", self.seconds), "-s"])
            .arg(&script)
            .arg(format!("http://{address}"));
        let printed = output(&mut command).await?;
        read(&printed).ok_or_else(|| Failure::from(format!("wrk told no result: {printed}")))
    }
}

/// Reads the line that the script of every stream prints at the end: requests, microseconds in all, at the median and
/// at the 99th percentile, answers that were no success, and requests without an answer.
fn read(printed: &str) -> Option<Figures> {
    let line = printed.lines().find_map(|line| line.strip_prefix("RESULT "))?;
    let numbers: Vec<f64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let &[requests, micros, p50, p99, refused, lost] = numbers.as_slice() else {
        return None;
    };
    Some(Figures {
        rate: (requests - refused).max(0.0) / micros * 1e6,
        p50: p50 / 1e3,
        p99: p99 / 1e3,
        errors: format!("{:.0}", refused + lost).parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_counts_successes_only() {
        let figures = read("Running 1s test\nRESULT 1000 2000000 450 9000 100 3\n").unwrap();
        assert!((figures.rate - 450.0).abs() < 1e-6);
        assert!((figures.p50 - 0.45).abs() < 1e-6 && (figures.p99 - 9.0).abs() < 1e-6);
        assert_eq!(figures.errors, 103);
        assert!(read("nothing").is_none());
    }
}
