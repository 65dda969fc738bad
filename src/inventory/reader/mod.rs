//! A reader that collects: it reports every fault of a table and goes on.
//!
//! Serde would stop at the first fault, and its spans do not survive tagged enums.

mod entries;
mod expected;
mod table;
mod value;

pub use entries::{Entries, Entry};
pub(super) use expected::Expected;
pub(super) use table::Table;
pub(super) use value::{Cell, Read, check_printable, parse_integer, read_text, refuse_invisible};
