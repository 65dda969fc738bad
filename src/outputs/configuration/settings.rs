//! The settings of a service: those that follow from the cluster, overridden by those of the inventory.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::service::{self, CHAINFIRE, FLAREDB, IAM};
use crate::model::{Cluster, LaidSettings, Node, Service, Settings};
use crate::outputs::cluster_config::find_leader_url;

/// The directory on a node that has its public files and its keys.
const SECRETS: &str = "/etc/nixos/secrets";

/// One setting. The template prints a table with one line an entry.
#[derive(Serialize)]
pub(super) struct Setting {
    key: String,
    value: Value,
    /// The entries of `value`, where it is a table that is not empty.
    entries: Option<Vec<(String, Value)>>,
}

/// Lists the settings of `service` on `node`.
pub(super) fn list_settings(cluster: &Cluster, node: &Node, service: &Service) -> Vec<Setting> {
    let derived = derive_settings(cluster, node, service.name.as_str());
    let mut settings = LaidSettings::default();
    settings.lay(&derived, ());
    settings.lay(&service.settings, ());
    let setting = |(key, value): (String, Value)| {
        let table = value.as_object().filter(|table| !table.is_empty());
        let entries =
            table.map(|table| table.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
        Setting { key, value, entries }
    };
    settings.merge(&mut |_, _, ()| {}).into_iter().map(setting).collect()
}

/// Derives the settings that follow from the cluster: the node's identity, its certificates, and the endpoints of the
/// services that this service needs.
#[must_use]
pub fn derive_settings(cluster: &Cluster, node: &Node, name: &str) -> Settings {
    let mut settings = Settings::new();
    let mut set = |key: &str, value: Value| settings.insert(key.to_owned(), value);
    if [CHAINFIRE, FLAREDB].contains(&name) {
        set("node_id", json!(node.name));
        set("cluster_name", json!(cluster.name));
    }
    if name == FLAREDB {
        set("chainfire_endpoint", json!(find_endpoint(cluster, node, CHAINFIRE)));
    }
    if name == IAM {
        set("flaredb_endpoint", json!(find_endpoint(cluster, node, FLAREDB)));
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

/// Finds the URL at which `node` reaches a service: on itself if the node runs the service, else at the service's virtual
/// address, else at the first voter.
fn find_endpoint(cluster: &Cluster, node: &Node, name: &str) -> String {
    if let Some(service) = node.service(name) {
        return format!("https://localhost:{}", service.ports.port);
    }
    let running = cluster.nodes.iter().find_map(|node| node.service(name)).map(|service| service.ports.port);
    let default = || service::known(name).map(|known| known.port);
    let port = running.or_else(default).unwrap_or_default();
    match cluster.vips.iter().find(|vip| vip.name.as_str() == name) {
        Some(vip) => format!("https://{}.{}:{port}", vip.name, cluster.domain),
        None => {
            let leader = find_leader_url(cluster, node);
            let host = leader.rsplit_once(':').map_or(leader.as_str(), |(host, _)| host);
            format!("{host}:{port}")
        }
    }
}
