//! The load itself: rows into batches, batches to the server, and after each answer the position saved.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Error;
use super::plan::{Made, PassPlan, Plan};
use super::rejects::{Reject, Rejects};
use super::source::Source;
use super::state::{State, Tally};
use crate::client::{ALLOW_DUPLICATES, Client, ItemAnswer, Outcome, Problem, Upsert};
use crate::meter::Meter;

/// Rows a batch: enough to pay for the way, few enough to be redone when it is lost.
const BATCH_ROWS: usize = 500;
/// Bytes a batch, below the server's limit of 16 MiB.
const BATCH_BYTES: usize = 8 << 20;

/// A load under way.
pub(super) struct Load<'a> {
    pub(super) client: &'a Client,
    pub(super) plan: &'a Plan,
    pub(super) file: &'a Path,
    pub(super) meter: &'a mut Meter,
    pub(super) rejects: &'a mut Rejects,
    pub(super) state: State,
    /// Where the position is saved; a dry run keeps none.
    pub(super) progress: Option<PathBuf>,
    /// In a dry run: the external ids that earlier rows would have made.
    pub(super) promised: HashSet<u128>,
    pub(super) dry_run: bool,
    pub(super) allow_duplicates: bool,
}

/// Rows on their way.
#[derive(Default)]
struct Batch {
    rows: u64,
    bytes: usize,
    items: Vec<Box<RawValue>>,
    origins: Vec<Origin>,
    rejects: Vec<Reject>,
    skipped: u64,
}

/// Where an item comes from.
struct Origin {
    line: u64,
    record: csv::ByteRecord,
    key: u128,
}

