//! `disks = […]`: the disks of a node.

use serde_json::{Value, json};
use toml::de::DeValue;

use crate::diag::{Report, Spanned};
use crate::model::{DiskId, Size};

use super::key::required;
use super::reader::{Cell, Read};
use super::schema::Schema;
use super::tables::tables;

tables! {
    /// `{ id = "…", size = "…" }`: a disk with its size.
    DiskTable {
        /// Name of the disk in `/dev/disk/by-id`.
        id: Option<Spanned<DiskId>> = required(),
        /// Size of the disk, such as `894G`: 960 GB are 894 GiB.
        size: Option<Spanned<Size>> = required(),
    }
}

/// A disk of a node as written: a text, or a table that also says the size.
#[derive(Clone, Debug)]
pub struct WrittenDisk {
    /// The name of the disk.
    pub id: Spanned<DiskId>,
    /// The size of the disk, if it is written.
    pub size: Option<Spanned<Size>>,
}

impl Read for WrittenDisk {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        if let DeValue::Table(_) = cell.value {
            let DiskTable { id, size } = DiskTable::read(cell, report)?;
            return Some(Self { id: id?, size });
        }
        Some(Self { id: Spanned::new(DiskId::read(cell, report)?, cell.span()), size: None })
    }

    /// The schema of both forms: a JSON Schema's keywords for texts do not apply to tables, and the other way round.
    fn schema() -> Schema {
        let mut schema = DiskTable::schema();
        schema.extend(DiskId::schema());
        let types: Value = json!(["string", "object"]);
        schema.insert("type".into(), types);
        schema
    }
}
