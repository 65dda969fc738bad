//! The lab: boots the machines of a cluster in QEMU, behind the real servers on the rendered files.
//!
//! [`start`] runs in the caller's process and makes the namespaces; [`run`] runs inside them. A [`LabConfig`] goes in
//! and [`Event`]s come out, as JSON. From the ground floor up; a file uses only files above it in this list:
//!
//! ```text
//! tools           finds programs and firmware, and names the packages of what is missing
//! command         runs programs; makes the lab's directories
//! namespaces      starts a process in new namespaces, which ends with its parent
//! mounts          the file systems inside the namespaces: memory, /dev, users
//! network         bridges, the router, the provisioner's interface
//! servers         DHCP, TFTP and HTTP servers, relay and router advertisements; one file for each DHCP server
//! web_root        writes and publishes the site, arms and disarms nodes
//! kernel_modules  finds kernel modules with their dependencies
//! test_system     a bundle without NixOS: the distribution's kernel and a busybox
//! boot_method     BIOS, UEFI or UEFI over HTTP
//! boot_test       a machine that is powered on, in which state, and the steps that it must make
//! select          which boot tests run
//! local_disk      the local disk of a machine
//! accelerator     KVM or emulation
//! machine         starts QEMU
//! log_tail        reads logs and consoles while they are written
//! server_logs     the lines of the servers' logs
//! observer        how far a machine has come, by logs and console
//! checks          compares what was observed with the inventory and the published files
//! report          the report of a run
//! config          the configuration of a run, and its events
//! scheduler       runs the boot tests, several at once
//! process         the lab as a process: start, configuration, events
//! run             the whole run, inside the namespaces
//! ```
//!
//! Nothing in this room prints.

#![allow(clippy::disallowed_methods, reason = "the lab writes scratch files into a directory of its own")]

mod accelerator;
mod boot_method;
mod boot_test;
mod checks;
mod command;
mod config;
mod kernel_modules;
mod local_disk;
mod log_tail;
mod machine;
mod mounts;
mod namespaces;
mod network;
mod observer;
mod process;
mod report;
mod run;
mod scheduler;
mod select;
mod server_logs;
mod servers;
mod test_system;
mod tools;
mod web_root;

pub use accelerator::Accelerator;
pub use boot_method::BootMethod;
pub use boot_test::{BootStep, Scenario};
pub use config::{Event, LabConfig};
pub use process::{LabProcess, receive_config, start};
pub use report::{LabReport, MachineReport};
pub use run::run;
pub use select::Selector;
pub use test_system::TestSystem;
pub use tools::{Requirements, Tools};
