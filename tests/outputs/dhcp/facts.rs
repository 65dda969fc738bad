//! What every server must have understood, by the model.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use plasmagen::model::{Cluster, Firmware, Role, System};

/// A subnet as a server's file has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Subnet {
    pub(crate) pool: Option<(IpAddr, IpAddr)>,
    pub(crate) routers: Vec<IpAddr>,
    pub(crate) resolvers: Vec<IpAddr>,
    pub(crate) domain: Option<String>,
    /// MAC address, address, host name.
    pub(crate) hosts: BTreeSet<(String, IpAddr, String)>,
}

pub(crate) type Subnets = BTreeMap<IpNet, Subnet>;

/// The provisioning networks of one family with what stands in them, node by node.
pub(crate) fn subnets(cluster: &Cluster, ipv4: bool) -> Subnets {
    let mut all = Subnets::new();
    for (_, network) in cluster.networks_for(Role::Provisioning) {
        let Some(net) = network.subnets().find(|net| net.addr().is_ipv4() == ipv4) else { continue };
        let pool4 = network.pool.map(|pool| (pool.first.into(), pool.last.into()));
        let pool6 = network.pool6.map(|pool| (pool.first.into(), pool.last.into()));
        let subnet = Subnet {
            pool: if ipv4 { pool4 } else { pool6 },
            // Routers advertise themselves in IPv6.
            routers: network.gateway.filter(|_| ipv4).map(IpAddr::V4).into_iter().collect(),
            resolvers: network.dns.iter().copied().filter(|resolver| resolver.is_ipv4() == ipv4).collect(),
            domain: network.domain.as_ref().map(ToString::to_string),
            hosts: BTreeSet::new(),
        };
        assert!(all.insert(net, subnet).is_none());
    }
    for node in &cluster.nodes {
        for (mac, address) in
            node.boot_macs().into_iter().flat_map(|mac| node.addresses().map(move |ip| (mac, ip)))
        {
            keep(&mut all, (mac.to_string(), address, node.name.to_string()));
        }
        if let Some((bmc, mac)) = node.bmc.as_ref().and_then(|bmc| Some((bmc, bmc.mac?))) {
            keep(&mut all, (mac.to_string(), bmc.address, format!("{}-bmc", node.name)));
        }
    }
    all
}

/// Puts a host into the subnet of its address, where there is one.
pub(crate) fn keep(all: &mut Subnets, host: (String, IpAddr, String)) -> bool {
    let subnet = all.iter_mut().find(|(net, _)| net.contains(&host.1));
    subnet.is_some_and(|(_, subnet)| subnet.hosts.insert(host))
}

/// What a machine loads: the file, and whether its vendor class goes back to it.
pub(crate) type Boots = BTreeMap<String, (String, bool)>;

/// The architectures that firmware may announce, in hexadecimal; `other` is any other.
pub(crate) const ARCHITECTURES: [&str; 10] =
    ["0000", "0006", "0007", "0009", "000b", "0016", "0010", "0013", "0018", "other"];

/// Boot files by kind of machine: `boot_of` tells the boot file of a platform's nodes, or of unknown machines, that
/// announce an architecture.
pub(crate) fn table(platforms: &[String], boot_of: impl Fn(Option<&str>, &str) -> (String, bool)) -> Boots {
    let mut all = Boots::new();
    for architecture in ARCHITECTURES {
        all.insert(architecture.to_owned(), boot_of(None, architecture));
        for platform in platforms {
            all.insert(format!("{platform} {architecture}"), boot_of(Some(platform), architecture));
        }
    }
    all
}

/// By architecture in hexadecimal, `ipxe`, and `other` for everything else; the same after the name of each platform.
pub(crate) fn boots(cluster: &Cluster) -> Boots {
    let base = format!("http://{}:{}/boot", cluster.provisioner.home.address, cluster.provisioner.http_port);
    let table = [
        ("ipxe", format!("{base}/ipxe/boot.ipxe"), false),
        ("0000", "undionly.kpxe".to_owned(), false),
        ("0006", "ipxe-ia32.efi".to_owned(), false),
        ("0007", "ipxe.efi".to_owned(), false),
        ("0009", "ipxe.efi".to_owned(), false),
        ("000b", "ipxe-arm64.efi".to_owned(), false),
        ("0016", "ipxe-arm64.efi".to_owned(), false),
        ("0010", format!("{base}/tftp/ipxe.efi"), true),
        ("0013", format!("{base}/tftp/ipxe-arm64.efi"), true),
        ("0018", format!("{base}/tftp/ipxe-arm64.efi"), true),
        ("other", "ipxe.efi".to_owned(), false),
    ];
    let mut all: Boots = table.into_iter().map(|(who, file, http)| (who.to_owned(), (file, http))).collect();
    for node in cluster.nodes.iter().filter(|node| node.reservation().is_some()) {
        let (fitting, other): (&[&str], _) = match (node.system, node.firmware) {
            (System::Aarch64, _) => (&["000b", "0016", "0013", "0018"], "ipxe-arm64.efi"),
            (System::X86_64, Firmware::Uefi) => (&["0000", "0006", "0007", "0009", "0010"], "ipxe.efi"),
            (System::X86_64, Firmware::Bios) => (&["0000", "0006", "0007", "0009", "0010"], "undionly.kpxe"),
        };
        let build = if node.system == System::Aarch64 { "ipxe-arm64.efi" } else { "ipxe.efi" };
        let platform = format!("{}-{}", node.system.as_str(), node.firmware.as_str());
        for architecture in ARCHITECTURES {
            let boot = match architecture {
                known if fitting.contains(&known) => all[known].clone(),
                // A machine that boots over HTTP gets a URL.
                "0010" | "0013" | "0018" => (format!("{base}/tftp/{build}"), true),
                _ => (other.to_owned(), false),
            };
            all.insert(format!("{platform} {architecture}"), boot);
        }
    }
    all
}

#[test]
fn the_sites_have_what_is_to_be_tried() {
    let sites = crate::dhcp::sites::sites();
    let all: Vec<Subnet> = sites.iter().flat_map(|site| subnets(&site.cluster, true).into_values()).collect();
    let of6 = sites.iter().flat_map(|site| subnets(&site.cluster, false).into_values()).collect::<Vec<_>>();
    assert!(all.iter().map(|subnet| subnet.hosts.len()).sum::<usize>() > 15);
    assert!(all.iter().flat_map(|subnet| &subnet.hosts).any(|(.., name)| name.ends_with("-bmc")));
    assert!(all.iter().any(|subnet| subnet.pool.is_none()) && of6.iter().any(|subnet| subnet.pool.is_none()));
    assert!(
        all.iter().any(|subnet| subnet.routers.is_empty())
            && all.iter().any(|subnet| subnet.domain.is_some())
    );
    assert!(
        of6.iter().any(|subnet| !subnet.hosts.is_empty())
            && of6.iter().any(|subnet| subnet.resolvers.len() > 1)
    );
    assert!(sites.iter().any(|site| subnets(&site.cluster, true).len() > 1));
    assert!(
        sites.iter().any(|site| subnets(&site.cluster, true).len() < subnets(&site.cluster, false).len())
    );
}
