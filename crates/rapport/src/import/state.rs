//! The saved position of a load: what was acknowledged before it was interrupted.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What became of the rows of one pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    /// Left out by `when` or `distinct`.
    pub(super) skipped: u64,
    pub(super) rejected: u64,
    /// In a dry run: names a record that this very load would have made.
    pub(super) unresolved: u64,
}

/// How far a load has come. Saved after each acknowledged batch; a batch sent twice changes nothing, so a
/// position that is a little old is harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Hash of the file, the mapping, and the server and tenant it goes to.
    pub(super) fingerprint: String,
    /// The pass under way.
    pub(super) pass: usize,
    /// Rows of that pass that are settled.
    pub(super) rows: u64,
    /// Length of the rejects file at that point.
    pub(super) rejects_bytes: u64,
    pub(super) tallies: Vec<Tally>,
}

/// What was found where a position might be saved.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Saved {
    Nothing,
    /// A position of another file, mapping, server or tenant, or one that cannot be read.
    Foreign,
    Position(State),
}

impl State {
    /// The start of a load of so many passes.
    pub(super) fn new(fingerprint: String, passes: usize) -> Self {
        Self {
            fingerprint,
            pass: 0,
            rows: 0,
            rejects_bytes: 0,
            tallies: vec![Tally::default(); passes],
        }
    }

    /// Looks for a saved position of the same load as `fresh`.
    pub(super) fn find(path: &Path, fresh: &Self) -> io::Result<Saved> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Saved::Nothing),
            Err(error) => return Err(error),
        };
        Ok(match serde_json::from_slice::<Self>(&text) {
            Ok(state) if state.fits(fresh) => Saved::Position(state),
            _ => Saved::Foreign,
        })
    }

    fn fits(&self, fresh: &Self) -> bool {
        self.fingerprint == fresh.fingerprint && self.tallies.len() == fresh.tallies.len()
    }

    /// Saves the position: written beside and renamed, so that it is whole or not there.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        let draft = super::source::beside(path, ".new");
        std::fs::write(&draft, serde_json::to_vec(self)?)?;
        std::fs::rename(&draft, path)
    }

    /// Forgets the position at the end of a load.
    pub(super) fn remove(path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// All rows that were not taken.
    pub(super) fn rejected(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.rejected).sum()
    }
}

impl Tally {
    /// Books a batch.
    pub(super) fn add(&mut self, batch: &Self) {
        self.created += batch.created;
        self.updated += batch.updated;
        self.unchanged += batch.unchanged;
        self.skipped += batch.skipped;
        self.rejected += batch.rejected;
        self.unresolved += batch.unresolved;
    }

    /// Rows that were turned into records, taken or not.
    pub(super) fn sent(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.unresolved + self.rejected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_found_only_for_the_same_load() {
        let path = std::env::temp_dir().join(format!("rapport-state-{}.progress", std::process::id()));
        let fresh = State::new("abc".into(), 2);
        assert_eq!(State::find(&path, &fresh).unwrap(), Saved::Nothing);
        let state = State {
            pass: 1,
            rows: 500,
            ..fresh.clone()
        };
        state.save(&path).unwrap();
        assert_eq!(State::find(&path, &fresh).unwrap(), Saved::Position(state));
        assert_eq!(
            State::find(&path, &State::new("other".into(), 2)).unwrap(),
            Saved::Foreign
        );
        std::fs::write(&path, "").unwrap();
        assert_eq!(State::find(&path, &fresh).unwrap(), Saved::Foreign);
        State::remove(&path).unwrap();
        State::remove(&path).unwrap();
        assert!(!path.exists());
    }
}
