//! `make bench`: how fast Rapport is, beside what the machine could do at most.
//!
//! It measures Rapport on SQLite and on PostgreSQL, a bare actix-web server that answers as many bytes, and pgbench with
//! the statements that Rapport sends, in interleaved rounds; and writes a table and a chart.

mod bare;
mod cases;
mod chart;
mod growth;
mod load;
mod machine;
mod measure;
mod numbers;
mod pgbench;
mod postgres;
mod process;
mod report;
mod requests;
mod service;
mod statements;

use cases::{CASES, Case, Contents};
use clap::{Args, Parser, Subcommand};
use load::Load;
use measure::{Bench, Subject, Target};
use postgres::Cluster;
use report::{Report, Standing};
use service::{Service, Settings, Sizes};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Failure> = std::result::Result<T, E>;

/// Measures Rapport. `make bench` and `make bench-quick` run it.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(flatten)]
    options: Option<Options>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Be the bare server that Rapport is compared with
    Bare { address: SocketAddr, size: usize },
}

#[derive(Debug, Args)]
struct Options {
    /// Little data and one short round
    #[arg(long)]
    quick: bool,
    /// How many customers; everything else is in proportion
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2_000..))]
    customers: Option<u64>,
    /// How many rounds; the median of them is told
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// How long each measurement takes
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u32>,
    /// Over how many connections
    #[arg(long, value_name = "N", value_delimiter = ',')]
    connections: Option<Vec<u32>>,
    /// Only these cases
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    cases: Vec<String>,
    /// How many customers to compare for growth; none by --growth 0
    #[arg(long, value_name = "N", value_delimiter = ',')]
    growth: Option<Vec<u64>>,
    /// Where the table and the chart go
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The program to measure
    #[arg(long, value_name = "FILE")]
    rapport: PathBuf,
    /// Where data is kept while it runs
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// The load generator
    #[arg(long, value_name = "FILE", default_value = "wrk")]
    wrk: String,
    /// Where its libraries are, when it was unpacked rather than installed
    #[arg(long, value_name = "FOLDERS")]
    wrk_libraries: Option<String>,
}

impl Options {
    fn customers(&self) -> u64 {
        self.customers.unwrap_or(if self.quick { 3_000 } else { 100_000 })
    }

    fn connections(&self) -> Vec<u32> {
        let usual = if self.quick { vec![64] } else { vec![1, 16, 64] };
        self.connections.clone().unwrap_or(usual)
    }

