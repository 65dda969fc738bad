//! Verifies the files of armed machines.

use anyhow::Result;
use time::{Duration, OffsetDateTime};

use super::armed::{Armed, list_armed, read_interrupted};
use super::fault::{Fault, FaultKind};
use super::needs::PublishedFiles;
use super::report::VerifyRequirements;
use super::root::{ARMED, WebRoot};
use super::timer::ArmingTimer;
use crate::fs::STATE;
use crate::model::{MacAddr, Word, list_image_names};

/// How long the file of an arming that has ended may be there: the provisioner's timer removes it every 15 seconds. Clocks
/// may differ as much.
const GRACE: Duration = Duration::minutes(1);

/// Verifies that `plasmagen arm` wrote the files in `armed/`, that none is there after its end, and that what the armed
/// nodes boot is published.
pub(super) fn verify_armed(
    root: &WebRoot,
    requirements: &VerifyRequirements<'_>,
    faults: &mut Vec<Fault>,
) -> Result<()> {
    if let Err(error) = read_interrupted(root) {
        let path = format!("{STATE}/disarm");
        faults.push(Fault::new(FaultKind::Changed, path, format!("{error:#}")));
    }
    let files = list_armed(root)?;
    if let Some(message) = ArmingTimer::read(root, requirements.now).explain().filter(|_| !files.is_empty()) {
        faults.push(Fault::new(FaultKind::Expired, ARMED, message));
    }
    if files.is_empty() {
        return Ok(());
    }
    let published = PublishedFiles::open(root)?;
    for file in files {
        let path = format!("{ARMED}/{}", file.name.escape_debug());
        let mut fault = |kind, message: String| faults.push(Fault::new(kind, path.as_str(), message));
        if MacAddr::parse(&file.name.replace('-', ":")).is_err() {
            fault(FaultKind::Extra, "it is no MAC address with hyphens".to_owned());
            continue;
        }
        let Some(armed) = &file.armed else {
            let message = "this version of plasmagen arm did not write it: run plasmagen disarm --all";
            fault(FaultKind::Changed, message.to_owned());
            continue;
        };
        if let Some(message) = explain_impossible(armed, requirements.now) {
            fault(FaultKind::Changed, message);
        }
        let node = armed.node.escape_debug();
        if file.is_interrupted {
            fault(
                FaultKind::Changed,
                format!("a run that was killed has left {node} armed: plasmagen disarm {node}"),
            );
        }
        if !armed.has_ended(requirements.now) {
            published.report_missing(&file.name, armed, faults)?;
        } else if armed.has_ended(requirements.now - GRACE) {
            let message = format!(
                "the arming of {node} has ended, and machines still boot the installer: start pxe-health.timer, or run \
                 plasmagen disarm {node}"
            );
            fault(FaultKind::Expired, message);
        }
    }
    Ok(())
}

/// Says why `plasmagen arm` cannot have written the record, as seen at `now`; none where it can.
fn explain_impossible(armed: &Armed, now: OffsetDateTime) -> Option<String> {
    let node = armed.node.escape_debug();
    let days = Armed::LONGEST.whole_days();
    let why = if armed.until - armed.armed > Armed::LONGEST {
        format!("{node} is armed for longer than {days} days")
    } else if armed.armed > now + GRACE {
        format!("the arming of {node} begins on {}, which is in the future", armed.armed.date())
    } else if !list_image_names().contains(&armed.image) {
        format!("{node} is armed for the image {}, which does not exist", armed.image.escape_debug())
    } else {
        return None;
    };
    Some(format!("plasmagen arm did not write it: {why}. Run plasmagen disarm {node}"))
}
