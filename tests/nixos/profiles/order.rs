//! What starts after what: on a machine that runs everything, nothing waits for itself.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::profiles::kit::{SERVICES, config};

/// Each unit of ours, and those that start before it.
type Order = BTreeMap<String, Vec<String>>;

/// All services, as a node runs them, with first-boot automation.
fn everything() -> Value {
    let file = |name: &str| format!("{name}_path = \"/etc/nixos/secrets/{name}.pem\";");
    let tls = ["ca", "cert", "key"].map(file).concat();
    let enabled: String = SERVICES
        .iter()
        .map(|name| format!("services.{name} = {{ enable = true; settings.tls = {{ {tls} }}; }};\n"))
        .collect();
    config(&format!("{{ {enabled} services.first-boot-automation.enable = true; }}"))
}

fn order(machine: &Value) -> Order {
    let mut order = Order::new();
    let names = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    for (kind, suffix) in [("services", "service"), ("timers", "timer")] {
        for (name, unit) in machine["systemd"][kind].as_object().unwrap() {
            let unit_name = format!("{name}.{suffix}");
            order.entry(unit_name.clone()).or_default().extend(names(&unit["after"]));
            // A target comes after what it wants.
            for later in [names(&unit["before"]), names(&unit["wantedBy"])].concat() {
                order.entry(later).or_default().push(unit_name.clone());
            }
        }
    }
    order
}

/// The way from `unit` back to itself, if there is one.
fn circle(order: &Order, unit: &str, way: &mut Vec<String>, done: &mut Vec<String>) -> Option<Vec<String>> {
    if let Some(start) = way.iter().position(|other| other == unit) {
        return Some(way[start..].to_vec());
    }
    if done.iter().any(|other| other == unit) {
        return None;
    }
    way.push(unit.to_owned());
    let found = order.get(unit).into_iter().flatten().find_map(|earlier| circle(order, earlier, way, done));
    way.pop();
    done.push(unit.to_owned());
    found
}

fn any_circle(order: &Order) -> Option<Vec<String>> {
    let mut done = Vec::new();
    order.keys().find_map(|unit| circle(order, unit, &mut Vec::new(), &mut done))
}

fn comes_before(order: &Order, earlier: &str, later: &str) -> bool {
    let before = order.get(later).into_iter().flatten();
    before.into_iter().any(|unit| unit == earlier || comes_before(order, earlier, unit))
}

#[test]
fn no_unit_waits_for_itself() {
    let mut order = order(&everything());
    assert_eq!(any_circle(&order), None);
    order.entry("chrony-wait.service".to_owned()).or_default().push("iam-initial-setup.service".to_owned());
    assert!(any_circle(&order).is_some(), "without this, the above would prove nothing");
}

/// The clock, the keys, the service, its cluster; Chainfire, FlareDB, IAM.
#[test]
fn a_first_boot_goes_from_the_clock_to_iam() {
    let order = order(&everything());
    assert_eq!(any_circle(&order), None);
    let services = ["chainfire", "flaredb", "iam"];
    let last = ["chainfire-cluster-join", "flaredb-cluster-join", "iam-initial-setup"];
    for (name, last) in services.into_iter().zip(last) {
        let way =
            ["chrony-wait".to_owned(), name.to_owned(), last.to_owned(), format!("plasmagen-secrets@{name}")]
                .map(|unit| format!("{unit}.service"));
        assert!(comes_before(&order, &way[0], &way[1]), "{name}: its certificate needs the right time");
        assert!(comes_before(&order, &way[3], &way[1]), "{name}: its key");
        assert!(comes_before(&order, &way[1], &way[2]), "{name}: {last}");
    }
    for pair in last.windows(2) {
        let [earlier, later] = [pair[0], pair[1]].map(|unit| format!("{unit}.service"));
        assert!(comes_before(&order, &earlier, &later), "{earlier} {later}");
    }
}
