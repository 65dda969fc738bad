//! The client classes of Kea's server for IPv4: machines that boot the same file, and NICs that share an address.

use ipnet::Ipv4Net;
use serde::Serialize;

use crate::model::{Cluster, HTTP_CLIENT, IPXE_CLASS};
use crate::outputs::dhcp::{ArchitectureLoader, BootFiles, ENTRIES, PlatformFiles, counted};

use super::{OptionData, SHARED, hex};

/// The class of iPXE. Kea decides on this class first, and the firmware's classes leave out its members.
const IPXE: &str = "ipxe";

/// Machines that boot the same way. Where a machine is in several classes, the boot file of the first one counts.
#[derive(Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ClientClass {
    name: String,
    /// The condition; a class without one has the machines whose reservation names the class.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot_file_name: Option<String>,
    /// The lifetime of leases in seconds, unless a machine asks for a shorter one.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    option_data: Vec<OptionData>,
}

/// The boot files at another interface of the provisioner than the home interface.
struct OtherFiles {
    /// The class of the machines that are heard there, or through a relay in the network of the interface.
    class: String,
    files: BootFiles,
}

/// The classes that reservations name; then those of further interfaces; then those with boot files, the preferred ones
/// first; then those with lifetimes, where nodes may boot through several NICs. A class whose file has the address of the
/// home interface stands behind those of other interfaces, and so is for all other machines.
pub(super) fn client_classes(
    cluster: &Cluster,
    home: BootFiles,
    has_shared_addresses: bool,
) -> Vec<ClientClass> {
    let shared = has_shared_addresses.then(|| SHARED.to_owned());
    let reserved = home.platforms.iter().map(|platform| platform.name.clone()).chain(shared);
    let mut classes: Vec<_> = reserved.map(|name| ClientClass::new(name, None, None)).collect();
    let mut others = Vec::new();
    for interface in &cluster.provisioner.other_interfaces {
        let class = format!("at-{}", interface.network);
        let subnet = cluster.networks.get(&interface.network).and_then(|network| network.subnet);
        let mut test = format!("(pkt.iface == '{}' and pkt4.giaddr == 0.0.0.0)", interface.name);
        subnet.into_iter().flat_map(relays_of).for_each(|relay| test += &format!(" or {relay}"));
        classes.push(ClientClass::new(class.clone(), Some(test), None));
        others.push(OtherFiles { class, files: BootFiles::new(cluster, interface) });
    }
    classes.extend(ipxe_classes(home.script, &others));
    for (at, loader) in home.loaders.into_iter().enumerate() {
        let is_http = loader.http;
        let file = |other: &OtherFiles| Some(other.files.loaders.get(at)?.file.clone());
        let file = |other: &OtherFiles| file(other).filter(|_| is_http);
        classes.extend(at_each_interface(firmware_class(loader), &others, file));
    }
    for (at, platform) in home.platforms.into_iter().enumerate() {
        let url = |other: &OtherFiles| Some(other.files.platforms.get(at)?.url.clone());
        let [over_http, otherwise] = platform_classes(platform);
        classes.extend(at_each_interface(over_http, &others, url));
        classes.push(otherwise);
    }
    classes.extend(has_shared_addresses.then(shared_address_classes).into_iter().flatten());
    classes
}

/// The conditions of which one is true where a relay in `subnet` speaks for a machine. Such a relay is left over from before
/// the provisioner had an interface there. Kea compares whole octets only: a subnet that ends within an octet has a
/// condition for each value of this octet.
fn relays_of(subnet: Ipv4Net) -> impl Iterator<Item = String> {
    let octets = subnet.prefix_len().div_ceil(8);
    subnet.subnets(octets * 8).into_iter().flatten().map(move |block| {
        let prefix: Vec<u8> = block.network().octets().into_iter().take(octets.into()).collect();
        format!("substring(pkt4.giaddr, 0, {octets}) == 0x{}", hex(&prefix))
    })
}

/// `home`, behind a class for each of the interfaces at which `file` gives another boot file.
fn at_each_interface(
    home: ClientClass,
    others: &[OtherFiles],
    file: impl Fn(&OtherFiles) -> Option<String>,
) -> Vec<ClientClass> {
    let at_interface = |other: &OtherFiles| ClientClass {
        name: format!("{}-{}", home.name, other.class),
        test: home.test.as_ref().map(|test| format!("member('{}') and ({test})", other.class)),
        boot_file_name: file(other),
        ..home.clone()
    };
    let mut classes: Vec<_> =
        others.iter().map(at_interface).filter(|class| class.boot_file_name.is_some()).collect();
    classes.push(home);
    classes
}

