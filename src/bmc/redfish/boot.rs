//! Boot overrides in Redfish: the requests that BMCs of different makers want, tried one after the other.
//!
//! | what the BMC answers | who | what is tried next |
//! | --- | --- | --- |
//! | 412, 428 | Lenovo, AMI, Huawei, Gigabyte; weak or changing ETags | another form of the ETag, none at last, then the next resource |
//! | 405, or that the property can't be written | iDRAC10 | the resource of settings for the next start |
//! | `OperationSupportedInFutureStateURI` | AMI, Lenovo TSM | the resource `SD` below the system |
//! | 400 | HP DL160 | the request without a mode, then the next resource |
//! | 503, or that the machine is in its self-test | iLO, iDRAC | the same, after a pause |
//!
//! Each row goes forward in a list that ends, so that the whole ends.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};

use super::system::{System, read_etag};
use crate::bmc::client::{Answer, Client};
use crate::model::Firmware;

/// How long a busy BMC is asked again, and the pause between two requests. A self-test takes minutes.
const BUSY_TIME: Duration = Duration::from_secs(180);
const BUSY_PAUSE: Duration = Duration::from_secs(5);

/// The bodies that have the machine boot from the network once: the second one for BMCs that refuse a mode.
pub(super) fn network_bodies(firmware: Firmware) -> [Value; 2] {
    let mode = if firmware == Firmware::Uefi { "UEFI" } else { "Legacy" };
    [
        json!({ "Boot": { "BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once", "BootSourceOverrideMode": mode } }),
        json!({ "Boot": { "BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once" } }),
    ]
}

/// The bodies that take a boot override back.
pub(super) fn cleared_bodies() -> [Value; 2] {
    [
        json!({ "Boot": { "BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None" } }),
        json!({ "Boot": { "BootSourceOverrideEnabled": "Disabled" } }),
    ]
}

/// The next step that an answer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Done,
    OtherTag,
    OtherBody,
    OtherResource,
    Wait,
    Refused,
}

fn judge(answer: &Answer) -> Verdict {
    let says = |names: &[&str]| answer.message_ids().any(|id| names.contains(&id));
    match answer.status {
        200..=299 => Verdict::Done,
        412 | 428 => Verdict::OtherTag,
        _ if says(&["PreconditionHeaderMissing", "PreconditionFailed", "PreconditionRequired"]) => {
            Verdict::OtherTag
        }
        429 | 503 => Verdict::Wait,
        _ if says(&BUSY_WORDS) => Verdict::Wait,
        404 | 405 => Verdict::OtherResource,
        _ if says(&["OperationSupportedInFutureStateURI", "PropertyNotWritable"]) => Verdict::OtherResource,
        400 => Verdict::OtherBody,
        _ => Verdict::Refused,
    }
}

/// The messages of BMCs that can't do something right now.
pub(super) const BUSY_WORDS: [&str; 5] = [
    "UnableToModifyDuringSystemPOST",
    "ServiceTemporarilyUnavailable",
    "InvalidOperationForSystemState",
    "ResourceInUse",
    "SYS518",
];

/// The forms of an ETag to send, in their order: as it came, a weak one as a strong one (a weak one never matches, RFC 9110
/// section 13.1.1), and none.
fn list_tags(etag: Option<String>) -> Vec<Option<String>> {
    match etag {
        None => vec![None, Some("*".to_owned())],
        Some(etag) => {
            let strong = etag.strip_prefix("W/").map(|strong| Some(strong.to_owned()));
            [Some(Some(etag)), strong, Some(None)].into_iter().flatten().collect()
        }
    }
}

/// Where the requests have come to: the places in the lists of resources, bodies and ETags.
#[derive(Clone, Copy, Default)]
struct Place {
    resource: usize,
    body: usize,
    tag: usize,
}