    fn load(&self) -> Load {
        Load {
            wrk: self.wrk.clone(),
            libraries: self.wrk_libraries.clone(),
            seconds: self.seconds.unwrap_or(if self.quick { 1 } else { 3 }).max(1),
        }
    }

    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 }).max(1)
    }

    fn growth(&self) -> Vec<u64> {
        let usual = if self.quick {
            Vec::new()
        } else {
            vec![10_000, 100_000, 1_000_000]
        };
        let mut sizes = self.growth.clone().unwrap_or(usual);
        sizes.retain(|size| *size > 0);
        sizes
    }

    fn cases(&self) -> Result<Vec<&'static Case>> {
        if let Some(unknown) = self
            .cases
            .iter()
            .find(|key| !CASES.iter().any(|case| case.key == **key))
        {
            return Err(format!("there is no case {unknown}").into());
        }
        let chosen = CASES
            .iter()
            .filter(|case| self.cases.is_empty() || self.cases.iter().any(|key| key == case.key));
        Ok(chosen.collect())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let work = async {
        match (arguments.command, &arguments.options) {
            (Some(Command::Bare { address, size }), _) => bare::serve(address, size).await,
            (None, Some(options)) => run(options).await,
            (None, None) => Err("nothing to do: see --help".into()),
        }
    };
    // When a signal comes first, the work is dropped, and every process that it has started ends with it.
    let result = tokio::select! {
        result = work => result,
        () = stopped() => Err("stopped".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn stopped() {
    let terminate = async {
        if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            signal.recv().await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

/// Tells on standard error how far it has come.
fn say(text: &str) {
    // Nobody may be reading; the measurement goes on all the same.
    drop(writeln!(std::io::stderr(), "bench: {text}"));
}

async fn run(options: &Options) -> Result<()> {
    let cases = options.cases()?;
    let folder = Folder::make(&options.data)?;
    let cluster = Cluster::from_env()?;
    let (mut subjects, mut standing) = (Vec::new(), Vec::new());
    for target in [Target::Sqlite, Target::Postgres] {
        let (subject, figures) = prepare(options, &folder.0, &cluster, target).await?;
        subjects.push(subject);
        standing.push(figures);
    }
    let bench = Bench {
        subjects,
        cluster: Some((cluster.clone(), database_name(Target::Postgres, None))),
        load: options.load(),
        folder: folder.0.clone(),
        rounds: options.rounds(),
        connections: options.connections(),
    };
    let (results, sizes) = bench.run(&cases).await?;
    let depth = bench.subjects[0].contents.depth;
    for (subject, figures) in bench.subjects.into_iter().zip(&mut standing) {
        figures.loaded = subject.service.memory()?.peak;
        subject.service.stop().await?;
    }
    let growth = growth::measure(options, &folder.0, &cluster).await?;
    let report = Report {
        machine: machine::facts(&folder.0),
        quick: options.quick,
        customers: options.customers(),
        rounds: bench.rounds,
        seconds: bench.load.seconds,
        binary: binary_size(&options.rapport, &folder.0).await?,
        depth,
        cases,
        sizes,
        results,
        standing,
        growth,
    };
    report.write(&options.out)
}

/// Starts a server on a new database, fills it, and takes the figures that need no load.
async fn prepare(options: &Options, folder: &Path, cluster: &Cluster, target: Target) -> Result<(Subject, Standing)> {
    let customers = options.customers();
    let service = fill(options, folder, cluster, target, None, sizes(customers)).await?;
    // Started anew, so that its memory is not that of the load.
    let settings = service.stop().await?;
    let mut starts = Vec::new();
    for _ in 0..5 {
        starts.push(settings.time_to_ready().await?.as_secs_f64());
    }
    let service = Service::start(settings).await?;
    // At rest is what it needs once the work of starting is done.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let standing = Standing {
        target,
        start: numbers::median(&starts).unwrap_or_default(),
        idle: service.memory()?.resident,
        loaded: 0.0,
    };
    let contents = Contents::of(&service, customers, options.rounds() * options.connections().len()).await?;
    let subject = Subject {
        target,
        service,
        contents,
    };
    Ok((subject, standing))
}

fn sizes(customers: u64) -> Sizes {
    Sizes {
        customers,
        opportunities: customers / 2,
        interactions: customers * 5,
        tickets: customers / 2,
    }
}

/// A server on a new database with synthetic data; `size` tells several of one target apart.
async fn fill(
    options: &Options,
    folder: &Path,
    cluster: &Cluster,
    target: Target,
    size: Option<u64>,
    sizes: Sizes,
) -> Result<Service> {
    let name = database_name(target, size);
    let home = folder.join(&name);
    let url = if target == Target::Postgres {
        cluster.make_database(&name).await?;
        cluster.database_url(&name)
    } else {
        format!("sqlite://{}", home.join("rapport.db").display())
    };
    let service = Service::start(Settings::new(&options.rapport, home, url)?).await?;
    say(&format!("filling {name}"));
    say(&service.fill(sizes).await?);
    if target == Target::Postgres {
        // What autovacuum would do sooner or later, and not in the midst of a round.
        cluster.run(&name, &["VACUUM ANALYZE"]).await?;
    }
    Ok(service)
}

fn database_name(target: Target, size: Option<u64>) -> String {
    let target = if target == Target::Postgres {
        "postgres"
    } else {
        "sqlite"
    };
    size.map_or_else(|| format!("bench_{target}"), |size| format!("bench_{target}_{size}"))
}

/// Mebibytes of the program, without what only a debugger reads where that can be told.
async fn binary_size(program: &Path, folder: &Path) -> Result<f64> {
    let stripped = folder.join("stripped");
    let mut strip = process::command("strip", None);
    let strip = process::output(strip.arg("-o").arg(&stripped).arg(program)).await;
    let measured = if strip.is_ok() { &stripped } else { program };
    Ok(numbers::mebibytes(std::fs::metadata(measured)?.len()))
}

/// A folder that goes away with its handle.
struct Folder(PathBuf);

impl Folder {
    fn make(parent: &Path) -> Result<Self> {
        let folder = parent.join(format!("run-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder.canonicalize()?))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in the build folder.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
