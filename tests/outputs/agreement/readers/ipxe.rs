//! iPXE's scripts: of a node's, every line is a comment or `set NAME VALUE`.

use std::fs;

use plasmagen::fs::Sha256Sum;

use super::{SaidOfEach, each};
use crate::agreement::facts::{Facts, Said};
use crate::agreement::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    each(trees, |tree| {
        let mut facts = Facts::default();
        for (mac, path, script) in tree.between("site/www/ipxe/node/", ".ipxe") {
            let mut node = None;
            for (name, value) in settings(path, script) {
                match (name, node) {
                    ("node", None) => {
                        node = Some(value);
                        facts.add(value, "MAC that boots", mac.replace('-', ":"));
                    }
                    ("profile", Some(node)) => facts.add(node, "image", value),
                    ("cmdline", Some(node)) => {
                        value.split(' ').for_each(|param| facts.add(node, "kernel parameter", param));
                    }
                    ("overlay", Some(node)) => facts.add(node, "overlay", value),
                    ("overlay-sha256", Some(node)) => {
                        let file = fs::read(tree.path(&format!("site/www/overlay/{mac}.cpio.gz"))).unwrap();
                        let same = Sha256Sum::of(&file).to_string() == value;
                        facts.add(node, "digest of the overlay", if same { "its own" } else { "another's" });
                    }
                    _ => panic!("{path}: {name} = {value}"),
                }
            }
        }
        let boot = tree.file("site/www/ipxe/boot.ipxe");
        let base = boot.lines().find_map(|line| line.strip_prefix("set base ")).unwrap();
        facts.add("iPXE", "base URL", base);
        let kinds =
            &["MAC that boots", "image", "kernel parameter", "base URL", "overlay", "digest of the overlay"];
        Said { source: "iPXE's scripts", kinds, facts }
    })
}

/// What a script of facts sets, in order.
fn settings<'a>(path: &str, script: &'a str) -> Vec<(&'a str, &'a str)> {
    let lines = script.strip_prefix("#!ipxe\n").unwrap_or_else(|| panic!("{path} is no script"));
    let line = |line: &'a str| {
        let rest = line.strip_prefix("set ").unwrap_or_else(|| panic!("{path}: {line} sets nothing"));
        // These have a meaning in iPXE's language.
        assert!(!rest.contains(['$', '|', '&', '\\', '"']), "{path}: {line}");
        rest.split_once(' ').unwrap()
    };
    lines.lines().filter(|line| !line.starts_with('#')).map(line).collect()
}
