//! What `systemd-analyze security` says of the units.

use std::fs;
use std::process::Command;

use serde_json::Value;
use test_kit::run;

use crate::profiles::kit::{all_services, config};

/// `settings` as they are written to a unit file.
fn unit_file(settings: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut lines = vec!["[Service]".to_owned()];
    for (key, value) in settings.as_object().unwrap() {
        match value.as_array() {
            Some(all) => lines.extend(all.iter().map(|value| format!("{key}={}", text(value)))),
            None => lines.push(format!("{key}={}", text(value))),
        }
    }
    lines.join("\n")
}

/// What systemd says of the unit, and whether its exposure, of 100, is at most `threshold`.
fn analyze(name: &str, settings: &Value, threshold: u32) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let instance = if name.ends_with('@') { "iam" } else { "" };
    let path = dir.path().join(format!("{name}{instance}.service"));
    fs::write(&path, unit_file(settings)).unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=true", "--no-pager", &format!("--threshold={threshold}")]);
    let output = run("systemd", command.arg(&path));
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(text.contains("Overall exposure level"), "{name}: {text}");
    (output.status.success(), text)
}

/// 10 to 20 is what systemd calls OK, with a network of its own out of the question. What manages the machine is as
/// exposed as its job is; the thresholds keep it from getting worse.
#[test]
fn units_are_no_more_exposed_than_their_work_asks() {
    let machine = config(&all_services());
    let units = &machine["systemd"]["services"];
    for (name, threshold) in [
        ("chainfire", 12),
        ("flaredb", 12),
        ("iam", 12),
        ("flashdns", 16),
        ("fiberlb", 18),
        ("plasmavmc", 67),
        ("prismnet", 79),
        ("k8shost", 94),
        ("plasmagen-secrets@", 12),
        ("chrony-wait", 12),
    ] {
        let (fits, text) = analyze(name, &units[name]["serviceConfig"], threshold);
        assert!(fits, "{name}: {text}");
        // What systemd does not know, it says and ignores.
        for word in ["Unknown key", "Failed to parse", "ignoring", "Invalid"] {
            assert!(!text.contains(word), "{name}: {text}");
        }
    }
    // The judge can say no.
    let mut open = units["iam"]["serviceConfig"].clone();
    open.as_object_mut().unwrap().remove("ProtectSystem");
    assert!(!analyze("iam", &open, 12).0);
}
