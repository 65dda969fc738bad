//! What the provisioner must say and open: to machines that boot, in each network that they boot in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use plasmagen::model::{Cluster, DhcpServer, Node, OpenOn, ProvisionerInterface, Role, known_service};

use crate::agreement::facts::{Fact, Facts};
use crate::agreement::model::{self, boot_macs, ssh, subnets};
use crate::agreement::references::questions;

pub(crate) fn facts(cluster: &Cluster, facts: &mut Facts) {
    open_ports(cluster, facts);
    gateway(cluster, facts);
    networks(cluster, facts);
    boot(cluster, facts);
}

/// What the provisioner opens.
fn open_ports(cluster: &Cluster, facts: &mut Facts) {
    let provisioner = &cluster.provisioner;
    let mut open = |what: &str, packets: &str, from: &[IpNet], device: Option<bool>| {
        for subnet in from {
            let is_here = |interface: &&ProvisionerInterface| {
                let network = &cluster.networks[&interface.network];
                let here = network.subnet.map(IpNet::V4) == Some(*subnet)
                    || network.subnet6.map(IpNet::V6) == Some(*subnet);
                device.unwrap_or(here)
            };
            let mut through: Vec<_> = provisioner
                .interfaces()
                .filter(is_here)
                .map(|interface| format!(" through {}", interface.name))
                .collect();
            if through.is_empty() {
                through.push(String::new());
            }
            for through in through {
                let fact = format!("{packets} from {subnet}{through} ({what})");
                facts.add("firewall of provisioner", "open port of the site", fact);
            }
        }
    };
    let boots = subnets(cluster, &[Role::Provisioning]);
    let boots6: Vec<IpNet> = boots.iter().filter(|net| net.addr().is_ipv6()).copied().collect();
    open("ssh", "tcp 22", &ssh(cluster), Some(false));
    open("dhcp", "udp 67", &["0.0.0.0/0".parse().unwrap()], Some(true));
    if !boots6.is_empty() {
        open("dhcpv6", "udp 547", &["fe80::/10".parse().unwrap()], Some(true));
        open("dhcpv6", "udp 547", &boots6, Some(true));
    }
    open("tftp", "udp 69", &boots, None);
    let http = format!("tcp {}", provisioner.http_port);
    // Machines may ask at the address in another network, and come in through the interface there.
    let is_routed = (provisioner.interfaces().count() > 1).then_some(false);
    open("http", &http, &boots, is_routed);
    open("http", &http, &ssh(cluster), is_routed);
    if cluster.dns.name_servers.is_empty() {
        let all = subnets(cluster, &[Role::Management, Role::Provisioning, Role::Cluster, Role::Client]);
        open("dns", "tcp 53", &all, is_routed);
        open("dns", "udp 53", &all, is_routed);
    }
    for (target, packets, subnet, what) in questions(cluster) {
        // A name server answers everybody already.
        let is_answered = packets.ends_with(" 53") && cluster.dns.name_servers.is_empty();
        if provisioner.has_address(target) && !is_answered {
            let is_routed = (!subnet.contains(&target)).then_some(false);
            open(what, packets, &[subnet], is_routed);
        }
    }
    for extra in cluster.firewall.iter().filter(|extra| extra.on != OpenOn::Nodes) {
        open(extra.name.as_str(), &model::packets(extra), &extra.from, None);
    }
}

