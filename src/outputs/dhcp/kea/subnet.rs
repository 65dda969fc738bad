//! The subnets in the configuration of Kea's two servers, with their pools and reservations.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Display;
use std::net::Ipv4Addr;

use serde::Serialize;

use crate::model::{Family, HostName, IfName, Label, MacAddr, Range};
use crate::outputs::dhcp::{ReservedHost, ServedSubnet};

use super::{OptionData, SHARED};

/// The number of a subnet in the lease file, which must be the same after networks were added or removed: `wanted` is
/// derived from the subnet alone. Kea takes neither zero nor all ones, and no number twice: then the next number is taken.
pub(super) fn subnet_id(wanted: u32, taken: &mut HashSet<u32>) -> u32 {
    let mut id = wanted;
    while matches!(id, 0 | u32::MAX) || !taken.insert(id) {
        id = id.wrapping_add(1);
    }
    id
}

/// A subnet in the terms of both servers.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct KeaSubnet<'a, A: Family> {
    /// The number that [`subnet_id`] makes.
    id: u32,
    #[serde(serialize_with = "display")]
    subnet: A::Subnet,
    /// The interface where machines without a relay are heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<&'a IfName>,
    /// The address that machines of this subnet load from, where it is not that of all other subnets. Only in DHCPv4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_server: Option<Ipv4Addr>,
    user_context: UserContext<'a>,
    pools: Vec<KeaPool<A>>,
    option_data: Vec<OptionData>,
    reservations: Vec<KeaReservation<'a, A>>,
}

/// The network's name, for readers of the file; Kea ignores it.
#[derive(Serialize)]
struct UserContext<'a> {
    network: &'a Label,
}

/// A range of addresses for machines without a reservation.
#[derive(Serialize)]
struct KeaPool<A: Family> {
    #[serde(serialize_with = "display")]
    pool: Range<A>,
}

/// The address that is reserved for a node or a BMC.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct KeaReservation<'a, A: Family> {
    hw_address: MacAddr,
    #[serde(flatten)]
    address: ReservedAddress<A>,
    hostname: Cow<'a, HostName>,
    /// The classes on which the boot file and the lifetime of the lease depend: only in DHCPv4, by which machines boot.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    client_classes: Vec<String>,
}

/// A reserved address: a key of DHCPv4, or a list of DHCPv6.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReservedAddress<A> {
    IpAddress(A),
    IpAddresses([A; 1]),
}

impl<'a, A: Family> KeaSubnet<'a, A> {
    /// `subnet` under the number `id`, with `options`.
    pub(super) fn new(
        subnet: ServedSubnet<'a, A>,
        id: u32,
        options: impl IntoIterator<Item = Option<OptionData>>,
        reserved: fn(A) -> ReservedAddress<A>,
    ) -> Self {
        let reservation = |host: ReservedHost<'a, A>| {
            let address = reserved(host.address);
            let mut client_classes = Vec::new();
            if matches!(address, ReservedAddress::IpAddress(_)) {
                client_classes.extend(host.platform);
                client_classes.extend(host.is_shared.then(|| SHARED.to_owned()));
            }
            KeaReservation { hw_address: host.mac, address, hostname: host.name, client_classes }
        };
        Self {
            id,
            subnet: subnet.net,
            interface: subnet.interface.map(|interface| &interface.name),
            next_server: None,
            user_context: UserContext { network: subnet.label },
            pools: subnet.pool.into_iter().map(|pool| KeaPool { pool }).collect(),
            option_data: options.into_iter().flatten().collect(),
            reservations: subnet.hosts.into_iter().map(reservation).collect(),
        }
    }
}

fn display<T: Display, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_subnets_are_unique_and_never_reserved() {
        let mut taken = HashSet::new();
        let ids = [5, 5, 0, u32::MAX, 6].map(|wanted| subnet_id(wanted, &mut taken));
        assert_eq!(ids, [5, 6, 1, 2, 7]);
    }
}
