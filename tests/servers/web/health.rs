//! The health checker against a `systemctl` and a clock that say what a test wants.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use test_kit::{repository, run};

/// A systemctl that prints the file named like the unit, and fails where there is none.
pub(crate) const SYSTEMCTL: &str = "#!/bin/sh\nfor unit; do :; done\nexec cat \"$UNITS/$unit\"\n";

pub(crate) struct Case {
    dir: tempfile::TempDir,
}

impl Case {
    pub(crate) fn new(systemctl: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["bin", "units", "state"] {
            fs::create_dir(dir.path().join(sub)).unwrap();
        }
        let case = Self { dir };
        case.program("systemctl", systemctl);
        case
    }

    /// Puts a program into the first directory of the path.
    pub(crate) fn program(&self, name: &str, text: &str) {
        let program = self.path("bin").join(name);
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// What `systemctl show` says of a unit.
    pub(crate) fn unit(&self, unit: &str, said: &str) {
        fs::write(self.path("units").join(unit), said).unwrap();
    }

    pub(crate) fn check(&self, units: &[&str]) -> Output {
        let mut path = self.path("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let mut command = Command::new(repository().join("profiles/pxe-server/health.sh"));
        command.env("PATH", path).env("TZ", "Asia/Tokyo");
        command.env("UNITS", self.path("units")).arg("--state").arg(self.path("state")).args(units);
        run("bash", &mut command)
    }

    /// What nginx would serve: the name of the one file in the state directory, and what it says.
    pub(crate) fn answer(&self) -> (String, Value) {
        let names = names(&self.path("state"));
        assert_eq!(names.len(), 1, "{names:?}");
        let file = self.path("state").join(&names[0]);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644, "nginx cannot read it");
        (names[0].clone(), serde_json::from_slice(&fs::read(file).unwrap()).unwrap())
    }
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

pub(crate) fn said(load: &str, active: &str, sub: &str) -> String {
    format!(
        "LoadState={load}\nActiveState={active}\nSubState={sub}\nNRestarts=0\nActiveEnterTimestampMonotonic=1\n"
    )
}

#[test]
fn running_units_are_healthy_in_the_words_of_the_runbook() {
    let case = Case::new(SYSTEMCTL);
    for unit in ["kea-dhcp4-server.service", "tftpd-hpa.service", "nginx.service"] {
        case.unit(unit, &said("loaded", "active", "running"));
    }
    let units = ["dhcp=kea-dhcp4-server.service", "tftp=tftpd-hpa.service", "http=nginx.service"];
    let output = case.check(&units);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let (file, mut answer) = case.answer();
    assert_eq!(file, "healthy.json");
    let checked = answer.as_object_mut().unwrap().remove("checked").unwrap();
    let format = time::format_description::well_known::Rfc3339;
    let checked = time::OffsetDateTime::parse(checked.as_str().unwrap(), &format).unwrap();
    // UTC, whatever the machine's zone: Tokyo's is nine hours off.
    assert!((time::OffsetDateTime::now_utc() - checked).abs() < time::Duration::hours(1), "{checked}");
    let services = r#"{"dhcp":"running","tftp":"running","http":"running"}"#;
    let expected = format!(r#"{{"status":"healthy","services":{services}}}"#);
    assert_eq!(answer, serde_json::from_str::<Value>(&expected).unwrap());
}

#[test]
fn nothing_is_called_running_that_is_not() {
    let up = fs::read_to_string("/proc/uptime").unwrap();
    let now: u64 = up.split('.').next().unwrap().parse::<u64>().unwrap() * 1_000_000;
    let looping = |since: u64| {
        said("loaded", "active", "running")
            .replace("NRestarts=0", "NRestarts=7")
            .replace("Monotonic=1", &format!("Monotonic={since}"))
    };
    let cases = [
        (said("loaded", "active", "running"), "running"),
        (said("loaded", "active", "listening"), "running"),
        (said("loaded", "active", "exited"), "stopped"),
        (said("loaded", "inactive", "dead"), "stopped"),
        (said("loaded", "deactivating", "stop-sigterm"), "stopped"),
        (said("loaded", "failed", "failed"), "failed"),
        (said("loaded", "activating", "auto-restart"), "restarting"),
        (said("loaded", "activating", "start"), "starting"),
        (said("not-found", "inactive", "dead"), "missing"),
        (said("masked", "inactive", "dead"), "missing"),
        (said("error", "active", "running"), "unknown"),
        (said("loaded", "maintenance", "running"), "unknown"),
        (looping(now), "restarting"),
        (looping(0), if now > 31_000_000 { "running" } else { "restarting" }),
        (said("loaded", "active", "running").replace("NRestarts=0", "NRestarts=[not set]"), "unknown"),
        (String::new(), "unknown"),
        ("rubbish".to_owned(), "unknown"),
    ];
    let case = Case::new(SYSTEMCTL);
    case.unit("good.service", &said("loaded", "active", "running"));
    for (text, word) in cases {
        case.unit("tried.service", &text);
        let output = case.check(&["dhcp=good.service", "tftp=tried.service"]);
        assert!(output.status.success(), "{output:?}");
        let (file, answer) = case.answer();
        assert_eq!(answer["services"]["tftp"], word, "{text}");
        assert_eq!(answer["services"]["dhcp"], "running");
        let status = if word == "running" { "healthy" } else { "unhealthy" };
        assert_eq!((file, &answer["status"]), (format!("{status}.json"), &Value::from(status)), "{text}");
        let log = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(log.contains("tftp (tried.service) is"), word != "running", "{log}");
    }
}

#[test]
fn a_systemd_that_does_not_answer_knows_nothing() {
    for systemctl in ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho ActiveState=active; exit 1\n"] {
        let case = Case::new(systemctl);
        assert!(case.check(&["http=nginx.service"]).status.success());
        let (file, answer) = case.answer();
        assert_eq!((file.as_str(), &answer["services"]["http"]), ("unhealthy.json", &Value::from("unknown")));
    }
}

#[test]
fn a_check_that_cannot_finish_leaves_nothing_healthy() {
    let case = Case::new(SYSTEMCTL);
    case.unit("nginx.service", &said("loaded", "active", "running"));
    assert!(case.check(&["http=nginx.service"]).status.success());
    assert_eq!(case.answer().0, "healthy.json");
    // Nothing can be renamed onto a directory with something in it.
    case.unit("nginx.service", &said("loaded", "failed", "failed"));
    fs::create_dir_all(case.path("state/unhealthy.json/unhealthy.json/x")).unwrap();
    fs::create_dir_all(case.path("state/unhealthy.json/.new/x")).unwrap();
    assert!(!case.check(&["http=nginx.service"]).status.success());
    assert_eq!(names(&case.path("state")), ["unhealthy.json"]);
}

#[test]
fn wrong_words_are_refused() {
    let case = Case::new(SYSTEMCTL);
    for units in [
        &[][..],
        &["nginx.service"],
        &["http="],
        &["http=nginx"],
        &["http=--root=x.service"],
        &["ht\"tp=nginx.service"],
        &["http=nginx.service\n"],
        &["http=a b.service"],
        &["--armed", "http=nginx.service"],
        &["--armed", "armed", "http=nginx.service"],
        &["--armed", "/armed"],
    ] {
        let output = case.check(units);
        assert_eq!(output.status.code(), Some(2), "{units:?}: {output:?}");
        assert!(names(&case.path("state")).is_empty());
    }
}