/// The packets that the provisioner forwards as the gateway of networks: all that leaves them but for BMCs and each
/// other, and those to the ports that nodes there open.
fn gateway(cluster: &Cluster, facts: &mut Facts) {
    let provisioner = &cluster.provisioner;
    let routed: Vec<(IpNet, &str)> = provisioner
        .interfaces()
        .filter_map(|interface| {
            let network = &cluster.networks[&interface.network];
            let subnet = network.subnet.filter(|_| network.gateway == Some(interface.address))?;
            Some((IpNet::V4(subnet), interface.name.as_str()))
        })
        .collect();
    if routed.is_empty() {
        return;
    }
    let v4 = |roles: &[Role]| {
        let nets = subnets(cluster, roles).into_iter().filter(|subnet| subnet.addr().is_ipv4());
        nets.collect::<BTreeSet<IpNet>>()
    };
    let mut said = vec!["drop".to_owned(), "reached by 224.0.0.0/3".to_owned()];
    said.extend(provisioner.interfaces().map(|interface| format!("reached by {}/32", interface.address)));
    said.extend(v4(&[Role::Management]).iter().map(|subnet| format!("not to {subnet}")));
    let mut unmasked = v4(&[Role::Cluster, Role::Provisioning]);
    let nets =
        cluster.nodes.iter().flat_map(|node| &node.interfaces).flat_map(|interface| &interface.addresses);
    unmasked.extend(nets.map(IpNet::trunc).filter(|net| net.addr().is_ipv4()));
    for (net, device) in &routed {
        let gateway = provisioner.interfaces().find(|interface| interface.name.as_str() == *device).unwrap();
        said.push(format!("reached so through {device}"));
        said.push(format!("not to {net}"));
        said.extend(open_inside(cluster, facts, *net).iter().map(|open| format!("{open} by {device}")));
        said.push(format!("lets any from {net} through {device} by {device}"));
        said.push(format!("lets any from {net} through {device}"));
        if provisioner.nat {
            said.push(format!("lets any from {}/32", gateway.address));
            let unmasked = unmasked.iter().filter(|subnet| *subnet != net);
            said.extend(unmasked.map(|subnet| format!("lets any from {net} to {subnet}")));
            said.push(format!("masquerades any from {net} by not {device}"));
        }
    }
    for fact in said {
        facts.add("firewall of provisioner", "forwarding of the site", fact);
    }
}

/// The ports that the nodes in `net` open to machines outside, the interface through which these come, and the nodes'
/// addresses and the virtual ones that they may hold.
fn open_inside(cluster: &Cluster, facts: &Facts, net: IpNet) -> BTreeSet<String> {
    let mut opened: BTreeMap<String, Vec<IpNet>> = BTreeMap::new();
    for node in &cluster.nodes {
        let mut addresses: Vec<IpAddr> = node.addresses().filter(|address| net.contains(address)).collect();
        if addresses.is_empty() {
            continue;
        }
        for vip in cluster.vips.iter().filter(|vip| net.contains(&vip.address)) {
            let runs = |node: &Node| node.service(vip.name.as_str()).is_some();
            let is_service = cluster.nodes.iter().any(runs) || known_service(vip.name.as_str()).is_some();
            addresses.extend((runs(node) || !is_service).then_some(vip.address));
        }
        let is_open = |fact: &&Fact| fact.kind == "open port" && fact.subject == node.name.to_string();
        for fact in facts.0.iter().filter(is_open) {
            let (packets, from) = fact.value.split_once(" from ").unwrap();
            let subnet: IpNet = from.split(' ').next().unwrap().parse().unwrap();
            let attached = cluster
                .provisioner
                .interfaces()
                .find(|interface| cluster.networks[&interface.network].subnet.map(IpNet::V4) == Some(subnet));
            let through =
                attached.map(|interface| format!(" through {}", interface.name)).unwrap_or_default();
            if subnet.addr().is_ipv4() && !net.contains(&subnet) {
                let opening = opened.entry(format!("lets {packets} from {subnet}{through}")).or_default();
                opening.extend(addresses.iter().copied().map(IpNet::from));
            }
        }
    }
    let merged = opened.into_iter().flat_map(|(open, addresses)| {
        IpNet::aggregate(&addresses).into_iter().map(move |to| format!("{open} to {to}"))
    });
    merged.collect()
}

