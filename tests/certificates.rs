//! The rules on committed certificates: each has certificates that break it, and what plasmagen issues breaks none.
//!
//! The clock is fixed and every certificate is made here, so no test turns red as time goes by.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::net::IpAddr;

use plasmagen::check::{check, check_with_certificates};
use plasmagen::diag::Severity;
use plasmagen::model::{Cluster, HostName};
use plasmagen::pki::cluster::leaf_request;
use plasmagen::pki::{CaIssuer, CaRequest, KeyAlgorithm};
use plasmagen::plan::Certificates;
use plasmagen::rules::{Check, RULES};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ED25519, SanType, SerialNumber,
};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-03-01 12:00:00 UTC);

const INVENTORY: &str = r#"schema = 1

[cluster]
name = "lab"
domain = "lab.example.com"
bootstrap = ["node01"]
single = true
state_version = "24.11"
admin_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"]

[provisioner]
network = "provisioning"
address = "10.0.1.10"
interface = "eth0"

[network.provisioning]
roles = ["provisioning"]
subnet = "10.0.1.0/24"

[network.production]
roles = ["cluster"]
subnet = "10.0.2.0/24"

[profile.all-in-one]
services = ["chainfire"]
interface.eth0 = { network = "provisioning" }
interface.eth1 = { network = "production" }
disk.single = {}

[node.node01]
profile = "all-in-one"
mac = "3c:ec:ef:00:00:01"
address.provisioning = "10.0.1.51"
address.production = "10.0.2.51"
disks = ["/dev/disk/by-id/wwn-0x5001"]

[node.node02]
profile = "all-in-one"
mac = "3c:ec:ef:00:00:02"
address.provisioning = "10.0.1.52"
address.production = "10.0.2.52"
disks = ["/dev/disk/by-id/wwn-0x5002"]
"#;

fn cluster() -> Cluster {
    check(INVENTORY.as_bytes()).unwrap().cluster.unwrap()
}

/// What stands committed, and when it is looked at.
struct Site {
    inventory: String,
    certificates: Certificates,
    now: OffsetDateTime,
}

impl Site {
    /// Each diagnostic as `E PG-H01 node01: …`, with the text at its place.
    fn findings(&self) -> Vec<String> {
        let certificates = self.certificates.clone();
        let found = check_with_certificates(self.inventory.as_bytes(), self.now, |_| Ok(certificates));
        let line = |found: &plasmagen::diag::Diagnostic| {
            let severity = if found.severity == Severity::Error { "E" } else { "W" };
            assert!(found.help.is_some(), "{found:?}");
            let place = &self.inventory[found.span.clone()];
            format!("{severity} {} {place}: {}", found.code, found.message)
        };
        found.unwrap().diagnostics.iter().map(line).collect()
    }

    fn leaf(mut self, node: &str, pem: String) -> Self {
        self.certificates.nodes.insert(name(node), pem);
        self
    }

    fn ca(mut self, pem: impl Into<String>) -> Self {
        self.certificates.ca = Some(pem.into());
        self
    }

    fn at(mut self, now: OffsetDateTime) -> Self {
        self.now = now;
        self
    }

    fn edit(mut self, old: &str, new: &str) -> Self {
        assert!(self.inventory.contains(old), "{old}");
        self.inventory = self.inventory.replace(old, new);
        self
    }
}

fn name(node: &str) -> HostName {
    cluster().nodes.iter().find(|own| own.name.as_str() == node).unwrap().name.clone()
}

/// A CA like plasmagen's, made without it so that it can also be made wrong.
struct Ca {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

impl Ca {
    fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        Self::with_key(KeyPair::generate().unwrap(), change)
    }

    fn with_key(key: KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "lab CA 1");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = true;
        let names = ["lab.example.com", "localhost"].map(|name| GeneralSubtree::DnsName(name.into()));
        let subnets = [("10.0.1.0", 24), ("10.0.2.0", 24), ("127.0.0.0", 8), ("::1", 128)];
        let subnets = subnets.map(|(address, length)| subnet(address, length));
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: names.into_iter().chain(subnets).collect(),
            excluded_subtrees: Vec::new(),
        });
        params.not_before = NOW - Duration::minutes(5);
        params.not_after = params.not_before + Duration::days(3650) - Duration::SECOND;
        change(&mut params);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    /// A certificate of `node` like plasmagen's, but for what `change` does.
    fn leaf(&self, node: &str, change: impl FnOnce(&mut CertificateParams)) -> String {
        self.leaf_for(node, &KeyPair::generate().unwrap(), change)
    }

    fn leaf_for(&self, node: &str, key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> String {
        let params = leaf_params(node, change);
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(key, &issuer).unwrap().pem()
    }

    /// Its own certificate and one for each node.
    fn site(&self) -> Site {
        let certificates = Certificates { ca: Some(self.pem.clone()), nodes: std::iter::empty().collect() };
        let site = Site { inventory: INVENTORY.to_owned(), certificates, now: NOW };
        ["node01", "node02"].into_iter().fold(site, |site, node| site.leaf(node, self.leaf(node, |_| {})))
    }
}

