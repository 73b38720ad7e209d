//! The CSV file: its header, its rows one at a time, and a fingerprint that changes when it does.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use sha2::{Digest, Sha256};

/// A walk over the rows of a file, in constant memory.
pub(super) struct Source {
    reader: csv::Reader<File>,
}

impl Source {
    /// Opens the file; rows of a wrong width are kept, because a bad row is one reject and not the end.
    pub(super) fn open(path: &Path, delimiter: u8) -> csv::Result<Self> {
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_path(path)?;
        Ok(Self { reader })
    }

    /// The names of the columns.
    pub(super) fn header(&mut self) -> csv::Result<Vec<String>> {
        Ok(self
            .reader
            .headers()?
            .iter()
            .map(|name| name.trim().to_owned())
            .collect())
    }

    /// Reads the next row into `record` and gives its line; nothing at the end.
    pub(super) fn next(&mut self, record: &mut csv::ByteRecord) -> csv::Result<Option<u64>> {
        if !self.reader.read_byte_record(record)? {
            return Ok(None);
        }
        // A record's own position is before the empty lines that were skipped to reach it; counted back from where
        // the reader is now, only a last line without its end would come out too low.
        let begun = record.position().map_or(0, csv::Position::line);
        let inner: usize = record
            .iter()
            .map(|cell| cell.split(|byte| *byte == b'\n').count() - 1)
            .sum();
        let ended = self.reader.position().line().saturating_sub(1 + inner as u64);
        Ok(Some(begun.max(ended)))
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> u64 {
        self.reader.position().byte()
    }
}

/// A hash over whatever a saved position depends on.
pub(super) fn fingerprint(file: &Path, parts: &[&str]) -> io::Result<String> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    Ok(base64::engine::general_purpose::STANDARD.encode(hash.finalize()))
}

/// A file beside the given one: `accounts.csv` and `.progress` make `accounts.csv.progress`.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_header() {
        let path = std::env::temp_dir().join(format!("rapport-source-{}.csv", std::process::id()));
        std::fs::write(&path, "\u{feff} account ,b\n\"two\nlines\",x\n\nnext\nlast").unwrap();
        let mut source = Source::open(&path, b',').unwrap();
        assert_eq!(source.header().unwrap(), ["account", "b"]);
        let mut record = csv::ByteRecord::new();
        assert_eq!(source.next(&mut record).unwrap(), Some(2), "the row has two lines");
        assert_eq!(source.next(&mut record).unwrap(), Some(5), "the line before is empty");
        assert_eq!(record.len(), 1);
        assert_eq!(source.next(&mut record).unwrap(), Some(6), "the last line has no end");
        assert_eq!(source.next(&mut record).unwrap(), None);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_fingerprint_depends_on_every_part() {
        let path = std::env::temp_dir().join(format!("rapport-fingerprint-{}.csv", std::process::id()));
        std::fs::write(&path, "a\n1\n").unwrap();
        let first = fingerprint(&path, &["m", "u"]).unwrap();
        assert_eq!(first, fingerprint(&path, &["m", "u"]).unwrap());
        assert_ne!(first, fingerprint(&path, &["mu", ""]).unwrap());
        std::fs::write(&path, "a\n2\n").unwrap();
        assert_ne!(first, fingerprint(&path, &["m", "u"]).unwrap());
        std::fs::remove_file(&path).unwrap();
    }
}
