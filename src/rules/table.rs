//! The table of all rules.

use crate::diag::Severity;

use super::Check::{Reading, Resolved};
use super::{Rule, addresses, disks, links, loading, members, names, ports, quorum, references, unused};

/// A row: severity, id, what must be true, what happens when it is not, how it is enforced. Its page is
/// `docs/rules/PG-<id>.md`.
macro_rules! row {
    ($severity:ident, $warns:literal, $id:literal, $title:literal, $why:literal, $check:expr) => {
        Rule {
            code: concat!("PG-", $id),
            severity: Severity::$severity,
            warns: $warns,
            title: $title,
            why: $why,
            check: $check,
            page: include_str!(concat!("../../docs/rules/PG-", $id, ".md")),
        }
    };
}

/// An error.
macro_rules! error {
    ($($row:tt)+) => { row!(Error, false, $($row)+) };
}

/// A warning.
macro_rules! warning {
    ($($row:tt)+) => { row!(Warning, true, $($row)+) };
}

/// An error, and in lesser cases a warning.
macro_rules! graded {
    ($($row:tt)+) => { row!(Error, true, $($row)+) };
}

/// All rules by code.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    error!("A01", "the inventory is UTF-8 TOML of a sane size and depth", "another parser may read another inventory", Reading),
    error!("A02", "no key and no table is there twice", "which of the two counts is a surprise", Reading),
    error!("A03", "every key is known", "a misspelt key is silently without effect", Reading),
    error!("A04", "every value is of its type, and every required key is there", "a wrong value fails late, on a machine", Reading),
    error!("A05", "the schema is stated and known", "an old program misreads a new file", Reading),
    error!("A06", "text holds no control and no invisible characters", "what a review shows is not what a machine reads", Reading),
    error!("A07", "names have no white space around them", "two names that look the same differ", Reading),
    error!("A08", "names are ASCII and differ in more than case", "DNS and some file systems take them for one", Reading),
    error!("A09", "sizes and times have units", "nobody knows whether 16 means MB or GB", Reading),
    error!("A10", "numbers are whole and in range, octets without leading zeros", "tools disagree on what the number is", Reading),
    error!("A11", "every reference leads somewhere", "an output is rendered empty", Resolved(references::a11)),
    error!("A12", "nothing refers to itself", "inheritance never ends", Resolved(references::a12)),
    warning!("A13", "what is defined is used", "a leftover of a renaming misleads the next reader", Resolved(unused::a13)),
    error!("A15", "paths stay below the inventory's directory", "a file of the operator's ends up in an output", Reading),
    error!("B01", "names are labels of RFC 1123", "NixOS, DNS and TLS refuse or mangle them", Reading),
    error!("B02", "names have at most 63 bytes and read as nothing else", "a name is taken for an address", Reading),
    error!("B03", "names fit DNS (253) and the kernel (64)", "a truncated name is another identity", Resolved(names::b03)),
    error!("B04", "names are not reserved", "a host shadows the site's own names", Resolved(names::b04)),
    error!("B05", "host names are unique", "one node takes the place of another", Resolved(names::b05)),
    error!("B10", "mailboxes can be written into a zone", "name servers refuse the zone", Reading),
    error!("B11", "derived names fit", "Linux truncates an interface name after 15 bytes", Resolved(links::b11)),
    error!("B12", "derived names are unique", "two networks end up on one device", Resolved(links::b12)),
    error!("C01", "an address lies in its subnet", "nobody reaches it", Resolved(addresses::c01)),
    error!("C02", "an address is not the network's own", "routers drop it", Resolved(addresses::c02)),
    error!("C03", "an address is not the broadcast address", "every machine answers to it", Resolved(addresses::c03)),
    error!("C04", "an address is not the gateway's", "the network loses its router", Resolved(addresses::c04)),
    error!("C05", "an address is not a server's or a virtual one", "machines can no longer boot, resolve or fail over", Resolved(addresses::c05)),
    error!("C06", "an address is used once", "two machines with one address both fall off the network", Resolved(addresses::c06)),
    error!("C08", "a subnet is written with its host bits zero", "an address was meant, or another subnet", Reading),
    error!("C10", "a gateway lies in its subnet", "machines have no default route", Resolved(addresses::c10)),
    error!("C12", "a pool or range lies in its subnet and is in order, and a pool leaves out the servers", "DHCP leases the router's address to a machine", Resolved(addresses::c12)),
    error!("C13", "a reserved address lies outside every pool", "DHCP leases it to another machine", Resolved(addresses::c13)),
    warning!("C14", "a pool has room for machines without a reservation", "installers get no address, and the installation stalls", Resolved(addresses::c14)),
    error!("C15", "nodes reach a server that resolves names", "they hang at boot", Resolved(addresses::c15)),
    error!("C17", "a virtual address lies in a cluster network and in its range", "no node can take it over", Resolved(addresses::c17)),
    error!("C18", "a node boots in a network that DHCP serves", "it never boots", Resolved(links::c18)),
    warning!("C19", "an address lies outside the ranges of other profiles", "the address plan stops meaning anything", Resolved(addresses::c19)),
    error!("D01", "MAC addresses are six octets in canonical form", "a reservation never matches", Reading),
    error!("D02", "MAC addresses are unicast", "no machine sends from it", Reading),
    error!("D03", "MAC addresses are neither all zeros nor all ones", "it means no machine, or all of them", Reading),
    warning!("D04", "MAC addresses are the manufacturer's", "an address that software made up may change, and the reservation never matches", Resolved(links::d04)),
    error!("D05", "a MAC address is used once", "a machine gets another's name, and another's disk layout", Resolved(links::d05)),
    error!("D07", "VLANs are 1 to 4094 and known where frames are tagged", "switches drop the frames", Resolved(links::d07)),
    error!("D10", "MTUs are 576 to 9216", "large packets stall", Reading),
    error!("D11", "a bond has two members or more, each its own", "an interface is enslaved twice or alone", Resolved(links::d11)),
    graded!("D12", "an interface is bound to its MAC address", "the kernel numbers interfaces anew after a change, and addresses land on the wrong network", Resolved(links::d12)),
    error!("E01", "a BMC has an address of its own in a management network", "the wrong machine is power-cycled", Resolved(addresses::e01)),
    warning!("E02", "BMCs stand in a network of their own", "whoever boots a machine there reaches the power switch of all", Resolved(addresses::e02)),
    warning!("F01", "a disk is named by what it is", "the kernel numbers disks anew at each boot, and another one is erased", Resolved(disks::f01)),
    error!("F02", "a disk is a whole disk", "an installation needs a partition table of its own", Reading),
    error!("F03", "a disk belongs to one node", "a copied line erases the twin's disk", Resolved(disks::f03)),
    error!("F04", "a node uses a disk once, and as many as its layout needs", "a mirror on one disk mirrors nothing", Resolved(disks::f04)),
    error!("F06", "a node says which serial number its machine shows", "an installer erases the disks of another machine", Resolved(disks::f06)),
    error!("F12", "mount points are absolute and unique", "one file system hides another", Resolved(disks::f12)),
    error!("F20", "kernel parameters are single words", "the command line is cut or means something else", Reading),
    warning!("F21", "what machines load is signed, or their network is trusted", "whoever stands in the network decides what they boot", Resolved(loading::f21)),
    error!("G01", "a new cluster has its first voters", "nobody forms it, or two sets do", Resolved(quorum::g01)),
    error!("G02", "a first voter runs the Raft store", "the quorum counts a node that never votes", Resolved(quorum::g02)),
    error!("G03", "voters are odd in number and three or more", "an even number survives no more failures than the odd one below it", Resolved(quorum::g03)),
    graded!("G04", "voters are seven at most", "every write waits for a majority of them", Resolved(quorum::g04)),
    error!("G05", "every voter has one same list of peers", "different lists are different clusters", Resolved(members::g05)),
    error!("G06", "a node's Raft identity is its own and never given again", "a newcomer inherits the votes of the dead", Resolved(members::g06)),
    error!("G07", "a member is reached at its own address", "a node forms a consensus with itself", Resolved(members::g07)),
    error!("G08", "a node belongs to this cluster", "two clusters exchange votes", Resolved(members::g08)),
    graded!("G09", "ports are legal and used once on a node", "the second service fails to bind", Resolved(ports::g09)),
    error!("H13", "SSH keys are public keys of a strong kind", "nobody can log in, or everybody", Resolved(members::h13)),
];
