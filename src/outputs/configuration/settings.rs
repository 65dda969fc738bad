//! The settings of a service: what the cluster decides, under what the inventory says.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::service::{self, CHAINFIRE, FLAREDB, IAM};
use crate::model::{Cluster, LaidSettings, Node, Service, Settings};
use crate::outputs::cluster_config::leader_url;

/// Where a node finds its public files and keys.
const SECRETS: &str = "/etc/nixos/secrets";

/// One setting; a table is shown a line an entry.
#[derive(Serialize)]
pub(super) struct Setting {
    key: String,
    value: Value,
    /// The entries of `value`, where it is a table that is not empty.
    entries: Option<Vec<(String, Value)>>,
}

/// The settings of `own` on `node`.
pub(super) fn of(cluster: &Cluster, node: &Node, own: &Service) -> Vec<Setting> {
    let decided = decided(cluster, node, own.name.as_str());
    let mut settings = LaidSettings::default();
    settings.lay(&decided, ());
    settings.lay(&own.settings, ());
    let setting = |(key, value): (String, Value)| {
        let table = value.as_object().filter(|table| !table.is_empty());
        let entries =
            table.map(|table| table.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
        Setting { key, value, entries }
    };
    settings.merge(&mut |_, _, ()| {}).into_iter().map(setting).collect()
}

/// What follows from the rest of the inventory: identity, certificates, and the services that this one needs.
fn decided(cluster: &Cluster, node: &Node, name: &str) -> Settings {
    let mut settings = Settings::new();
    let mut set = |key: &str, value: Value| settings.insert(key.to_owned(), value);
    if [CHAINFIRE, FLAREDB].contains(&name) {
        set("node_id", json!(node.name));
        set("cluster_name", json!(cluster.name));
    }
    if name == FLAREDB {
        set("chainfire_endpoint", json!(endpoint(cluster, node, CHAINFIRE)));
    }
    if name == IAM {
        set("flaredb_endpoint", json!(endpoint(cluster, node, FLAREDB)));
    }
    set(
        "tls",
        json!({
            "ca_path": format!("{SECRETS}/ca-cert.pem"),
            "cert_path": format!("{SECRETS}/{}-cert.pem", node.name),
            "key_path": format!("{SECRETS}/{}-key.pem", node.name),
        }),
    );
    settings
}

/// Where `node` reaches a service: on itself if it runs it, else at its virtual address, else at the first voter.
fn endpoint(cluster: &Cluster, node: &Node, name: &str) -> String {
    let port =
        |ports: Option<u16>| ports.or(service::known(name).map(|known| known.port)).unwrap_or_default();
    if let Some(own) = node.service(name) {
        return format!("https://localhost:{}", own.ports.port);
    }
    let anybody = cluster.nodes.iter().find_map(|other| other.service(name));
    let port = port(anybody.map(|own| own.ports.port));
    match cluster.vips.iter().find(|vip| vip.name.as_str() == name) {
        Some(vip) => format!("https://{}.{}:{port}", vip.name, cluster.domain),
        None => {
            let leader = leader_url(cluster, node);
            let host = leader.rsplit_once(':').map_or(leader.as_str(), |(host, _)| host);
            format!("{host}:{port}")
        }
    }
}
