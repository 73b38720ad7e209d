//! The rejects file: every row that was not taken, with its line, its columns and the reason, ready to be put
//! right in a spreadsheet - where no cell of it may run as a formula.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A row that was not taken.
pub(super) struct Reject {
    pub(super) line: u64,
    pub(super) record: csv::ByteRecord,
    pub(super) reason: String,
}

/// The file, made with the first reject.
pub(super) struct Rejects {
    path: PathBuf,
    header: Vec<String>,
    writer: Option<csv::Writer<File>>,
}

impl Rejects {
    /// Goes on after the first `keep` bytes: what an interrupted load wrote beyond its saved position goes away,
    /// and so does the file of an earlier load.
    pub(super) fn open(path: PathBuf, header: &[String], keep: u64) -> io::Result<Self> {
        let mut rejects = Self {
            path,
            header: header.to_vec(),
            writer: None,
        };
        match OpenOptions::new().append(true).open(&rejects.path) {
            Ok(file) if keep > 0 && file.metadata()?.len() >= keep => {
                file.set_len(keep)?;
                rejects.writer = Some(csv::Writer::from_writer(file));
            }
            Ok(_) => std::fs::remove_file(&rejects.path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(rejects)
    }

    /// Appends rows and gives the length of the file after them.
    pub(super) fn append(&mut self, pass: &str, rejects: &[Reject]) -> csv::Result<u64> {
        if rejects.is_empty() && self.writer.is_none() {
            return Ok(0);
        }
        let width = self.header.len();
        let writer = self.writer()?;
        for reject in rejects {
            writer.write_field(reject.line.to_string())?;
            writer.write_field(neutral(pass.as_bytes()))?;
            writer.write_field(neutral(reject.reason.as_bytes()))?;
            for index in 0..width.max(reject.record.len()) {
                writer.write_field(neutral(reject.record.get(index).unwrap_or_default()))?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush()?;
        Ok(writer.get_ref().metadata()?.len())
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn writer(&mut self) -> csv::Result<&mut csv::Writer<File>> {
        if self.writer.is_none() {
            let file = OpenOptions::new().append(true).create(true).open(&self.path)?;
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
            let names = ["line", "pass", "reason"]
                .into_iter()
                .chain(self.header.iter().map(String::as_str));
            writer.write_record(names.map(|name| neutral(name.as_bytes())))?;
            self.writer = Some(writer);
        }
        self.writer
            .as_mut()
            .ok_or_else(|| io::Error::other("the rejects file is not open").into())
    }
}

/// A cell that a spreadsheet takes for text: what could start a formula gets an apostrophe in front.
fn neutral(cell: &[u8]) -> Cow<'_, [u8]> {
    match cell.first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | 0) => Cow::Owned([b"'", cell].concat()),
        _ => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(line: u64, cells: &[&str]) -> Reject {
        Reject {
            line,
            record: cells.iter().copied().collect(),
            reason: format!("reason {line}"),
        }
    }

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("rapport-rejects-{}-{name}.csv", std::process::id()))
    }

    #[test]
    fn formulas_are_made_harmless() {
        for active in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\0=1"] {
            assert_eq!(neutral(active.as_bytes())[0], b'\'', "{active:?}");
        }
        assert_eq!(&*neutral(b"plain = text"), b"plain = text");
        assert!(neutral(b"").is_empty());
    }

    #[test]
    fn rows_keep_their_columns_and_get_a_reason() {
        let path = path("rows");
        let mut rejects = Rejects::open(path.clone(), &["a".into(), "b".into()], 0).unwrap();
        assert_eq!(rejects.append("p", &[]).unwrap(), 0);
        assert!(!path.exists(), "no rejects, no file");
        rejects
            .append("p", &[reject(2, &["=x", "y,z"]), reject(3, &["short"])])
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "line,pass,reason,a,b\n2,p,reason 2,'=x,\"y,z\"\n3,p,reason 3,short,\n"
        );
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_resumed_load_drops_what_was_not_saved() {
        let path = path("resume");
        let mut rejects = Rejects::open(path.clone(), &["a".into()], 0).unwrap();
        let saved = rejects.append("p", &[reject(2, &["x"])]).unwrap();
        rejects.append("p", &[reject(3, &["lost"])]).unwrap();
        let mut resumed = Rejects::open(path.clone(), &["a".into()], saved).unwrap();
        resumed.append("p", &[reject(3, &["again"])]).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "line,pass,reason,a\n2,p,reason 2,x\n3,p,reason 3,again\n"
        );
        drop(Rejects::open(path.clone(), &["a".into()], 0).unwrap());
        assert!(!path.exists(), "a fresh load starts without the old rejects");
    }
}
