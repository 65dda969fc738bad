//! The nodes of that cluster.

use ipnet::IpNet;

use crate::diag::Spanned;
use crate::inventory::{Common, Entry, LayoutTable, known};
use crate::model::{
    Bmc, BmcProtocol, Bond, Cluster, Cpu, Firmware, Format, Hardware, IfName, Interface, Label, Layout, Node,
    Role, Service, Size, Style, System, UserName, Volume, Word, known_hardware,
};

use super::{get, items, maybe};
use crate::resolve::{Draft, DraftInterface, DraftNode};

pub(super) fn node(draft: &Draft<'_>, cluster: &Cluster, own: &DraftNode<'_>) -> Option<Node> {
    let table = &own.entry.value;
    let profile = own.profile?;
    let name = own.entry.name.clone()?;
    let home = own.home();
    let service = |service: &crate::resolve::DraftService<'_>| {
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
        base: crate::resolve::profile::base(profile)?,
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
        home: home.and_then(|home| home.name.clone()),
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
    let prefixed = |own: &crate::resolve::Address<'_>| {
        let subnet = own.network?.value.subnet_for(own.address)?;
        IpNet::new(own.address, subnet.prefix_len()).ok()
    };
    own.network.into_iter().flat_map(|network| node.addresses_in(network)).map(prefixed).collect()
}

pub(in crate::resolve) fn interface(own: &DraftInterface<'_>, addresses: Vec<IpNet>) -> Option<Interface> {
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
