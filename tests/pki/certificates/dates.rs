//! Faults of dates.

use rcgen::CertificateParams;
use time::{Duration, OffsetDateTime};

use crate::certificates::kit::{Ca, Case, NOW, case};

#[rustfmt::skip]
pub(crate) fn faults() -> Vec<Case> {
    let ca = Ca::new(|_| {});
    let late = |params: &mut CertificateParams| params.not_after = NOW + Duration::days(4000);
    let early = |params: &mut CertificateParams| params.not_before = NOW - Duration::hours(1);
    let future = |params: &mut CertificateParams| params.not_before = NOW + Duration::hours(1);
    let reset = |params: &mut CertificateParams| params.not_before = OffsetDateTime::UNIX_EPOCH;
    let of_1970 = Ca::new(reset);
    let one = |change: &dyn Fn(&mut CertificateParams)| ca.site().leaf("node02", ca.leaf("node02", change));
    let at = |days| ca.site().at(NOW + Duration::days(days));
    let then = NOW + Duration::days(2500);
    let renewed = |params: &mut CertificateParams| (params.not_before, params.not_after) = (then, then + Duration::days(365));
    let old = || ["node01", "node02"].into_iter().fold(ca.site().at(then), |site, node| site.leaf(node, ca.leaf(node, renewed)));
    vec![
        case(one(&late), &["E PG-H01 node02: the certificate of `node02` is valid until 2037-02-11, and its CA only until 2036-02-27"]),
        case(one(&early), &["E PG-H01 node02: the certificate of `node02` is valid from 2026-03-01 11:00:00 UTC, and its CA only from 2026-03-01 11:55:00 UTC"]),
        case(one(&future), &["E PG-H02 node02: the certificate of `node02` is valid only from 2026-03-01 13:00:00 UTC, and the clock of this machine shows 2026-03-01 12:00:00 UTC"]),
        case(at(-1), &["E PG-H02 \"lab\": the cluster's CA is valid only from 2026-03-01 11:55:00 UTC, and the clock of this machine shows 2026-02-28 12:00:00 UTC"]),
        case(at(260), &["W PG-H11 node01: the certificate of `node01` is valid until 2027-03-01, for 104 more days", "W PG-H11 node02: the certificate of `node02` is valid until 2027-03-01, for 104 more days"]),
        case(at(260).edit("[node.node01]", "[node.node01]\nallow = [\"PG-H11\"]"), &["W PG-H11 node02: the certificate of `node02` is valid until 2027-03-01, for 104 more days"]),
        case(at(352).edit("[node.node01]", "[node.node01]\nallow = [\"PG-H11\"]"), &["E PG-H11 node01: the certificate of `node01` is valid until 2027-03-01, for 12 more days", "E PG-H11 node02: the certificate of `node02` is valid until 2027-03-01, for 12 more days"]),
        case(at(366), &["E PG-H11 node01: the certificate of `node01` expired on 2027-03-01", "E PG-H11 node02: the certificate of `node02` expired on 2027-03-01"]),
        case(old(), &["W PG-H11 \"lab\": the cluster's CA is valid until 2036-02-27, for 1149 more days"]),
        case(old().edit("[cluster]", "[cluster]\nallow = [\"PG-H11\"]"), &[]),
        case(one(&reset), &["E PG-H17 node02: the certificate of `node02` is dated 1970-01-01: the clock of the machine that made it was reset"]),
        case(of_1970.site().leaf("node01", of_1970.leaf("node01", reset)), &["E PG-H17 \"lab\": the cluster's CA is dated 1970-01-01: the clock of the machine that made it was reset"]),
    ]
}
