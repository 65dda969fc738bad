//! The end of armings: the health checker against a clock that says what a test wants.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Output;

use crate::web::health::{Case, SYSTEMCTL, names, said};

/// The time of these tests, in seconds since 1970.
const NOW: i64 = 1_767_323_045;

/// The file that says when the checker has last ended armings.
const STAMP: &str = ".pxe-health";

impl Case {
    /// A machine whose clock says [`NOW`], and an empty directory of armed machines.
    fn at_now() -> Self {
        let case = Self::new(SYSTEMCTL);
        case.program("date", &format!("#!/bin/sh\n[ \"$*\" = +%s ] && echo {NOW}\n"));
        case.unit("nginx.service", &said("loaded", "active", "running"));
        fs::create_dir(case.path("armed")).unwrap();
        case
    }

    /// A file that arms a machine until `end`, as `plasmagen arm` writes it.
    fn arm(&self, name: &str, end: &str) {
        let text = format!("#!ipxe\n# until {end}\n# {{}}\nset armed node01\n");
        fs::write(self.path("armed").join(name), text).unwrap();
    }

    /// When the checker has last ended armings.
    fn stamp(&self) -> String {
        fs::read_to_string(self.path("armed").join(STAMP)).unwrap().trim_end().to_owned()
    }

    fn disarm_ended(&self) -> Output {
        let armed = self.path("armed");
        self.check(&["--armed", armed.to_str().unwrap(), "http=nginx.service"])
    }
}

#[test]
fn an_arming_ends_in_time() {
    let case = Case::at_now();
    for (name, end) in [
        ("52-54-00-00-00-01", NOW - 1),
        ("52-54-00-00-00-02", NOW),
        ("52-54-00-00-00-03", NOW + 1),
        ("52-54-00-00-00-04", 1),
    ] {
        case.arm(name, &end.to_string());
    }
    let output = case.disarm_ended();
    assert!(output.status.success(), "{output:?}");
    let mut left = names(&case.path("armed"));
    left.sort();
    assert_eq!(left, [STAMP, "52-54-00-00-00-03"]);
    assert_eq!(case.stamp(), NOW.to_string());
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(log.matches("has ended").count(), 3, "{log}");
    assert_eq!(case.answer().0, "healthy.json");
    // Nothing more to do, and nothing to say.
    let output = case.disarm_ended();
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn what_plasmagen_did_not_write_is_left_alone() {
    let case = Case::at_now();
    for (name, end) in [
        ("52-54-00-00-00-01", "08"),
        ("52-54-00-00-00-02", "9999999999999"),
        ("52-54-00-00-00-03", "1 "),
        ("52-54-00-00-00-04", "a[$(touch /dev/full)]"),
        ("52-54-00-00-00-05", "1\r"),
        ("README", "1"),
        ("52-54-00-00-00-AA", "1"),
    ] {
        case.arm(name, end);
    }
    fs::write(case.path("armed/52-54-00-00-00-06"), "").unwrap();
    fs::write(case.path("armed/52-54-00-00-00-07"), "x".repeat(1 << 20)).unwrap();
    fs::create_dir(case.path("armed/52-54-00-00-00-08")).unwrap();
    symlink("52-54-00-00-00-09", case.path("armed/52-54-00-00-00-08/x")).unwrap();
    case.arm("52-54-00-00-00-0a", "1");
    fs::rename(case.path("armed/52-54-00-00-00-0a"), case.path("elsewhere")).unwrap();
    symlink(case.path("elsewhere"), case.path("armed/52-54-00-00-00-0a")).unwrap();
    let before = names(&case.path("armed")).len();
    let output = case.disarm_ended();
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(log.matches("is armed without an end").count(), 7, "{log}");
    assert_eq!(names(&case.path("armed")).len(), before + 1);
    assert!(case.path("elsewhere").exists());
}

#[test]
fn the_answer_does_not_depend_on_armings() {
    // Nobody has armed anything yet.
    let case = Case::at_now();
    fs::remove_dir(case.path("armed")).unwrap();
    assert!(case.disarm_ended().status.success());
    assert_eq!(case.answer().0, "healthy.json");
    // A clock that cannot be read, and a file that cannot be removed.
    for (program, text) in [("date", "#!/bin/sh\nexit 1\n"), ("date", "#!/bin/sh\n"), ("rm", REFUSING_RM)] {
        let case = Case::at_now();
        case.arm("52-54-00-00-00-01", "1");
        case.program(program, text);
        let output = case.disarm_ended();
        assert_eq!(output.status.code(), Some(1), "{program}: {output:?}");
        assert_eq!(names(&case.path("armed")), ["52-54-00-00-00-01"]);
        assert_eq!(case.answer().0, "healthy.json", "{program}");
    }
}

/// An `rm` that removes nothing in `armed`.
const REFUSING_RM: &str = "#!/bin/sh\ncase \"$*\" in */armed/*) exit 1 ;; esac\nexec /bin/rm \"$@\"\n";

#[test]
fn a_run_of_plasmagen_arm_is_not_disturbed() {
    let case = Case::at_now();
    case.arm("52-54-00-00-00-01", "1");
    let dir = fs::File::open(case.path("armed")).unwrap();
    dir.lock().unwrap();
    case.program("flock", "#!/bin/sh\nexec /usr/bin/flock --nonblock \"$3\"\n");
    let output = case.disarm_ended();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(names(&case.path("armed")), ["52-54-00-00-00-01"]);
    drop(dir);
    assert!(case.disarm_ended().status.success());
    assert_eq!(names(&case.path("armed")), [STAMP]);
}

/// By the stamp `plasmagen arm` knows that armings end: there is none of a run that could not end them, and no link that
/// somebody has made leads it elsewhere.
#[test]
fn the_stamp_says_the_truth_and_goes_nowhere_else() {
    let case = Case::at_now();
    fs::write(case.path("elsewhere"), "as it was").unwrap();
    for name in [STAMP, ".pxe-health.new"] {
        symlink(case.path("elsewhere"), case.path("armed").join(name)).unwrap();
    }
    assert!(case.disarm_ended().status.success());
    assert_eq!((case.stamp(), names(&case.path("armed"))), (NOW.to_string(), vec![STAMP.to_owned()]));
    assert_eq!(fs::read_to_string(case.path("elsewhere")).unwrap(), "as it was");
    // A directory in its place.
    fs::remove_file(case.path("armed").join(STAMP)).unwrap();
    fs::create_dir(case.path("armed").join(STAMP)).unwrap();
    fs::write(case.path("armed").join(STAMP).join("x"), "").unwrap();
    let output = case.disarm_ended();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("cannot write"), "{output:?}");
    assert_eq!(case.answer().0, "healthy.json");
    // A file that cannot be removed: the old stamp stays.
    let case = Case::at_now();
    fs::write(case.path("armed").join(STAMP), "1\n").unwrap();
    case.arm("52-54-00-00-00-01", "1");
    case.program("rm", REFUSING_RM);
    assert_eq!(case.disarm_ended().status.code(), Some(1));
    assert_eq!(case.stamp(), "1");
}
