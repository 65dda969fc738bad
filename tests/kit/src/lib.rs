//! What the tests share.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

pub mod bzimage;
pub mod dice;
pub mod ipxe;
pub mod many;
pub mod memory;
pub mod nix;
pub mod peak;
pub mod process;
pub mod site;
pub mod strace;
pub mod tree;
mod version;

use std::fs;
use std::path::{Path, PathBuf};

use plasmagen::check::check;
use plasmagen::inventory::{Sources, find_node_table};
use plasmagen::plan::{Certificates, HostKeys, HostPublicKey, Plan, PublishedHostKey, Zones};

pub use process::run;
pub use version::Version;

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The directory of everything that is built, where `tests/run` unpacks programs too.
pub fn target() -> PathBuf {
    // target/debug/deps/NAME-HASH
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

/// The golden cases.
pub fn case_dirs() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("tests/golden")).unwrap();
    let mut cases: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 6, "golden cases are missing");
    cases
}

/// The golden case `cards` with an interface of the provisioner in its second boot network as well.
pub fn with_two_interfaces() -> tempfile::TempDir {
    let text = fs::read_to_string(repository().join("tests/golden/cards/inventory.toml")).unwrap();
    let one = "network = \"boot\"\naddress = \"10.31.0.5\"\ninterface = \"eno1\"\n";
    let interface = |name: &str, network: &str, address: &str| {
        format!("\n[provisioner.interface.{name}]\nnetwork = {network:?}\naddress = {address:?}\n")
    };
    let two = [interface("eno1", "boot", "10.31.0.5"), interface("eno2", "rack", "10.31.4.5")].concat();
    assert_eq!(text.matches(one).count(), 1);
    let text = text.replace(one, &two) + "\n[ntp]\nservers = [\"10.31.4.5\"]\n";
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("inventory.toml"), text).unwrap();
    dir
}

/// Renders all files of `plan` into the directory `dir`.
pub fn render_into(plan: &Plan, dir: &Path) {
    for artifact in plasmagen::outputs::render(plan).unwrap().iter() {
        let path = dir.join(artifact.path.as_str());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &artifact.body).unwrap();
    }
}

/// The plan of the inventory in `dir`, with certificates and host keys that say only whose they are; and with a list of revoked
/// ones where the inventory lists removed nodes.
pub fn plan(dir: &Path) -> Plan {
    let inventory = fs::read(dir.join("inventory.toml")).unwrap();
    let has_removed = String::from_utf8_lossy(&inventory).contains("\nremoved = ");
    let table = find_node_table(&inventory).map(|table| fs::read(dir.join(table)).unwrap());
    let nodes = table.as_ref().map(|bytes| Ok(&bytes[..]));
    let checked = check(Sources { inventory: &inventory, nodes }).unwrap();
    assert!(checked.diagnostics.is_empty(), "{}: {:#?}", dir.display(), checked.diagnostics);
    // With the reservations of other clusters that the inventory names.
    let cluster = Plan::gather(dir, checked.cluster.unwrap()).unwrap().cluster;
    let nodes =
        cluster.nodes.iter().map(|node| (node.name.clone(), format!("the certificate of {}\n", node.fqdn)));
    let certificates = Certificates {
        ca: Some("the certificate of the CA\n".to_owned()),
        nodes: nodes.collect(),
        issued: has_removed.then(|| "{ \"certificates\": [] }\n".to_owned()),
        revoked: has_removed.then(|| "{ \"certificates\": [] }\n".to_owned()),
        crl: has_removed.then(|| "the list of the CA\n".to_owned()),
        ..Certificates::default()
    };
    let mut host_keys = HostKeys::default();
    for node in &cluster.nodes {
        host_keys.set(node, PublishedHostKey::made(host_key(node.fqdn.as_str())));
    }
    Plan { cluster, certificates, host_keys, zones: Zones::default() }
}

/// A public SSH host key that shows the beginning of the name `fqdn`: the 32 bytes of the key are 42 digits of Base64, behind
/// one whose higher bits belong to the length.
pub fn host_key(fqdn: &str) -> HostPublicKey {
    let digits = fqdn.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '+' });
    let digits: String = digits.chain(std::iter::repeat('A')).take(42).collect();
    HostPublicKey::parse(&format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA{digits}")).unwrap()
}
