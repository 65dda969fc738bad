//! Finished nodes.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::inventory::{BmcTable, known};
use crate::model::{Bmc, BmcProtocol, Cluster, Firmware, Node, Role, Size, System, UserName, Word};
use crate::resolve::draft::Draft;
use crate::resolve::interface::DraftInterface;
use crate::resolve::layer::{Layer, Said};
use crate::resolve::network::NetworkEntry;
use crate::resolve::node::{DraftAddress, DraftNode};
use crate::resolve::origin::{Origin, Sourced, or_default};
use crate::resolve::recorder::Recorder;

use super::cluster::CLUSTER;
use super::hardware::{GENERIC, finish_hardware};
use super::interface::finish_interface;
use super::layout::finish_layout;
use super::profile::{finish_service, pick_base};
use super::unspanned::{items, sound, value};

/// The node of `cluster`, whose nodes need not be there yet.
pub(in crate::resolve) fn finish_node<'a>(
    draft: &Draft<'a>,
    cluster: &Cluster,
    node: &DraftNode<'a>,
    to: &mut Recorder<'a>,
) -> Option<Node> {
    let table = &node.entry.value;
    let here = Layer::Node(node.entry).origin();
    let profile = node.profile?;
    let name = node.entry.name.clone()?;
    let boot = node.interface_for(Role::Provisioning)?;
    let boot_layer = boot.network_name?.layer;
    let listed = node.said(|common| common.services.as_ref());
    let without_services = listed.map_or(Origin::Default, |list| list.layer.origin());
    let firmware = node.said(|common| common.firmware.as_ref()).map(Said::sourced);
    let hardware = node.said(|common| common.hardware.as_ref());
    let hardware = hardware.map_or(GENERIC, |hardware| hardware.written.value.as_str());
    let modules = node.said(|common| common.modules.as_ref());
    let modules = modules.and_then(|list| list.layer.origin().says(items(Some(list.written))));
    let params = node.said(|common| common.kernel_params.as_ref());
    let params = params.and_then(|list| list.layer.origin().says(items(Some(list.written))));
    let system = to.take("system", pick_system(draft, node));
    Some(Node {
        fqdn: to.take("fqdn", CLUSTER.gives(name.in_domain(&cluster.domain).ok()?)),
        voter: to.take("voter", CLUSTER.gives(cluster.bootstrap.contains(&name))),
        name: to.take("name", here.gives(name)),
        profile: to.take("profile", here.gives(profile.name.clone()?)),
        base: to.take("base", pick_base(profile)?),
        system,
        firmware: to.take("firmware", or_default(firmware, Firmware::Uefi)),
        mac: to.take("mac", here.gives(value(table.mac.as_ref())?)),
        boot_interface: to.take("boot_interface", boot_layer.origin().gives(boot.name?.clone())),
        home: node.home().and_then(|home| home.name.clone()),
        interfaces: to.whole_list("interfaces", Origin::Default, &node.interfaces, |to, interface| {
            finish_interface(interface, here.gives(list_addresses(node, interface)?), to)
        })?,
        gateway: to.take("gateway", pick_gateway(node, |network| known(&network.value.gateway).copied())),
        gateway6: to.take("gateway6", pick_gateway(node, |network| known(&network.value.gateway6).copied())),
        resolvers: to.take("resolvers", or_default(node.home().and_then(list_resolvers), Vec::new())),
        disks: to.take("disks", here.gives(node.disks().map(|(disk, _)| disk.clone()).collect())),
        disk_sizes: if node.disk_sizes().next().is_some() {
            let sizes = node.disk_sizes().map(|(disk, size)| (disk.clone(), size.value));
            to.take("disk_sizes", here.gives(sizes.collect()))
        } else {
            BTreeMap::new()
        },
        layout: to.table("layout", |to| finish_layout(node, to))?,
        services: to.whole_list("services", without_services, &node.services, |to, service| {
            finish_service(draft, node.layers(), service, to)
        })?,
        hardware: to.table("hardware", |to| finish_hardware(draft, hardware, system, to))?,
        memory: to.take("memory", pick_memory(draft, node, hardware)),
        hardware_file: to.take("hardware_file", here.gives(value(table.hardware_file.as_ref()))),
        modules: to.take("modules", or_default(modules, Vec::new())),
        kernel_params: to.take("kernel_params", or_default(params, Vec::new())),
        bmc: match &table.bmc {
            Some(bmc) => Some(to.table("bmc", |to| finish_bmc(bmc, here, to))?),
            None => None,
        },
        serial: to.take("serial", here.gives(sound(&table.serial))),
        rack: to.take("rack", here.gives(value(table.rack.as_ref()))),
    })
}

