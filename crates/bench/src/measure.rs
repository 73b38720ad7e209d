//! The measurement: rounds in which each case runs on each server in turn, so that all of them meet the same machine.

use crate::bare;
use crate::cases::{Case, Contents};
use crate::load::{Figures, Load};
use crate::pgbench::Replay;
use crate::postgres::Cluster;
use crate::requests::Stream;
use crate::service::Service;
use crate::{Result, say};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a case is run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Bare,
    Pgbench,
    Sqlite,
    Postgres,
}

/// A server to be measured, and what it holds.
pub(crate) struct Subject {
    pub(crate) target: Target,
    pub(crate) service: Service,
    pub(crate) contents: Contents,
}

/// Everything that a measurement needs.
pub(crate) struct Bench {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) cluster: Option<(Cluster, String)>,
    pub(crate) load: Load,
    pub(crate) folder: PathBuf,
    pub(crate) rounds: usize,
    pub(crate) connections: Vec<u32>,
}

/// The figures of all rounds, by case, connections and target.
pub(crate) type Results = BTreeMap<(&'static str, u32, Target), Vec<Figures>>;

/// A case that has been prepared.
struct Prepared {
    case: &'static Case,
    /// Bytes of an answer.
    size: usize,
    /// How long a measurement takes at least.
    seconds: u32,
    replay: Option<Replay>,
}

/// Numbers that one run of writes may use.
const NUMBERS: usize = 10_000_000;

impl Bench {
    /// Runs cases, and gives the figures with the sizes of the answers.
    pub(crate) async fn run(&self, cases: &[&'static Case]) -> Result<(Results, BTreeMap<&'static str, usize>)> {
        let mut prepared = Vec::new();
        for case in cases {
            match self.prepare(case).await? {
                Some(ready) => prepared.push(ready),
                None => say(&format!("{}: the server has no such endpoint", case.title)),
            }
        }
        let mut results = Results::new();
        for round in 1..=self.rounds {
            for ready in &prepared {
                let all = ready.case.connections(&self.connections);
                for (index, connections) in all.iter().copied().enumerate() {
                    let run = (round - 1) * all.len() + index + 1;
                    say(&format!(
                        "round {round}: {}, {connections} connections",
                        ready.case.title
                    ));
                    for (target, figures) in self.run_once(ready, connections, run).await? {
                        results
                            .entry((ready.case.key, connections, target))
                            .or_default()
                            .push(figures);
                    }
                }
            }
        }
        Ok((
            results,
            prepared.iter().map(|ready| (ready.case.key, ready.size)).collect(),
        ))
    }

    /// Tries the requests of a case, so that what is measured is known to work, and captures their statements.
    async fn prepare(&self, case: &'static Case) -> Result<Option<Prepared>> {
        let (mut size, mut seconds) = (0, case.seconds());
        let mut replay = None;
        for subject in &self.subjects {
            let Some(stream) = subject.contents.stream(case, 0) else {
                return Ok(None);
            };
            let asked = Instant::now();
            size = answer_size(subject, case, &stream).await?;
            seconds = seconds.max(seconds_for(asked.elapsed() / SAMPLES));
            if let (Target::Postgres, Some((cluster, database))) = (subject.target, &self.cluster)
                && cluster.log().is_some()
            {
                let made = self.replay((cluster, database), subject, case, &stream).await;
                replay = made.inspect_err(|error| say(&error.to_string())).ok();
            }
        }
        Ok(Some(Prepared {
            case,
            size,
            seconds,
            replay,
        }))
    }

    /// What pgbench is to do: what the requests of a case make Rapport ask, or what one would plainly ask instead.
    async fn replay(
        &self,
        (cluster, database): (&Cluster, &str),
        subject: &Subject,
        case: &'static Case,
        stream: &Stream,
    ) -> Result<Replay> {
        let folder = self.folder.join("pgbench").join(case.key);
        if let Some(plain) = case.plain() {
            let tenant = cluster
                .ask(database, "SELECT id FROM tenants ORDER BY id LIMIT 1")
                .await?;
            return Replay::plain(database, &subject.contents.plain(case, plain, &tenant), &folder);
        }
        let count = if case.writes() {
            9
        } else {
            1 + 4 * usize::try_from(self.load.seconds)?
        };
        let asked = (stream, first(case, 0) + SAMPLES as usize, count);
        Replay::capture(cluster, database, &subject.service, asked, case.effect(), &folder).await
    }

    /// One measurement on each target, one after the other.
    async fn run_once(&self, ready: &Prepared, connections: u32, run: usize) -> Result<Vec<(Target, Figures)>> {
        let mut figures = Vec::new();
        let load = self.load.at_least(ready.seconds);
        let (bare, address) = bare::start(ready.size, &self.folder.join("bare.log")).await?;
        for subject in &self.subjects {
            let Some(stream) = subject.contents.stream(ready.case, run) else {
                continue;
            };
            let (stream, token) = ((&stream, first(ready.case, run)), subject.service.token.as_str());
            let bare = figures.is_empty().then_some((Target::Bare, address));
            for (target, address) in bare.into_iter().chain([(subject.target, subject.service.address())]) {
                let run = load.run(address, stream, token, connections, &self.folder);
                figures.push((target, or_none(run.await)));
            }
        }
        bare.stop().await?;
        if let (Some(replay), Some((cluster, _))) = (&ready.replay, &self.cluster) {
            // It connects, and prepares each statement for each connection, on that time.
            let rate = replay.run(cluster, connections, load.seconds + 2).await;
            figures.push((Target::Pgbench, or_none(rate.map(Figures::of_rate))));
        }
        Ok(figures)
    }
}

/// One measurement that fails is told and missing; it does not take an hour of others with it.
fn or_none(figures: Result<Figures>) -> Figures {
    figures.unwrap_or_else(|error| {
        say(&error.to_string());
        Figures::NONE
    })
}

/// Requests by which the size of an answer is found, and how long one takes.
const SAMPLES: u32 = 20;

/// How many answers a measurement over one connection is to see.
const ANSWERS: u32 = 8;

/// The most seconds that a measurement takes.
const LONGEST: u32 = 30;

/// Seconds in which enough of such answers come one after the other.
fn seconds_for(answer: Duration) -> u32 {
    let seconds = (answer * ANSWERS).as_millis().div_ceil(1000);
    u32::try_from(seconds).unwrap_or(LONGEST).min(LONGEST)
}

/// The number of the first request of a run.
fn first(case: &Case, run: usize) -> usize {
    if case.writes() { run * NUMBERS } else { 0 }
}

/// Bytes of an answer, on average over some.
async fn answer_size(subject: &Subject, case: &Case, stream: &Stream) -> Result<usize> {
    let mut bytes = 0;
    for number in 0..SAMPLES as usize {
        let answer = subject.service.send(&stream.request(first(case, 0) + number)).await?;
        if answer.contains(r#""outcome":"failed""#) {
            return Err(format!("{}: an item failed: {answer}", case.title).into());
        }
        bytes += answer.len();
    }
    Ok(bytes / SAMPLES as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_takes_as_long_as_a_few_answers() {
        assert_eq!(seconds_for(Duration::from_millis(3)), 1);
        assert_eq!(seconds_for(Duration::from_millis(125)), 1);
        assert_eq!(seconds_for(Duration::from_millis(700)), 6);
    }
}