/// What DHCP says in each network that machines boot in, and all addresses that are nobody's but a name's.
fn networks(cluster: &Cluster, facts: &mut Facts) {
    for network in cluster.networks.values().filter(|network| network.roles.contains(&Role::Provisioning)) {
        if let Some(subnet) = network.subnet {
            facts.add(subnet, "subnet", subnet);
            facts.add(subnet, "broadcast", subnet.broadcast());
            network
                .pool
                .iter()
                .for_each(|pool| facts.add(subnet, "pool", format!("{}-{}", pool.first, pool.last)));
            network.gateway.iter().for_each(|gateway| facts.add(subnet, "router", gateway));
            let resolvers = network.dns.iter().filter(|resolver| resolver.is_ipv4());
            resolvers.for_each(|resolver| facts.add(subnet, "resolver", resolver));
            network.domain.iter().for_each(|domain| facts.add(subnet, "domain", domain));
        }
        if let Some(subnet) = network.subnet6 {
            facts.add(subnet, "IPv6 subnet", subnet);
            network
                .pool6
                .iter()
                .for_each(|pool| facts.add(subnet, "IPv6 pool", format!("{}-{}", pool.first, pool.last)));
            let resolvers = network.dns.iter().filter(|resolver| resolver.is_ipv6());
            resolvers.for_each(|resolver| facts.add(subnet, "IPv6 resolver", resolver));
            network.domain.iter().for_each(|domain| facts.add(subnet, "IPv6 domain", domain));
        }
    }
    for vip in &cluster.vips {
        facts.add(&vip.name, "virtual address", vip.address);
    }
}

/// The URL of the web root at an interface.
fn base_of(cluster: &Cluster, interface: &ProvisionerInterface) -> String {
    format!("http://{}:{}/boot", interface.address, cluster.provisioner.http_port)
}

/// The files that machines load from each address of the provisioner.
fn addresses(cluster: &Cluster, facts: &mut Facts) {
    let provisioner = &cluster.provisioner;
    for interface in provisioner.interfaces() {
        let base = base_of(cluster, interface);
        for (architecture, file) in
            [("0x10", "ipxe.efi"), ("0x13", "ipxe-arm64.efi"), ("0x18", "ipxe-arm64.efi")]
        {
            facts.add(architecture, "boot file", format!("{base}/tftp/{file}"));
            facts.add(architecture, "vendor class", "HTTPClient");
        }
        platforms(facts, &base);
        facts.add("iPXE", "boot file", format!("{base}/ipxe/boot.ipxe"));
        facts.add("site", "next server", interface.address);
        facts.add("site", "provisioner's interface", &interface.name);
    }
    let has_several = provisioner.interfaces().count() > 1;
    let script_base = if has_several { "..".to_owned() } else { base_of(cluster, &provisioner.home) };
    facts.add("iPXE", "base URL", script_base);
    for node in &cluster.nodes {
        let boots = node.interfaces.iter().filter_map(|interface| interface.network.as_ref());
        let mut boots =
            boots.filter(|network| cluster.networks[*network].roles.contains(&Role::Provisioning));
        let network = boots.next().unwrap();
        let stands = provisioner.interfaces().find(|interface| interface.network == *network);
        let base = base_of(cluster, stands.unwrap_or(&provisioner.home));
        for mac in boot_macs(cluster, node) {
            let mac = mac.to_string().replace(':', "-");
            facts.add(&node.name, "overlay", format!("{base}/overlay/{mac}.cpio.gz"));
        }
        facts.add(&node.name, "digest of the overlay", "its own");
    }
}

