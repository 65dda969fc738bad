//! What these tests share: a fixed clock, a site, and a CA that can be made wrong.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plasmagen::check::{check, check_with_files};
use plasmagen::diag::{Diagnostic, Severity};
use plasmagen::model::{Cluster, HostName, MachineIdentity};
use plasmagen::pki::cluster::leaf_request;
use plasmagen::pki::{KnownVault, PublicCert, VaultView};
use plasmagen::plan::Certificates;
use plasmagen::plan::former::FormerCluster;
use plasmagen::rules::CommittedFiles;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData, SanType,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-01 12:00:00 UTC);

pub(crate) const INVENTORY: &str = r#"schema = 1

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
dns = ["10.0.2.253"]

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
serial = "S1"

[node.node02]
profile = "all-in-one"
mac = "3c:ec:ef:00:00:02"
address.provisioning = "10.0.1.52"
address.production = "10.0.2.52"
disks = ["/dev/disk/by-id/wwn-0x5002"]
serial = "S2"
"#;

pub(crate) fn cluster() -> Cluster {
    check(INVENTORY.as_bytes()).unwrap().cluster.unwrap()
}

/// What stands committed, and when it is looked at.
pub(crate) struct Site {
    pub(crate) inventory: String,
    pub(crate) certificates: Certificates,
    pub(crate) vault: Option<VaultView>,
    pub(crate) former: FormerCluster,
    pub(crate) now: OffsetDateTime,
}

impl Site {
    /// Each diagnostic as `E PG-H01 node01: …`, with the text at its place.
    pub(crate) fn findings(&self) -> Vec<String> {
        let files = CommittedFiles {
            certificates: self.certificates.clone(),
            vault: self.vault.clone(),
            former: self.former.clone(),
            ..CommittedFiles::default()
        };
        let found = check_with_files(self.inventory.as_bytes().into(), self.now, &[], |_, _| Ok(files));
        let line = |found: &Diagnostic| {
            let severity = if found.severity == Severity::Error { "E" } else { "W" };
            assert!(found.help.is_some(), "{found:?}");
            let place = &self.inventory[found.span.clone()];
            format!("{severity} {} {place}: {}", found.code, found.message)
        };
        // Rules on the inventory alone are not what these tests are about.
        let on_certificates = |found: &&Diagnostic| {
            found.code.starts_with("PG-H")
                || ["PG-G13", "PG-J03", "PG-J04", "PG-J06", "PG-J07"].contains(&found.code)
        };
        found.unwrap().diagnostics.iter().filter(on_certificates).map(line).collect()
    }

    pub(crate) fn leaf(mut self, node: &str, pem: String) -> Self {
        self.certificates.nodes.insert(name(node), pem);
        self
    }

    pub(crate) fn ca(mut self, pem: impl Into<String>) -> Self {
        self.certificates.ca = Some(pem.into());
        self
    }

    /// A vault with these CAs is at hand.
    pub(crate) fn vault(mut self, authorities: &[&Ca]) -> Self {
        let authorities = authorities.iter().map(|ca| PublicCert::from_pem(&ca.pem).unwrap()).collect();
        let known = KnownVault {
            dir: "/vault".into(),
            authorities,
            keys: HashMap::new(),
            retired: HashMap::new(),
            other_machines: BTreeMap::new(),
        };
        self.vault = Some(VaultView::Usable(known));
        self
    }

    /// The vault has the key `key` for `node`.
    pub(crate) fn key(mut self, node: &str, key: &KeyPair) -> Self {
        let Some(VaultView::Usable(known)) = &mut self.vault else { panic!("no vault") };
        known.keys.insert(name(node), key.subject_public_key_info());
        self
    }

    /// nodes/ knows `node`, and the vault's keys of `node` are for the machine that `recorded` identifies, and no longer
    /// the inventory's.
    pub(crate) fn other_machine(mut self, node: &str, recorded: &str) -> Self {
        let Some(VaultView::Usable(known)) = &mut self.vault else { panic!("no vault") };
        known.other_machines.insert(name(node), MachineIdentity::parse(recorded));
        self
    }

    /// nodes/ has files of `node`.
    pub(crate) fn rendered(mut self, node: &str) -> Self {
        self.certificates.rendered.insert(name(node));
        self
    }

    pub(crate) fn at(mut self, now: OffsetDateTime) -> Self {
        self.now = now;
        self
    }

    pub(crate) fn edit(mut self, old: &str, new: &str) -> Self {
        assert!(self.inventory.contains(old), "{old}");
        self.inventory = self.inventory.replace(old, new);
        self
    }
}

pub(crate) fn name(node: &str) -> HostName {
    cluster().nodes.iter().find(|candidate| candidate.name.as_str() == node).unwrap().name.clone()
}

/// A CA like plasmagen's, made without it so that it can also be made wrong.
pub(crate) struct Ca {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
    pub(crate) pem: String,
}

impl Ca {
    pub(crate) fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        Self::with_key(KeyPair::generate().unwrap(), change)
    }

    pub(crate) fn with_key(key: KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Self {
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
    pub(crate) fn leaf(&self, node: &str, change: impl FnOnce(&mut CertificateParams)) -> String {
        self.leaf_for(node, &KeyPair::generate().unwrap(), change)
    }

    pub(crate) fn leaf_for(
        &self,
        node: &str,
        key: &KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> String {
        let params = leaf_params(node, change);
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(key, &issuer).unwrap().pem()
    }

    /// The identifier of the CA's key.
    pub(crate) fn key_id(&self) -> Vec<u8> {
        PublicCert::from_pem(&self.pem).unwrap().subject_key_id.unwrap()
    }

    /// The CA's certificate with another year in it, and the old signature.
    pub(crate) fn altered(&self) -> String {
        let mut der = CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap().to_vec();
        let at = der.windows(4).position(|digits| digits == b"3602").unwrap();
        der[at + 1] = b'7';
        let text = STANDARD.encode(&der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    /// A site that publishes this CA, which ends ten days later, and the CA `new`, which has signed the certificates of `nodes`.
    pub(crate) fn both(&self, new: &Self, nodes: &[&str]) -> Site {
        let ends = |params: &mut CertificateParams| params.not_after = NOW + Duration::days(10);
        let leaf = |node: &str| match nodes.contains(&node) {
            true => new.leaf(node, |_| {}),
            false => self.leaf(node, ends),
        };
        let site = self.site().ca(format!("{}{}", self.pem, new.pem));
        site.leaf("node01", leaf("node01")).leaf("node02", leaf("node02"))
    }

    /// A site with the certificate of this CA and one for each node.
    pub(crate) fn site(&self) -> Site {
        let certificates = Certificates {
            ca: Some(self.pem.clone()),
            nodes: std::iter::empty().collect(),
            ..Certificates::default()
        };
        let site = Site {
            inventory: INVENTORY.to_owned(),
            certificates,
            vault: None,
            former: FormerCluster::default(),
            now: NOW,
        };
        ["node01", "node02"].into_iter().fold(site, |site, node| site.leaf(node, self.leaf(node, |_| {})))
    }
}

pub(crate) fn subnet(address: &str, length: u8) -> GeneralSubtree {
    GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address.parse::<IpAddr>().unwrap(), length))
}

pub(crate) fn leaf_params(node: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let cluster = cluster();
    let node = cluster.nodes.iter().find(|candidate| candidate.name.as_str() == node).unwrap();
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
pub(crate) struct Case {
    pub(crate) site: Site,
    pub(crate) said: &'static [&'static str],
}

pub(crate) fn case(site: Site, said: &'static [&'static str]) -> Case {
    Case { site, said }
}
