//! The last step: a draft without faults becomes a cluster, complete and without places.

use ipnet::IpNet;

use crate::diag::Spanned;
use crate::inventory::{Common, Entry, LayoutTable, Maybe, NetworkTable, ProvisionerTable, known};
use crate::model::{
    Bmc, BmcProtocol, Bond, Boot, Cluster, Cpu, DhcpServer, Dns, FirewallExtra, Firmware, Format, Hardware,
    HostName, IfName, Interface, KeyAlgorithm, Label, Layout, Network, Node, Protocol, Provisioner, Role,
    Seconds, Service, Size, Style, System, Tls, UserName, Verify, Vip, Volume, Word, known_hardware,
};

use super::{Draft, DraftInterface, DraftNode};

/// The value, cloned and without its place.
fn get<T: Clone>(spanned: Option<&Spanned<T>>) -> Option<T> {
    spanned.map(|spanned| spanned.value.clone())
}

/// The value that need not be there, cloned and without its place.
fn maybe<T: Clone>(written: &Maybe<T>) -> Option<T> {
    known(written).cloned()
}

/// The items of a list, without their places; none where it is missing.
fn items<T: Clone>(list: Option<&Spanned<Vec<Spanned<T>>>>) -> Vec<T> {
    list.map(|list| list.value.iter().map(|item| item.value.clone()).collect()).unwrap_or_default()
}

/// The cluster that `draft` describes.
///
/// `None` where something is missing that the rules ask for: after a report without errors, that is a bug of ours.
#[must_use]
pub fn seal(draft: &Draft<'_>) -> Option<Cluster> {
    let inventory = draft.inventory;
    let table = inventory.cluster.as_ref()?;
    let bootstrap = draft.bootstrap().map(|(name, _)| HostName::parse(name).ok());
    let tls = &inventory.tls;
    let days = |days: &Maybe<u16>, default| known(days).map_or(default, |days| u32::from(*days));
    let mut cluster = Cluster {
        name: get(table.name.as_ref())?,
        domain: get(table.domain.as_ref())?,
        formed: draft.formed(),
        bootstrap: bootstrap.collect::<Option<_>>()?,
        state_version: get(table.state_version.as_ref())?,
        admin_keys: items(table.admin_keys.as_ref()).into_iter().collect::<Option<_>>()?,
        provisioner: provisioner(inventory.provisioner.as_ref()?)?,
        networks: inventory.networks.iter().map(network).collect::<Option<_>>()?,
        vips: draft
            .vips()
            .map(|vip| Some(Vip { name: vip.name?.clone(), address: vip.address }))
            .collect::<Option<_>>()?,
        tls: Tls {
            algorithm: get(tls.algorithm.as_ref()).unwrap_or(KeyAlgorithm::EcdsaP256),
            ca_days: days(&tls.ca_days, 3650),
            node_days: days(&tls.node_days, 365),
        },
        boot: Boot {
            verify: get(inventory.boot.verify.as_ref()).unwrap_or(Verify::None),
            pause: get(inventory.boot.pause.as_ref()).unwrap_or(Seconds::new(30)),
            console: get(inventory.boot.console.as_ref()),
        },
        dns: Dns {
            name_servers: items(inventory.dns.name_servers.as_ref()),
            contact: get(inventory.dns.contact.as_ref()),
            ttl: get(inventory.dns.ttl.as_ref()).unwrap_or(Seconds::new(3600)),
        },
        ssh_from: inventory.firewall.ssh_from.as_ref().map(|list| items(Some(list))),
        firewall: inventory.firewall.open.iter().map(firewall).collect::<Option<_>>()?,
        ntp: items(inventory.ntp.servers.as_ref()).into_iter().flatten().collect(),
        log_forward: get(inventory.logging.forward.as_ref()),
        profiles: inventory
            .profiles
            .iter()
            .map(|own| super::profile::seal(draft, own))
            .collect::<Option<_>>()?,
        nodes: Vec::new(),
    };
    cluster.profiles.sort_by(|a, b| a.name.cmp(&b.name));
    cluster.nodes = draft.nodes.iter().map(|own| node(draft, &cluster, own)).collect::<Option<_>>()?;
    cluster.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Some(cluster)
}