fn subnet(address: &str, length: u8) -> GeneralSubtree {
    GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address.parse::<IpAddr>().unwrap(), length))
}

fn leaf_params(node: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let cluster = cluster();
    let node = cluster.nodes.iter().find(|own| own.name.as_str() == node).unwrap();
    let request = leaf_request(&cluster, node).unwrap();
    let mut params = CertificateParams::new(request.dns_names()).unwrap();
    params.subject_alt_names.extend(request.addresses().iter().copied().map(SanType::IpAddress));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, request.fqdn());
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = NOW - Duration::minutes(5);
    params.not_after = params.not_before + Duration::days(365) - Duration::SECOND;
    change(&mut params);
    params
}

/// A site with one fault, and exactly what is said of it.
struct Case {
    site: Site,
    said: &'static [&'static str],
}

fn dates() -> Vec<Case> {
    let ca = Ca::new(|_| {});
    let late = |params: &mut CertificateParams| params.not_after = NOW + Duration::days(4000);
    let early = |params: &mut CertificateParams| params.not_before = NOW - Duration::hours(1);
    let future = |params: &mut CertificateParams| params.not_before = NOW + Duration::hours(1);
    let reset = |params: &mut CertificateParams| params.not_before = OffsetDateTime::UNIX_EPOCH;
    let of_1970 = Ca::new(reset);
    let one = |change: &dyn Fn(&mut CertificateParams)| ca.site().leaf("node02", ca.leaf("node02", change));
    let at = |days| ca.site().at(NOW + Duration::days(days));
    let case = |site, said| Case { site, said };
    vec![
        case(
            one(&late),
            &[
                "E PG-H01 node02: the certificate of `node02` is valid until 2037-02-11, and its CA only until 2036-02-27",
            ],
        ),
        case(
            one(&early),
            &[
                "E PG-H01 node02: the certificate of `node02` is valid from 2026-03-01 11:00:00.0 +00:00:00, and its CA only from 2026-03-01 11:55:00.0 +00:00:00",
            ],
        ),
        case(
            one(&future),
            &[
                "E PG-H02 node02: the certificate of `node02` is valid from 2026-03-01 13:00:00.0 +00:00:00 only, and here it is 2026-03-01 12:00:00.0 +00:00:00",
            ],
        ),
        case(
            at(-1),
            &[
                "E PG-H02 \"lab\": the cluster's CA is valid from 2026-03-01 11:55:00.0 +00:00:00 only, and here it is 2026-02-28 12:00:00.0 +00:00:00",
            ],
        ),
        case(
            at(260),
            &[
                "W PG-H11 node01: the certificate of `node01` is valid until 2027-03-01, for 104 more days",
                "W PG-H11 node02: the certificate of `node02` is valid until 2027-03-01, for 104 more days",
            ],
        ),
        case(
            at(260).edit("[node.node01]", "[node.node01]\nallow = [\"PG-H11\"]"),
            &["W PG-H11 node02: the certificate of `node02` is valid until 2027-03-01, for 104 more days"],
        ),
        case(
            at(352).edit("[node.node01]", "[node.node01]\nallow = [\"PG-H11\"]"),
            &[
                "E PG-H11 node01: the certificate of `node01` is valid until 2027-03-01, for 12 more days",
                "E PG-H11 node02: the certificate of `node02` is valid until 2027-03-01, for 12 more days",
            ],
        ),
        case(
            at(366),
            &[
                "E PG-H11 node01: the certificate of `node01` is expired since 2027-03-01",
                "E PG-H11 node02: the certificate of `node02` is expired since 2027-03-01",
            ],
        ),
        case(
            one(&reset),
            &[
                "E PG-H17 node02: the certificate of `node02` is dated 1970-01-01: the clock of the machine that made it was reset",
            ],
        ),
        case(
            of_1970.site().leaf("node01", of_1970.leaf("node01", reset)),
            &[
                "E PG-H17 \"lab\": the cluster's CA is dated 1970-01-01: the clock of the machine that made it was reset",
            ],
        ),
    ]
}

