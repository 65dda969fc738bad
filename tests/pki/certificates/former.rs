//! Faults of an inventory beside the cluster that was rendered last.

use plasmagen::plan::former::{FormerCluster, FormerVoter};

use crate::certificates::kit::{Ca, Case, Site, case};

#[rustfmt::skip]
pub(crate) fn faults() -> Vec<Case> {
    let ca = Ca::new(|_| {});
    let site = |former: FormerCluster| Site { former, ..ca.site() };
    let founders = |names: &[&str]| FormerCluster { founders: names.iter().map(|name| (*name).to_owned()).collect(), ..FormerCluster::default() };
    let voter = |serial: &str| FormerVoter { name: "node09".to_owned(), serial: Some(serial.to_owned()) };
    let formed = |serial: &str| site(FormerCluster { formed: true, voters: vec![voter(serial)], ..FormerCluster::default() });
    let said = &["E PG-G13 [\"node01\"]: 1 of 1 voters (node01) are not among those that nodes/ tells to form the cluster (node07, node08): they are a majority, and would form a second cluster of the same name"];
    let keys = |keys: &[&str]| site(FormerCluster { admin_keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..FormerCluster::default() });
    let (old, listed) = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOLD ops@example.com", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 renamed@example.com");
    let replaced = || ca.site().vault(&[&ca]).other_machine("node02", "serial S9\nmac 3c:ec:ef:00:00:09\n");
    vec![
        case(site(founders(&["node07", "node08"])), said),
        case(site(founders(&["node07", "node08"])).edit("single", "formed = true\nsingle"), &[]),
        case(site(founders(&["node01", "node08"])), &[]),
        case(formed("S9"), &["W PG-J04 [\"node01\"]: `node09`, a voter of the formed cluster, is gone without standing in `removed`"]),
        case(formed("S2"), &["W PG-J04 node02: `node02` has the serial number of `node09`, a voter of the formed cluster, which is gone without standing in `removed`"]),
        case(formed("S2").edit("single", "removed = [\"node09\"]\nsingle"), &[]),
        case(keys(&[old]), &["E PG-J06 [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com\"]: none of these keys opens a node or an installer yet: all keys that were rendered last are gone, and if the new ones do not work, nobody can log in any more"]),
        case(keys(&[old, listed]), &[]),
        case(replaced().rendered("node02"), &["W PG-J07 node02: the vault's keys of `node02` are for another machine (serial number S9, MAC address 3c:ec:ef:00:00:09) than the inventory's (serial number S2, MAC address 3c:ec:ef:00:00:02), and the other machine may still have them"]),
        case(replaced().rendered("node01"), &[]),
    ]
}
