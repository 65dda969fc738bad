//! The settings of a service: those that follow from the cluster, overridden by those of the inventory.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::service::{self, CHAINFIRE, FLAREDB, IAM};
use crate::model::{Cluster, HostName, Label, LaidSettings, Node, Service, Settings};
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
    let derived = DerivedSettings::new(cluster, node, service.name.as_str()).to_table();
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

/// The settings of a service that follow from the cluster: the node's identity, its certificates, and the endpoint of the
/// service that this service needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedSettings<'a> {
    /// The node, whose name is in the names of its files.
    node: &'a HostName,
    /// The cluster, for a service that stores who it is.
    cluster: Option<&'a Label>,
    /// The setting for the service that this service needs, and the URL.
    endpoint: Option<(&'static str, String)>,
}

impl<'a> DerivedSettings<'a> {
    /// Derives the settings of the service `name` on `node`.
    #[must_use]
    pub fn new(cluster: &'a Cluster, node: &'a Node, name: &str) -> Self {
        let needed = match name {
            FLAREDB => Some(("chainfire_endpoint", CHAINFIRE)),
            IAM => Some(("flaredb_endpoint", FLAREDB)),
            _ => None,
        };
        Self {
            node: &node.name,
            cluster: [CHAINFIRE, FLAREDB].contains(&name).then_some(&cluster.name),
            endpoint: needed.map(|(key, service)| (key, find_endpoint(cluster, node, service))),
        }
    }

    /// The settings as a table.
    #[must_use]
    pub fn to_table(&self) -> Settings {
        let mut settings = Settings::new();
        let mut set = |key: &str, value: Value| settings.insert(key.to_owned(), value);
        if let Some(cluster) = self.cluster {
            set("node_id", json!(self.node));
            set("cluster_name", json!(cluster));
        }
        if let Some((key, url)) = &self.endpoint {
            set(key, json!(url));
        }
        set(
            "tls",
            json!({
                "ca_path": format!("{SECRETS}/ca-cert.pem"),
                "cert_path": format!("{SECRETS}/{}-cert.pem", self.node),
                "key_path": format!("{SECRETS}/{}-key.pem", self.node),
            }),
        );
        settings
    }
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
