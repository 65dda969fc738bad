//! The finished provisioner.

use std::collections::BTreeMap;

use crate::inventory::{ProvisionerTable, WrittenInterface};
use crate::model::{AbsPath, DhcpServer, Provisioner, ProvisionerInterface, Word};
use crate::resolve::origin::{Origin, or_default};
use crate::resolve::recorder::Recorder;

use super::unspanned::{items, sound, value};

const HERE: Origin<'static> = Origin::Table("provisioner");

pub(super) fn finish_provisioner<'a>(
    table: &'a ProvisionerTable,
    to: &mut Recorder<'a>,
) -> Option<Provisioner> {
    let extra: BTreeMap<_, _> = table
        .extra
        .iter()
        .map(|entry| Some((entry.name?, entry.value.value.clone())))
        .collect::<Option<_>>()?;
    let web_root = AbsPath::parse("/var/lib/pxe-boot").ok()?;
    let interfaces = table.interfaces();
    let (home, others) = interfaces.split_first()?;
    let mut others = others.to_vec();
    others.sort_by_key(|interface| interface.name);
    let home = finish_interface(home, to)?;
    let other_interfaces = if others.is_empty() {
        Vec::new()
    } else {
        to.whole_list("other_interfaces", HERE, others, |to, interface| {
            to.item(interface.name?.as_str(), |to| finish_interface(&interface, to))
        })?
    };
    Some(Provisioner {
        home,
        other_interfaces,
        nat: to.take("nat", or_default(HERE.says(value(table.nat.as_ref())), false)),
        http_port: to.take("http_port", or_default(HERE.says(sound(&table.http_port)), 8080)),
        dhcp: to.take("dhcp", or_default(HERE.says(value(table.dhcp.as_ref())), DhcpServer::Kea)),
        web_root: to.take("web_root", or_default(HERE.says(value(table.web_root.as_ref())), web_root)),
        extra: to.take(
            "extra",
            or_default(HERE.says(Some(extra).filter(|extra| !extra.is_empty())), BTreeMap::new()),
        ),
        reservations: to
            .take("reservations", or_default(HERE.says(items(table.reservations.as_ref())), Vec::new())),
    })
}

fn finish_interface<'a>(
    interface: &WrittenInterface<'a>,
    to: &mut Recorder<'a>,
) -> Option<ProvisionerInterface> {
    let here = interface.table.map_or(HERE, |table| Origin::Named("provisioner.interface", &table.key));
    Some(ProvisionerInterface {
        network: to.take("network", here.gives(value(interface.network)?)),
        address: to.take("address", here.gives(value(interface.address)?)),
        name: to.take("interface", here.gives(interface.name?.clone())),
    })
}
