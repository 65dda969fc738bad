//! The web root: what machines boot from, put there so that none of them ever finds half of it.
//!
//! ```text
//! <root>/  nixos/<profile>/<id>/   bundles; current → <id>
//!          site/<id>/              what render wrote for the web; current → <id>
//!          ipxe → site/current/ipxe, and so on for whatever the site has
//!          armed/<mac>             which machines may be erased; publish never touches it
//!          tftp/                   builds of iPXE
//!          .plasmagen/             marker, lock, stage
//! ```
//!
//! ```text
//! root         a web root that is ours, and its counter of generations
//! lock         its lock, and the stage
//! line         a directory of generations, one of which is current
//! publication  which generation it is, since when and until when
//! contents     what a directory says that it holds
//! bundle       reading a bundle, and refusing one that contradicts itself
//! site         reading what render wrote
//! signatures   what iPXE asks for beside the files of a site
//! copy         one pass: read, hashed, written, compared
//! stage        new generations, grown where nobody looks
//! commit       publish, and back again
//! loaders      builds of iPXE, from where distributions have them
//! armed        machines that may be erased
//! verify       everything in a root or a bundle, compared with what it should be
//! generations  the same of a line: its generations, and which is current
//! compare      digests on all cores
//! fault        what is wrong with what is published
//! signers      signatures of SSH keys over manifests
//! ```
//!
//! Nothing here prints or reads a clock. Everything below the root is reached without following a symbolic link.

mod armed;
mod bundle;
mod commit;
mod compare;
mod contents;
mod copy;
mod fault;
mod generations;
mod line;
mod loaders;
mod lock;
mod publication;
mod root;
mod signatures;
mod signers;
mod site;
mod stage;
mod verify;

pub use armed::{Armed, ArmedFile, Target, arm, armed, disarm};
pub use commit::{Outcome, Published, Request, publish, rollback};
pub use fault::{Fault, Kind, Refused};
pub use loaders::{Installed, Lacking, install, needed};
pub use lock::Lock;
pub use publication::Publication;
pub use root::Root;
pub use signers::Signers;
pub use verify::{Found, Report, Terms, verify};
