//! The finished cluster besides its nodes.

use std::collections::BTreeMap;

use crate::inventory::{BootTable, DnsTable, Entry, NetworkTable, OpenTable, TlsTable};
use crate::model::{
    Boot, BootVerification, Cluster, Dns, FirewallExtra, HostName, KeyAlgorithm, Label, Network, OpenOn,
    OpenProtocol, Seconds, Tls, Vip, Word,
};
use crate::resolve::draft::Draft;
use crate::resolve::origin::{Origin, or_default};
use crate::resolve::recorder::Recorder;
use crate::resolve::vip::DraftVip;

use super::profile::finish_profile;
use super::provisioner::finish_provisioner;
use super::unspanned::{items, sound, value};

pub(super) const CLUSTER: Origin<'static> = Origin::Table("cluster");

/// The cluster that `draft` describes, without nodes.
pub(in crate::resolve) fn finish_without_nodes<'a>(
    draft: &Draft<'a>,
    to: &mut Recorder<'a>,
) -> Option<Cluster> {
    let inventory = draft.inventory;
    let table = inventory.cluster.as_ref()?;
    let bootstrap = draft.bootstrap().map(|(name, _)| HostName::parse(name).ok()).collect::<Option<_>>()?;
    let admin_keys = items(table.admin_keys.as_ref())?.into_iter().collect::<Option<_>>()?;
    let ntp = items(inventory.ntp.servers.as_ref()).map(|servers| servers.into_iter().flatten().collect());
    let ssh_from = items(inventory.firewall.ssh_from.as_ref());
    let mut profiles: Vec<_> = inventory.profiles.iter().collect();
    profiles.sort_by(|a, b| a.name.cmp(&b.name));
    Some(Cluster {
        name: to.take("name", CLUSTER.gives(value(table.name.as_ref())?)),
        former_names: to.take("former_names", CLUSTER.gives(items(table.former_names.as_ref()))),
        domain: to.take("domain", CLUSTER.gives(value(table.domain.as_ref())?)),
        formed: to.take("formed", or_default(CLUSTER.says(value(table.formed.as_ref())), false)),
        bootstrap: to.take("bootstrap", CLUSTER.gives(bootstrap)),
        removed: to.take("removed", CLUSTER.gives(items(table.removed.as_ref()))),
        state_version: to.take("state_version", CLUSTER.gives(value(table.state_version.as_ref())?)),
        admin_keys: to.take("admin_keys", CLUSTER.gives(admin_keys)),
        provisioner: to.table("provisioner", |to| finish_provisioner(inventory.provisioner.as_ref()?, to))?,
        networks: to.table("networks", |to| {
            inventory.networks.iter().map(|entry| finish_network(entry, to)).collect::<Option<_>>()
        })?,
        vips: to.whole_list("vips", Origin::Default, draft.vips(), finish_vip)?,
        tls: to.table("tls", |to| finish_tls(&inventory.tls, to)),
        boot: to.table("boot", |to| finish_boot(&inventory.boot, to)),
        dns: to.table("dns", |to| finish_dns(&inventory.dns, to)),
        ssh_from: to.take("ssh_from", Origin::Table("firewall").gives(ssh_from)),
        firewall: to.whole_list("firewall", Origin::Default, &inventory.firewall.open, finish_opening)?,
        ntp: to.take("ntp", or_default(Origin::Table("ntp").says(ntp), Vec::new())),
        log_forward: to
            .take("log_forward", Origin::Table("logging").gives(value(inventory.logging.forward.as_ref()))),
        profiles: to.whole_list("profiles", Origin::Default, profiles, |to, entry| {
            finish_profile(draft, entry, to)
        })?,
        nodes: Vec::new(),
        control_ports: Vec::new(),
        virtual_holders: BTreeMap::new(),
        references: Vec::new(),
        foreign_reservations: Vec::new(),
    })
}

