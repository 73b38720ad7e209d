//! Folders for servers. They stay after the run, with the logs in them, until the next run removes them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A new, empty folder.
pub(crate) fn new_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let folder = run_folder().join(NUMBER.fetch_add(1, Ordering::Relaxed).to_string());
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// The folder of this run, named by its process.
fn run_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("end_to_end");
        let earlier = std::fs::read_dir(&all).into_iter().flatten().flatten();
        for folder in earlier.filter(|folder| !is_running(&folder.file_name().to_string_lossy())) {
            // What cannot be removed now can be by the next run.
            drop(std::fs::remove_dir_all(folder.path()));
        }
        all.join(std::process::id().to_string())
    })
}

fn is_running(process_id: &str) -> bool {
    let probe = Command::new("kill")
        .args(["-s", "0", process_id])
        .stderr(Stdio::null())
        .status();
    probe.is_ok_and(|status| status.success())
}
