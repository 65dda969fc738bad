//! Finished interfaces, of nodes and of profiles.

use ipnet::IpNet;

use crate::inventory::{BondTable, known};
use crate::model::{Bond, IfName, Interface, Word};
use crate::resolve::interface::DraftInterface;
use crate::resolve::layer::Said;
use crate::resolve::origin::{Origin, Sourced};
use crate::resolve::recorder::Recorder;

use super::unspanned::{items, value};

/// The interface with its `addresses`.
pub(super) fn finish_interface<'a>(
    draft: &DraftInterface<'a>,
    addresses: Sourced<'a, Vec<IpNet>>,
    to: &mut Recorder<'a>,
) -> Option<Interface> {
    let name = draft.name?.clone();
    let tagged = draft.tagged.is_some_and(|tagged| tagged.value);
    // The VLAN's ID is the network's.
    let vlan = match draft.network.filter(|_| tagged) {
        Some(network) => Origin::Named("network", &network.key).gives(Some(*known(&network.value.vlan)?)),
        None if tagged => return None,
        None => Origin::Default.gives(None),
    };
    let suffix = vlan.value.map(|vlan| format!(".{vlan}")).unwrap_or_default();
    // `eth0.200` names the VLAN device itself: its frames leave through `eth0`.
    let link = if suffix.is_empty() { None } else { name.as_str().strip_suffix(&suffix) };
    let link = link.map_or(Some(name.clone()), |link| IfName::parse(link).ok())?;
    let device = IfName::parse(&format!("{link}{suffix}")).ok()?;
    let here = draft.layer.origin();
    let network = draft.network_name.zip(draft.network);
    let network =
        network.map_or(here.gives(None), |(said, network)| said.layer.origin().gives(network.name.clone()));
    let mtu = draft.mtu.map_or(here.gives(None), Said::sourced);
    let mac = draft.mac.map_or(here.gives(None), |mac| mac.layer.origin().gives(Some(mac.value)));
    let bond =
        draft.bond.map_or(here.gives(None), |bond| bond.layer.origin().gives(finish_bond(&bond.value)));
    to.item(&device.to_string(), |to| {
        Some(Interface {
            name: to.take("name", here.gives(link)),
            device: to.take("device", here.gives(device)),
            network: to.take("network", network),
            vlan: to.take("vlan", vlan),
            addresses: to.take("addresses", addresses),
            mtu: to.take("mtu", mtu),
            bond: to.take("bond", bond),
            mac: to.take("mac", mac),
        })
    })
}

fn finish_bond(table: &BondTable) -> Option<Bond> {
    let members = items(table.members.as_ref())?.into_iter().collect::<Option<_>>()?;
    Some(Bond { mode: value(table.mode.as_ref())?, members })
}
