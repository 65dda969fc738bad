//! The inventory as written: values with their places, faulty parts missing, nothing defaulted.
//!
//! A key is one declaration in `cluster`, `disk`, `provisioner`, `firewall`, `network`, `node`, `profile`, `layout` or `root`:
//! `tables` makes of the declaration its field, its reader and its JSON Schema. `reader` collects faults, `document` parses
//! TOML, `rows` tables of cells, whose nodes `node_table` puts into the document.

mod cluster;
mod disk;
mod document;
mod firewall;
mod key;
mod layout;
mod nearest;
mod network;
mod node;
mod node_table;
mod parse;
mod profile;
mod provisioner;
mod reader;
mod root;
mod rows;
mod schema;
mod secret_values;
mod secret_words;
mod secrets;
mod settings;
mod sources;
mod syntax;
mod tables;
mod values;
mod written;

pub use cluster::{
    BootTable, ClusterTable, DnsTable, HardwareTable, LoggingTable, NtpTable, ServiceTable, TlsTable,
    VaultTable,
};
pub use disk::{DiskTable, WrittenDisk};
pub use document::{LARGEST, text};
pub use firewall::{FirewallTable, OpenTable};
pub use layout::{LayoutKeys, LayoutTable, VolumeTable};
pub(crate) use nearest::nearest;
pub use network::NetworkTable;
pub use node::{BmcTable, NodeTable};
pub use node_table::{NODE_COLUMNS, NodesTable, find_secret_cells, split_column};
pub use parse::parse;
pub use profile::{BondTable, Common, InterfaceTable, ProfileTable};
pub use provisioner::{ProvisionerInterfaceTable, ProvisionerInterfaces, ProvisionerTable, WrittenInterface};
pub use reader::{Entries, Entry};
pub use root::{Inventory, SCHEMA, json_schema};
pub use rows::{Row, Rows, TableCell, read_rows};
pub use secret_values::find_secret_values;
pub use settings::SettingsTable;
pub use sources::{Sources, Texts, find_node_table, node_table_offset};
pub use written::{List, Maybe, known};
