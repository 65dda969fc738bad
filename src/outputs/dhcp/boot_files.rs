//! The files that machines load when they boot: by the architecture that firmware announces, and by the platform of a node
//! where no architecture that the firmware announces fits the node.
//!
//! Firmware may announce several architectures in DHCP option 93 (RFC 4578 section 2.1): the first loader of the table
//! that one of them starts, and that runs on the node, is named. A node that boots over HTTP gets a URL in any case.

use serde::Serialize;

use crate::model::{
    Cluster, DEFAULT_LOADER, HTTP_CLIENT, IPXE_CLASS, LOADERS, Loader, Platform, ProvisionerInterface,
    TFTP_DIR,
};

/// The offsets of the architectures in DHCP option 93 that Kea and dhcpd look at, which have no loops. dnsmasq looks at
/// all.
pub(super) const ENTRIES: [u8; 3] = [0, 2, 4];

/// The files that machines load when they boot, from one address of the provisioner.
#[derive(Serialize)]
pub(super) struct BootFiles {
    /// The user class that iPXE sends.
    pub(super) ipxe_class: &'static str,
    /// The bytes of this user class after its length (RFC 3004), as dhcpd compares data.
    counted_class: String,
    /// The vendor class that firmware sends and expects when it boots over HTTP.
    pub(super) http_client: &'static str,
    /// The URL of the script that iPXE runs.
    pub(super) script: String,
    /// The offsets of architectures in option 93.
    pub(super) entries: [u8; 3],
    /// The files that firmware loads, by architecture.
    pub(super) loaders: Vec<ArchitectureLoader>,
    /// The file that firmware of any other architecture loads, unless a node's platform is known.
    pub(super) default: &'static str,
    /// The files for nodes, by platform.
    pub(super) platforms: Vec<PlatformFiles>,
}

/// The file that firmware of one architecture loads.
#[derive(Clone, Serialize)]
pub(super) struct ArchitectureLoader {
    /// The value of DHCP option 93.
    pub(super) architecture: u16,
    /// The value in four hexadecimal digits.
    pub(super) hex: String,
    /// The value in two bytes, as dhcpd compares data: `= 7` never matches.
    bytes: String,
    /// A file in the TFTP root, or a URL.
    pub(super) file: String,
    /// Whether `file` is a URL, and the firmware expects the vendor class `HTTPClient`.
    pub(super) http: bool,
    /// The kind of machine, for comments.
    about: &'static str,
    /// The names of the nodes' platforms that this file does not run on.
    pub(super) foreign: Vec<String>,
}

/// The files for the nodes of one platform.
#[derive(Serialize)]
pub(super) struct PlatformFiles {
    /// The name of the platform.
    pub(super) name: String,
    /// The file in the TFTP root for nodes that announce no architecture of `loaders`.
    pub(super) file: &'static str,
    /// The URL for nodes that announce an architecture of `foreign_http`.
    pub(super) url: String,
    /// The files that run on the platform.
    loaders: Vec<ArchitectureLoader>,
    /// The architectures of other systems that boot over HTTP.
    pub(super) foreign_http: Vec<ArchitectureLoader>,
}

impl BootFiles {
    /// The files that machines load from the address of `interface`.
    pub(super) fn new(cluster: &Cluster, interface: &ProvisionerInterface) -> Self {
        let base = cluster.provisioner.base_url(interface);
        let platforms = cluster.platforms();
        Self {
            ipxe_class: IPXE_CLASS,
            counted_class: octets(&counted(IPXE_CLASS)),
            http_client: HTTP_CLIENT,
            script: format!("{base}/ipxe/boot.ipxe"),
            entries: ENTRIES,
            loaders: LOADERS.iter().flat_map(|loader| list_files(loader, &base, &platforms)).collect(),
            default: DEFAULT_LOADER,
            platforms: platforms
                .iter()
                .map(|&platform| platform_files(platform, &base, &platforms))
                .collect(),
        }
    }
}

/// The file of `loader` for each of its architectures.
fn list_files(loader: &Loader, base: &str, platforms: &[Platform]) -> Vec<ArchitectureLoader> {
    let is_foreign = |platform: &&Platform| platform.system != loader.system;
    let foreign: Vec<_> = platforms.iter().filter(is_foreign).map(|platform| platform.name()).collect();
    let file = if loader.http { url_of(loader, base) } else { loader.file.to_owned() };
    let of_architecture = |&architecture: &u16| ArchitectureLoader {
        architecture,
        hex: format!("{architecture:04x}"),
        bytes: octets(&architecture.to_be_bytes()),
        file: file.clone(),
        http: loader.http,
        about: loader.about,
        foreign: foreign.clone(),
    };
    loader.architectures.iter().map(of_architecture).collect()
}

fn platform_files(platform: Platform, base: &str, platforms: &[Platform]) -> PlatformFiles {
    let (fitting, others): (Vec<&Loader>, Vec<&Loader>) =
        LOADERS.iter().partition(|loader| loader.system == platform.system);
    let files = |loaders: Vec<&Loader>| {
        loaders.into_iter().flat_map(|loader| list_files(loader, base, platforms)).collect::<Vec<_>>()
    };
    PlatformFiles {
        name: platform.name(),
        file: Loader::over_pxe(platform.firmware, platform.system).file,
        url: url_of(&Loader::over_http(platform.system), base),
        loaders: files(fitting),
        foreign_http: files(others.into_iter().filter(|loader| loader.http).collect()),
    }
}

/// A user class after its length (RFC 3004).
pub(super) fn counted(class: &str) -> Vec<u8> {
    let length = u8::try_from(class.len()).unwrap_or(u8::MAX);
    [&[length], class.as_bytes()].concat()
}

/// Bytes in hexadecimal with colons between.
fn octets(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// The URL of a loader, which nginx serves from the TFTP root.
fn url_of(loader: &Loader, base: &str) -> String {
    format!("{base}/{TFTP_DIR}/{}", loader.file)
}
