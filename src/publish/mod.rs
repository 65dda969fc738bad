//! The web root, from which machines boot. Generations are published so that no machine ever finds half of one.
//!
//! ```text
//! <root>/  nixos/<image>/<id>/  bundles; current → <id>
//!          site/<id>/              the part of a site that is served; current → <id>
//!          sites/<cluster>/<id>/   the site of each cluster, where several share the web root and site/<id> is their union
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
//! patterns     patterns of OpenSSH
//! allowed_signers  parses a file of allowed signers
//! signers      verifies signatures of SSH keys
//! signing_key  makes such signatures with ssh-keygen
//! publication  cluster, number and dates of a generation
//! contents     the files that a directory should hold
//! copy         copies an expected file, and compares it on the way
//! compare      compares many files, on all cores
//! root         a web root, and its counter of generations
//! timer        the timer that ends armings
//! lock         its lock, and the staging directory
//! joint        the names of the sites that a joint site joins
//! channel      a directory of generations, one of which is current
//! bundle       reads a bundle, and refuses one that contradicts itself
//! signatures   finds the detached signatures of a site's files
//! site         reads a site that render wrote or that is published
//! sign_target  the places where signatures may be written
//! sign         signs bundles and sites
//! admin_keys   the admin keys that open nodes and installers
//! request      the request of a publication
//! builds       finds builds of iPXE
//! loaders      stages and installs them
//! links        the links in the web root that lead into the current site
//! armed        the files of armed machines
//! needs        the files that an armed node boots
//! bootable     whether a machine finds everything that it boots
//! arm, disarm  arm and disarm machines
//! quorum       whether armed machines could cost a cluster its quorum
//! takeover     refuses a publication that takes the scripts of armed machines away
//! place        the place of a publication among the clusters of a web root
//! begun        the roll back that is at work, or was killed
//! staged       a generation in the staging directory
//! boot_signatures  verifies who signed what machines boot
//! joint_plan   plans the joint site of several clusters
//! conflicts    what two clusters of a web root both claim
//! shared_files the files that all machines share
//! joining      builds that site
//! adoption     copies the site of a cluster that was alone
//! staging      builds new generations in the staging directory
//! armed_changes   what a publication changes for armed nodes
//! commit       publishes them
//! roll_back    goes back to the generation before the current one
//! remove       removes the bundles for an image
//! remove_cluster  takes a cluster out of a web root
//! report       requirements and report of a verification
//! generations  verifies a channel and its generations
//! access       verifies modes and owners
//! verify_armed    verifies the files of armed machines
//! verify_loaders  verifies builds of iPXE
//! verify       verifies a web root or a bundle
//! ```
//!
//! Nothing in this room prints or reads a clock.

mod access;
mod admin_keys;
mod adoption;
mod allowed_signers;
mod arm;
mod armed;
mod armed_changes;
mod begun;
mod boot_signatures;
mod bootable;
mod builds;
mod bundle;
mod channel;
mod commit;
mod compare;
mod conflicts;
mod contents;
mod copy;
mod disarm;
mod fault;
mod generations;
mod joining;
mod joint;
mod joint_plan;
mod links;
mod loaders;
mod lock;
mod needs;
mod patterns;
mod place;
mod publication;
mod quorum;
mod remove;
mod remove_cluster;
mod report;
mod request;
mod roll_back;
mod root;
mod shared_files;
mod sign;
mod sign_target;
mod signatures;
mod signers;
mod signing_key;
mod site;
mod staged;
mod staging;
mod takeover;
mod timer;
mod verify;
mod verify_armed;
mod verify_loaders;

pub use admin_keys::{AdminKeyRow, list_admin_keys};
pub use arm::{ArmOutcome, ArmRequest, arm};
pub use armed::{Armed, ArmedFile, list_armed};
pub use bootable::ArmTarget;
pub(crate) use builds::PACKAGE_DIRS;
pub use commit::{PublishOutcome, Published, publish};
pub use disarm::{DisarmOutcome, DisarmSelection, disarm};
pub use fault::{Fault, FaultKind, Refused};
pub use loaders::{InstalledLoader, LoaderOutcome, MissingLoader, list_needed_loaders};
pub use lock::WebRootLock;
pub use publication::Publication;
pub use quorum::find_quorum_risk;
pub use remove::{RemoveOutcome, remove};
pub use remove_cluster::remove_cluster;
pub use report::{VerifiedGeneration, VerifyReport, VerifyRequirements};
pub use request::{ClusterNames, LoaderSource, PublicationTerms, PublishRequest, UNNAMED};
pub use roll_back::{FinishedRollback, roll_back};
pub use root::WebRoot;
pub use sign::{SignOutcome, sign_bundle, sign_manifest, sign_site};
pub use signers::Signers;
pub use signing_key::SigningKey;
pub use timer::ArmingTimer;
pub use verify::verify;
