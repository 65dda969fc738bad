//! The network of a node: the options that profiles/ set, the files that NixOS makes of them, and the systemd-networkd
//! that reads these files in a machine with two cards on a bond.

mod machine;
mod names;
mod options;
mod units;

use std::path::PathBuf;

use serde_json::Value;
use test_kit::{nix, repository};

/// The golden nodes that are evaluated with a complete NixOS, by `tests/networkd/evaluate`.
const NODES: [&str; 2] = ["r1n1", "r2n1"];

/// The files that NixOS makes of `node`.
fn units(node: &str) -> PathBuf {
    repository().join("tests/networkd/units").join(node)
}

/// The evaluated options of the golden nodes with bonds.
fn golden() -> Value {
    nix::evaluate(&repository().join("tests/golden/bonds-and-vlans/expected/nodes"))
}
