//! The sites that are tried: every golden case, the reference, and what none of these has.

use std::collections::BTreeMap;
use std::fs;

use plasmagen::model::Cluster;
use plasmagen::outputs;

use test_kit::{case_dirs, plan, repository};

/// A site and what is written for it.
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) cluster: Cluster,
    files: BTreeMap<String, String>,
}

impl Site {
    fn of(name: &str, dir: &std::path::Path) -> Self {
        let plan = plan(dir);
        let files = outputs::render(&plan).unwrap();
        let pxe = files.iter().filter(|artifact| artifact.path.as_str().starts_with("site/pxe/"));
        let files = pxe
            .map(|artifact| (artifact.path.to_string(), String::from_utf8(artifact.body.clone()).unwrap()));
        Self { name: name.to_owned(), files: files.collect(), cluster: plan.cluster }
    }

    /// The file `name` of `site/pxe/`, where it is written.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.files.get(&format!("site/pxe/{name}")).map(String::as_str)
    }

    /// The file `name` of `site/pxe/`.
    pub(crate) fn file(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("{}: {name} is not written", self.name))
    }
}

/// The golden case `name` with each `old` replaced by its `new`.
pub(crate) fn edited(name: &str, edits: &[(&str, &str)]) -> Site {
    let mut text =
        fs::read_to_string(repository().join(format!("tests/golden/{name}/inventory.toml"))).unwrap();
    for (old, new) in edits {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, new);
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("inventory.toml"), text).unwrap();
    Site::of(&format!("{name} with {edits:?}"), dir.path())
}

const RACKS: &str = r#"[network.rack-1]
roles = ["provisioning"]
vlan = 701
subnet = "10.0.101.0/25"
reverse_zone = "none"
subnet6 = "fd00:101::/64"
gateway = "10.0.101.1"
gateway6 = "fd00:101::1"
domain = "rack-1.example.com"
zone = false
dns = ["10.0.101.2", "fd00:101::2", "10.0.101.3", "fd00:101::3"]

[network.rack-2]
allow = ["PG-A13"]
roles = ["provisioning"]
vlan = 702
subnet6 = "fd00:102::/64"
gateway6 = "fd00:102::1"
pool6 = "fd00:102::10-fd00:102::ffff:ffff"

[network.core]"#;

/// Racks behind relays: one with both families, without a pool, where a node stands; one with IPv6 only.
pub(crate) fn racks() -> Site {
    let there = "interface.eth0 = { network = \"rack-1\" }\naddress.rack-1 = \"10.0.101.52\"\n\
                 address6.rack-1 = \"fd00:101::52\"";
    let here = "address.boot = \"10.0.100.52\"\naddress6.boot = \"fd00:100::52\"";
    edited("ipv6", &[("[network.core]", RACKS), (here, there)])
}

/// All of them.
pub(crate) fn sites() -> Vec<Site> {
    let cases = case_dirs().into_iter().map(|dir| Site::of(dir.file_name().unwrap().to_str().unwrap(), &dir));
    cases.chain([Site::of("the reference", repository()), racks()]).collect()
}
