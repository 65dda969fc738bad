//! The resolved vocabulary: what is true of a cluster once its inventory has been found sound. No IO, no spans.

mod cluster;
mod dhcp;
mod disk;
pub mod dns;
mod exposure;
mod hardware;
mod layout;
mod mac;
mod machine;
mod names;
mod net;
mod netboot;
mod network;
mod node;
mod profile;
mod range;
pub mod reverse;
pub mod service;
mod size;
mod text;
mod word;

pub use cluster::{Boot, Cluster, Dns, FirewallExtra, KeyAlgorithm, Provisioner, System, Tls, Verify, Vip};
pub use dhcp::{DhcpServer, DhcpServerFacts};
pub use disk::DiskId;
pub use exposure::{
    Forwarding, Machine, Opening, Source, forwarding, openings, provisioner_openings, ssh_sources,
};
pub use hardware::{Cpu, Firmware, Hardware, KNOWN as KNOWN_HARDWARE, known as known_hardware};
pub use layout::{Format, Layout, MountPoint, Style, Volume};
pub use mac::MacAddr;
pub use machine::{Console, KernelModule, Mailbox, SerialNumber, Server, UserName};
pub use names::{DomainName, HostName, IfName, Label};
pub use net::{Family, broadcast, family, is_network_address};
pub use netboot::{DEFAULT_LOADER, HTTP_CLIENT, IPXE_CLASS, LOADERS, Loader, Reservation, TFTP_DIR};
pub use network::{Network, Role};
pub use node::{Base, Bmc, BmcProtocol, Bond, BondMode, Interface, Node};
pub use profile::Profile;
pub use range::Range;
pub use reverse::ReverseZone;
pub use service::{Ports, Protocol, Service, Settings, known as known_service};
pub use size::{Seconds, Size};
pub use text::{AbsPath, AdminKey, KernelParam, RelPath, StateVersion};
pub use word::{Form, Invalid, Word, is_invisible};
