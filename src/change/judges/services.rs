//! The services of a node.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::change::case::Case;
use crate::change::effect::{Effect, Flag};
use crate::change::finding::{Findings, Verdict};
use crate::change::way::{Phase, Way};
use crate::model::Service;

/// A file in /etc/nixos/secrets of a machine that is not the rendered one.
pub(in crate::change) fn drifted_file(case: &Case<'_>, found: &mut Findings) {
    let name = case.last_name();
    // Nodes read it at the first boot; services are handed the others.
    let (effect, services) = match (name, case.pair) {
        ("cluster-config.json", _) | (_, None) => (Effect::File, Vec::new()),
        (_, Some(pair)) => {
            (Effect::Restart, pair.new.services.iter().map(|found| found.name.as_str()).collect())
        }
    };
    let text =
        format!("the machine has another {name} than nodes/: it was not switched to what was rendered last");
    case.add_to_node(found, Verdict::new(effect, text).units(services));
}

/// A service that a node starts or stops to run.
pub(in crate::change) fn service(case: &Case<'_>, found: &mut Findings) {
    let name = case.last_name();
    let of_side = |node: &'_ crate::model::Node| node.service(name).is_some_and(has_members);
    let has_members = case.pair.is_some_and(|pair| of_side(pair.old) || of_side(pair.new));
    if case.difference.is_added() {
        case.add_to_node(
            found,
            Verdict::new(Effect::Restart, "the service is new, and starts").units([name]),
        );
        if has_members {
            let text = format!("it joins {name}: one member more");
            case.add_to_node(found, Verdict::new(Effect::Member, text));
        }
        return;
    }
    let text = format!("the service stops; its data stays in /var/lib/{name}");
    case.add_to_node(found, Verdict::new(Effect::Restart, text).units([name]));
    if has_members {
        let text = format!("it counts as a member of {name} until it is removed: remove it first");
        case.add_to_node(found, Verdict::new(Effect::Member, text).units([name]).way(Way::Leave));
    }
}

fn has_members(service: &Service) -> bool {
    service.ports.raft_port.is_some()
}

/// `port` of a service.
pub(in crate::change) fn port(case: &Case<'_>, found: &mut Findings) {
    let name = case.last_name();
    let restart = Verdict::new(Effect::Restart, "the service has another port");
    case.add_to_node(found, restart.units([name.to_owned(), format!("{name}-health")]));
    let has_clients =
        case.pair.and_then(|pair| pair.new.service(name)).is_some_and(|service| service.ports.clients);
    if has_clients {
        case.add_task(found, Phase::Last, format!("tell clients of {name} the new port"));
    }
}

/// `settings` of a service. The values are not shown: they may be secrets.
pub(in crate::change) fn settings(case: &Case<'_>, found: &mut Findings) {
    let name = case.last_name();
    let keys = list_changed_keys(case);
    let [old, new] = [&case.difference.old, &case.difference.new].map(|settings| {
        let mut dirs = BTreeMap::from([(DATA_DIR.to_owned(), default_data_dir(name))]);
        list_data_dirs("", settings.as_ref(), &mut dirs);
        dirs
    });
    if old != new {
        let text = format!("{name} looks for its data in another directory, which is empty");
        case.add_to_node(found, Verdict::new(Effect::Data, text).units([name]).way(Way::MoveData));
    }
    let text = format!("settings of {name} change: {}", keys.join(", "));
    case.add_to_node(found, Verdict::new(Effect::Restart, text).units([name]).flag(Flag::NotKnown));
}

/// The key of the directory in which a service keeps its data.
const DATA_DIR: &str = "data_dir";

/// The directory in which `service` keeps its data where its settings name none.
pub(in crate::change) fn default_data_dir(service: &str) -> String {
    format!("/var/lib/{service}")
}

/// Adds the directories of data in `settings`, which stand at `place`: those of tables inside of settings as well.
fn list_data_dirs(place: &str, settings: Option<&Value>, found: &mut BTreeMap<String, String>) {
    for (key, value) in settings.and_then(Value::as_object).into_iter().flatten() {
        let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
        match value.as_str().filter(|_| key == DATA_DIR) {
            Some(dir) => drop(found.insert(place, dir.trim_end_matches('/').to_owned())),
            None => list_data_dirs(&place, Some(value), found),
        }
    }
}

/// The keys of the settings whose values differ.
fn list_changed_keys(case: &Case<'_>) -> Vec<String> {
    let table =
        |value: &Option<Value>| value.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    let (old, new) = (table(&case.difference.old), table(&case.difference.new));
    let mut keys: Vec<String> =
        old.keys().chain(new.keys()).filter(|key| old.get(*key) != new.get(*key)).cloned().collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The names and addresses of the certificate.
pub(in crate::change) fn certificate(case: &Case<'_>, found: &mut Findings) {
    let services = case.pair.map(|pair| pair.new.services.iter().map(|service| service.name.to_string()));
    let verdict =
        Verdict::new(Effect::Restart, "new certificate; one node at a time").flag(Flag::Certificate);
    case.add_to_node(found, verdict.units(services.into_iter().flatten()));
}
