//! A node that is read from a file, with the place of each value.

use std::collections::BTreeMap;
use std::fmt;

/// A place in an imported file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePlace {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for FilePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A fault of an imported file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImportFault {
    /// The place of the fault.
    pub place: FilePlace,
    /// The fault, in one line.
    pub message: String,
}

impl ImportFault {
    /// The fault `message` at `place`.
    pub(super) fn new(place: &FilePlace, message: impl Into<String>) -> Self {
        Self { place: place.clone(), message: message.into() }
    }
}

/// A value as written, with its place.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) place: FilePlace,
}

/// A node as a file describes it: values by the keys of the inventory. Disks have a value each.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) values: BTreeMap<String, Vec<Written>>,
    /// The beginning of the description.
    pub(super) place: FilePlace,
}

impl Candidate {
    pub(super) fn new(place: FilePlace) -> Self {
        Self { values: BTreeMap::new(), place }
    }

    /// Adds the value of `key`, unless it is empty.
    pub(super) fn add(&mut self, key: &str, text: &str, place: &FilePlace) {
        let text = text.trim();
        if !text.is_empty() {
            let written = Written { text: text.to_owned(), place: place.clone() };
            self.values.entry(key.to_owned()).or_default().push(written);
        }
    }

    /// The value of `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Written> {
        self.values.get(key)?.first()
    }
}

/// A MAC address in the inventory's form: in lower case and with colons.
pub(super) fn normal_mac(text: &str) -> String {
    text.to_ascii_lowercase().replace('-', ":")
}