impl Load<'_> {
    /// Walks the file once a pass, from the saved position on.
    pub(super) async fn run(mut self) -> Result<State, Error> {
        let length = std::fs::metadata(self.file)
            .map_err(|error| Error::file(self.file, error))?
            .len();
        while let Some(pass) = self.plan.passes.get(self.state.pass) {
            self.meter.begin(&pass.name, length);
            self.walk(pass).await?;
            self.state.pass += 1;
            self.state.rows = 0;
            self.save()?;
        }
        Ok(self.state)
    }

    async fn walk(&mut self, pass: &PassPlan) -> Result<(), Error> {
        let mut source = Source::open(self.file, self.plan.delimiter).map_err(|error| Error::file(self.file, error))?;
        let mut record = csv::ByteRecord::new();
        let mut seen = HashSet::new();
        let mut batch = Batch::default();
        let mut row = 0;
        while let Some(line) = source
            .next(&mut record)
            .map_err(|error| Error::file(self.file, error))?
        {
            row += 1;
            let settled = row <= self.state.rows;
            if settled && !pass.distinct {
                continue;
            }
            let mut made = match self.plan.cells(&record) {
                Ok(cells) => pass.make(&cells),
                // A broken row is a reject of the first pass; the others would only say it again.
                Err(_) if self.state.pass > 0 => Ok(None),
                Err(reason) => Err(reason),
            };
            if let Ok(Some(Made { external_id, .. })) = &made
                && pass.distinct
                && !seen.insert(key(&pass.system, external_id))
            {
                made = Ok(None);
            }
            if !settled {
                batch
                    .take(pass, &record, line, made)
                    .map_err(|error| Error::file(self.file, error))?;
            }
            if batch.is_full() {
                self.settle(pass, std::mem::take(&mut batch), source.position()).await?;
            }
        }
        self.settle(pass, batch, source.position()).await
    }

    /// Sends a batch and books its answers. Once this returns, no row of it is asked for again.
    async fn settle(&mut self, pass: &PassPlan, mut batch: Batch, position: u64) -> Result<(), Error> {
        let mut tally = Tally {
            skipped: batch.skipped,
            ..Tally::default()
        };
        if !batch.items.is_empty() {
            let flags = [("dry_run", self.dry_run), (ALLOW_DUPLICATES, self.allow_duplicates)];
            let flags: Vec<&str> = flags.iter().filter(|(_, set)| *set).map(|(flag, _)| *flag).collect();
            let answers = self.client.batch(&pass.resource, &batch.items, &flags).await?;
            for ((answer, origin), item) in answers.into_iter().zip(batch.origins).zip(&batch.items) {
                self.book(answer, origin, item, &mut tally, &mut batch.rejects);
            }
        }
        tally.rejected = batch.rejects.len() as u64;
        batch.rejects.sort_by_key(|reject| reject.line);
        let rejects = self.rejects.append(&pass.name, &batch.rejects);
        self.state.rejects_bytes = rejects.map_err(|error| Error::file(self.rejects.path(), error))?;
        self.state.rows += batch.rows;
        self.state.tallies[self.state.pass].add(&tally);
        self.meter.advance(position, batch.rows);
        self.save()
    }

    fn book(
        &mut self,
        answer: ItemAnswer,
        origin: Origin,
        item: &RawValue,
        tally: &mut Tally,
        rejects: &mut Vec<Reject>,
    ) {
        match answer.outcome {
            Outcome::Created => {
                tally.created += 1;
                self.promise(origin.key);
            }
            Outcome::Updated => tally.updated += 1,
            Outcome::Unchanged | Outcome::Deleted => tally.unchanged += 1,
            Outcome::Failed => {
                let problem = answer.error.unwrap_or_default();
                if let Some(problem) = self.unpromised(problem, item) {
                    let reason = problem.to_string();
                    rejects.push(Reject {
                        line: origin.line,
                        record: origin.record,
                        reason,
                    });
                } else {
                    tally.unresolved += 1;
                    self.promise(origin.key);
                }
            }
        }
    }

    fn promise(&mut self, key: u128) {
        if self.dry_run {
            self.promised.insert(key);
        }
    }

    /// What is wrong with an item apart from naming records that only this dry run did not keep.
    fn unpromised(&self, mut problem: Problem, item: &RawValue) -> Option<Problem> {
        if self.promised.is_empty() || problem.errors.is_empty() {
            return Some(problem);
        }
        let item: Value = serde_json::from_str(item.get()).unwrap_or_default();
        let promised = |pointer: &str| {
            let reference = item.get("data")?.pointer(pointer)?.as_str()?.strip_prefix("by/")?;
            let (system, external_id) = reference.split_once('/')?;
            Some(self.promised.contains(&key(system, external_id)))
        };
        problem.errors.retain(|fault| promised(&fault.pointer) != Some(true));
        (!problem.errors.is_empty()).then_some(problem)
    }

    fn save(&self) -> Result<(), Error> {
        match &self.progress {
            Some(path) => self.state.save(path).map_err(|error| Error::file(path, error)),
            None => Ok(()),
        }
    }
}

impl Batch {
    fn is_full(&self) -> bool {
        self.items.len() + self.rejects.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// Takes what a pass made of a row.
    fn take(
        &mut self,
        pass: &PassPlan,
        record: &csv::ByteRecord,
        line: u64,
        made: Result<Option<Made>, String>,
    ) -> serde_json::Result<()> {
        self.rows += 1;
        match made {
            Ok(None) => self.skipped += 1,
            Ok(Some(made)) => {
                let item = Upsert::new(&pass.system, &made.external_id, pass.mode(), &made.data).to_json()?;
                self.bytes += item.get().len();
                self.items.push(item);
                let key = key(&pass.system, &made.external_id);
                self.origins.push(Origin {
                    line,
                    record: record.clone(),
                    key,
                });
            }
            Err(reason) => self.rejects.push(Reject {
                line,
                record: record.clone(),
                reason,
            }),
        }
        Ok(())
    }
}

/// A short stand-in for an external id, so that remembering many costs little memory.
fn key(system: &str, external_id: &str) -> u128 {
    let digest = Sha256::new()
        .chain_update(system)
        .chain_update([0])
        .chain_update(external_id)
        .finalize();
    digest.iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
}
