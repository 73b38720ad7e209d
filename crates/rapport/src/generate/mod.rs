//! `rapport generate`: synthetic customers, products, opportunities, tickets and interactions of any number, for tests
//! and benches.
//! The same seed gives the same data on every machine, and a larger number of customers only adds customers.

mod customers;
mod draw;
mod interactions;
mod sales;
mod tickets;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use chrono::{Datelike, NaiveDate};
use clap::Args;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{self, ALLOW_DUPLICATES, Client, ItemAnswer, Outcome, ServerArgs, Upsert};
use crate::meter::{Meter, rate, thousands};

/// The system of all external ids, so that generated records can be told from real ones.
const SYSTEM: &str = "generated";
/// Items a batch: the most that the server takes.
const BATCH_ROWS: u64 = 1_000;

/// Fills a running server with synthetic data
///
/// The same seed gives the same data, and a second run changes nothing. Credentials come from the environment:
/// `RAPPORT_TOKEN`, or `RAPPORT_CLIENT_ID` and `RAPPORT_CLIENT_SECRET` of a service account.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// How many customers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=u64::from(u32::MAX)))]
    customers: u64,
    /// What to start from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many opportunities [default: half as many as customers]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=u64::from(u32::MAX)))]
    opportunities: Option<u64>,
    /// How many interactions [default: five a customer]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=u64::from(u32::MAX)))]
    interactions: Option<u64>,
    /// How many tickets [default: half as many as customers]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=u64::from(u32::MAX)))]
    tickets: Option<u64>,
    /// How many products
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    products: u64,
    /// The day on which the data ends; a fixed one, so that the same seed gives the same data next year
    #[arg(long, value_name = "DATE", default_value = "2026-06-30", value_parser = day)]
    until: NaiveDate,
    /// How many batches are under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    in_flight: u8,
    #[command(flatten)]
    server: ServerArgs,
}

/// A day of our time, so that the days before and after it can be told.
fn day(text: &str) -> Result<NaiveDate, String> {
    let day: NaiveDate = text.parse().map_err(|_| "must be a day as in 2026-06-30".to_owned())?;
    if (1950..2150).contains(&day.year()) {
        Ok(day)
    } else {
        Err("must be of the years 1950 to 2149".to_owned())
    }
}

/// What decides about all data.
#[derive(Debug, Clone, Copy)]
struct Size {
    seed: u64,
    customers: u64,
    products: u64,
    opportunities: u64,
    tickets: u64,
    interactions: u64,
    /// The day on which the data ends.
    until: NaiveDate,
}

impl Size {
    fn of(args: &GenerateArgs) -> Self {
        Self {
            seed: args.seed,
            customers: args.customers,
            products: args.products,
            opportunities: args.opportunities.unwrap_or(args.customers / 2),
            tickets: args.tickets.unwrap_or(args.customers / 2),
            interactions: args.interactions.unwrap_or(args.customers * 5),
            until: args.until,
        }
    }
}

