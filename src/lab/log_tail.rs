//! Reads logs and serial consoles while they are being written, as `tail -f` does.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A file that is read while it grows.
#[derive(Debug)]
pub(super) struct LogTail {
    path: PathBuf,
    /// How many bytes were read.
    position: u64,
    /// The beginning of a line whose end is not written yet.
    unfinished: String,
}

impl LogTail {
    /// Reads the file from its beginning. The file need not exist yet.
    pub(super) fn from_start(path: &Path) -> Self {
        Self { path: path.to_owned(), position: 0, unfinished: String::new() }
    }

    /// Reads only what is written after this call.
    pub(super) fn from_end(path: &Path) -> Self {
        let position = path.metadata().map_or(0, |metadata| metadata.len());
        Self { path: path.to_owned(), position, unfinished: String::new() }
    }

    /// Reads the text that was written since the last call.
    pub(super) fn read_text(&mut self) -> String {
        let read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.position))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            std::io::Result::Ok(bytes)
        };
        // A file that does not exist yet has no text.
        let bytes = read().unwrap_or_default();
        self.position += bytes.len() as u64;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads the lines that were finished since the last call.
    pub(super) fn read_lines(&mut self) -> Vec<String> {
        let text = self.read_text();
        self.unfinished.push_str(&text);
        let Some((finished, rest)) = self.unfinished.rsplit_once('\n') else { return Vec::new() };
        let lines = finished.lines().map(str::to_owned).collect();
        self.unfinished = rest.to_owned();
        lines
    }
}
