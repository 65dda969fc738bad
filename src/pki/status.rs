//! How long certificates still live. Pure: the clock is the caller's.

use std::fmt;

use serde::Serialize;
use time::{Duration, OffsetDateTime, UtcOffset};

use super::PublicCert;

/// A certificate with less left than this is urgent.
const URGENT: Duration = Duration::days(14);

/// Where a certificate stands between its two dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// Valid, with a third of its life or more to go.
    Ok,
    /// Valid, with less than a third of its life to go: renew it at leisure.
    Renew,
    /// Valid, with less than 14 days to go: renew it now.
    Urgent,
    /// Past its last second: nothing accepts it any more.
    Expired,
    /// Before its first second: the clock here is wrong, or that of the machine which made it.
    NotYetValid,
}

impl Validity {
    /// The state of `certificate` at `now`; both of its dates still count as valid (RFC 5280 section 4.1.2.5).
    #[must_use]
    pub fn of(certificate: &PublicCert, now: OffsetDateTime) -> Self {
        let left = certificate.not_after - now;
        if now < certificate.not_before {
            Self::NotYetValid
        } else if left.is_negative() {
            Self::Expired
        } else if left < URGENT {
            Self::Urgent
        } else if left * 3 < certificate.not_after - certificate.not_before {
            Self::Renew
        } else {
            Self::Ok
        }
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Renew => "renew",
            Self::Urgent => "urgent",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
        })
    }
}

/// A line of the expiry table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// The node, or whatever else the caller calls the certificate's owner.
    pub node: String,
    /// The name in the certificate.
    pub subject: String,
    /// The last day on which the certificate is valid, in UTC: a `full-date` of RFC 3339.
    pub not_after: String,
    /// Whole days from now until then; negative when past.
    pub days_left: i64,
    /// Where that is in the certificate's life.
    pub state: Validity,
}

impl StatusRow {
    /// The row of `node` at `now`.
    #[must_use]
    pub fn new(node: impl Into<String>, certificate: &PublicCert, now: OffsetDateTime) -> Self {
        Self {
            node: node.into(),
            subject: certificate.name().to_owned(),
            not_after: certificate.not_after.to_offset(UtcOffset::UTC).date().to_string(),
            days_left: (certificate.not_after - now).whole_days(),
            state: Validity::of(certificate, now),
        }
    }
}