/// Why data could not be sent. Records that the server refuses are no error of this kind.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Client(#[from] client::Error),
    #[error("a batch was lost: {0}")]
    Lost(#[from] tokio::task::JoinError),
    #[error("a record cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// One resource after another, because later ones name earlier ones.
struct Phase {
    kind: &'static str,
    resource: &'static str,
    count: u64,
    make: fn(&Size, u64) -> Value,
}

/// Runs the command: success when every record was taken, 1 when some were refused.
pub(crate) async fn run(args: GenerateArgs) -> Result<ExitCode, Error> {
    let size = Size::of(&args);
    let mut meter = Meter::new();
    let client = Arc::new(Client::from_env(&args.server, Box::new(meter.speaker()))?);
    let mut counts = Counts::default();
    let mut report = String::new();
    let started = Instant::now();
    for phase in phases(&size) {
        let begun = Instant::now();
        let sent = send(&client, &size, &phase, args.in_flight.into(), &mut meter, &mut counts).await;
        meter.finish();
        sent?;
        let [count, speed] = [phase.count, rate(phase.count, begun.elapsed())].map(thousands);
        report = format!("{report}{:<14} {count:>12}  {speed:>9} rows/s\n", phase.resource);
    }
    let rows: u64 = phases(&size).iter().map(|phase| phase.count).sum();
    report += &counts.to_string();
    let elapsed = started.elapsed();
    let speed = thousands(rate(rows, elapsed));
    writeln!(
        io::stdout(),
        "{report}{} rows in {:.1} s, {speed} rows/s",
        thousands(rows),
        elapsed.as_secs_f64()
    )?;
    Ok(if counts.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn phases(size: &Size) -> [Phase; 7] {
    let phase = |kind, resource, count, make| Phase {
        kind,
        resource,
        count,
        make,
    };
    [
        phase("pipeline", "pipelines", 1, |_, _| sales::pipeline()),
        phase("stage", "stages", sales::STAGES.len() as u64, sales::stage),
        phase("product", "products", size.products, |size, index| {
            sales::product(size.seed, index)
        }),
        phase("customer", "customers", size.customers, |size, index| {
            customers::customer(size.seed, index)
        }),
        phase("opportunity", "opportunities", size.opportunities, sales::opportunity),
        phase("ticket", "tickets", size.tickets, tickets::ticket),
        phase(
            "interaction",
            "interactions",
            size.interactions,
            interactions::interaction,
        ),
    ]
}

/// Sends a phase with a bounded number of batches under way.
async fn send(
    client: &Arc<Client>,
    size: &Size,
    phase: &Phase,
    in_flight: usize,
    meter: &mut Meter,
    counts: &mut Counts,
) -> Result<(), Error> {
    meter.begin(phase.resource, phase.count);
    let mut under_way: JoinSet<Result<Vec<ItemAnswer>, client::Error>> = JoinSet::new();
    let mut done = 0;
    let mut next = 0;
    loop {
        while next < phase.count && under_way.len() < in_flight {
            let end = phase.count.min(next + BATCH_ROWS);
            let items = items(size, phase, next..end)?;
            let (client, resource) = (client.clone(), phase.resource);
            under_way.spawn(async move { client.batch(resource, &items, &[ALLOW_DUPLICATES]).await });
            next = end;
        }
        let Some(answers) = under_way.join_next().await else {
            return Ok(());
        };
        let answers = answers??;
        done += answers.len() as u64;
        meter.advance(done, answers.len() as u64);
        counts.book(&answers);
    }
}

fn items(size: &Size, phase: &Phase, range: std::ops::Range<u64>) -> serde_json::Result<Vec<Box<RawValue>>> {
    range
        .map(|index| {
            let data = (phase.make)(size, index);
            Upsert::new(SYSTEM, &id(size.seed, phase.kind, index), None, &data).to_json()
        })
        .collect()
}

/// The external id of a record: the seed is part of it, so that two seeds give two sets of data.
fn id(seed: u64, kind: &str, index: u64) -> String {
    format!("{seed}-{kind}-{index}")
}

/// Names another generated record by its external id.
fn reference(seed: u64, kind: &str, index: u64) -> Value {
    json!(format!("by/{SYSTEM}/{}", id(seed, kind, index)))
}

fn money(cents: u64) -> Value {
    json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "EUR"})
}

/// What became of all records.
#[derive(Default)]
struct Counts {
    created: u64,
    updated: u64,
    unchanged: u64,
    failed: u64,
    reasons: Vec<String>,
}

impl Counts {
    /// Reasons worth showing: the same one stands for thousands.
    const REASONS: usize = 5;

    fn book(&mut self, answers: &[ItemAnswer]) {
        for answer in answers {
            match answer.outcome {
                Outcome::Created => self.created += 1,
                Outcome::Updated => self.updated += 1,
                Outcome::Unchanged | Outcome::Deleted => self.unchanged += 1,
                Outcome::Failed => {
                    self.failed += 1;
                    let reason = answer.error.as_ref().map(ToString::to_string).unwrap_or_default();
                    if self.reasons.len() < Self::REASONS && !self.reasons.contains(&reason) {
                        self.reasons.push(reason);
                    }
                }
            }
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [created, updated, unchanged, failed] =
            [self.created, self.updated, self.unchanged, self.failed].map(thousands);
        writeln!(
            out,
            "created {created}, updated {updated}, unchanged {unchanged}, refused {failed}"
        )?;
        self.reasons
            .iter()
            .try_for_each(|reason| writeln!(out, "refused: {reason}"))
    }
}

#[cfg(test)]
mod tests;
