//! The resolved vocabulary: what is true of a cluster once its inventory has been found sound. No IO, no spans.

mod cluster;
mod disk;
pub mod dns;
mod exposure;
mod hardware;
mod mac;
mod machine;
mod names;
mod net;
mod netboot;
mod node;
mod profile;
pub mod reverse;
pub mod service;
mod size;
mod text;
mod word;

pub use cluster::{
    Boot, Cluster, DhcpServer, Dns, FirewallExtra, KeyAlgorithm, Network, Provisioner, Role, System, Tls,
    Verify, Vip,
};
pub use disk::{DiskId, Format, Layout, MountPoint, Style, Volume};
pub use exposure::{
    Forwarding, Machine, Opening, Source, forwarding, openings, provisioner_openings, ssh_sources,
};
pub use hardware::{Cpu, Firmware, Hardware, KNOWN as KNOWN_HARDWARE, known as known_hardware};
pub use mac::MacAddr;
pub use machine::{Console, KernelModule, Mailbox, SerialNumber, Server, UserName};
pub use names::{DomainName, HostName, IfName, Label};
pub use net::{Family, Range, broadcast, family, is_network_address};
pub use netboot::{DEFAULT_LOADER, HTTP_CLIENT, IPXE_CLASS, LOADERS, Loader, Reservation};
pub use node::{Base, Bmc, BmcProtocol, Bond, BondMode, Interface, Node};
pub use profile::Profile;
pub use reverse::ReverseZone;
pub use service::{Ports, Protocol, Service, Settings, known as known_service};
pub use size::{Seconds, Size};
pub use text::{AbsPath, AdminKey, KernelParam, RelPath, StateVersion};
pub use word::{Form, Invalid, Word, is_invisible};