/// The lifetime in seconds of a lease that firmware or iPXE gets for a node with several NICs. Kea does not offer an address
/// that another NIC has leased. A booting machine never returns a lease, and its firmware goes on to the next NIC, which
/// asks at 0, 4 and 12 seconds (EDK II's and the PXE specification's times).
const BOOTING_LEASE: u32 = 10;

/// The lifetime in seconds of a lease that the system on such a node gets. The system renews the lease in time.
const RUNNING_LEASE: u32 = 600;

/// The classes of nodes with several NICs: while they boot, and while their system runs.
fn shared_address_classes() -> [ClientClass; 2] {
    let (booting, running) = (format!("{SHARED}-booting"), format!("{SHARED}-running"));
    let is_firmware = "option[93].exists or substring(option[60].hex, 0, 9) == 'PXEClient'";
    let test = format!("member('KNOWN') and member('{SHARED}')");
    let test_booting = format!("{test} and (member('{IPXE}') or {is_firmware})");
    let test_running = format!("{test} and not member('{booting}')");
    let class = |name, test, lifetime| ClientClass {
        valid_lifetime: Some(lifetime),
        ..ClientClass::new(name, Some(test), None)
    };
    [class(booting, test_booting, BOOTING_LEASE), class(running, test_running, RUNNING_LEASE)]
}

/// The class of iPXE, and the classes with the script at each interface where there are several. iPXE sends its user class
/// as text; some builds send it as a list of classes, each after its length (RFC 3004). iPXE need not wait for offers of
/// proxies: its option 175.176, `no-pxedhcp`.
fn ipxe_classes(script: String, others: &[OtherFiles]) -> Vec<ClientClass> {
    let counted = counted(IPXE_CLASS);
    let (length, bytes) = (counted.len(), hex(&counted));
    let test =
        format!("option[77].hex == '{IPXE_CLASS}' or substring(option[77].hex, 0, {length}) == 0x{bytes}");
    let class = |script| ClientClass {
        option_data: vec![OptionData::raw(175, &[176, 1, 1]).always()],
        ..ClientClass::new(IPXE.to_owned(), Some(test), script)
    };
    if others.is_empty() {
        return vec![class(Some(script))];
    }
    let at_home = ClientClass::new(format!("{IPXE}-script"), Some(format!("member('{IPXE}')")), Some(script));
    let mut classes = vec![class(None)];
    classes.extend(at_each_interface(at_home, others, |other| Some(other.files.script.clone())));
    classes
}

/// The class of firmware of one architecture, except for nodes on which its loader does not run. Kea evaluates a class
/// that asks for `KNOWN` after it has found the reservation, and so the platform.
fn firmware_class(loader: ArchitectureLoader) -> ClientClass {
    let mut test = format!("not member('{IPXE}') and ({})", announces(loader.architecture));
    if !loader.foreign.is_empty() {
        let foreign: Vec<_> = loader.foreign.iter().map(|name| format!("member('{name}')")).collect();
        test += &format!(" and not (member('KNOWN') and ({}))", foreign.join(" or "));
    }
    let class = ClientClass::new(format!("arch-{}", loader.hex), Some(test), Some(loader.file));
    if loader.http { class.over_http() } else { class }
}

/// The classes of nodes of one platform that announce no architecture that fits them: over HTTP, and otherwise.
fn platform_classes(platform: PlatformFiles) -> [ClientClass; 2] {
    let PlatformFiles { name, file, url, foreign_http, .. } = platform;
    let test = format!("not member('{IPXE}') and member('KNOWN') and member('{name}')");
    let http: Vec<_> = foreign_http.iter().map(|loader| announces(loader.architecture)).collect();
    let over_http = format!("{test} and ({})", http.join(" or "));
    [
        ClientClass::new(format!("{name}-http"), Some(over_http), Some(url)).over_http(),
        ClientClass::new(format!("{name}-other"), Some(test), Some(file.to_owned())),
    ]
}

/// The condition that firmware announces `architecture`.
fn announces(architecture: u16) -> String {
    let entry = |at| format!("substring(option[93].hex, {at}, 2) == 0x{architecture:04X}");
    ENTRIES.map(entry).join(" or ")
}

impl ClientClass {
    fn new(name: String, test: Option<String>, boot_file_name: Option<String>) -> Self {
        Self { name, test, boot_file_name, valid_lifetime: None, option_data: Vec::new() }
    }

    /// The class of firmware that expects its vendor class back.
    fn over_http(self) -> Self {
        let vendor_class = OptionData::named("vendor-class-identifier", HTTP_CLIENT).always();
        Self { option_data: vec![vendor_class], ..self }
    }
}
