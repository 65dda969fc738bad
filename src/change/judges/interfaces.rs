//! The network of a node: systemd-networkd reloads `.network` files, makes the devices of new `.netdev` files, and does not
//! change devices that exist; `.link` files count when a device appears.

use crate::change::case::Case;
use crate::change::effect::{Effect, Flag, Party};
use crate::change::finding::{Findings, Verdict};
use crate::change::way::Phase;
use crate::model::{Interface, Node};

/// Whether the node is reached through the interface in the key, before or after the change.
fn is_way_in(case: &Case<'_>) -> bool {
    let has_device =
        |node: &Node| node.home_interface().is_some_and(|home| home.device.as_str() == case.last_name());
    case.pair.is_some_and(|pair| has_device(pair.old) || has_device(pair.new))
}

fn find_new<'a>(case: &Case<'a>) -> Option<&'a Interface> {
    case.pair?.new.interfaces.iter().find(|interface| interface.device.as_str() == case.last_name())
}

fn network_effect(case: &Case<'_>, text: &'static str) -> Verdict {
    Verdict::new(Effect::Network, text).flag_if(is_way_in(case), Flag::LockOut).units(["systemd-networkd"])
}

/// An interface that a node gains or loses.
pub(in crate::change) fn interface(case: &Case<'_>, found: &mut Findings) {
    let verdict = if case.difference.is_added() {
        network_effect(case, "the interface is new")
    } else {
        let text = "the interface is gone; its device and its addresses stay until the node restarts";
        Verdict::new(Effect::Reboot, text).flag_if(is_way_in(case), Flag::LockOut)
    };
    case.add_to_node(found, verdict);
}

/// `network` of an interface.
pub(in crate::change) fn network(case: &Case<'_>, found: &mut Findings) {
    case.add_to_node(found, network_effect(case, "the interface is connected to another network"));
    let name = case.difference.names.first().map_or("", String::as_str);
    case.add_task(
        found,
        Phase::AtNodes,
        format!("connect {} of {name} to the other network, at the switch or by its cable", case.last_name()),
    );
}

/// `addresses` of an interface.
pub(in crate::change) fn addresses(case: &Case<'_>, found: &mut Findings) {
    let (_, removed) = case.difference.list_changes();
    let text = if removed.is_empty() {
        "further addresses"
    } else {
        "other addresses; an old one stays until the node restarts, or until ip address del"
    };
    case.add_to_node(found, network_effect(case, text));
}

/// `mtu` of an interface.
pub(in crate::change) fn mtu(case: &Case<'_>, found: &mut Findings) {
    let is_bound = find_new(case).is_some_and(|interface| interface.mac.is_some());
    if case.difference.is_removed() {
        let text = "the link keeps its MTU until the node restarts";
        case.add_to_node(found, Verdict::new(Effect::Reboot, text));
    } else if is_bound {
        let text =
            "the link file counts when the NIC appears: the MTU is certain after a restart of the node only";
        case.add_to_node(found, Verdict::new(Effect::Reboot, text));
    } else {
        case.add_to_node(found, network_effect(case, "the link has another MTU"));
    }
    let network = find_new(case).and_then(|interface| interface.network.as_ref());
    let place = network.map_or_else(|| "the link".to_owned(), |network| format!("the network {network}"));
    case.add_task(
        found,
        Phase::Before,
        format!("the switch and all machines of {place} need the MTU: a smaller one loses large packets"),
    );
}

/// `mac` of an interface: the NIC that gets the name.
pub(in crate::change) fn bound(case: &Case<'_>, found: &mut Findings) {
    let text =
        "another NIC gets the name at the next boot; until then addresses wait for a name that is not there";
    case.add_to_node(found, Verdict::new(Effect::Reboot, text).flag(Flag::LockOut));
}

/// `bond` of an interface.
pub(in crate::change) fn bond(case: &Case<'_>, found: &mut Findings) {
    let text = "networkd does not change a bond that exists: the bond is what it was until the node restarts";
    case.add_to_node(found, Verdict::new(Effect::Reboot, text).flag(Flag::LockOut).flag(Flag::NotKnown));
    case.add_task(
        found,
        Phase::AtNodes,
        "set the switch's ports up for the bond, at the time of the restart",
    );
}

/// `gateway` and `gateway6` of a node.
pub(in crate::change) fn gateway(case: &Case<'_>, found: &mut Findings) {
    let text = "another default route; machines in other networks reach the node through the new router only";
    case.add(
        found,
        case.node(),
        Verdict::new(Effect::Network, text).flag(Flag::LockOut).units(["systemd-networkd"]),
    );
    case.add(
        found,
        Party::Operator,
        Verdict::new(Effect::Hands, "the router answers at the new address first"),
    );
}
