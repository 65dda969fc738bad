//! What Kea's two servers have in common. Every key here is one that Kea 2.2 (Debian 12) and 2.6 (NixOS 24.11) know
//! alike; what is not said here is Kea's default, which is the same in both.

use std::collections::HashSet;
use std::fmt::Display;

use serde::Serialize;

use crate::model::{Cluster, Family, HostName, IfName, Label, MacAddr, Range};

use super::{Host, Subnet};

/// How Kea listens. Where the link is not up yet, it tries again for five minutes instead of staying deaf.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Interfaces<'a> {
    interfaces: [&'a IfName; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    dhcp_socket_type: Option<&'static str>,
    service_sockets_max_retries: u32,
    /// In milliseconds.
    service_sockets_retry_wait_time: u32,
}

pub(super) fn interfaces<'a>(interface: &'a IfName, socket: Option<&'static str>) -> Interfaces<'a> {
    Interfaces {
        interfaces: [interface],
        dhcp_socket_type: socket,
        service_sockets_max_retries: 60,
        service_sockets_retry_wait_time: 5000,
    }
}

/// Where leases are kept: a file, where the distribution's Kea has it. No path is named, since Kea 2.6.3 takes none but
/// that one.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Leases {
    r#type: &'static str,
    /// How often the file is rid of what has expired, in seconds.
    lfc_interval: u32,
}

pub(super) const LEASES: Leases = Leases { r#type: "memfile", lfc_interval: 3600 };

/// Where messages go. Kea spells `output_options` this way; 2.6 knows it with a hyphen too.
#[derive(Serialize)]
pub(super) struct Logger {
    name: &'static str,
    output_options: [Destination; 1],
    severity: &'static str,
}

#[derive(Serialize)]
struct Destination {
    output: &'static str,
}

/// The messages of the server `name` to its standard output, and so to the journal.
pub(super) const fn logger(name: &'static str) -> [Logger; 1] {
    [Logger { name, output_options: [Destination { output: "stdout" }], severity: "INFO" }]
}

/// An option by its name in Kea, or by its code and its bytes in hexadecimal.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct OptionData {
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
    /// An option for machines that ask for it.
    pub(super) fn named(name: &'static str, data: impl Display) -> Self {
        Self { name: Some(name), code: None, csv_format: None, data: data.to_string(), always_send: None }
    }

    /// The option `code` with `bytes`, for machines that ask for it.
    pub(super) fn raw(code: u8, bytes: &[u8]) -> Self {
        Self { name: None, code: Some(code), csv_format: Some(false), data: hex(bytes), always_send: None }
    }

    /// The same, asked for or not.
    pub(super) fn always(self) -> Self {
        Self { always_send: Some(true), ..self }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// `addresses` with commas between, where there are any.
pub(super) fn list<A: Family>(name: &'static str, addresses: &[A]) -> Option<OptionData> {
    let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| OptionData::named(name, words.join(", ")))
}

/// A range of addresses for machines without a reservation.
#[derive(Serialize)]
struct Pool<A: Family> {
    #[serde(serialize_with = "display")]
    pool: Range<A>,
}

fn display<T: Display, S: serde::Serializer>(own: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(own)
}

/// A subnet's number in the lease file, which must be the same after networks were added or removed: `wanted` is
/// derived from the subnet alone. Kea takes neither zero nor all ones, and none twice: then the next is taken.
pub(super) fn subnet_id(wanted: u32, taken: &mut HashSet<u32>) -> u32 {
    let mut id = wanted;
    while matches!(id, 0 | u32::MAX) || !taken.insert(id) {
        id = id.wrapping_add(1);
    }
    id
}

/// What names a subnet to a reader of the file; Kea ignores it.
#[derive(Serialize)]
struct Remark<'a> {
    network: &'a Label,
}

/// What Kea keeps for a node; `K` is how it says the address.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Reservation<'a, K> {
    hw_address: MacAddr,
    #[serde(flatten)]
    address: K,
    hostname: &'a HostName,
}

/// A subnet, as both servers have it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case", bound = "K: Serialize")]
pub(super) struct Served<'a, A: Family, K> {
    /// Made from its address: [`subnet_id`].
    id: u32,
    #[serde(serialize_with = "display")]
    subnet: A::Subnet,
    /// Where machines without a relay are heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<&'a IfName>,
    user_context: Remark<'a>,
    pools: Vec<Pool<A>>,
    option_data: Vec<OptionData>,
    reservations: Vec<Reservation<'a, K>>,
}

/// The subnet `own` under the number `id`, with `options`; `kept` says an address that is kept for a node.
pub(super) fn served<'a, A: Family, K>(
    own: Subnet<'a, A>,
    cluster: &'a Cluster,
    id: u32,
    options: impl IntoIterator<Item = Option<OptionData>>,
    kept: fn(A) -> K,
) -> Served<'a, A, K> {
    let reservation = |host: Host<'a, A>| Reservation {
        hw_address: host.mac,
        address: kept(host.address),
        hostname: host.name,
    };
    Served {
        id,
        subnet: own.net,
        interface: own.own.then_some(&cluster.provisioner.interface),
        user_context: Remark { network: own.label },
        pools: own.pool.into_iter().map(|pool| Pool { pool }).collect(),
        option_data: options.into_iter().flatten().collect(),
        reservations: own.hosts.into_iter().map(reservation).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_subnets_are_their_own_and_never_reserved() {
        let mut taken = HashSet::new();
        let ids = [5, 5, 0, u32::MAX, 6].map(|wanted| subnet_id(wanted, &mut taken));
        assert_eq!(ids, [5, 6, 1, 2, 7]);
    }
}
