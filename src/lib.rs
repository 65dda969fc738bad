//! plasmagen: one `inventory.toml` in, everything that a rack of bare machines needs to become a cluster out.
//!
//! ```text
//! inventory.toml ─ inventory ─ resolve ─ rules ─ plan ─ outputs (pure) ─ write ─ nodes/, site/
//!                                                 │
//!                                               pki ─ vault (private keys)
//! ```
//!
//! | room | what lives there |
//! | --- | --- |
//! | [`cli`] | one file a command; the only room that prints, colours or exits, and that reads the clock |
//! | [`diag`] | what is said to the author of an inventory: diagnostics with a place, all at once |
//! | [`inventory`] | the file as it is written: spanned, faulty parts missing, nothing defaulted |
//! | [`model`] | the resolved vocabulary: validated words, addresses, disks, nodes, the cluster |
//! | [`resolve`] | from the one to the other: references, profiles, defaults |
//! | [`rules`] | the invariants, one file a chapter, one table of all |
//! | [`check`] | the four above in a row: bytes in, a sound cluster or all faults out; committed certificates on request |
//! | [`plan`] | the cluster and what else outputs read; `gather` and `gather_zones` are the reading steps |
//! | [`outputs`] | one file an output, one table of all |
//! | [`render`] | templates to text: one dialect a target language, every hole escaped by type |
//! | [`image`] | netboot images: archives, initrds, bundles, the overlays of nodes |
//! | [`artifact`] | files that exist only in memory yet |
//! | [`write`](mod@write) | the only room that writes public files: all of them or none |
//! | [`publish`](mod@publish) | the web root: generations of bundles and of the site, who is armed, and what is wrong there |
//! | [`mod@fs`] | the ground floor: the only room that changes a disk, and the SHA-256 of files |
//! | [`lab`] | the cluster's machines in QEMU, behind the real servers on what was rendered |
//! | [`pki`] | the CA, the nodes' certificates, and the vault, the only room that writes secrets |
//!
//! Knowledge flows one way: model ← inventory, resolve, rules ← plan ← outputs ← write ← cli. From `inventory` to
//! `outputs` nothing touches a disk, a clock, the network or a random number, `plan`'s two reading steps excepted: the
//! same inventory gives the same bytes.

pub mod artifact;
pub mod check;
pub mod cli;
pub mod diag;
pub mod fs;
pub mod image;
pub mod inventory;
pub mod lab;
pub mod model;
pub mod outputs;
pub mod pki;
pub mod plan;
pub mod publish;
pub mod render;
pub mod resolve;
pub mod rules;
pub mod site;
pub mod write;