fn authorities() -> Vec<Case> {
    let ca = Ca::new(|_| {});
    let (twin, other) = (
        Ca::new(|_| {}),
        Ca::new(|params| {
            params.distinguished_name.push(DnType::CommonName, "lab CA 2");
        }),
    );
    let key = KeyPair::from_pem(&ca.key.serialize_pem()).unwrap();
    let renamed = Ca::with_key(key, |params| params.distinguished_name.push(DnType::CommonName, "lab CA 7"));
    let short = Ca::new(|params| params.not_after = NOW + Duration::days(10));
    let ends = |params: &mut CertificateParams| params.not_after = NOW + Duration::days(10);
    let v4 = Ca::new(|params| {
        let constraints = params.name_constraints.as_mut().unwrap();
        constraints.permitted_subtrees.retain(|own| *own != subnet("::1", 128));
    });
    let weak = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut without = ca.site();
    without.certificates.ca = None;
    let case = |site, said| Case { site, said };
    vec![
        case(without, &["E PG-H03 \"lab\": nodes/ holds certificates but no ca-cert.pem"]),
        case(
            ca.site().ca(""),
            &["E PG-H04 \"lab\": the cluster's CA cannot be read: it holds no certificate"],
        ),
        case(
            ca.site().ca(format!("{}{}", ca.pem, twin.pem)),
            &[
                "E PG-H08 \"lab\": the cluster's CA is there twice under one name, CN=lab CA 1: clients take the wrong one",
            ],
        ),
        case(
            ca.site().leaf("node02", renamed.leaf("node02", |_| {})),
            &[
                "E PG-H08 node02: the certificate of `node02` says that CN=lab CA 7 signed it, and the key is that of CN=lab CA 1",
            ],
        ),
        case(
            Ca::new(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)).site(),
            &[
                "E PG-H07 \"lab\": the cluster's CA is not one for leaves: its certificate lacks cA with pathlen 0, or keyCertSign",
            ],
        ),
        case(
            v4.site(),
            &[
                "E PG-H09 \"lab\": the cluster's CA states the subnets of one address family only, and some clients leave the other one open",
            ],
        ),
        case(
            ca.site().edit("10.0.2.", "10.0.3."),
            &["E PG-H09 \"10.0.3.0/24\": the cluster's CA may not vouch for addresses in 10.0.3.0/24"],
        ),
        case(
            ca.site().edit("lab.example.com", "lab.example.org"),
            &["E PG-H09 \"lab.example.org\": the cluster's CA may not vouch for names below lab.example.org"],
        ),
        case(
            Ca::with_key(weak, |_| {}).site(),
            &[
                "E PG-H10 \"lab\": the cluster's CA has a weak or unknown kind of key: ECDSA P-256 and P-384 are taken, and RSA of 3072 bits or more",
            ],
        ),
        case(
            short
                .site()
                .leaf("node01", short.leaf("node01", ends))
                .leaf("node02", short.leaf("node02", ends)),
            &["E PG-H11 \"lab\": the cluster's CA is valid until 2026-03-11, for 10 more days"],
        ),
        case(
            ca.site().leaf("node02", other.leaf("node02", |_| {})),
            &[
                "E PG-H12 node02: the certificate of `node02` is not from a CA in ca-cert.pem, and nobody who trusts that file accepts it",
            ],
        ),
    ]
}

