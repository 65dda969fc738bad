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
    vec![
        case(site(founders(&["node07", "node08"])), said),
        case(site(founders(&["node07", "node08"])).edit("single", "formed = true\nsingle"), &[]),
        case(site(founders(&["node01", "node08"])), &[]),
        case(formed("S9"), &["W PG-J04 [\"node01\"]: `node09`, a voter of the formed cluster, is gone without standing in `removed`"]),
        case(formed("S2"), &["W PG-J04 node02: `node02` has the serial number of `node09`, a voter of the formed cluster, which is gone without standing in `removed`"]),
        case(formed("S2").edit("single", "removed = [\"node09\"]\nsingle"), &[]),
    ]
}
