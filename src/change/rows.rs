//! The rows of the table of keys.

mod derived;
mod drift;
mod machines;
mod networks;
mod nodes;
mod profiles;
mod site;

pub(super) use derived::DERIVED;
pub(super) use drift::DRIFT;
pub(super) use machines::MACHINES;
pub(super) use networks::NETWORKS;
pub(super) use nodes::NODES;
pub(super) use profiles::PROFILES;
pub(super) use site::SITE;

use super::case::DHCP_SERVER;
use super::effect::Effect;
use super::row::{Affects, Judge, Row, Who};

/// A row with effects that every change of the key has.
const fn row(key: &'static str, affects: &'static [Affects], evidence: &'static str) -> Row {
    Row { key, affects, judge: None, evidence }
}

/// A row whose effects depend on the values.
const fn judged(key: &'static str, judge: Judge, affects: &'static [Affects], evidence: &'static str) -> Row {
    Row { key, affects, judge: Some(judge), evidence }
}

const fn node(effect: Effect, text: &'static str) -> Affects {
    Affects::new(Who::Node, effect, text)
}

const fn every_node(effect: Effect, text: &'static str) -> Affects {
    Affects::new(Who::EveryNode, effect, text)
}

const fn provisioner(effect: Effect, text: &'static str) -> Affects {
    Affects::new(Who::Provisioner, effect, text)
}

const fn name_servers(effect: Effect, text: &'static str) -> Affects {
    Affects::new(Who::NameServers, effect, text)
}

/// A task of the operator.
const fn task(text: &'static str) -> Affects {
    Affects::new(Who::Operator, Effect::Hands, text)
}

/// A change that reaches no machine, and why.
const fn nothing(text: &'static str) -> Affects {
    Affects::new(Who::Nobody, Effect::Nothing, text)
}

/// The files in the web root that machines load at a network boot.
const PUBLISH: Affects = provisioner(
    Effect::File,
    "publish: boot scripts and overlays, which machines load at their next network boot",
);

/// The servers that have the reservations and the subnets.
const DHCP: Affects =
    provisioner(Effect::Restart, "the DHCP server has another configuration").units(&[DHCP_SERVER]);
