//! Clusters that grow: networks, racks and virtual addresses that are added after the CA was made, and sites whose
//! certificates an earlier version of plasmagen issued.

use plasmagen::check::{check, check_with_files};
use plasmagen::model::{Cluster, Network};
use plasmagen::pki::cluster::{IssueOrder, issue, leaf_request, list_lacking, select};
use plasmagen::pki::{CaIssuer, CaRequest, LeafRequest, PublicCert, Vault};
use plasmagen::plan::Certificates;
use plasmagen::rules::CommittedFiles;
use tempfile::TempDir;

use crate::support::{NOW, openssl_verify, webpki_verify};

/// The inventory of a cluster as it was installed.
const BEFORE: &str = include_str!("rack.toml");

/// What is added a year later: a rack with a boot network of its own.
const RACK: &str = r#"
[network.boot-r2]
roles = ["provisioning"]
subnet = "10.35.0.0/24"
gateway = "10.35.0.1"
pool = "10.35.0.200-10.35.0.230"

[node.w2]
profile = "worker"
mac = "3c:ec:ef:31:00:0c"
address.boot-r2 = "10.35.0.12"
address.core = "10.31.1.22"
disks = ["/dev/disk/by-id/wwn-0x5000c5003100000c"]
serial = "FN012"
interface.eth0 = { network = "boot-r2" }
"#;

fn cluster(inventory: &str) -> Cluster {
    check(inventory.as_bytes()).unwrap().cluster.unwrap_or_else(|| panic!("{inventory}"))
}

/// A vault with `ca`, in a directory that lives as long as the first value.
fn vault(ca: Option<&CaIssuer>) -> (TempDir, Vault) {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open_or_new(&dir.path().join("vault"), &[]).unwrap();
    if let Some(ca) = ca {
        vault.store_ca(1, ca).unwrap();
    }
    (dir, vault)
}

/// The certificates as plasmagen issued them before there was room to grow: the CA permits the subnets of its day, and each
/// leaf has all addresses of the node and all virtual ones.
fn yesterdays(inventory: &str) -> (CaIssuer, Certificates) {
    let cluster = cluster(inventory);
    let subnets: Vec<_> = cluster.networks.values().flat_map(Network::subnets).collect();
    let (name, domain, algorithm) = (cluster.name.as_str(), cluster.domain.as_str(), cluster.tls.algorithm);
    let ca = CaRequest::new(name, 1, domain, &subnets, algorithm, 3650).unwrap();
    let ca = CaIssuer::create(&ca, NOW).unwrap();
    let mut certificates = Certificates { ca: Some(ca.cert_pem().to_owned()), ..Certificates::default() };
    for node in &cluster.nodes {
        let names = cluster.vips.iter().map(|vip| format!("{}.{domain}", vip.name));
        let addresses = node.addresses().chain(cluster.vips.iter().map(|vip| vip.address));
        let request = LeafRequest::new(node.fqdn.as_str(), names, addresses, algorithm, 365).unwrap();
        let issued = ca.sign_leaf(&request, NOW, None).unwrap();
        certificates.nodes.insert(node.name.clone(), issued.cert_pem);
    }
    (ca, certificates)
}

/// The certificates that plasmagen issues for `inventory`.
fn todays(inventory: &str) -> Certificates {
    let (_dir, vault) = vault(None);
    let cluster = cluster(inventory);
    issued(&cluster, Certificates::default(), &vault)
}

/// The certificates of `cluster` after those have been issued that `certificates` lack.
fn issued(cluster: &Cluster, certificates: Certificates, vault: &Vault) -> Certificates {
    let selection = select(cluster, &certificates, &IssueOrder::default(), NOW).unwrap();
    issue(cluster, &selection, certificates, vault, NOW).unwrap().certificates
}

/// The names of the nodes of `inventory` for which `certificates` has no certificate that fits.
fn lacking(inventory: &str, certificates: &Certificates) -> Vec<String> {
    let cluster = cluster(inventory);
    list_lacking(&cluster, certificates).unwrap().iter().map(|node| node.name.to_string()).collect()
}

