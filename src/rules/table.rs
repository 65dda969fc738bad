//! The table of all rules.

use crate::diag::Severity;

use super::Check::{Certificates, Elsewhere, Later, Reading, Resolved};
use super::{
    Rule, access, addresses, bonds, certificates, dates, derived, disks, links, loading, macs, members, mtu,
    names, ports, quorum, references, unused, vlans, zones,
};

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
    error!("A14", "values are taken as they are written", "data becomes code, or a variable's name becomes an address", Reading),
    error!("A15", "paths stay below the inventory's directory", "a file of the operator's ends up in an output", Reading),
    warning!("A16", "no secret is written out", "whoever reads the repository has it, and git forgets nothing", Reading),
    error!("B01", "names are labels of RFC 1123", "NixOS, DNS and TLS refuse or mangle them", Reading),
    error!("B02", "names have at most 63 bytes and read as nothing else", "a name is taken for an address", Reading),
    error!("B03", "names fit DNS (253) and the kernel (64)", "a truncated name is another identity", Resolved(names::b03)),
    error!("B04", "names are not reserved", "a host shadows the site's own names", Resolved(names::b04)),
    error!("B05", "host names are unique", "one node takes the place of another", Resolved(names::b05)),
    error!("B06", "aliases are unique and lead to a host", "name servers refuse the zone", Later("the inventory has no aliases, and no zone has a CNAME: a node, a BMC and a virtual address have names with addresses of their own")),
    graded!("B07", "domains are the site's own", "names are looked up elsewhere", Resolved(names::b07)),
    error!("B08", "an address leads back to the name that leads to it", "SSH, Kerberos and TLS take it for another host", Resolved(zones::b08)),
    error!("B09", "a zone's serial number grows when its records change", "secondary servers keep the old records", Elsewhere("outputs/dns.rs: tests/dns/serials.rs::a_changed_record_raises_the_serial_numbers_of_its_zones_alone, tests/dns/serials.rs::serial_numbers_go_round")),
    error!("B10", "mailboxes, times to live and name servers can be written into a zone", "name servers refuse the zone", Resolved(names::b10)),
    error!("B11", "derived names fit", "they are cut short or mangled where they are used", Resolved(derived::b11)),
    error!("B12", "derived names are unique", "two things end up as one device, or under one name", Resolved(derived::b12)),
    error!("C01", "an address lies in its subnet", "nobody reaches it", Resolved(addresses::c01)),
    error!("C02", "an address is not the network's own", "routers drop it", Resolved(addresses::c02)),
    error!("C03", "an address is not the broadcast address", "every machine answers to it", Resolved(addresses::c03)),
    error!("C04", "an address is not the gateway's", "the network loses its router", Resolved(addresses::c04)),
    error!("C05", "an address is not a server's or a virtual one", "machines can no longer boot, resolve or fail over", Resolved(addresses::c05)),
    error!("C06", "an address is used once", "two machines with one address both fall off the network", Resolved(addresses::c06)),
    error!("C07", "subnets overlap neither each other nor what is reserved", "machines send packets to the wrong network, or nowhere", Resolved(addresses::c07)),
    error!("C08", "a subnet is written with its host bits zero", "an address was meant, or another subnet", Reading),
    error!("C09", "a subnet has a length that networks have", "no address in it can be used, or machines give themselves none", Resolved(addresses::c09)),
    error!("C10", "a gateway lies in its subnet", "machines have no default route", Resolved(addresses::c10)),
    error!("C11", "a node has one default route", "answers leave by another way than requests came, and firewalls drop them", Resolved(addresses::c11)),
    error!("C12", "a pool or range lies in its subnet and is in order, and a pool leaves out the servers", "DHCP leases the router's address to a machine", Resolved(addresses::c12)),
    error!("C13", "a reserved address lies outside every pool", "DHCP leases it to another machine", Resolved(addresses::c13)),
    warning!("C14", "a pool has room for machines without a reservation", "installers get no address, and the installation stalls", Resolved(addresses::c14)),
    error!("C15", "nodes reach a server that resolves names", "they hang at boot", Resolved(addresses::c15)),
    error!("C16", "an address is of the family that its field is of, and has no zone", "one tool reads another address than the next", Reading),
    error!("C17", "a virtual address lies in a cluster network and in its range", "no node can take it over", Resolved(addresses::c17)),
    error!("C18", "a node boots in a network that DHCP serves", "it never boots", Resolved(links::c18)),
    warning!("C19", "an address lies outside the ranges of other profiles", "the address plan stops meaning anything", Resolved(addresses::c19)),
    error!("D01", "MAC addresses are six octets in canonical form", "a reservation never matches", Reading),
    error!("D02", "MAC addresses are unicast", "no machine sends from it", Reading),
    error!("D03", "MAC addresses are neither all zeros nor all ones", "it means no machine, or all of them", Reading),
    warning!("D04", "MAC addresses are the manufacturer's", "an address that software made up may change, and the reservation never matches", Resolved(macs::d04)),
    error!("D05", "a MAC address is used once", "a machine gets another's name, and another's disk layout", Resolved(macs::d05)),
    warning!("D06", "MAC addresses are not those of examples", "a line that was copied matches no machine, or several", Resolved(macs::d06)),
    graded!("D07", "VLANs are 1 to 4094, none that switches keep, and known where frames are tagged", "switches drop the frames", Resolved(vlans::d07)),
    graded!("D08", "a VLAN is one network", "machines of two networks share one, or a switch port carries the wrong one", Resolved(vlans::d08)),
    error!("D09", "the network that a node boots from is untagged", "firmware cannot tag, and the machine never boots", Resolved(links::d09)),
    error!("D10", "MTUs are 576 to 9216, fit what they stand on, and agree in a cluster network", "large packets stall", Resolved(mtu::d10)),
    graded!("D11", "a bond has two members or more, each its own, and firmware gets through it", "an interface is enslaved twice or alone, or the machine never boots", Resolved(bonds::d11)),
    graded!("D12", "an interface is bound to its MAC address", "the kernel numbers interfaces anew after a change, and addresses land on the wrong network", Resolved(links::d12)),
    error!("E01", "a BMC has an address of its own in a management network", "the wrong machine is power-cycled", Resolved(addresses::e01)),
    warning!("E02", "BMCs stand in a network of their own", "whoever boots a machine there reaches the power switch of all", Resolved(addresses::e02)),
    error!("E03", "a BMC's password is in the vault, never in the inventory", "whoever reads the repository has the power switch", Reading),
    error!("E04", "a boot override holds for one boot", "the machine is installed anew at each reboot", Later("the scripts that set boot overrides are not written yet")),
    error!("E05", "a BMC is that of one node", "the wrong machine is power-cycled", Resolved(addresses::e05)),
    warning!("E06", "BMCs have no password of their manufacturer's", "whoever reaches the network is root of every machine", Resolved(addresses::e06)),
    warning!("F01", "a disk is named by what it is", "the kernel numbers disks anew at each boot, and another one is erased", Resolved(disks::f01)),
    error!("F02", "a disk is a whole disk", "an installation needs a partition table of its own", Reading),
    error!("F03", "a disk belongs to one node", "a copied line erases the twin's disk", Resolved(disks::f03)),
    error!("F04", "a node uses a disk once, and as many as its layout needs", "a mirror on one disk mirrors nothing", Resolved(disks::f04)),
    error!("F05", "an NVMe disk is named with its namespace", "the name moves to another namespace, and that one is erased", Reading),
    graded!("F06", "a node says which serial number its machine shows", "an installer erases the disks of another machine", Resolved(disks::f06)),
    error!("F07", "a machine is erased only when it was armed for it", "an accident reinstalls a running node", Elsewhere("publish::armed and boot.ipxe: tests/publish/armed.rs::a_node_is_armed_until_it_is_disarmed, tests/publish/armed.rs::what_could_not_boot_is_not_armed, tests/by_construction.rs::a_machine_that_is_not_armed_starts_from_its_disk")),
    error!("F08", "a machine starts from its own disk unless it is armed", "it is reinstalled at every boot", Elsewhere("boot.ipxe: tests/by_construction.rs::a_machine_that_is_not_armed_starts_from_its_disk")),
    error!("F09", "partitions follow each other, and one takes what is left", "the installation stops halfway, on an erased disk", Elsewhere("disko.nix: tests/layouts.rs::every_layout_boots_and_one_root_takes_what_is_left")),
    graded!("F10", "an EFI system partition has 512 MiB, better 1 GiB", "it fills up with kernels, and neither update nor rollback succeeds", Resolved(disks::f10)),
    error!("F11", "every firmware finds what it boots from", "the installed machine does not start", Elsewhere("disko.nix: tests/layouts.rs::every_layout_boots_and_one_root_takes_what_is_left")),
    error!("F12", "mount points are absolute and unique", "one file system hides another", Resolved(disks::f12)),
    error!("F13", "no machine hibernates", "it wakes up with a state that its peers have left behind", Resolved(disks::f13)),
    error!("F14", "labels of file systems fit", "mkfs refuses or truncates them", Later("no layout labels a file system, so that none is too long")),
    error!("F15", "an encrypted disk can be unlocked, and its key lies nowhere in the clear", "the machine hangs at boot, or everybody reads the key", Elsewhere("disko.nix: tests/layouts.rs::an_encrypted_root_asks_at_the_console_and_keeps_no_key")),
    error!("F16", "encrypted volumes have names of their own", "one is opened in the place of another", Elsewhere("disko.nix: tests/layouts.rs::an_encrypted_root_asks_at_the_console_and_keeps_no_key")),
    error!("F17", "a ZFS host has a host identity of its own", "the pool refuses to be imported", Later("there is no `disk.zfs` yet")),
    error!("F18", "firmware and hardware are of the node's architecture", "the machine hangs before it shows a word", Resolved(loading::f18)),
    error!("F19", "kernel, initrd and init belong together", "the kernel finds no init", Elsewhere("plasmagen bundle: tests/image/bundle.rs::what_does_not_fit_is_refused, tests/image/bundle.rs::what_it_says_is_what_it_is, src/image/kernel.rs::what_does_not_boot_is_refused_with_the_reason")),
    error!("F20", "kernel parameters are single words, fit, and hold no secret", "the command line is cut, means something else, or everybody reads it", Resolved(loading::f20)),
    graded!("F21", "the boot server has its port, and what it serves is signed or its network trusted", "machines find no server, or boot what a stranger gives them", Resolved(loading::f21)),
    graded!("F22", "iPXE can check what the inventory asks it to check", "machines boot nothing, or anything", Resolved(loading::f22)),
    error!("G01", "a new cluster has its first voters", "nobody forms it, or two sets do", Resolved(quorum::g01)),
    error!("G02", "a first voter runs the Raft store", "the quorum counts a node that never votes", Resolved(quorum::g02)),
    error!("G03", "voters are odd in number and three or more", "an even number survives no more failures than the odd one below it", Resolved(quorum::g03)),
    graded!("G04", "voters are seven at most", "every write waits for a majority of them", Resolved(quorum::g04)),
    error!("G05", "every voter has one same list of peers", "different lists are different clusters", Resolved(members::g05)),
    error!("G06", "a node's Raft identity is its own and never given again", "a newcomer inherits the votes of the dead", Resolved(members::g06)),
    error!("G07", "a member is reached at its own address", "a node forms a consensus with itself", Resolved(members::g07)),
    error!("G08", "a node belongs to this cluster", "two clusters exchange votes", Resolved(members::g08)),
    graded!("G09", "ports are legal and used once on a node", "the second service fails to bind", Resolved(ports::g09)),
    error!("G10", "a port that is advertised is open to its peers, and to nobody else", "the quorum is out of reach, or exposed", Elsewhere("model/exposure.rs, which every firewall is written from: tests/by_construction.rs::an_advertised_port_is_open_to_the_cluster_alone, tests/firewalls/main.rs::both_languages_open_the_same")),
    warning!("G11", "no rack holds most of the voters", "the cluster stops with that rack", Resolved(quorum::g11)),
    error!("G12", "an election waits for several heartbeats", "a busy moment deposes the leader, again and again", Resolved(quorum::g12)),
    error!("G13", "a change leaves the quorum standing", "the cluster loses its majority in one step", Later("`plasmagen diff` does not exist yet: nothing knows what was there before")),
    error!("G14", "a node that joins a formed cluster forms none", "a rival cluster rises beside the living one", Elsewhere("cluster-config.json: tests/by_construction.rs::a_formed_cluster_is_only_ever_joined")),
    error!("H01", "a certificate lives within the life of its CA", "it fails on the day the CA does, and nobody expects it", Certificates(dates::h01)),
    error!("H02", "a certificate is valid already", "machines refuse each other until their clocks catch up", Certificates(dates::h02)),
    error!("H03", "a CA is made only where no certificate is", "a second CA cuts off every machine that trusts the first", Certificates(certificates::h03)),
    error!("H04", "certificates and keys can be read and belong together", "services start and no client accepts them", Certificates(certificates::h04)),
    error!("H05", "serial numbers are random, positive and used once", "revoking one certificate revokes another", Certificates(certificates::h05)),
    graded!("H06", "a certificate says exactly the names and addresses of the inventory", "peers refuse the node, or take another for it", Certificates(certificates::h06)),
    error!("H07", "a certificate may do what it is used for, and no more", "clients refuse it, or a node signs certificates", Certificates(certificates::h07)),
    error!("H08", "a certificate names the CA and the key that signed it", "clients try the wrong CA and give up", Certificates(certificates::h08)),
    error!("H09", "the CA may vouch for every name and address", "clients refuse the new network's certificates", Certificates(certificates::h09)),
    error!("H10", "keys are ECDSA P-256 or P-384, or RSA of 3072 bits", "a TLS stack does not know them, or an attacker breaks them", Certificates(certificates::h10)),
    graded!("H11", "certificates have a third of their life left, 14 days at least", "all connections to all nodes end at one second", Certificates(dates::h11)),
    error!("H12", "the CA of every living certificate is published", "half the cluster no longer trusts the other half", Certificates(certificates::h12)),
    error!("H13", "SSH keys are public keys of a strong kind", "nobody can log in, or everybody", Resolved(members::h13)),
    error!("H14", "private keys are their owner's alone", "whoever has an account has the cluster", Elsewhere("pki::vault, the only room that writes them: tests/pki/vault.rs::modes_do_not_depend_on_the_umask, tests/pki/vault.rs::what_others_can_read_is_not_used, tests/pki/vault_place.rs::the_nix_store_is_refused, tests/pki/vault_place.rs::output_and_served_directories_are_refused")),
    error!("H15", "nothing public holds a secret", "a log or a repository hands out the cluster", Elsewhere("pki::secret, whose type cannot be printed: tests/pki/issue.rs::nothing_prints_a_key, tests/cli/secrets.rs::no_byte_of_a_key_leaves_the_vault, tests/cli/init.rs::a_private_key_is_refused_and_never_shown")),
    error!("H16", "recipients of secrets are two at least, and known to age", "one lost key loses the vault", Resolved(access::h16)),
    error!("H17", "no certificate is dated by a clock that was reset", "it is expired before it is used", Certificates(dates::h17)),
    error!("I01", "a value passes through the writer of its language", "a value becomes code", Elsewhere("render, one dialect a language: tests/templates.rs::every_template_keeps_the_rules, tests/hostile.rs::what_the_rules_accept_every_output_says_and_nix_reads_back, src/render/mod.rs::no_way_round_the_dialect")),
    error!("I02", "output paths stay below their tree", "a file of the operator's is replaced", Elsewhere("artifact and write: src/artifact.rs::a_path_cannot_leave_its_tree, src/write/wanted.rs::refuses_paths_that_cannot_be_written, tests/writer/edits.rs::a_directory_replaced_by_a_link_is_not_followed")),
    error!("I03", "a tree is written whole or not at all", "machines boot half of the old and half of the new", Elsewhere("write: tests/writer/trees.rs::both_trees_hold_exactly_the_artifacts_and_their_manifests, tests/writer/faults.rs::killed_at_any_call_both_trees_are_whole_and_the_next_run_makes_them_agree")),
    error!("I04", "the same inventory gives the same bytes", "no review can tell a change from noise", Elsewhere("outputs and write: tests/golden.rs::the_same_inventory_gives_the_same_bytes, tests/writer/trees.rs::same_artifacts_same_bytes, tests/writer/trees.rs::modes_do_not_depend_on_the_umask")),
    error!("I05", "only directories of plasmagen's own are replaced", "somebody's files are gone", Elsewhere("write: tests/writer/edits.rs::a_directory_that_is_not_ours_is_refused_even_when_edits_are_discarded, tests/writer/edits.rs::things_that_are_not_ours_are_reported")),
    error!("I06", "no symbolic link leads out of the tree", "a file elsewhere is replaced", Elsewhere("write: tests/writer/edits.rs::a_directory_replaced_by_a_link_is_not_followed, tests/writer/edits.rs::a_tree_or_state_that_is_no_directory_is_refused")),
    graded!("I07", "the firewall lets operators in, and what is established", "the first rule set locks everybody out", Resolved(access::i07)),
    error!("I08", "a rule set is loaded as one, and speaks of both families", "a node stands open, or shut, between two commands", Elsewhere("outputs, render::nft and render::iptables: tests/firewalls/nft.rs::opens_the_ports_of_the_model_and_no_other, tests/firewalls/nft.rs::loads_as_one_for_both_families, tests/firewalls/iptables.rs::loads_as_one_of_its_family, tests/dialects/nft.rs::strings_read_back, tests/dialects/iptables.rs::strings_read_back")),
    error!("I09", "nginx serves the public tree and nothing else", "a request walks out of the web root", Elsewhere("nginx.conf: tests/web/nginx.rs::nothing_but_the_web_root_is_served, tests/web/nginx.rs::nothing_is_written, tests/dialects/nginx.rs::strings_read_back")),
    error!("I10", "scripts stop at the first fault and ask before they destroy", "an empty variable erases a disk", Later("site/scripts, which are not rendered yet")),
    error!("I11", "systemd's own characters in values are escaped", "a unit starts with another command line", Elsewhere("outputs: no value of an inventory stands in a unit, NixOS writes them: tests/hostile.rs::what_the_rules_accept_every_output_says_and_nix_reads_back, tests/nix_model.rs::nix_evaluates_the_model")),
    error!("I12", "strings for dhcpd are printable and fit", "dhcpd refuses to start, or hands out another value", Elsewhere("render::dhcp: tests/dialects/dhcp.rs::strings_read_back, tests/dialects/dhcp.rs::bare_words_read_back; render::dnsmasq: tests/dialects/dnsmasq.rs::strings_read_back")),
    error!("I13", "overlays are cpio archives that unpack to what was meant, and are the same each time", "the installer boots without its files", Elsewhere("outputs and image: tests/image/overlay.rs::gnu_cpio_unpacks_each_overlay_to_the_facts_of_its_node, tests/image/overlay.rs::threads_change_no_byte, tests/image/readers.rs::gnu_cpio_and_bsdtar_unpack_the_tree, tests/image/same.rs::neither_copies_nor_threads_change_a_byte, src/image/archive.rs::paths_stay_inside")),
    error!("I14", "what is fetched can be checked with sha256sum", "a damaged image is booted", Elsewhere("image and publish: tests/image/bundle.rs::what_it_says_is_what_it_is, tests/publish/bundles.rs::sha256sum_checks_what_is_published, tests/publish/tampered.rs::a_bundle_that_differs_in_one_byte_is_rejected_by_verify")),
    error!("I15", "what a machine boots is of one generation, and the one before stays", "a kernel starts with another's initrd", Elsewhere("publish: tests/publish/bundles.rs::generations_rise_and_the_one_before_stays, tests/publish/bundles.rs::an_older_generation_and_an_expired_one_are_told_of, tests/publish/faults.rs::killed_at_any_call_a_machine_finds_the_old_or_the_new, tests/publish/readers.rs::a_machine_finds_all_of_a_bundle_and_all_of_a_site_at_any_moment")),
    warning!("J01", "a change that destroys an installed node is allowed by name", "a typing slip reinstalls a machine", Later("plasmagen diff, which compares with what was published last")),
    warning!("J02", "a change of many nodes at once is confirmed", "one default changes the whole rack", Later("plasmagen diff, which compares with what was published last")),
    error!("J03", "a node that is removed leaves nothing behind", "its address and its certificate go on being trusted", Elsewhere("write, which replaces both trees whole: tests/cli/render.rs::a_removed_node_leaves_no_residue_and_keeps_its_key; the list of certificates to revoke comes with plasmagen diff")),
    error!("J04", "a machine that is renamed is told from one that is replaced", "the new node is installed over the old one's data", Later("plasmagen diff, which compares with what was published last")),
];
