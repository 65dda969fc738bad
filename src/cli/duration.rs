//! Times on the command line, written as in the inventory: `30s`, `5m`, `4h`, `90d`.

use time::Duration;

use crate::model::{Seconds, Word};

/// Parses a number with s, m, h or d: a time of at least one second.
pub(super) fn parse_seconds(text: &str) -> Result<Seconds, String> {
    Seconds::parse(text).map_err(|why| format!("{}: {}", why.message, why.help))
}

/// Parses a number with s, m, h or d, for code that computes with dates.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    parse_seconds(text).map(|seconds| Duration::seconds(seconds.get().into()))
}
