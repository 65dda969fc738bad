//! The web root, from which machines boot. Generations are published so that no machine ever finds half of one.
//!
//! ```text
//! <root>/  nixos/<base>/<id>/   bundles; current → <id>
//!          site/<id>/              the part of a site that is served; current → <id>
//!          ipxe → site/current/ipxe, and so on for every name of the site
//!          armed/<mac>             which machines may be erased; publish never touches it
//!          tftp/                   builds of iPXE
//!          .plasmagen/             marker, lock, staging directory
//! ```
//!
//! From the ground floor up; a file uses only files above it in this list:
//!
//! ```text
//! fault        the faults of what is published
//! publication  number and dates of a generation
//! contents     the files that a directory should hold
//! copy         copies an expected file, and compares it on the way
//! compare      compares many files, on all cores
//! root         a web root, and its counter of generations
//! lock         its lock, and the staging directory
//! channel      a directory of generations, one of which is current
//! bundle       reads a bundle, and refuses one that contradicts itself
//! signatures   finds the detached signatures of a site's files
//! site         reads a site that render wrote or that is published
//! request      the request of a publication
//! staging      builds new generations in the staging directory
//! commit       publishes them, and rolls back
//! loaders      installs builds of iPXE
//! armed        arms and disarms machines
//! needs        the files that an armed node boots
//! signers      verifies signatures of SSH keys over manifests
//! report       requirements and report of a verification
//! generations  verifies a channel and its generations
//! verify       verifies a web root or a bundle
//! ```
//!
//! Nothing in this room prints or reads a clock.

mod armed;
mod bundle;
mod channel;
mod commit;
mod compare;
mod contents;
mod copy;
mod fault;
mod generations;
mod loaders;
mod lock;
mod needs;
mod publication;
mod report;
mod request;
mod root;
mod signatures;
mod signers;
mod site;
mod staging;
mod verify;

pub use armed::{ArmTarget, Armed, ArmedFile, arm, disarm, list_armed};
pub use commit::{PublishOutcome, Published, publish, roll_back};
pub use fault::{Fault, FaultKind, Refused};
pub(crate) use loaders::PACKAGE_DIRS;
pub use loaders::{InstalledLoader, MissingLoader, install_loaders, list_needed_loaders};
pub use lock::WebRootLock;
pub use publication::Publication;
pub use report::{VerifiedGeneration, VerifyReport, VerifyRequirements};
pub use request::PublishRequest;
pub use root::WebRoot;
pub use signers::Signers;
pub use verify::verify;
