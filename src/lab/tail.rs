//! Logs and consoles, read while they are written.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A file that grows.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    at: u64,
    /// The line that has no end yet.
    rest: String,
}

impl Tail {
    /// All of it, once it is there.
    pub(super) fn at_start(path: &Path) -> Self {
        Self { path: path.to_owned(), at: 0, rest: String::new() }
    }

    /// What is there already is not of interest.
    pub(super) fn at_end(path: &Path) -> Self {
        let at = path.metadata().map_or(0, |own| own.len());
        Self { path: path.to_owned(), at, rest: String::new() }
    }

    /// What has been written since.
    pub(super) fn more(&mut self) -> String {
        let read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.at))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            std::io::Result::Ok(bytes)
        };
        // A file that is not there yet has no lines.
        let bytes = read().unwrap_or_default();
        self.at += bytes.len() as u64;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The same, as whole lines.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let more = self.more();
        self.rest.push_str(&more);
        let Some((whole, rest)) = self.rest.rsplit_once('\n') else { return Vec::new() };
        let lines = whole.lines().map(str::to_owned).collect();
        self.rest = rest.to_owned();
        lines
    }
}
