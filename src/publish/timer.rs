//! The provisioner's timer `pxe-health`, which ends armings: iPXE reads no clock. After each run the timer leaves the time in
//! a file in `armed/`. Without that stamp nothing ends an arming in this web root.

use time::{Duration, OffsetDateTime};

use super::root::{ARMED, WebRoot};

/// The stamp in `armed/`: seconds since 1970. `profiles/pxe-server/health.sh` writes the file.
const STAMP: &str = ".pxe-health";

/// The stamp before it takes the place of the old one.
const NEW_STAMP: &str = ".pxe-health.new";

/// The largest stamp, in bytes.
const LIMIT: u64 = 64;

/// How old a stamp may be: the timer runs every 15 seconds, and a run takes 30 at most. A stamp from the future is none.
const OLDEST: Duration = Duration::minutes(2);

/// The last run of the timer that ends armings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmingTimer {
    /// The timer has run a moment ago.
    Running,
    /// The timer has run at this time, and not since.
    Stopped(OffsetDateTime),
    /// The timer has left no stamp in this web root: it has never run here, or is of an earlier version.
    Absent,
}

impl ArmingTimer {
    /// Reads when the timer has run in `root`, as seen at `now`.
    #[must_use]
    pub fn read(root: &WebRoot, now: OffsetDateTime) -> Self {
        let read = || {
            let body = root.dir.read_limited(&format!("{ARMED}/{STAMP}"), LIMIT).ok()?;
            let seconds = std::str::from_utf8(&body).ok()?.trim_end().parse().ok()?;
            OffsetDateTime::from_unix_timestamp(seconds).ok()
        };
        match read() {
            Some(last) if (now - last).abs() <= OLDEST => Self::Running,
            Some(last) => Self::Stopped(last),
            None => Self::Absent,
        }
    }

    /// Says why armings do not end; none where the timer ends them.
    #[must_use]
    pub fn explain(self) -> Option<String> {
        match self {
            Self::Running => None,
            Self::Stopped(last) => {
                let (date, (hour, minute, _)) = (last.date(), last.to_hms());
                Some(format!(
                    "nothing ends armings here: pxe-health ran last on {date} at {hour:02}:{minute:02} UTC. Start \
                     pxe-health.timer with this web root (docs/pxe-server.md), or disarm nodes yourself"
                ))
            }
            // A program of an earlier version ends armings, and leaves no stamp.
            Self::Absent => Some(
                "nothing is known to end armings here: pxe-health has left no stamp in this web root. It does not run here, \
                 or is an earlier version: install it again (docs/pxe-server.md), or disarm nodes yourself"
                    .to_owned(),
            ),
        }
    }
}

/// Whether `name` is that of a stamp in `armed/`.
pub(super) fn is_stamp(name: &str) -> bool {
    [STAMP, NEW_STAMP].contains(&name)
}