/// Sends the first of `bodies` that the BMC takes to the system or to its settings, and returns the path that took it.
///
/// # Errors
/// When the BMC refuses every form of the request, is busy all the time, or does not answer.
pub(super) fn patch_boot(client: &Client, system: &System, bodies: &[Value]) -> Result<String> {
    let mut resources = vec![system.path.clone()];
    resources.extend(system.settings.clone());
    let begin = Instant::now();
    let (mut at, mut refusal) = (Place::default(), String::new());
    while let (Some(resource), Some(body)) = (resources.get(at.resource).cloned(), bodies.get(at.body)) {
        let etag = client.get(&resource).map(|answer| read_etag(&answer));
        let tags = match etag {
            Ok(etag) => list_tags(etag),
            // Settings that can't be read can't be written.
            Err(_) if at.resource > 0 => break,
            Err(why) => return Err(why),
        };
        let Some(tag) = tags.get(at.tag) else {
            at = Place { resource: at.resource + 1, ..Place::default() };
            continue;
        };
        let sent = client.send("PATCH", &resource, Some(body), tag.as_deref());
        let answer = sent.map_err(|no_answer| no_answer.error)?;
        let verdict = judge(&answer);
        if verdict != Verdict::Done {
            refusal = answer.describe();
        }
        match verdict {
            Verdict::Done => return Ok(resource),
            Verdict::Wait if begin.elapsed() < BUSY_TIME => sleep(BUSY_PAUSE),
            Verdict::Wait => bail!("the BMC was busy for {} s: {refusal}", BUSY_TIME.as_secs()),
            Verdict::OtherTag => at.tag += 1,
            Verdict::OtherBody if at.body + 1 < bodies.len() => {
                at = Place { body: at.body + 1, tag: 0, ..at }
            }
            Verdict::OtherBody | Verdict::OtherResource => {
                let is_for_later = answer.message_ids().any(|id| id == "OperationSupportedInFutureStateURI");
                let later = format!("{}/SD", system.path);
                if is_for_later && !resources.contains(&later) {
                    resources.push(later);
                }
                at = Place { resource: at.resource + 1, ..Place::default() };
            }
            Verdict::Refused => break,
        }
    }
    Err(anyhow!("the BMC refuses the boot override in every form: {refusal}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_leads_on() {
        let judged = |status, id: &str| {
            let body = json!({ "error": { "@Message.ExtendedInfo": [{ "MessageId": id }] } });
            judge(&Answer { status, etag: None, body })
        };
        for (status, id, verdict) in [
            (204, "", Verdict::Done),
            (412, "", Verdict::OtherTag),
            (428, "Base.1.8.PreconditionRequired", Verdict::OtherTag),
            (400, "Ami.1.0.PreconditionHeaderMissing", Verdict::OtherTag),
            (400, "iLO.2.24.UnableToModifyDuringSystemPOST", Verdict::Wait),
            (503, "", Verdict::Wait),
            (500, "IDRAC.2.8.SYS518", Verdict::Wait),
            (405, "", Verdict::OtherResource),
            (400, "Base.1.8.PropertyNotWritable", Verdict::OtherResource),
            (403, "Ami.1.0.OperationSupportedInFutureStateURI", Verdict::OtherResource),
            (400, "Base.1.8.PropertyUnknown", Verdict::OtherBody),
            (403, "", Verdict::Refused),
            (500, "", Verdict::Refused),
        ] {
            assert_eq!(judged(status, id), verdict, "{status} {id}");
        }
    }

    #[test]
    fn a_weak_tag_has_a_strong_form() {
        let list = |tag: Option<&str>| list_tags(tag.map(str::to_owned));
        let some = |tag: &str| Some(tag.to_owned());
        assert_eq!(list(Some("W/\"7\"")), [some("W/\"7\""), some("\"7\""), None]);
        assert_eq!(list(Some("\"7\"")), [some("\"7\""), None]);
        assert_eq!(list(None), [None, some("*")]);
    }
}
