//! The services of a node.

use serde_json::Value;

use crate::change::case::Case;
use crate::change::effect::{Effect, Flag};
use crate::change::finding::{Findings, Verdict};
use crate::model::service::{CHAINFIRE, FLAREDB};

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
    let has_members = [CHAINFIRE, FLAREDB].contains(&name);
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
        case.add_to_node(found, Verdict::new(Effect::Member, text).flag(Flag::Quorum));
    }
}

/// `port` of a service.
pub(in crate::change) fn port(case: &Case<'_>, found: &mut Findings) {
    let name = case.last_name();
    let restart = Verdict::new(Effect::Restart, "the service has another port");
    case.add_to_node(found, restart.units([name.to_owned(), format!("{name}-health")]));
    let has_clients =
        case.pair.and_then(|pair| pair.new.service(name)).is_some_and(|service| service.ports.clients);
    if has_clients {
        case.add_task(found, format!("clients of {name} know the old port"));
    }
}

/// `settings` of a service. The values are not shown: they may be secrets.
pub(in crate::change) fn settings(case: &Case<'_>, found: &mut Findings) {
    let name = case.last_name();
    let keys = list_changed_keys(case);
    if keys.iter().any(|key| key == "data_dir") {
        let text = format!("{name} looks for its data in another directory, which is empty");
        case.add_to_node(found, Verdict::new(Effect::Data, text).units([name]));
    }
    let text = format!("settings of {name} change: {}", keys.join(", "));
    case.add_to_node(found, Verdict::new(Effect::Restart, text).units([name]).flag(Flag::NotKnown));
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
