//! The resolved vocabulary: what is true of a cluster once its inventory has been found sound. No IO, no spans.

mod bmc;
mod cluster;
mod dhcp;
mod disk;
mod disk_names;
pub mod dns;
mod exposure;
mod hardware;
mod interface;
mod label_form;
mod layout;
mod listing;
mod mac;
mod machine;
mod machine_identity;
mod names;
mod net;
mod netboot;
mod network;
mod node;
mod path;
mod permit;
mod private_key;
mod profile;
mod provisioner;
mod range;
mod reservations;
mod resolved;
pub mod reverse;
pub mod service;
mod settings;
mod shell;
mod size;
mod text;
mod traffic;
mod word;

pub use bmc::{Bmc, BmcCertificate, BmcProtocol};
pub use cluster::{Boot, BootVerification, Cluster, Dns, FirewallExtra, KeyAlgorithm, Tls, Vip};
pub use dhcp::{DhcpServer, DhcpServerFacts};
pub use disk::DiskId;
pub use disk_names::{DiskNames, Labels};
pub use exposure::{
    ExposedMachine, ForwardedConnection, Forwarding, Opening, PacketSource, RefusedConnection, RoutedNetwork,
    Routing, control_ports, forwarding, is_gateway, list_holders, list_references, may_hold, openings,
    provisioner_openings, provisioner_routing, ssh_sources,
};
pub use hardware::{
    Cpu, Firmware, Hardware, KNOWN as KNOWN_HARDWARE, System, add_storage, known as known_hardware,
};
pub use interface::{Bond, BondMode, Interface};
pub use label_form::suggest_label;
pub use layout::{Format, Layout, MountPoint, Style, Unlock, Volume};
pub use listing::list_few;
pub use mac::MacAddr;
pub use machine::{Console, KernelModule, Mailbox, SerialNumber, Server, UserName};
pub use machine_identity::{MachineIdentity, describe_machine};
pub use names::{DomainName, HostName, IfName, Label};
pub use net::{Family, broadcast, family, is_network_address};
pub use netboot::{DEFAULT_LOADER, HTTP_CLIENT, IPXE_CLASS, LOADERS, Loader};
pub use network::{Network, Role};
pub use node::Node;
pub use path::is_normal_path;
pub use permit::Permit;
pub use private_key::{PASSPHRASE_LETTERS, PRIVATE_KEY_WINDOW, find_key_marker, find_private_key};
pub use profile::{Base, Profile, image_name, list_image_names};
pub use provisioner::{Provisioner, ProvisionerInterface, TFTP_DIR};
pub use range::Range;
pub use reservations::{
    BmcReservation, ForeignReservation, Platform, Reservation, ReservationFile, ReservedNode,
};
pub use resolved::{RESOLVED_SCHEMA, ResolvedInventory, read_resolved};
pub use reverse::{DelegatedZone, ReverseZone};
pub use service::{ControlPort, Ports, Service, known as known_service};
pub use settings::{LaidSettings, Settings};
pub use shell::quote_for_shell;
pub use size::{Seconds, Size};
pub(crate) use text::is_ssh_key_type;
pub use text::{AbsPath, AdminKey, KernelParam, RelPath, StateVersion, VaultFile};
pub use traffic::{OpenOn, OpenProtocol, PortRange, Protocol, Reference, Traffic, VirtualHolder};
pub use word::{Form, Invalid, LONGEST_LABEL, Word, escape_line, has_label_form, is_invisible};