/// What each kind of machine loads first: RFC 4578 section 2.1 and IANA's "Processor Architecture Types".
fn boot(cluster: &Cluster, facts: &mut Facts) {
    let provisioner = &cluster.provisioner;
    for (architecture, file) in [
        ("0x00", "undionly.kpxe"),
        ("0x06", "ipxe-ia32.efi"),
        ("0x07", "ipxe.efi"),
        ("0x09", "ipxe.efi"),
        ("0x0b", "ipxe-arm64.efi"),
        ("0x16", "ipxe-arm64.efi"),
        ("none", "ipxe.efi"),
    ] {
        facts.add(architecture, "boot file", file);
    }
    addresses(cluster, facts);
    facts.add("site", "HTTP port", provisioner.http_port);
    facts.add("site", "web root", provisioner.web_root.as_str());
    let home = provisioner.home.address.to_string();
    let (tftp, http) = if provisioner.interfaces().count() > 1 {
        ("0.0.0.0".to_owned(), vec!["0.0.0.0".to_owned()])
    } else {
        (home.clone(), vec![home, "127.0.0.1".to_owned()])
    };
    facts.add("site", "TFTP server", tftp);
    for address in http {
        facts.add("site", "HTTP server", format!("{address}:{}", provisioner.http_port));
    }
    // NixOS has no ISC dhcpd any more.
    let dhcp = match provisioner.dhcp {
        DhcpServer::Kea | DhcpServer::Isc => "kea",
        DhcpServer::Dnsmasq => "dnsmasq",
    };
    facts.add("site", "DHCP server", dhcp);
    let home = &cluster.networks[&provisioner.home.network];
    let mut say = |fact: String| facts.add("provisioner's network", "DHCP", fact);
    home.subnet.iter().for_each(|net| say(format!("subnet {net}")));
    home.subnet.iter().for_each(|net| say(format!("broadcast {}", net.broadcast())));
    home.pool.iter().for_each(|pool| say(format!("pool {}-{}", pool.first, pool.last)));
    home.gateway.iter().for_each(|gateway| say(format!("router {gateway}")));
    home.dns
        .iter()
        .filter(|resolver| resolver.is_ipv4())
        .for_each(|resolver| say(format!("resolver {resolver}")));
    home.domain.iter().for_each(|domain| say(format!("domain {domain}")));
    facts.add("site", "TFTP root", format!("{}/tftp", provisioner.web_root.as_str()));
    for (kind, server) in [
        ("extra of Kea", DhcpServer::Kea),
        ("extra of dhcpd", DhcpServer::Isc),
        ("extra of dnsmasq", DhcpServer::Dnsmasq),
    ] {
        provisioner.extra.get(&server).into_iter().for_each(|path| facts.add("site", kind, path.as_str()));
    }
}

/// The files that the nodes of each platform load first, none of which is for another system.
fn platforms(facts: &mut Facts, base: &str) {
    let used: BTreeSet<String> =
        facts.0.iter().filter(|fact| fact.kind == "platform").map(|fact| fact.value.clone()).collect();
    for platform in used {
        let (loaders, other, http) = match platform.as_str() {
            "aarch64-linux-uefi" => (
                &[("0x0b", "ipxe-arm64.efi"), ("0x16", "ipxe-arm64.efi")][..],
                "ipxe-arm64.efi",
                "ipxe-arm64.efi",
            ),
            "x86_64-linux-uefi" => (&X86[..], "ipxe.efi", "ipxe.efi"),
            "x86_64-linux-bios" => (&X86[..], "undionly.kpxe", "ipxe.efi"),
            other => panic!("{other}"),
        };
        for (architecture, file) in loaders {
            facts.add(format!("{platform} {architecture}"), "boot file", file);
        }
        facts.add(format!("{platform} none"), "boot file", other);
        for architecture in ["0x10", "0x13", "0x18"] {
            let machine = format!("{platform} {architecture}");
            facts.add(&machine, "boot file", format!("{base}/tftp/{http}"));
            facts.add(&machine, "vendor class", "HTTPClient");
        }
    }
}

const X86: [(&str, &str); 4] =
    [("0x00", "undionly.kpxe"), ("0x06", "ipxe-ia32.efi"), ("0x07", "ipxe.efi"), ("0x09", "ipxe.efi")];