/// What the rules say of `certificates` beside `inventory`: `PG-H06: …`.
fn findings(inventory: &str, certificates: &Certificates) -> Vec<String> {
    let files = CommittedFiles { certificates: certificates.clone(), ..CommittedFiles::default() };
    let found =
        check_with_files(inventory.as_bytes().into(), NOW, &[], |_, _| Ok(files)).unwrap().diagnostics;
    found.iter().map(|found| format!("{}: {}", found.code, found.message)).collect()
}

/// The SANs of the certificate of `node`, names first.
fn sans(certificates: &Certificates, node: &str) -> String {
    let (_, pem) = certificates.nodes.iter().find(|(name, _)| name.as_str() == node).unwrap();
    let certificate = PublicCert::from_pem(pem).unwrap();
    let addresses = certificate.addresses.iter().map(ToString::to_string);
    certificate.dns_names.into_iter().chain(addresses).collect::<Vec<_>>().join(" ")
}

/// What the CA for `inventory` may vouch for, names first.
fn permitted(inventory: &str) -> String {
    let ca = PublicCert::from_pem(todays(inventory).ca.as_deref().unwrap()).unwrap();
    ca.constraints.permitted.list().join(" ")
}

/// OpenSSL and webpki accept every name and address of every certificate.
fn assert_accepted(inventory: &str, certificates: &Certificates) {
    let cluster = cluster(inventory);
    let ca = certificates.ca.as_deref().unwrap();
    for node in &cluster.nodes {
        let leaf = &certificates.nodes[&node.name];
        openssl_verify(ca, leaf, 1, &[]).unwrap();
        let request = leaf_request(&cluster, node).unwrap();
        for name in
            request.dns_names().iter().cloned().chain(request.addresses().iter().map(ToString::to_string))
        {
            webpki_verify(ca, leaf, 1, &name).unwrap_or_else(|why| panic!("{name}: {why}"));
        }
    }
}

#[test]
fn a_certificate_names_what_is_dialled_and_no_boot_address() {
    let certificates = todays(BEFORE);
    assert_eq!(
        sans(&certificates, "f1"),
        "f1.fern.example.net api.fern.example.net chainfire.fern.example.net localhost \
         10.31.1.11 10.31.1.100 10.31.1.102 127.0.0.1 ::1"
    );
    assert_eq!(
        sans(&certificates, "w1"),
        "w1.fern.example.net api.fern.example.net chainfire.fern.example.net localhost plasmavmc.fern.example.net \
         10.31.1.21 10.31.1.100 10.31.1.101 10.31.1.102 127.0.0.1 ::1"
    );
    let client = BEFORE.replace("roles = [\"provisioning\"]", "roles = [\"provisioning\", \"client\"]");
    assert!(sans(&todays(&client), "f1").contains(" 10.31.0.11 "), "clients dial the address");
    assert_accepted(BEFORE, &certificates);
}

