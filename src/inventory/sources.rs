//! The files of an inventory: `inventory.toml`, and the table of nodes that its key `nodes.from` names.
//!
//! A place in the table of nodes is a place behind the end of `inventory.toml`, as if the table stood there.

use toml::de::DeTable;

use crate::diag::Diagnostic;
use crate::model::{RelPath, Word};

use super::document::{LARGEST, text};

/// The files of an inventory, as bytes.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'s> {
    /// The inventory.
    pub inventory: &'s [u8],
    /// The table of nodes, or the reason why it cannot be read; none where nobody has looked for it.
    pub nodes: Option<Result<&'s [u8], &'s str>>,
}

impl<'s, T: AsRef<[u8]> + ?Sized> From<&'s T> for Sources<'s> {
    fn from(inventory: &'s T) -> Self {
        Self { inventory: inventory.as_ref(), nodes: None }
    }
}

/// The files of an inventory, as texts.
#[derive(Clone, Debug)]
pub struct Texts<'t> {
    /// The inventory.
    pub inventory: &'t str,
    /// The table of nodes, or the reason why it cannot be read; none where nobody has looked for it.
    pub nodes: Option<Result<&'t str, String>>,
}

impl<'t, T: AsRef<str> + ?Sized> From<&'t T> for Texts<'t> {
    fn from(inventory: &'t T) -> Self {
        Self { inventory: inventory.as_ref(), nodes: None }
    }
}

impl<'t> Texts<'t> {
    /// Reads the bytes of `sources` as texts.
    ///
    /// # Errors
    /// Under rule A01, when the inventory is no text. A table of nodes that is no text is named when the inventory is read.
    pub fn read(sources: Sources<'t>) -> Result<Self, Diagnostic> {
        let nodes = sources.nodes.map(|read| match read {
            Ok(bytes) if bytes.len() > LARGEST => Err(format!("it has more than {LARGEST} bytes")),
            Ok(bytes) => str::from_utf8(bytes).map_err(|why| {
                let line = bytes[..why.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
                format!("it is not UTF-8: see line {line}, and save it as UTF-8")
            }),
            Err(why) => Err(why.to_owned()),
        });
        Ok(Self { inventory: text(sources.inventory)?, nodes })
    }

    /// The table of nodes, where it could be read.
    #[must_use]
    pub fn node_table(&self) -> Option<&'t str> {
        self.nodes.as_ref()?.as_ref().ok().copied()
    }

    /// The files as bytes.
    #[must_use]
    pub fn sources(&self) -> Sources<'_> {
        let nodes = self.nodes.as_ref().map(|read| match read {
            Ok(text) => Ok(text.as_bytes()),
            Err(why) => Err(why.as_str()),
        });
        Sources { inventory: self.inventory.as_bytes(), nodes }
    }
}

/// The offset at which places in the table of nodes begin, beside an inventory of `length` bytes.
#[must_use]
pub fn node_table_offset(length: usize) -> usize {
    length + 1
}

/// The path of the table of nodes that the inventory `bytes` names, relative to the inventory; none where it names none,
/// or where the inventory cannot be read.
#[must_use]
pub fn find_node_table(bytes: &[u8]) -> Option<String> {
    let text = text(bytes).ok().filter(|text| text.contains("nodes"))?;
    let document = DeTable::parse(text).ok()?;
    let from = document.get_ref().get("nodes")?.get_ref().get("from")?.get_ref().as_str()?;
    RelPath::parse(from).ok().map(|path| path.as_str().to_owned())
}