/// The kind of machine: the word of the node or its profile, else that of the cluster.
fn pick_system<'a>(draft: &Draft<'a>, node: &DraftNode<'a>) -> Sourced<'a, System> {
    let said = node.said(|common| common.system.as_ref()).map(Said::sourced);
    let cluster = draft.inventory.cluster.as_ref().and_then(|cluster| value(cluster.system.as_ref()));
    or_default(said.or_else(|| CLUSTER.says(cluster)), System::X86_64)
}

/// The main memory: the word of the node or its profile, else that of the hardware model called `hardware`.
fn pick_memory<'a>(draft: &Draft<'a>, node: &DraftNode<'a>, hardware: &str) -> Sourced<'a, Option<Size>> {
    let said = node.said(|common| common.memory.as_ref()).map(|said| {
        let memory = said.sourced();
        memory.origin.gives(Some(memory.value))
    });
    let model = draft.inventory.hardware.iter().find(|entry| entry.key == hardware);
    let of_model = model.and_then(|entry| {
        Origin::Named("hardware", &entry.key).says(value(entry.value.memory.as_ref()).map(Some))
    });
    or_default(said.or(of_model), None)
}

/// The first gateway of the node's cluster networks.
fn pick_gateway<'a, A>(
    node: &DraftNode<'a>,
    gateway: impl Fn(&NetworkEntry) -> Option<A>,
) -> Sourced<'a, Option<A>> {
    let mut gateways = node
        .cluster_networks()
        .filter_map(|network| Origin::Named("network", &network.key).says(gateway(network).map(Some)));
    or_default(gateways.next(), None)
}

/// The DNS servers of the home network.
fn list_resolvers(home: &NetworkEntry) -> Option<Sourced<'_, Vec<std::net::IpAddr>>> {
    let written = home.value.dns.as_ref().map(|_| home.value.resolvers().map(|(server, _)| server).collect());
    Origin::Named("network", &home.key).says(written)
}

/// The addresses of `node` in the network of `interface`, with the prefix length of its subnet.
fn list_addresses(node: &DraftNode<'_>, interface: &DraftInterface<'_>) -> Option<Vec<IpNet>> {
    let with_prefix = |address: &DraftAddress<'_>| {
        let subnet = address.network?.value.subnet_for(address.address)?;
        IpNet::new(address.address, subnet.prefix_len()).ok()
    };
    let networks = interface.network.into_iter();
    networks.flat_map(|network| node.addresses_in(network)).map(with_prefix).collect()
}

fn finish_bmc<'a>(table: &BmcTable, here: Origin<'a>, to: &mut Recorder<'a>) -> Option<Bmc> {
    let admin = UserName::parse("admin").ok()?;
    let protocol = here.says(value(table.protocol.as_ref()));
    Some(Bmc {
        address: to.take("address", here.gives(table.address.as_ref()?.value)),
        user: to.take("user", or_default(here.says(sound(&table.user)), admin)),
        password_file: to.take("password_file", here.gives(sound(&table.password_file))),
        protocol: to.take("protocol", or_default(protocol, BmcProtocol::Redfish)),
        mac: to.take("mac", here.gives(value(table.mac.as_ref()))),
        certificate: to.take("certificate", here.gives(value(table.certificate.as_ref()))),
    })
}