fn provisioner(table: &ProvisionerTable) -> Option<Provisioner> {
    Some(Provisioner {
        network: get(table.network.as_ref())?,
        address: get(table.address.as_ref())?,
        interface: get(table.interface.as_ref())?,
        http_port: maybe(&table.http_port).unwrap_or(8080),
        dhcp: get(table.dhcp.as_ref()).unwrap_or(DhcpServer::Kea),
        web_root: get(table.web_root.as_ref()).or_else(|| Word::parse("/var/lib/pxe-boot").ok())?,
        extra: table
            .extra
            .iter()
            .map(|own| Some((own.name?, own.value.value.clone())))
            .collect::<Option<_>>()?,
    })
}

fn network(entry: &Entry<Label, NetworkTable>) -> Option<(Label, Network)> {
    let table = &entry.value;
    let network = Network {
        roles: items(table.roles.as_ref()).into_iter().collect::<Option<_>>()?,
        vlan: maybe(&table.vlan),
        subnet: maybe(&table.subnet),
        subnet6: maybe(&table.subnet6),
        gateway: known(&table.gateway).copied(),
        gateway6: known(&table.gateway6).copied(),
        dns: table.resolvers().map(|own| own.0).collect(),
        domain: get(table.domain.as_ref()),
        reverse_zone: get(table.reverse_zone.as_ref()),
        pool: get(table.pool.as_ref()),
        pool6: get(table.pool6.as_ref()),
    };
    Some((entry.name.clone()?, network))
}

fn firewall(entry: &Entry<Label, crate::inventory::OpenTable>) -> Option<FirewallExtra> {
    Some(FirewallExtra {
        name: entry.name.clone()?,
        port: maybe(&entry.value.port)?,
        protocol: get(entry.value.protocol.as_ref()).unwrap_or(Protocol::Tcp),
        from: items(entry.value.from.as_ref()),
    })
}

fn node(draft: &Draft<'_>, cluster: &Cluster, own: &DraftNode<'_>) -> Option<Node> {
    let table = &own.entry.value;
    let profile = own.profile?;
    let name = own.entry.name.clone()?;
    let home = own.home();
    let service = |service: &super::DraftService<'_>| {
        let settings = own.settings(draft, service.name.as_str());
        Some(Service { name: service.name.clone(), ports: service.ports.clone()?, settings })
    };
    let system = own.said(|common: &Common| common.system.as_ref());
    let default_system = draft.inventory.cluster.as_ref().and_then(|table| table.system.as_ref());
    Some(Node {
        fqdn: name.in_domain(&cluster.domain).ok()?,
        voter: cluster.bootstrap.contains(&name),
        name,
        profile: profile.name.clone()?,
        base: super::profile::base(profile)?,
        system: get(system.or(default_system)).unwrap_or(System::X86_64),
        firmware: get(own.said(|common| common.firmware.as_ref())).unwrap_or(Firmware::Uefi),
        mac: get(table.mac.as_ref())?,
        boot_interface: own.interface_for(Role::Provisioning)?.name?.clone(),
        interfaces: own
            .interfaces
            .iter()
            .map(|nic| interface(nic, addresses(own, nic)?))
            .collect::<Option<_>>()?,
        gateway: own.cluster_networks().find_map(|network| known(&network.value.gateway).copied()),
        gateway6: own.cluster_networks().find_map(|network| known(&network.value.gateway6).copied()),
        resolvers: home.map(|home| home.value.resolvers().map(|own| own.0).collect()).unwrap_or_default(),
        disks: own.disks().map(|(disk, _)| disk.clone()).collect(),
        layout: layout(own.layout?)?,
        services: own.services.iter().map(service).collect::<Option<_>>()?,
        hardware: hardware(draft, own)?,
        hardware_file: get(table.hardware_file.as_ref()),
        modules: items(own.said(|common| common.modules.as_ref())),
        kernel_params: items(own.said(|common| common.kernel_params.as_ref())),
        bmc: table.bmc.as_ref().and_then(bmc),
        serial: known(&table.serial).cloned(),
        rack: get(table.rack.as_ref()),
    })
}

