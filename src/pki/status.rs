//! How long certificates are still valid. Pure: the caller gives the time.

use std::fmt;

use serde::Serialize;
use time::{Duration, OffsetDateTime, UtcOffset};

use super::read::PublicCert;
use super::trust::find_issuer;

/// A certificate in the last third of its life that ends sooner than this is urgent.
const URGENT: Duration = Duration::days(14);

/// The validity of a certificate at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// Valid for a third of its life or more.
    Ok,
    /// Valid for less than a third of its life: it should be renewed some day.
    Renew,
    /// Valid for less than a third of its life, and for less than 14 days: it should be renewed now.
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
        } else if left * 3 >= certificate.not_after - certificate.not_before {
            Self::Ok
        } else if left < URGENT {
            Self::Urgent
        } else {
            Self::Renew
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
    /// The owner of the certificate: a node, `(CA)`, or of what machines boot `(boot signer)` and `(boot CA)`.
    pub node: String,
    /// The name in the certificate.
    pub subject: String,
    /// The name of the CA that signed the certificate, such as `prod-cluster CA 1`; a CA signs itself.
    pub issuer: String,
    /// The first day on which the certificate is valid, in UTC: a `full-date` of RFC 3339.
    pub not_before: String,
    /// The last day on which the certificate is valid, in UTC: a `full-date` of RFC 3339.
    pub not_after: String,
    /// Whole days from now until then; negative when past.
    pub days_left: i64,
    /// The validity of the certificate now.
    pub state: Validity,
    /// The command to run next for this certificate, or the step that plasmagen has no command for; none where there is
    /// nothing to do.
    pub next: Option<String>,
    /// The last second in which the certificate is valid.
    #[serde(skip)]
    end: OffsetDateTime,
}

impl StatusRow {
    /// The row of the CA `ca` at `now`.
    #[must_use]
    pub fn of_ca(ca: &PublicCert, now: OffsetDateTime) -> Self {
        let mut row = Self::new("(CA)", ca, ca.name(), now);
        row.next = row.is_due().then(|| "plasmagen certs rotate begin".to_owned());
        row
    }

    /// The row of `node` with `certificate` at `now`, which one of `authorities` signed.
    #[must_use]
    pub fn of_node(
        node: &str,
        certificate: &PublicCert,
        authorities: &[PublicCert],
        now: OffsetDateTime,
    ) -> Self {
        let issuer = find_issuer(authorities, certificate).map(|issuer| issuer.ca);
        let mut row = Self::new(node, certificate, issuer.map_or("unknown", PublicCert::name), now);
        // A certificate that ends together with its CA is renewed after the CA: the CA's row says how.
        let is_bound = issuer.is_some_and(|ca| ca.not_after <= certificate.not_after);
        row.next = (row.is_due() && !is_bound).then(|| format!("plasmagen certs renew {node}"));
        row
    }

    /// The rows of the certificate of the signer of what machines boot, and of the `ca` that issued it, at `now`.
    #[must_use]
    pub fn of_boot_signer(signer: &PublicCert, ca: &PublicCert, now: OffsetDateTime) -> [Self; 2] {
        let steps = [
            ("(boot signer)", signer, "issue another certificate for the signer: docs/bundles.md"),
            ("(boot CA)", ca, "make another CA, and build the images that trust it: docs/bundles.md"),
        ];
        steps.map(|(owner, certificate, step)| {
            let mut row = Self::new(owner, certificate, ca.name(), now);
            row.next = row.is_due().then(|| step.to_owned());
            row
        })
    }

    /// Whether the certificate ends within `time` from `now`.
    #[must_use]
    pub fn ends_within(&self, time: Duration, now: OffsetDateTime) -> bool {
        self.end - now < time
    }

    fn is_due(&self) -> bool {
        matches!(self.state, Validity::Renew | Validity::Urgent | Validity::Expired)
    }

    fn new(node: &str, certificate: &PublicCert, issuer: &str, now: OffsetDateTime) -> Self {
        let day = |moment: OffsetDateTime| moment.to_offset(UtcOffset::UTC).date().to_string();
        Self {
            node: node.to_owned(),
            subject: certificate.name().to_owned(),
            issuer: issuer.to_owned(),
            not_before: day(certificate.not_before),
            not_after: day(certificate.not_after),
            days_left: (certificate.not_after - now).whole_days(),
            state: Validity::of(certificate, now),
            next: None,
            end: certificate.not_after,
        }
    }
}
