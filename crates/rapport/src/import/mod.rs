//! `rapport import`: a CSV file and a mapping become records of a running server, through the same batches that
//! any other client sends. `docs/import.md` describes the mapping file.

mod convert;
mod load;
mod mapping;
mod plan;
mod rejects;
mod shape;
mod source;
mod state;
mod summary;
mod template;

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use crate::client::{self, Client, ServerArgs};
use crate::meter::Meter;
use load::Load;
use mapping::Mapping;
use plan::Plan;
use rejects::Rejects;
use source::{Source, beside, fingerprint};
use state::{Saved, State};

/// Loads a CSV file into a running server
///
/// Rows become records as the mapping file says, by upserts: a second run changes nothing, and an interrupted one
/// goes on where it stopped. Rows that are not taken stand in FILE.rejects.csv with the reason, and the exit
/// code is then 1.
///
/// Credentials come from the environment: `RAPPORT_TOKEN`, or `RAPPORT_CLIENT_ID` and
/// `RAPPORT_CLIENT_SECRET` of a service account, which also serves for loads that outlast a token.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The CSV file, in UTF-8, with a header
    file: PathBuf,
    /// The mapping file
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// Let the server check every row and keep nothing; rejects go to FILE.dry-run.rejects.csv
    #[arg(long)]
    dry_run: bool,
    /// Take customers also when there seem to be the same already
    #[arg(long)]
    allow_duplicates: bool,
    /// Begin again, although an interrupted load could go on
    #[arg(long)]
    restart: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Why a load could not be done or go on. Rejected rows are no error of this kind.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{}: {cause}", .path.display())]
    File { path: PathBuf, cause: String },
    #[error("{}: {text}", .path.display())]
    Syntax { path: PathBuf, text: String },
    #[error("{} does not fit {}:\n  {}", .mapping.display(), .file.display(), .faults.join("\n  "))]
    Misfit {
        mapping: PathBuf,
        file: PathBuf,
        faults: Vec<String>,
    },
    #[error(transparent)]
    Client(#[from] client::Error),
}

impl Error {
    /// A file that cannot be used, and why.
    fn file(path: &Path, cause: impl std::fmt::Display) -> Self {
        Self::File {
            path: path.to_owned(),
            cause: cause.to_string(),
        }
    }
}

/// Runs the command: success when every row was taken, 1 when some were rejected.
pub(crate) async fn run(args: ImportArgs) -> Result<ExitCode, Error> {
    let mut meter = Meter::new();
    let client = Client::from_env(&args.server, Box::new(meter.speaker()))?;
    let done = load(&args, &client, &mut meter).await;
    meter.finish();
    let (report, rejected) = done?;
    writeln!(io::stdout(), "{report}").map_err(|error| Error::file(Path::new("standard output"), error))?;
    Ok(if rejected == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The report of a load and how many rows it rejected.
async fn load(args: &ImportArgs, client: &Client, meter: &mut Meter) -> Result<(String, u64), Error> {
    let started = Instant::now();
    let speak = meter.speaker();
    let text = std::fs::read_to_string(&args.mapping).map_err(|error| Error::file(&args.mapping, error))?;
    let (plan, header) = plan(args, &text)?;
    let position = Position::find(args, &text, &plan, client).await?;
    position.announce(&plan, &speak);
    let state = position.state;
    let before: u64 = state.tallies.iter().map(state::Tally::sent).sum();
    let suffix = if args.dry_run {
        ".dry-run.rejects.csv"
    } else {
        ".rejects.csv"
    };
    let path = beside(&args.file, suffix);
    let mut rejects =
        Rejects::open(path, &header, state.rejects_bytes).map_err(|error| Error::file(&args.file, error))?;
    let load = Load {
        client,
        plan: &plan,
        file: &args.file,
        meter,
        rejects: &mut rejects,
        state,
        progress: position.path.clone(),
        promised: HashSet::new(),
        dry_run: args.dry_run,
        allow_duplicates: args.allow_duplicates,
    };
    let state = load.run().await?;
    if let Some(path) = &position.path {
        State::remove(path).map_err(|error| Error::file(path, error))?;
    }
    let rows = state.tallies.iter().map(state::Tally::sent).sum::<u64>() - before;
    let passes: Vec<_> = plan
        .passes
        .iter()
        .map(|pass| pass.name.as_str())
        .zip(state.tallies.iter().copied())
        .collect();
    let mut report = summary::render(&passes, rows, started.elapsed(), args.dry_run);
    if state.rejected() > 0 {
        report = format!("{report}\nrejected rows and why: {}", rejects.path().display());
    }
    Ok((report, state.rejected()))
}

/// Reads the mapping and fits it to the file's header.
fn plan(args: &ImportArgs, text: &str) -> Result<(Plan, Vec<String>), Error> {
    let syntax = |text| Error::Syntax {
        path: args.mapping.clone(),
        text,
    };
    let mapping = Mapping::parse(text).map_err(syntax)?;
    let delimiter = u8::try_from(mapping.delimiter).unwrap_or(b',');
    let header = Source::open(&args.file, delimiter).and_then(|mut source| source.header());
    let header = header.map_err(|error| Error::file(&args.file, error))?;
    let misfit = |faults| Error::Misfit {
        mapping: args.mapping.clone(),
        file: args.file.clone(),
        faults,
    };
    Ok((Plan::compile(&mapping, &header).map_err(misfit)?, header))
}

/// Where a load starts and where it saves how far it has come.
struct Position {
    state: State,
    path: Option<PathBuf>,
    ignored: bool,
}

impl Position {
    async fn find(args: &ImportArgs, mapping: &str, plan: &Plan, client: &Client) -> Result<Self, Error> {
        if args.dry_run {
            return Ok(Self {
                state: State::new(String::new(), plan.passes.len()),
                path: None,
                ignored: false,
            });
        }
        let fingerprint = fingerprint(&args.file, &[mapping, &client.destination().await?]);
        let fingerprint = fingerprint.map_err(|error| Error::file(&args.file, error))?;
        let fresh = State::new(fingerprint, plan.passes.len());
        let path = beside(&args.file, ".progress");
        let saved = if args.restart {
            Saved::Nothing
        } else {
            find(&path, &fresh)?
        };
        let ignored = saved == Saved::Foreign;
        let state = if let Saved::Position(state) = saved {
            state
        } else {
            fresh
        };
        Ok(Self {
            state,
            path: Some(path),
            ignored,
        })
    }

    fn announce(&self, plan: &Plan, speak: &impl Fn(&str)) {
        if self.ignored {
            speak("an interrupted load was of another file, mapping, server or tenant: beginning again");
        }
        if let (Some(pass), true) = (
            plan.passes.get(self.state.pass),
            self.state.pass > 0 || self.state.rows > 0,
        ) {
            let rows = self.state.rows;
            speak(&format!(
                "going on with pass {} after row {rows} (--restart begins again)",
                pass.name
            ));
        }
    }
}

fn find(path: &Path, fresh: &State) -> Result<Saved, Error> {
    State::find(path, fresh).map_err(|error| Error::file(path, error))
}

#[cfg(test)]
mod tests;
