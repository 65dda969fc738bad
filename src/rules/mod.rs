//! The invariants: what must be true of an inventory before anything is written from it.
//!
//! One file a theme, one function a rule, one table of all. To add a rule: write its function in the file of its theme,
//! and its row here; add `tests/rejects/<code>.toml`.

mod addresses;
mod disks;
mod links;
mod members;
mod names;
mod ports;
mod quorum;
mod references;

use crate::diag::{Code, Diagnostic, Report, Severity};
use crate::resolve::Draft;

/// A rule of the catalogue.
#[derive(Debug)]
pub struct Rule {
    /// `PG-C13`. A code is never given a new meaning.
    pub code: Code,
    /// Whether the inventory is refused when it is broken.
    pub severity: Severity,
    /// Whether it warns, if only in some cases: then `allow` may acknowledge it.
    pub warns: bool,
    /// What must be true.
    pub title: &'static str,
    /// What happens when it is not.
    pub why: &'static str,
    /// How it is enforced.
    pub check: Check,
}

/// How a rule is enforced.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// While the inventory is read: by the reader, or by the newtype of the value.
    Reading,
    /// Over the resolved inventory.
    Resolved(fn(&Draft<'_>, &mut Report)),
}

const fn rule(code: Code, title: &'static str, why: &'static str, check: Check) -> Rule {
    Rule { code, severity: Severity::Error, warns: false, title, why, check }
}

const fn warning(code: Code, title: &'static str, why: &'static str, check: Check) -> Rule {
    Rule { code, severity: Severity::Warning, warns: true, title, why, check }
}

/// An error, and in lesser cases a warning.
const fn graded(code: Code, title: &'static str, why: &'static str, check: Check) -> Rule {
    Rule { warns: true, ..rule(code, title, why, check) }
}

use Check::{Reading, Resolved};

/// All rules by code.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule("PG-A01", "the inventory is UTF-8 TOML of a sane size and depth", "another parser may read another inventory", Reading),
    rule("PG-A02", "no key and no table is there twice", "which of the two counts is a surprise", Reading),
    rule("PG-A03", "every key is known", "a misspelt key is silently without effect", Reading),
    rule("PG-A04", "every value is of its type, and every required key is there", "a wrong value fails late, on a machine", Reading),
    rule("PG-A05", "the schema is stated and known", "an old program misreads a new file", Reading),
    rule("PG-A06", "text holds no control and no invisible characters", "what a review shows is not what a machine reads", Reading),
    rule("PG-A07", "names have no white space around them", "two names that look the same differ", Reading),
    rule("PG-A08", "names are ASCII and differ in more than case", "DNS and some file systems take them for one", Reading),
    rule("PG-A09", "sizes and times have units", "nobody knows whether 16 means MB or GB", Reading),
    rule("PG-A10", "numbers are whole and in range, octets without leading zeros", "tools disagree on what the number is", Reading),
    rule("PG-A11", "every reference leads somewhere", "an output is rendered empty", Resolved(references::a11)),
    rule("PG-A12", "nothing refers to itself", "inheritance never ends", Resolved(references::a12)),
    rule("PG-A15", "paths stay below the inventory's directory", "a file of the operator's ends up in an output", Reading),
    rule("PG-B01", "names are labels of RFC 1123", "NixOS, DNS and TLS refuse or mangle them", Reading),
    rule("PG-B02", "names have at most 63 bytes and read as nothing else", "a name is taken for an address", Reading),
    rule("PG-B03", "names fit DNS (253) and the kernel (64)", "a truncated name is another identity", Resolved(names::b03)),
    rule("PG-B04", "names are not reserved", "a host shadows the site's own names", Resolved(names::b04)),
    rule("PG-B05", "host names are unique", "one node takes the place of another", Resolved(names::b05)),
    rule("PG-B10", "mailboxes can be written into a zone", "name servers refuse the zone", Reading),
    rule("PG-B11", "derived names fit", "Linux truncates an interface name after 15 bytes", Resolved(links::b11)),
    rule("PG-B12", "derived names are unique", "two networks end up on one device", Resolved(links::b12)),
    rule("PG-C01", "an address lies in its subnet", "nobody reaches it", Resolved(addresses::c01)),
    rule("PG-C02", "an address is not the network's own", "routers drop it", Resolved(addresses::c02)),
    rule("PG-C03", "an address is not the broadcast address", "every machine answers to it", Resolved(addresses::c03)),
    rule("PG-C04", "an address is not the gateway's", "the network loses its router", Resolved(addresses::c04)),
    rule("PG-C05", "an address is not a server's or a virtual one", "machines can no longer boot, resolve or fail over", Resolved(addresses::c05)),
    rule("PG-C06", "an address is used once", "two machines with one address both fall off the network", Resolved(addresses::c06)),
    rule("PG-C08", "a subnet is written with its host bits zero", "an address was meant, or another subnet", Reading),
    rule("PG-C10", "a gateway lies in its subnet", "machines have no default route", Resolved(addresses::c10)),
    rule("PG-C12", "a pool or range lies in its subnet and is in order, and a pool leaves out the servers", "DHCP leases the router's address to a machine", Resolved(addresses::c12)),
    rule("PG-C13", "a reserved address lies outside every pool", "DHCP leases it to another machine", Resolved(addresses::c13)),
    rule("PG-C17", "a virtual address lies in a cluster network and in its range", "no node can take it over", Resolved(addresses::c17)),
    rule("PG-C18", "a node boots in a network that DHCP serves", "it never boots", Resolved(links::c18)),
    warning("PG-C19", "an address lies outside the ranges of other profiles", "the address plan stops meaning anything", Resolved(addresses::c19)),
    rule("PG-D01", "MAC addresses are six octets in canonical form", "a reservation never matches", Reading),
    rule("PG-D02", "MAC addresses are unicast", "no machine sends from it", Reading),
    rule("PG-D03", "MAC addresses are neither all zeros nor all ones", "it means no machine, or all of them", Reading),
    warning("PG-D04", "MAC addresses are the manufacturer's", "an address that software made up may change, and the reservation never matches", Resolved(links::d04)),
    rule("PG-D05", "a MAC address is used once", "a machine gets another's name, and another's disk layout", Resolved(links::d05)),
    rule("PG-D07", "VLANs are 1 to 4094 and known where frames are tagged", "switches drop the frames", Resolved(links::d07)),
    rule("PG-D10", "MTUs are 576 to 9216", "large packets stall", Reading),
    rule("PG-D11", "a bond has two members or more, each its own", "an interface is enslaved twice or alone", Resolved(links::d11)),
    rule("PG-E01", "a BMC has an address of its own in a management network", "the wrong machine is power-cycled", Resolved(addresses::e01)),
    warning("PG-F01", "a disk is named by what it is", "the kernel numbers disks anew at each boot, and another one is erased", Resolved(disks::f01)),
    rule("PG-F02", "a disk is a whole disk", "an installation needs a partition table of its own", Reading),
    rule("PG-F03", "a disk belongs to one node", "a copied line erases the twin's disk", Resolved(disks::f03)),
    rule("PG-F04", "a node uses a disk once, and as many as its layout needs", "a mirror on one disk mirrors nothing", Resolved(disks::f04)),
    rule("PG-F12", "mount points are absolute and unique", "one file system hides another", Resolved(disks::f12)),
    rule("PG-F20", "kernel parameters are single words", "the command line is cut or means something else", Reading),
    rule("PG-G01", "a new cluster has its first voters", "nobody forms it, or two sets do", Resolved(quorum::g01)),
    rule("PG-G02", "a first voter runs the Raft store", "the quorum counts a node that never votes", Resolved(quorum::g02)),
    rule("PG-G03", "voters are odd in number and three or more", "an even number survives no more failures than the odd one below it", Resolved(quorum::g03)),
    graded("PG-G04", "voters are seven at most", "every write waits for a majority of them", Resolved(quorum::g04)),
    rule("PG-G05", "every voter has one same list of peers", "different lists are different clusters", Resolved(members::g05)),
    rule("PG-G06", "a node's Raft identity is its own and never given again", "a newcomer inherits the votes of the dead", Resolved(members::g06)),
    rule("PG-G07", "a member is reached at its own address", "a node forms a consensus with itself", Resolved(members::g07)),
    rule("PG-G08", "a node belongs to this cluster", "two clusters exchange votes", Resolved(members::g08)),
    graded("PG-G09", "ports are legal and used once on a node", "the second service fails to bind", Resolved(ports::g09)),
    rule("PG-H13", "SSH keys are public keys of a strong kind", "nobody can log in, or everybody", Resolved(members::h13)),
];

/// The rule of that code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

/// Runs every rule over `draft`.
pub fn check(draft: &Draft<'_>, report: &mut Report) {
    for rule in RULES {
        if let Check::Resolved(check) = rule.check {
            check(draft, report);
        }
    }
    let wrong = report.acknowledged().iter().filter_map(|own| {
        let message = match find(&own.code.value) {
            None => format!("there is no rule {}", own.code.value),
            Some(rule) if !rule.warns => format!("{} is an error, which cannot be acknowledged", rule.code),
            Some(_) => return None,
        };
        let fault = Diagnostic::error("PG-A11", &own.code.span, message);
        Some(fault.help("write the code of the warning that you know of"))
    });
    let wrong: Vec<_> = wrong.collect();
    wrong.into_iter().for_each(|fault| report.push(fault));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_each_rule_once() {
        assert!(RULES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
