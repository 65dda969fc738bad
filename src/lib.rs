//! plasmagen: from one `inventory.toml` to everything that turns a rack of bare machines into a PlasmaCloud cluster.
//!
//! ```text
//! inventory.toml ─ inventory ─ resolve ─ rules ─ plan ─ outputs (pure) ─ write ─ nodes/, site/
//!                                                 │
//!                                               pki ─ vault (private keys)
//! ```
//!
//! The rooms, from the ground floor up. A room uses rooms above it in this table only, and no others than its row names;
//! `tests/inventory/rooms.rs` compares the table with the code.
//!
//! | room | what it holds | uses |
//! | --- | --- | --- |
//! | [`fs`](mod@fs) | the ground floor, the only room that changes a disk: directories by descriptor, replacement, locks, SHA-256 | |
//! | [`remote`] | scripts on machines of the site, over the user's ssh; what a machine answers is hostile until it is parsed | |
//! | [`diag`] | diagnostics for the author of an inventory: each with its place, all at once | |
//! | [`render`] | templates to text: a dialect for each target language, which escapes every value by its type | |
//! | [`model`] | the resolved vocabulary: validated names, addresses, disks, nodes, the cluster | `diag` |
//! | [`inventory`] | the inventory as written: values with their places, nothing defaulted | `diag`, `model` |
//! | [`resolve`] | inventory to cluster: references, profiles, defaults, and the origin of each value | `diag`, `inventory`, `model` |
//! | [`artifact`] | files that exist only in memory | `model` |
//! | [`write`](mod@write) | `nodes/` and `site/`, replaced together or not at all | `artifact`, `fs` |
//! | [`plan`] | the cluster and the published files that outputs read; `Plan::gather` is the only reading step | `fs`, `model`, `write` |
//! | [`pki`] | the CA, the nodes' certificates, and the vault, the only room that writes private keys | `fs`, `model`, `plan` |
//! | [`rules`] | the invariants: a file for each chapter, one table of all rules | `diag`, `inventory`, `model`, `pki`, `plan`, `resolve` |
//! | [`check`] | bytes to a sound cluster, or to all faults: parses, resolves and applies the rules | `diag`, `inventory`, `model`, `plan`, `resolve`, `rules` |
//! | [`edit`] | the inventory as a text that is edited: nodes and networks added, removed and replaced | `check`, `diag`, `inventory`, `model`, `resolve`, `rules` |
//! | [`image`] | netboot images: archives, initrds, bundles, the overlays of nodes | `fs`, `model`, `render` |
//! | [`outputs`] | everything that is written: a file for each output, one table of all outputs | `artifact`, `fs`, `image`, `model`, `plan`, `render` |
//! | [`change`] | what a change of the inventory does to each machine: two clusters, a table of keys, consequences | `model`, `outputs`, `pki` |
//! | [`site`] | the way from a cluster to its rendered site: gather, issue, outputs, commit; or compare | `artifact`, `model`, `outputs`, `pki`, `plan`, `write` |
//! | [`sign`](mod@sign) | CMS signatures of what machines boot, which iPXE verifies | `fs`, `pki` |
//! | [`publish`](mod@publish) | the web root: generations of bundles and of the site, armed nodes, verification | `artifact`, `fs`, `image`, `model`, `sign`, `write` |
//! | [`bmc`] | BMCs: power, a boot from the network, and whether the machine is the inventory's; Redfish and IPMI | `fs`, `model` |
//! | [`lab`] | the cluster's machines in QEMU, behind the real servers | `artifact`, `fs`, `image`, `model`, `publish`, `sign`, `write` |
//! | [`cli`] | the command line: a file for each command; the only room that prints, colours, exits and reads the clock | all |
//!
//! From `inventory` to `outputs` nothing touches a disk, a clock, the network or a random number, except the reading step
//! in `plan`: the same inventory gives the same bytes. The words of this house are in `docs/terms.md`.

#![warn(clippy::disallowed_methods)]

pub mod artifact;
pub mod bmc;
pub mod change;
pub mod check;
pub mod cli;
pub mod diag;
pub mod edit;
pub mod fs;
pub mod image;
pub mod inventory;
pub mod lab;
pub mod model;
pub mod outputs;
pub mod pki;
pub mod plan;
pub mod publish;
pub mod remote;
pub mod render;
pub mod resolve;
pub mod rules;
pub mod sign;
pub mod site;
pub mod write;