fn finish_network<'a>(
    entry: &'a Entry<Label, NetworkTable>,
    to: &mut Recorder<'a>,
) -> Option<(Label, Network)> {
    let table = &entry.value;
    let name = entry.name.clone()?;
    let roles = items(table.roles.as_ref())?.into_iter().collect::<Option<_>>()?;
    let dns = table.dns.as_ref().map(|_| table.resolvers().map(|(server, _)| server).collect());
    let here = Origin::Named("network", &entry.key);
    let network = to.table(&entry.key, |to| Network {
        roles: to.take("roles", here.gives(roles)),
        vlan: to.take("vlan", here.gives(sound(&table.vlan))),
        subnet: to.take("subnet", here.gives(sound(&table.subnet))),
        subnet6: to.take("subnet6", here.gives(sound(&table.subnet6))),
        gateway: to.take("gateway", here.gives(sound(&table.gateway))),
        gateway6: to.take("gateway6", here.gives(sound(&table.gateway6))),
        dns: to.take("dns", or_default(here.says(dns), Vec::new())),
        domain: to.take("domain", here.gives(value(table.domain.as_ref()))),
        zone: to.take("zone", or_default(here.says(value(table.zone.as_ref())), true)),
        reverse_zone: to.take("reverse_zone", here.gives(value(table.reverse_zone.as_ref()))),
        pool: to.take("pool", here.gives(value(table.pool.as_ref()))),
        pool6: to.take("pool6", here.gives(value(table.pool6.as_ref()))),
    });
    Some((name, network))
}

fn finish_vip<'a>(to: &mut Recorder<'a>, vip: DraftVip<'a>) -> Option<Vip> {
    let here = Origin::Table(vip.table);
    to.item(vip.key, |to| {
        Some(Vip {
            name: to.take("name", here.gives(vip.name?.clone())),
            address: to.take("address", here.gives(vip.address)),
        })
    })
}

fn finish_tls(table: &TlsTable, to: &mut Recorder<'_>) -> Tls {
    let here = Origin::Table("tls");
    let (ca_days, node_days) = (sound(&table.ca_days).map(u32::from), sound(&table.node_days).map(u32::from));
    let algorithm = here.says(value(table.algorithm.as_ref()));
    Tls {
        algorithm: to.take("algorithm", or_default(algorithm, KeyAlgorithm::EcdsaP256)),
        ca_days: to.take("ca_days", or_default(here.says(ca_days), 3650)),
        node_days: to.take("node_days", or_default(here.says(node_days), 365)),
        permit: to.take("permit", here.gives(items(table.permit.as_ref()))),
    }
}

fn finish_boot(table: &BootTable, to: &mut Recorder<'_>) -> Boot {
    let here = Origin::Table("boot");
    let (verify, pause) = (value(table.verify.as_ref()), value(table.pause.as_ref()));
    Boot {
        verify: to.take("verify", or_default(here.says(verify), BootVerification::None)),
        signer: to.take("signer", here.gives(value(table.signer.as_ref()))),
        pause: to.take("pause", or_default(here.says(pause), Seconds::new(30))),
        console: to.take("console", here.gives(value(table.console.as_ref()))),
    }
}

fn finish_dns(table: &DnsTable, to: &mut Recorder<'_>) -> Dns {
    let here = Origin::Table("dns");
    let (name_servers, ttl) = (items(table.name_servers.as_ref()), value(table.ttl.as_ref()));
    Dns {
        name_servers: to.take("name_servers", or_default(here.says(name_servers), Vec::new())),
        contact: to.take("contact", here.gives(value(table.contact.as_ref()))),
        ttl: to.take("ttl", or_default(here.says(ttl), Seconds::new(3600))),
    }
}

fn finish_opening<'a>(to: &mut Recorder<'a>, entry: &'a Entry<Label, OpenTable>) -> Option<FirewallExtra> {
    let table = &entry.value;
    let here = Origin::Named("firewall.open", &entry.key);
    let protocol = here.says(value(table.protocol.as_ref()));
    to.item(&entry.key, |to| {
        Some(FirewallExtra {
            name: to.take("name", here.gives(entry.name.clone()?)),
            port: to.take("port", here.gives(sound(&table.port))),
            ports: to.take("ports", here.gives(value(table.ports.as_ref()))),
            protocol: to.take("protocol", or_default(protocol, OpenProtocol::Tcp)),
            from: to.take("from", here.gives(items(table.from.as_ref())?)),
            on: to.take("on", or_default(here.says(value(table.on.as_ref())), OpenOn::Nodes)),
        })
    })
}
