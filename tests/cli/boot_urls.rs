//! The URLs of signed scripts with relative paths, as iPXE takes them from the URL of the script that runs: whatever the address of
//! the provisioner, each file and its signature are in the web root.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::boot_signatures::make_signer;
use crate::kit::Site;
use crate::publish::{at_root, bundle};

/// The URL that `reference` means in a script that was loaded from `base` (RFC 3986 section 5.2).
fn resolve(base: &str, reference: &str) -> String {
    if reference.contains("://") {
        return reference.to_owned();
    }
    let (directory, _) = base.rsplit_once('/').unwrap();
    let mut parts: Vec<&str> = directory.split('/').collect();
    for part in reference.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Runs the `set` lines of `script`, which was loaded from `url`, and lists the URLs that the script loads from.
fn list_urls(script: &str, url: &str, variables: &mut BTreeMap<String, String>) -> BTreeSet<String> {
    let mut urls = BTreeSet::new();
    for line in script.lines() {
        let mut line = line.to_owned();
        for (name, value) in &*variables {
            line = line.replace(&format!("${{{name}}}"), value);
        }
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["set", name, value, ..] => drop(variables.insert((*name).to_owned(), (*value).to_owned())),
            ["imgfetch" | "imgverify" | "chain" | "kernel" | "initrd", rest @ ..] => {
                // The kernel's command line has paths, too.
                let is_url = |word: &&&str| word.contains('/') && !word.contains('=');
                urls.extend(rest.iter().filter(is_url).map(|word| resolve(url, word)));
            }
            _ => {}
        }
    }
    urls
}

#[test]
fn signed_scripts_lead_to_files_and_signatures_at_each_address_of_the_provisioner() {
    let site = Site::new();
    site.append("\n[boot]\nverify = \"signature\"\nsigner = \"signer.pem\"\n");
    site.edit("network = \"provisioning\"\naddress = \"10.0.100.10\"\ninterface = \"eth0\"\n", "");
    let interface = |name: &str, network: &str, address: &str| {
        format!("\n[provisioner.interface.{name}]\nnetwork = {network:?}\naddress = {address:?}\n")
    };
    site.append(&interface("eth0", "provisioning", "10.0.100.10"));
    site.append(&interface("eth1", "rack", "10.0.101.10"));
    let rack =
        "[network.rack]\nroles = [\"provisioning\"]\nsubnet = \"10.0.101.0/24\"\nallow = [\"PG-A13\"]\n";
    site.append(&format!("\n{rack}pool = \"10.0.101.100-10.0.101.200\"\n"));
    site.run(&["render"]).ends(0, &[]);
    make_signer(&site, "ca", "signer");
    bundle(&site, "bundle", "one");
    site.run(&["sign", "bundle", "--key", "signer.key"]).ends(0, &[]);
    at_root(&site, &["publish", "bundle", "--ipxe", "nowhere", "--signatures", "signatures"]).ends(0, &[]);
    at_root(&site, &["arm", "node01"]).ends(0, &[]);
    let root = site.root().join("root");
    let mac = "3c-ec-ef-00-00-01";
    for address in ["10.0.100.10", "10.0.101.10"] {
        let server = format!("http://{address}:8080/boot/");
        // The file that the provisioner serves: `/boot/` is the web root.
        let file = |url: &str| root.join(url.split_once("/boot/").unwrap().1);
        let read = |url: &str| fs::read_to_string(file(url)).unwrap_or_else(|error| panic!("{url}: {error}"));
        let mut variables = BTreeMap::from([("netX/mac:hexhyp".to_owned(), mac.to_owned())]);
        let facts = format!("{server}ipxe/node/{mac}.ipxe");
        list_urls(&read(&facts), &facts, &mut variables);
        let boot = format!("{server}ipxe/boot.ipxe");
        let script = read(&boot);
        assert!(script.contains("\nset base ..\n"), "{script}");
        let urls = list_urls(&script, &boot, &mut variables);
        let installer = format!("{server}nixos/control-plane/current/boot.ipxe");
        let expected = [&facts, &installer].into_iter().flat_map(|url| [url.clone(), format!("{url}.sig")]);
        let expected: BTreeSet<_> = expected.chain([format!("{server}armed/{mac}")]).collect();
        assert_eq!(urls, expected);
        let loaded = list_urls(&read(&installer), &installer, &mut variables);
        // Kernel, initrd and overlay, each with its signature.
        assert_eq!(loaded.len(), 6, "{loaded:?}");
        for url in urls.iter().chain(&loaded) {
            assert!(file(url).is_file(), "{url}");
        }
    }
}
