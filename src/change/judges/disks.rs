//! The disks of a node. disko touches no disk of an installed machine, and its file systems and boot loader are switched.

use serde_json::Value;

use crate::change::case::Case;
use crate::change::effect::Effect;
use crate::change::finding::{Findings, Verdict};
use crate::model::{Style, Unlock};

/// Whether the whole layout is another, which says everything of its parts.
fn is_style_changed(case: &Case<'_>) -> bool {
    case.pair.is_some_and(|pair| pair.old.layout.style.name() != pair.new.layout.style.name())
}

/// The style, the root's file system, or the names on the disks.
pub(in crate::change) fn divided_anew(case: &Case<'_>, found: &mut Findings) {
    let text = "the disks are divided in another way: an installation erases them, and a switch ends in a machine that does \
                not boot; do not switch to this configuration, install it";
    case.add_to_node(found, Verdict::new(Effect::Data, text));
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

/// The list of disks.
pub(in crate::change) fn disks(case: &Case<'_>, found: &mut Findings) {
    let Some(pair) = case.pair else { return };
    let stays = pair.new.disks.iter().any(|disk| pair.old.disks.contains(disk));
    let is_mirror = pair.new.layout.style.name() == "raid1" && pair.old.layout.style == pair.new.layout.style;
    let is_replaced = pair.old.serial != pair.new.serial || pair.old.mac != pair.new.mac;
    let verdict = if is_mirror && stays && pair.old.disks.len() == pair.new.disks.len() {
        let text = "a disk of the mirror is another: the switch installs the boot loader on a disk without partitions; divide \
                    and add the disk by hand first";
        Verdict::new(Effect::Unbootable, text)
    } else if is_replaced && !stays {
        Verdict::new(
            Effect::Data,
            "another machine under the old name: its disks are erased by its installation",
        )
    } else {
        let text = "other disks: a switch installs the boot loader on them and finds no root; do not switch to this \
                    configuration, install it";
        Verdict::new(Effect::Data, text)
    };
    case.add_to_node(found, verdict);
}

/// The swap volume.
pub(in crate::change) fn swap(case: &Case<'_>, found: &mut Findings) {
    if is_style_changed(case) {
        return;
    }
    let difference = case.difference;
    if difference.is_added() {
        let text =
            "the swap volume is not on the disks: the boot waits for it; make the volume by hand first";
        case.add_to_node(found, Verdict::new(Effect::Unbootable, text));
    } else if difference.is_removed() {
        case.add_to_node(
            found,
            Verdict::new(Effect::Restart, "swapping stops; the volume stays on the disks"),
        );
    }
}

/// A volume that comes or goes.
pub(in crate::change) fn volume(case: &Case<'_>, found: &mut Findings) {
    if is_style_changed(case) {
        return;
    }
    let gone = case.difference.old.as_ref();
    let mount = gone.and_then(|volume| volume.get("mount")).and_then(Value::as_str);
    let verdict = match mount {
        Some(mount) => lost_mount(mount),
        None => {
            let text = "the volume is not on the disks: the switch fails to mount it, and so does the next boot; make the \
                        volume by hand first";
            Verdict::new(Effect::Unbootable, text)
        }
    };
    case.add_to_node(found, verdict);
}

/// `mount` of a volume.
pub(in crate::change) fn mount(case: &Case<'_>, found: &mut Findings) {
    let mount = case.difference.old.as_ref().and_then(Value::as_str).unwrap_or_default();
    case.add_to_node(found, lost_mount(mount));
}

fn lost_mount(mount: &str) -> Verdict {
    let text = format!(
        "the switch unmounts {mount}: services go on over an empty directory, and a Raft member without its log; the volume \
         stays on the disks"
    );
    Verdict::new(Effect::Data, text)
}
