//! One reader per consumer: what it understands of a rendered tree, as facts.

mod certificates;
mod cluster_config;
mod dhcpd;
mod dnsmasq;
mod firewalls;
mod inventory;
mod ipxe;
mod kea;
mod nix;
mod overlay;
mod pxe_server;
mod web;
mod zones;

use std::fs;
use std::path::PathBuf;

use crate::agreement::facts::Said;
use crate::agreement::tree::Tree;

/// What the readers of several trees say of each.
pub(crate) type SaidOfEach = Vec<Vec<Said>>;

/// A reader: its name, and how it reads many trees at once, so that a program is started once for all.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    pub(crate) read: fn(&[Tree]) -> SaidOfEach,
}

macro_rules! readers {
    ($($name:ident),+ $(,)?) => {
        /// All of them.
        pub(crate) const READERS: &[Reader] =
            &[$(Reader { name: stringify!($name), read: $name::read }),+];
    };
}

readers!(
    certificates,
    cluster_config,
    dhcpd,
    dnsmasq,
    firewalls,
    inventory,
    ipxe,
    kea,
    nix,
    overlay,
    pxe_server,
    web,
    zones
);

/// Reads trees one by one.
fn each(trees: &[Tree], mut read: impl FnMut(&Tree) -> Said) -> SaidOfEach {
    trees.iter().map(|tree| vec![read(tree)]).collect()
}

/// Copies of a file of each tree that has it, in which another file stands for the user's own additions: these lie on
/// the provisioner.
struct StandIns {
    /// By tree.
    paths: Vec<Vec<PathBuf>>,
    _dir: tempfile::TempDir,
}

impl StandIns {
    fn new(trees: &[Tree], file: &str, extra: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let stand_in = dir.path().join("extra");
        fs::write(&stand_in, extra).unwrap();
        let copy = |(at, tree): (usize, &Tree)| {
            let mut text = tree.files.get(file)?.clone();
            for path in tree.cluster.provisioner.extra.values() {
                text = text.replace(path.as_str(), stand_in.to_str().unwrap());
            }
            let path = dir.path().join(at.to_string());
            fs::write(&path, text).unwrap();
            Some(path)
        };
        Self {
            paths: trees.iter().enumerate().map(|numbered| copy(numbered).into_iter().collect()).collect(),
            _dir: dir,
        }
    }
}
