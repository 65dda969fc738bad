//! The volumes of a node. disko makes none on an installed machine, and their mounts are switched.

use std::path::Path;

use serde_json::Value;

use crate::change::case::Case;
use crate::change::effect::Effect;
use crate::change::finding::{Findings, Verdict};
use crate::change::way::Way;
use crate::model::Style;

use super::disks::is_style_changed;
use super::services::default_data_dir;

/// The swap volume.
pub(in crate::change) fn swap(case: &Case<'_>, found: &mut Findings) {
    if is_style_changed(case) {
        return;
    }
    let difference = case.difference;
    if difference.is_added() {
        let text =
            "the swap volume is not on the disks: the boot waits for it; make the volume by hand first";
        case.add_to_node(found, Verdict::new(Effect::Unbootable, text).way(Way::Prepare));
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
    let mount = |side: &Option<Value>| Some(side.as_ref()?.get("mount")?.as_str()?.to_owned());
    let (old, new) = (mount(&case.difference.old), mount(&case.difference.new));
    let verdict = match (old, new) {
        (Some(mount), _) => lost_mount(&mount),
        (None, Some(mount)) if hides_data(case, &mount) => covered(&mount),
        (None, _) => {
            let text = "the volume is not on the disks: the switch fails to mount it, and so does the next boot; make the \
                        volume by hand first";
            Verdict::new(Effect::Unbootable, text).way(Way::Prepare)
        }
    };
    case.add_to_node(found, verdict);
}

/// `mount` of a volume.
pub(in crate::change) fn mount(case: &Case<'_>, found: &mut Findings) {
    let mount = case.difference.old.as_ref().and_then(Value::as_str).unwrap_or_default();
    case.add_to_node(found, lost_mount(mount));
}

/// `format` of a volume.
pub(in crate::change) fn format(case: &Case<'_>, found: &mut Findings) {
    if is_style_changed(case) {
        return;
    }
    let text = "the volume has another file system than its mount unit asks for: it is not mounted again, and services go on \
                over an empty directory; its data has to be copied to a new file system first";
    let holds_data = find_mount(case).is_some_and(|mount| hides_data(case, mount));
    let verdict = if holds_data {
        Verdict::new(Effect::Data, text).way(Way::MoveData)
    } else {
        let text = "the volume has another file system than its mount unit asks for: it is not mounted again; make the file \
                    system by hand first";
        Verdict::new(Effect::Unbootable, text).way(Way::Prepare)
    };
    case.add_to_node(found, verdict);
}

/// Where the volume in the key is mounted.
fn find_mount<'a>(case: &Case<'a>) -> Option<&'a str> {
    let Style::Lvm { volumes, .. } = &case.pair?.new.layout.style else { return None };
    let volume = volumes.iter().find(|volume| volume.name == case.last_name())?;
    Some(volume.mount.as_str())
}

/// Whether the directory `mount` holds data of a service that the node runs, or is a part of it.
fn hides_data(case: &Case<'_>, mount: &str) -> bool {
    let Some(pair) = case.pair else { return false };
    let mut services =
        pair.old.services.iter().filter(|service| pair.new.service(service.name.as_str()).is_some());
    services.any(|service| {
        let written = service.settings.get("data_dir").and_then(Value::as_str);
        let dir = written.map_or_else(|| default_data_dir(service.name.as_str()), str::to_owned);
        let (dir, mount) = (Path::new(&dir), Path::new(mount));
        dir.starts_with(mount) || mount.starts_with(dir)
    })
}

fn covered(mount: &str) -> Verdict {
    let text = format!(
        "the volume is mounted over the data in {mount}, which the services no longer see: make the volume by hand, and move \
         the data into it before the switch"
    );
    Verdict::new(Effect::Data, text).way(Way::MoveData)
}

fn lost_mount(mount: &str) -> Verdict {
    let text = format!(
        "the switch unmounts {mount}: services go on over an empty directory, and a Raft member without its log; the volume \
         stays on the disks"
    );
    Verdict::new(Effect::Data, text).way(Way::MoveData)
}
