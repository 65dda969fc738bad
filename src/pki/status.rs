//! How long certificates are still valid. Pure: the caller gives the time.

use std::fmt;

use serde::Serialize;
use time::{Duration, OffsetDateTime, UtcOffset};

use super::read::PublicCert;

/// A certificate that ends sooner than this is urgent.
const URGENT: Duration = Duration::days(14);

/// The validity of a certificate at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// Valid for a third of its life or more.
    Ok,
    /// Valid for less than a third of its life: it should be renewed some day.
    Renew,
    /// Valid for less than 14 days: it should be renewed now.
    Urgent,
    /// Past its last second: nobody accepts the certificate any more.
    Expired,
    /// Before its first second: the clock of this machine is wrong, or that of the machine that made the certificate.
    NotYetValid,
}

impl Validity {
    /// The validity of `certificate` at `now`; at both of its dates it is valid (RFC 5280 section 4.1.2.5).
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

/// A row of the table of certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// The owner of the certificate: a node, or the CA.
    pub node: String,
    /// The name in the certificate.
    pub subject: String,
    /// The last day on which the certificate is valid, in UTC: a `full-date` of RFC 3339.
    pub not_after: String,
    /// Whole days from now until then; negative when past.
    pub days_left: i64,
    /// The validity of the certificate now.
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
