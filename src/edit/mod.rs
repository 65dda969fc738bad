//! The inventory as a text that is edited: bytes outside of the touched places stay as they are. Pure: text in, text
//! out.
//!
//! ```text
//! source     the statements of a TOML text and their places
//! places     where the tables of nodes are, whichever way they are written
//! blocks     whole lines: a table with its comment, and the blank line that goes with it
//! splice     texts put into the places of a text
//! literal    values as TOML
//! style      how a table is written, taken from a neighbour
//! lists      items of an array, added and removed
//! names      ranges of names, and the next free name
//! allocate   the next free addresses
//! proof      an edit means exactly what it should mean
//! new_node   nodes to add, and node_keys their keys
//! node_rows  the table of nodes beside the inventory
//! add, remove, replace, network   the edits
//! import     nodes from files of other programs
//! ```
//!
//! An edit puts texts into places that the parser of TOML gave. Nothing is printed anew, so that comments, layout, line
//! ends and the end of the file stay.

mod add;
mod allocate;
mod blocks;
mod import;
mod list;
mod lists;
mod literal;
mod names;
mod network;
mod new_node;
mod node_keys;
mod node_rows;
mod places;
mod proof;
mod remove;
mod replace;
mod source;
mod splice;
mod style;

pub use add::{Addition, add_nodes};
pub use import::{FilePlace, Import, ImportFault, ImportFile, ImportForm, ImportOptions, import};
pub use list::{NodeList, list_nodes};
pub use literal::toml_string;
pub use names::expand_names;
pub use network::{NetworkAddition, NewNetwork, add_network};
pub use new_node::{AddedNode, NewBmc, NewNode};
pub use places::NotEditable;
pub use remove::{Removal, RemoveRequest, remove_nodes};
pub use replace::{NewHardware, Replacement, replace_node};