fn contents() -> Vec<Case> {
    let ca = Ca::new(|_| {});
    let one = |change: &dyn Fn(&mut CertificateParams)| ca.site().leaf("node02", ca.leaf("node02", change));
    let serial = |serial: u64| {
        move |params: &mut CertificateParams| params.serial_number = Some(SerialNumber::from(serial))
    };
    let same =
        |node| ca.leaf(node, |params| params.serial_number = Some(SerialNumber::from_slice(&[0x41; 20])));
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let san = |san: SanType| one(&|params| params.subject_alt_names.push(san.clone()));
    let key = KeyPair::generate().unwrap();
    let of_itself = leaf_params("node02", |_| {}).self_signed(&key).unwrap().pem();
    let ed25519 = ca.leaf_for("node02", &KeyPair::generate_for(&PKCS_ED25519).unwrap(), |_| {});
    let is_ca = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    };
    let case = |site, said| Case { site, said };
    vec![
        case(
            ca.site().leaf("node02", "-----BEGIN CERTIFICATE-----\nMIIB".to_owned()),
            &[
                "E PG-H04 node02: the certificate of `node02` cannot be read: broken PEM: a certificate file that was cut short or edited by hand: incomplete PEM",
            ],
        ),
        case(
            one(&serial(7)),
            &[
                "E PG-H05 node02: the certificate of `node02` has the serial number 07, which is no random number of 8 to 20 octets",
            ],
        ),
        case(
            ca.site().leaf("node01", same("node01")).leaf("node02", same("node02")),
            &["E PG-H05 node02: the certificate of `node02` has the serial number of that of `node01`"],
        ),
        case(
            ca.site().edit("\"10.0.2.52\"", "\"10.0.2.53\""),
            &["W PG-H06 node02: the certificate of `node02` lacks 10.0.2.53 and still has 10.0.2.52"],
        ),
        case(
            san(dns("*.lab.example.com")),
            &[
                "E PG-H06 node02: the certificate of `node02` names `*.lab.example.com`, which is no host's name",
            ],
        ),
        case(
            san(dns("10.0.2.52")),
            &["E PG-H06 node02: the certificate of `node02` names `10.0.2.52`, which is no host's name"],
        ),
        case(
            san(dns("iam.lab.example.com")),
            &["W PG-H06 node02: the certificate of `node02` still has iam.lab.example.com"],
        ),
        case(
            san(SanType::URI("spiffe://lab/node02".try_into().unwrap())),
            &["E PG-H06 node02: the certificate of `node02` names more than host names and addresses"],
        ),
        case(
            one(&is_ca),
            &[
                "E PG-H07 node02: the certificate of `node02` is that of a CA, and whoever has the node signs what he likes",
            ],
        ),
        case(
            one(&|params| params.extended_key_usages.truncate(1)),
            &[
                "E PG-H07 node02: the certificate of `node02` is not for both ends of TLS: it lacks digitalSignature, serverAuth or clientAuth",
            ],
        ),
        case(
            one(&|params| params.use_authority_key_identifier_extension = false),
            &["E PG-H08 node02: the certificate of `node02` lacks the identifier of its key or of its CA's"],
        ),
        case(
            ca.site().leaf("node02", of_itself),
            &["E PG-H08 node02: the certificate of `node02` is signed by itself"],
        ),
        case(
            ca.site().leaf("node02", ed25519),
            &[
                "E PG-H10 node02: the certificate of `node02` has a weak or unknown kind of key: ECDSA P-256 and P-384 are taken, and RSA of 3072 bits or more",
            ],
        ),
    ]
}

fn cases() -> Vec<Case> {
    dates().into_iter().chain(authorities()).chain(contents()).collect()
}

#[test]
fn each_fault_is_said_once_at_its_place() {
    for Case { site, said } in cases() {
        assert_eq!(site.findings(), said);
    }
}

#[test]
fn every_rule_on_certificates_has_a_fault_here() {
    let codes: BTreeSet<_> = cases().iter().flat_map(|case| case.said).map(|line| &line[2..8]).collect();
    let rules = RULES.iter().filter(|rule| matches!(rule.check, Check::Certificates(_)));
    assert_eq!(codes, rules.map(|rule| rule.code).collect());
}

#[test]
fn without_a_fault_nothing_is_said() {
    assert_eq!(Ca::new(|_| {}).site().findings(), [""; 0], "the twin of every case");
    let (ca, next) = (
        Ca::new(|_| {}),
        Ca::new(|params| {
            params.distinguished_name.push(DnType::CommonName, "lab CA 2");
        }),
    );
    let overlap = ca.site().ca(format!("{}{}", ca.pem, next.pem)).leaf("node02", next.leaf("node02", |_| {}));
    assert_eq!(overlap.findings(), [""; 0], "one CA takes the place of another");
    let mut none = ca.site();
    none.certificates = Certificates::default();
    assert_eq!(none.findings(), [""; 0], "nothing is issued yet");
}

#[test]
fn what_plasmagen_issues_is_sound_for_two_thirds_of_its_life() {
    let cluster = cluster();
    let subnets: Vec<_> = ["10.0.1.0/24", "10.0.2.0/24"].map(|net| net.parse().unwrap()).to_vec();
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        let request = CaRequest::new("lab", 1, "lab.example.com", &subnets, algorithm, 3650).unwrap();
        let ca = CaIssuer::create(&request, NOW).unwrap();
        let nodes = cluster.nodes.iter().map(|node| {
            let issued = ca.leaf(&leaf_request(&cluster, node).unwrap(), NOW, None).unwrap();
            (node.name.clone(), issued.cert_pem)
        });
        let certificates = Certificates { ca: Some(ca.cert_pem().to_owned()), nodes: nodes.collect() };
        let mut site = Site { inventory: INVENTORY.to_owned(), certificates, now: NOW };
        for days in [0, 100, 242] {
            site.now = NOW + Duration::days(days);
            assert_eq!(site.findings(), [""; 0], "{days} days later");
        }
    }
}

#[test]
fn an_inventory_with_errors_is_not_held_against_certificates() {
    let faulty = INVENTORY.replace("10.0.2.52", "10.0.9.52");
    let checked = check_with_certificates(faulty.as_bytes(), NOW, |_| anyhow::bail!("nobody looks")).unwrap();
    let codes: Vec<_> = checked.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["PG-C01"]);
}
