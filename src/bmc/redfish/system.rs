//! The resource of a system in Redfish (DSP0268, ComputerSystem). What a BMC leaves out, or gives in another type, is absent.

use serde_json::Value;

use crate::bmc::client::Answer;
use crate::bmc::reading::{BootOverride, Power};

/// The longest path that is asked for, in bytes.
const LONGEST_PATH: usize = 512;
/// The largest number of members of a collection that is looked at.
pub(super) const MOST_MEMBERS: usize = 16;

/// A system, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct System {
    pub(super) path: String,
    pub(super) power: Power,
    /// `SerialNumber` and `SKU`.
    pub(super) serials: Vec<String>,
    pub(super) boot: Option<BootOverride>,
    /// The path to post resets to.
    pub(super) reset_path: Option<String>,
    /// The resets that the BMC knows; empty where it names none.
    pub(super) resets: Vec<String>,
    /// The resource of settings for the next start.
    pub(super) settings: Option<String>,
    /// The chassis of the system.
    pub(super) chassis: Option<String>,
    pub(super) etag: Option<String>,
}

impl System {
    /// Reads the system at `path` in `answer`.
    pub(super) fn from_answer(path: &str, answer: &Answer) -> Self {
        let body = &answer.body;
        let reset = &body["Actions"]["#ComputerSystem.Reset"];
        let resets = reset["ResetType@Redfish.AllowableValues"].as_array();
        let resets = resets.into_iter().flatten().filter_map(Value::as_str).take(MOST_MEMBERS);
        Self {
            path: path.to_owned(),
            power: match body["PowerState"].as_str() {
                Some("On") => Power::On,
                Some("Off") => Power::Off,
                _ => Power::Changing,
            },
            serials: list_numbers(body),
            boot: read_boot(body),
            reset_path: read_path(&reset["target"]),
            resets: resets.map(str::to_owned).collect(),
            settings: read_link(&body["@Redfish.Settings"]["SettingsObject"]),
            chassis: body["Links"]["Chassis"].as_array().and_then(|list| read_link(list.first()?)),
            etag: read_etag(answer),
        }
    }
}

/// The ETag of a resource: of the header, else of the body.
pub(super) fn read_etag(answer: &Answer) -> Option<String> {
    let in_body = || {
        let tag = answer.body["@odata.etag"].as_str()?;
        let is_legal = tag.len() <= 256 && tag.bytes().all(|byte| byte.is_ascii_graphic());
        (is_legal && !tag.is_empty()).then(|| tag.to_owned())
    };
    answer.etag.clone().or_else(in_body)
}

/// The numbers by which a system or a chassis may be known.
pub(super) fn list_numbers(body: &Value) -> Vec<String> {
    let numbers = ["SerialNumber", "SKU"].into_iter().filter_map(|key| body[key].as_str());
    let mut numbers: Vec<_> =
        numbers.map(str::trim).filter(|number| !number.is_empty() && number.len() <= 128).collect();
    numbers.dedup();
    numbers.into_iter().map(str::to_owned).collect()
}

/// The boot override in a resource; none where it is disabled.
pub(super) fn read_boot(body: &Value) -> Option<BootOverride> {
    let boot = &body["Boot"];
    let (enabled, target) =
        (boot["BootSourceOverrideEnabled"].as_str()?, boot["BootSourceOverrideTarget"].as_str()?);
    if enabled == "Disabled" || target == "None" {
        return None;
    }
    let is_uefi = match boot["BootSourceOverrideMode"].as_str() {
        Some("UEFI") => Some(true),
        Some("Legacy") => Some(false),
        _ => None,
    };
    let target = target.chars().take(32).collect();
    Some(BootOverride { target, is_lasting: enabled != "Once", is_uefi })
}

/// The path in a link, `{ "@odata.id": … }`.
pub(super) fn read_link(link: &Value) -> Option<String> {
    read_path(&link["@odata.id"])
}

/// The paths of the members of a collection.
pub(super) fn list_members(body: &Value) -> Vec<String> {
    let members = body["Members"].as_array().into_iter().flatten();
    members.filter_map(read_link).take(MOST_MEMBERS + 1).collect()
}

/// A path at the same BMC: a request there carries the password, so that it must not lead elsewhere.
fn read_path(value: &Value) -> Option<String> {
    let path = value.as_str()?.trim_end_matches('/');
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@%()~=,+".contains(&byte);
    let is_ours = path.starts_with("/redfish/")
        && path.len() <= LONGEST_PATH
        && path.bytes().all(is_legal)
        && path.split('/').all(|part| part != "..");
    is_ours.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn system(body: Value) -> System {
        System::from_answer("/redfish/v1/Systems/1", &Answer { status: 200, etag: None, body })
    }

    #[test]
    fn a_system_is_read() {
        let read = system(json!({
            "@odata.etag": "W/\"7\"", "SerialNumber": "CN74751", "SKU": "ABC1234", "PowerState": "Off",
            "Boot": { "BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe", "BootSourceOverrideMode": "UEFI" },
            "Actions": { "#ComputerSystem.Reset": { "target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
                "ResetType@Redfish.AllowableValues": ["On", "ForceOff"] } },
            "@Redfish.Settings": { "SettingsObject": { "@odata.id": "/redfish/v1/Systems/1/Settings" } },
            "Links": { "Chassis": [{ "@odata.id": "/redfish/v1/Chassis/1/" }] },
        }));
        assert_eq!(
            (read.power, read.serials.as_slice()),
            (Power::Off, ["CN74751", "ABC1234"].map(str::to_owned).as_slice())
        );
        assert_eq!(read.boot.unwrap().to_string(), "network, once");
        assert_eq!(read.reset_path.unwrap(), "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset");
        assert_eq!(read.resets, ["On", "ForceOff"]);
        assert_eq!(read.settings.unwrap(), "/redfish/v1/Systems/1/Settings");
        assert_eq!(
            (read.chassis.unwrap(), read.etag.unwrap()),
            ("/redfish/v1/Chassis/1".to_owned(), "W/\"7\"".to_owned())
        );
    }

    #[test]
    fn hostile_systems_are_read_as_far_as_they_go() {
        for body in [
            Value::Null,
            json!([1, 2]),
            json!({ "PowerState": 7, "Boot": [], "Actions": "x", "Links": { "Chassis": {} } }),
            json!({ "SerialNumber": "x".repeat(4000), "Boot": { "BootSourceOverrideEnabled": "Once" } }),
        ] {
            let read = system(body);
            assert_eq!(
                (read.power, read.serials.len(), read.boot, read.reset_path),
                (Power::Changing, 0, None, None)
            );
        }
    }

    #[test]
    fn paths_lead_to_the_same_bmc_only() {
        for path in [
            "https://evil.example/redfish/v1",
            "//evil.example/redfish/v1",
            "/redfish/../v1",
            "/redfish/v1 HTTP/1.1\r\nHost: evil",
            "/redfish/v1?x",
            "/etc/passwd",
            "@evil.example/redfish/",
            "",
        ] {
            assert_eq!(read_path(&json!(path)), None, "{path}");
        }
        assert_eq!(read_path(&json!(format!("/redfish/{}", "a".repeat(600)))), None);
        let members: Vec<_> =
            (0..100).map(|n| json!({ "@odata.id": format!("/redfish/v1/Systems/{n}") })).collect();
        assert_eq!(list_members(&json!({ "Members": members })).len(), MOST_MEMBERS + 1);
    }
}
