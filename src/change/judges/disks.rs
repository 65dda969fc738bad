//! The machine and the disks of a node. disko touches no disk of an installed machine, and its file systems and boot loader are switched.

use crate::change::case::Case;
use crate::change::effect::{Effect, Flag};
use crate::change::finding::{Findings, Verdict};
use crate::change::identity::is_replaced;
use crate::change::way::Way;
use crate::model::{Style, Unlock};

/// Whether the whole layout is another, which says everything of its parts.
pub(super) fn is_style_changed(case: &Case<'_>) -> bool {
    case.pair.is_some_and(|pair| pair.old.layout.style.name() != pair.new.layout.style.name())
}

/// The style, the root's file system, or the names on the disks.
pub(in crate::change) fn divided_anew(case: &Case<'_>, found: &mut Findings) {
    let text = "the disks are divided in another way: an installation erases them, and a switch ends in a machine that does \
                not boot; do not switch to this configuration, install it";
    case.add_to_node(found, Verdict::new(Effect::Data, text).way(Way::Install));
}

/// The way in which encrypted disks are unlocked, or whether they are encrypted.
pub(in crate::change) fn unlock(case: &Case<'_>, found: &mut Findings) {
    let Some(pair) = case.pair.filter(|_| !is_style_changed(case)) else { return };
    // A version that knew no `unlock` had the passphrase typed.
    let was = pair.old.layout.unlock.or((pair.old.layout.style == Style::Luks).then_some(Unlock::Passphrase));
    let verdict = match (was, pair.new.layout.unlock) {
        (Some(Unlock::Passphrase), Some(Unlock::Tpm2)) => Verdict::new(
            Effect::Hands,
            "put the passphrase of the vault on the node after the switch, which the node shows to its TPM; until then the \
             console asks at each boot, as before",
        ),
        (Some(Unlock::Tpm2), Some(Unlock::Passphrase)) => Verdict::new(
            Effect::Reboot,
            "from the next boot on, somebody types the passphrase at the console; the key of the TPM stays on the disks until \
             systemd-cryptenroll --wipe-slot=tpm2 removes it",
        ),
        (was, is) if was == is => Verdict::new(Effect::Nothing, "the disks are unlocked as before"),
        _ => return divided_anew(case, found),
    };
    case.add_to_node(found, verdict);
}

/// `mac` and `serial`: whether another machine stands behind the name.
pub(in crate::change) fn machine(case: &Case<'_>, found: &mut Findings) {
    if case.pair.is_some_and(is_replaced) {
        case.add_to_node(found, replaced());
    }
}

fn replaced() -> Verdict {
    let text = "another machine under the old name, which has none of the node's data: remove the member, and install it";
    Verdict::new(Effect::Data, text).flag(Flag::Identity).way(Way::Install)
}

/// The list of disks.
pub(in crate::change) fn disks(case: &Case<'_>, found: &mut Findings) {
    let Some(pair) = case.pair else { return };
    let (old, new) = (&pair.old.disks, &pair.new.disks);
    let stays = new.iter().any(|disk| old.contains(disk));
    let is_mirror = pair.new.layout.style.name() == "raid1" && pair.old.layout.style == pair.new.layout.style;
    let verdict = if is_replaced(pair) {
        replaced()
    } else if is_mirror && old.len() == new.len() && new.iter().all(|disk| old.contains(disk)) {
        let text = "the disks of the mirror stand in another order: the copies of /boot are mounted anew";
        Verdict::new(Effect::Restart, text).flag(Flag::NotKnown)
    } else if is_mirror && stays && old.len() == new.len() {
        let text = "a disk of the mirror is another: the switch installs the boot loader on a disk without partitions; divide \
                    and add the disk by hand first";
        Verdict::new(Effect::Unbootable, text).way(Way::Prepare)
    } else {
        let text = "other disks: a switch installs the boot loader on them and finds no root; do not switch to this \
                    configuration, install it";
        Verdict::new(Effect::Data, text).way(Way::Install)
    };
    case.add_to_node(found, verdict);
}