#[test]
fn the_constraints_are_the_private_blocks_unless_the_inventory_says_otherwise() {
    let loopbacks =
        |before: &str, behind: &str| format!("{before} localhost 10.0.0.0/8 127.0.0.0/8 {behind}");
    assert_eq!(permitted(BEFORE), loopbacks("fern.example.net", "::1/128"));
    let net = |text: &str| format!("{BEFORE}\n[network.more]\nroles = [\"client\"]\n{text}\n");
    for (subnet, block) in [
        ("subnet6 = \"fd00:31::/64\"", "::1/128 fc00::/7"),
        ("subnet = \"172.20.4.0/24\"", "172.16.0.0/12 ::1/128"),
        ("subnet = \"192.168.7.0/24\"", "192.168.0.0/16 ::1/128"),
        ("subnet = \"198.51.100.0/24\"", "198.51.100.0/24 ::1/128"),
        ("subnet6 = \"2001:db8:31::/64\"", "::1/128 2001:db8:31::/64"),
    ] {
        assert_eq!(permitted(&net(subnet)), loopbacks("fern.example.net", block), "{subnet}");
    }
    let shared = permitted(&net("subnet = \"100.64.7.0/24\""));
    assert_eq!(shared, "fern.example.net localhost 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 ::1/128");
    let permit = |list: &str| permitted(&format!("{BEFORE}\n[tls]\npermit = {list}\n"));
    assert_eq!(
        permit(r#"["10.31.0.0/17", "10.31.128.0/17", "example.org"]"#),
        "fern.example.net localhost example.org 10.31.0.0/16 127.0.0.0/8 ::1/128",
        "subnets take the place of the blocks"
    );
    assert_eq!(
        permit(r#"["example.org"]"#),
        "fern.example.net localhost example.org 10.0.0.0/8 127.0.0.0/8 ::1/128",
        "domains alone do not"
    );
    // Such CAs are the cluster's in the eyes of the rules, where no vault is at hand.
    for inventory in [
        format!("{BEFORE}\n[tls]\npermit = [\"198.51.100.0/24\", \"10.31.0.0/16\", \"example.org\"]\n"),
        net("subnet = \"198.51.100.0/24\""),
    ] {
        assert_eq!(findings(&inventory, &todays(&inventory)), [""; 0], "{inventory}");
        let without = findings(BEFORE, &todays(&inventory));
        assert!(without.iter().all(|line| line.starts_with("PG-H18: ")) && without.len() == 1, "{without:?}");
    }
}

#[test]
fn a_rack_that_is_added_later_renders() {
    let after = format!("{BEFORE}{RACK}");
    let (old, certificates) = yesterdays(BEFORE);
    for (certificates, ca) in [(todays(BEFORE), None), (certificates, Some(old))] {
        assert_eq!(findings(&after, &certificates), [""; 0]);
        assert_eq!(lacking(&after, &certificates), ["w2"]);
        // The vault of today's certificates is gone: only yesterday's CA can sign here.
        let Some(ca) = ca else { continue };
        let (_dir, vault) = vault(Some(&ca));
        let cluster = cluster(&after);
        assert_accepted(&after, &issued(&cluster, certificates, &vault));
    }
    let elsewhere = BEFORE.replace("10.31.1.", "192.168.31.");
    let said = findings(&elsewhere, &todays(BEFORE));
    assert_eq!(said, ["PG-H09: the cluster's CA may not vouch for addresses in 192.168.31.0/24"]);
}

#[test]
fn yesterdays_certificates_are_kept_until_their_names_no_longer_fit() {
    let (_, certificates) = yesterdays(BEFORE);
    assert!(sans(&certificates, "f1").contains(" 10.31.0.11 10.31.1.11 10.31.1.100 10.31.1.101 "));
    assert_eq!(lacking(BEFORE, &certificates), [""; 0]);
    assert_eq!(findings(BEFORE, &certificates), [""; 0]);
    let edit = |old: &str, new: &str| {
        assert!(BEFORE.contains(old), "{old}");
        BEFORE.replacen(old, new, 1)
    };
    for (what, inventory, lack) in [
        // The boot address of f1 is free, and given to another node.
        ("an address of nobody", edit("\"10.31.0.11\"", "\"10.31.0.14\""), &["f1"][..]),
        (
            "an address of another node",
            edit("\"10.31.0.11\"", "\"10.31.0.14\"").replace("\"10.31.0.12\"", "\"10.31.0.11\""),
            &["f1", "f2"],
        ),
        ("a VIP that is gone", edit("api = \"10.31.1.102\"\n", ""), &["f1", "f2", "f3", "w1"]),
        ("a VIP with another address", edit("10.31.1.101", "10.31.1.109"), &["f1", "f2", "f3", "w1"]),
        ("another service of a profile", edit("[\"chainfire\"]", "[\"chainfire\", \"iam\"]"), &[]),
        ("a VIP of a service that w1 runs", edit("api =", "prismnet = \"10.31.1.105\"\napi ="), &[]),
    ] {
        assert_eq!(lacking(&inventory, &certificates), lack, "{what}");
    }
}

/// Before, a virtual address was a rolling restart of the whole cluster.
#[test]
fn a_new_virtual_address_concerns_the_nodes_that_run_its_service() {
    let services = |list: &str| BEFORE.replace("[\"chainfire\", \"plasmavmc\"]", list);
    let before = services("[\"chainfire\", \"plasmavmc\", \"prismnet\"]");
    let after = before.replace("api =", "prismnet = \"10.31.1.105\"\napi =");
    assert_eq!(lacking(&after, &todays(&before)), ["w1"]);
    // No service has the name: any node may hold the address.
    let after = before.replace("api =", "www = \"10.31.1.105\"\napi =");
    assert_eq!(lacking(&after, &todays(&before)), ["f1", "f2", "f3", "w1"]);
}
