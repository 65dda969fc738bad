//! One reader per consumer: what it understands of a rendered tree, as facts.

mod certificates;
mod cluster_config;
mod dhcpd;
mod inventory;
mod ipxe;
mod nft;
mod nix;

use crate::facts::Said;
use crate::tree::Tree;

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

readers!(certificates, cluster_config, dhcpd, inventory, ipxe, nft, nix);

/// Reads trees one by one.
fn each(trees: &[Tree], read: impl Fn(&Tree) -> Said) -> SaidOfEach {
    trees.iter().map(|tree| vec![read(tree)]).collect()
}