/// The addresses of `node` in the network of its interface `own`.
fn addresses(node: &DraftNode<'_>, own: &DraftInterface<'_>) -> Option<Vec<IpNet>> {
    let prefixed = |own: &super::Address<'_>| {
        let subnet = own.network?.value.subnet_for(own.address)?;
        IpNet::new(own.address, subnet.prefix_len()).ok()
    };
    own.network.into_iter().flat_map(|network| node.addresses_in(network)).map(prefixed).collect()
}

pub(super) fn interface(own: &DraftInterface<'_>, addresses: Vec<IpNet>) -> Option<Interface> {
    let network = own.network;
    let name = own.name?.clone();
    let tagged = own.tagged.is_some_and(|tagged| tagged.value);
    let vlan = if tagged { Some(*known(&network?.value.vlan)?) } else { None };
    let suffix = vlan.map(|vlan| format!(".{vlan}")).unwrap_or_default();
    // `eth0.200` names the VLAN device itself: its frames leave through `eth0`.
    let link = if suffix.is_empty() { None } else { name.as_str().strip_suffix(&suffix) };
    let link = link.map_or(Some(name.clone()), |link| IfName::parse(link).ok())?;
    let device = IfName::parse(&format!("{link}{suffix}")).ok()?;
    let members = |bond: &Spanned<crate::inventory::BondTable>| {
        let members = items(bond.value.members.as_ref()).into_iter().collect::<Option<_>>()?;
        Some(Bond { mode: get(bond.value.mode.as_ref())?, members })
    };
    Some(Interface {
        name: link,
        device,
        network: network.and_then(|network| network.name.clone()),
        vlan,
        addresses,
        mtu: own.mtu.and_then(|mtu| mtu.value),
        bond: own.bond.and_then(members),
        mac: own.mac.map(|mac| mac.value),
    })
}

fn layout(table: &LayoutTable) -> Option<Layout> {
    let volume = |entry: &Entry<Label, crate::inventory::VolumeTable>| {
        Some(Volume {
            name: entry.name.as_ref()?.to_string(),
            size: get(entry.value.size.as_ref())?,
            mount: get(entry.value.mount.as_ref())?,
            format: get(entry.value.format.as_ref()).unwrap_or(Format::Ext4),
        })
    };
    let style = match table.style {
        "single" => Style::Single,
        "raid1" => Style::Raid1,
        "luks" => Style::Luks,
        _ => Style::Lvm {
            swap: get(table.swap.as_ref()),
            volumes: table.volumes.iter().map(volume).collect::<Option<_>>()?,
        },
    };
    Some(Layout {
        style,
        esp: get(table.esp.as_ref()).unwrap_or(Size::gib(1)),
        format: get(table.format.as_ref()).unwrap_or(Format::Ext4),
    })
}

fn hardware(draft: &Draft<'_>, own: &DraftNode<'_>) -> Option<Hardware> {
    let name = own.said(|common| common.hardware.as_ref()).map_or("generic", |name| name.value.as_str());
    let Some(entry) = draft.inventory.hardware.iter().find(|entry| entry.key == name) else {
        return known_hardware(name);
    };
    let table = &entry.value;
    let base = known_hardware(name).or_else(|| known_hardware("generic"))?;
    Some(Hardware {
        description: get(table.description.as_ref()).unwrap_or_else(|| name.to_owned()),
        cpu: get(table.cpu.as_ref()).unwrap_or(Cpu::Other),
        kernel_modules: table.kernel_modules.as_ref().map_or(base.kernel_modules, |list| items(Some(list))),
        console: get(table.console.as_ref()).or(base.console),
    })
}

fn bmc(table: &crate::inventory::BmcTable) -> Option<Bmc> {
    Some(Bmc {
        address: table.address.as_ref()?.value,
        user: maybe(&table.user).or_else(|| UserName::parse("admin").ok())?,
        password_file: known(&table.password_file).cloned(),
        protocol: get(table.protocol.as_ref()).unwrap_or(BmcProtocol::Redfish),
    })
}
