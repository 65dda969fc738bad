//! The configuration of Kea's two servers, as far as both have it in common.
//!
//! Kea 2.2 (Debian 12) and 2.6 (NixOS 24.11) both know every key in these files. Kea's defaults for all other keys are
//! the same in both versions.

mod classes;
mod subnet;
pub(in crate::outputs) mod v4;
pub(in crate::outputs) mod v6;

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Serialize;

use crate::model::{Cluster, DhcpServer, Family, IfName};
use crate::outputs::json;

const SERVER: DhcpServer = DhcpServer::Kea;

/// The class of the NICs of nodes that may boot through several NICs, which share the reserved address.
const SHARED: &str = "several-nics";

/// The configuration of one server. `I` says how clients are told apart, `S` has the subnets and what else only servers
/// of that family have.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct KeaConfig<'a, I, S> {
    interfaces_config: KeaInterfaces<'a>,
    lease_database: LeaseDatabase,
    loggers: [Logger; 1],
    #[serde(flatten)]
    identification: I,
    /// Whether an address is reserved once: `false` where several NICs of a node have one address. Kea's default is `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_reservations_unique: Option<bool>,
    valid_lifetime: u32,
    max_valid_lifetime: u32,
    #[serde(flatten)]
    service: S,
}

impl<'a, I: Serialize, S: Serialize> KeaConfig<'a, I, S> {
    /// The configuration of the server whose logger is called `logger`, and which listens at sockets of the type `socket`.
    fn new(
        logger: &'static str,
        cluster: &'a Cluster,
        socket: Option<&'static str>,
        identification: I,
        service: S,
    ) -> Self {
        Self {
            interfaces_config: KeaInterfaces::new(cluster, socket),
            lease_database: LEASES,
            // Messages go to standard output, and so to the journal.
            loggers: [Logger {
                name: logger,
                output_options: [LogOutput { output: "stdout" }],
                severity: "INFO",
            }],
            identification,
            ip_reservations_unique: has_shared_addresses(cluster).then_some(false),
            valid_lifetime: super::LEASE,
            max_valid_lifetime: super::LONGEST_LEASE,
            service,
        }
    }

    /// The file, in which everything is in the map `key`.
    fn file(&self, key: &str) -> anyhow::Result<Vec<u8>> {
        json(&BTreeMap::from([(key, self)]))
    }
}

/// Whether several NICs of a node have the same address reserved.
fn has_shared_addresses(cluster: &Cluster) -> bool {
    cluster.reservations().any(|reservation| reservation.macs.len() > 1)
}

/// The interfaces that Kea listens at. Where the link is not up yet, Kea tries again for five minutes; by default it never
/// tries again.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct KeaInterfaces<'a> {
    interfaces: Vec<&'a IfName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dhcp_socket_type: Option<&'static str>,
    service_sockets_max_retries: u32,
    /// In milliseconds.
    service_sockets_retry_wait_time: u32,
}

impl<'a> KeaInterfaces<'a> {
    fn new(cluster: &'a Cluster, socket: Option<&'static str>) -> Self {
        Self {
            interfaces: cluster.provisioner.interfaces().map(|interface| &interface.name).collect(),
            dhcp_socket_type: socket,
            service_sockets_max_retries: 60,
            service_sockets_retry_wait_time: 5000,
        }
    }
}

/// The place of leases: a file, where the distribution's Kea has it. No path is named, since Kea 2.6.3 takes no other
/// path than that one.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct LeaseDatabase {
    r#type: &'static str,
    /// The seconds between two runs that remove expired leases from the file.
    lfc_interval: u32,
}

const LEASES: LeaseDatabase = LeaseDatabase { r#type: "memfile", lfc_interval: 3600 };

/// The destination of messages. Kea spells `output_options` with an underscore; 2.6 knows it with a hyphen too.
#[derive(Serialize)]
struct Logger {
    name: &'static str,
    output_options: [LogOutput; 1],
    severity: &'static str,
}

#[derive(Serialize)]
struct LogOutput {
    output: &'static str,
}

/// An option by its name in Kea, or by its code and its bytes in hexadecimal.
#[derive(Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
struct OptionData {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csv_format: Option<bool>,
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    always_send: Option<bool>,
}

impl OptionData {
    /// The option `name`, for machines that ask for the option.
    fn named(name: &'static str, data: impl Display) -> Self {
        Self { name: Some(name), code: None, csv_format: None, data: data.to_string(), always_send: None }
    }

    /// The option `name` with `addresses`, where there are any.
    fn addresses<A: Family>(name: &'static str, addresses: &[A]) -> Option<Self> {
        let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        (!words.is_empty()).then(|| Self::named(name, words.join(", ")))
    }

    /// The option `code` with `bytes`, for machines that ask for the option.
    fn raw(code: u8, bytes: &[u8]) -> Self {
        Self { name: None, code: Some(code), csv_format: Some(false), data: hex(bytes), always_send: None }
    }

    /// The same option for all machines, whether they ask for the option or not.
    fn always(self) -> Self {
        Self { always_send: Some(true), ..self }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
