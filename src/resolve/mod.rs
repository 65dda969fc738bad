//! Inventory to cluster: follows references, lays nodes over their profiles, fills in defaults, and records the origin of
//! each value.
//!
//! Two steps. [`resolve`] makes a [`Draft`], which is resolved as far as possible, so that rules also run on the sound parts
//! of a faulty inventory. [`finish`] turns a draft without faults into a [`Cluster`](crate::model::Cluster). Whatever picks
//! a value in `finish` hands the value and its [`Origin`] to a recorder together; [`list_cluster_values`] and
//! [`list_node_values`] run the same code with the recorder switched on.

mod draft;
mod finish;
mod interface;
mod layer;
mod network;
mod node;
mod origin;
mod recorder;
mod service;
mod settings;
mod values;
mod vip;

pub use draft::{Draft, resolve};
pub use finish::finish;
pub use interface::DraftInterface;
pub use layer::{Layer, Said};
pub use network::NetworkEntry;
pub use node::{DraftAddress, DraftNode};
pub use origin::Origin;
pub use recorder::ResolvedValue;
pub use service::DraftService;
pub use values::{list_cluster_values, list_node_values};
pub use vip::DraftVip;
