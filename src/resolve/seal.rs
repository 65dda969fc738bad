//! The last step: a draft without faults becomes a cluster, complete and without places.

use crate::diag::Spanned;
use crate::inventory::{Entry, Maybe, NetworkTable, ProvisionerTable, known};
use crate::model::{
    Boot, BootVerification, Cluster, DhcpServer, Dns, FirewallExtra, HostName, KeyAlgorithm, Label, Network,
    Protocol, Provisioner, Seconds, Tls, Vip, Word,
};

use self::node::node;
use super::Draft;

mod node;

pub(super) use node::interface;

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
            verify: get(inventory.boot.verify.as_ref()).unwrap_or(BootVerification::None),
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
        dhcp: get(table.dhcp.as_ref()).unwrap_or(DhcpServer::DEFAULT),
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
