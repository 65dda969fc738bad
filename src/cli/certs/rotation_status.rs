//! The report of `plasmagen certs rotate status`.

use serde::Serialize;
use time::UtcOffset;

use crate::cli::printer::plural;
use crate::cli::table::TextTable;
use crate::model::HostName;
use crate::pki::PublicCert;
use crate::pki::cluster::{Rotation, RotationStage};

/// How far a rotation has come, and which step is next.
#[derive(Debug, Serialize)]
pub(super) struct RotationReport {
    /// The stage of the rotation.
    stage: RotationStage,
    /// The published CAs, the newest last.
    authorities: Vec<AuthorityRow>,
    /// The command of the next step; none where no rotation is going on.
    pub(super) next: Option<&'static str>,
    /// Why that step is next, and what must be done before.
    why: String,
}

/// A published CA, as a row of a table.
#[derive(Debug, Serialize)]
struct AuthorityRow {
    /// The name of the CA.
    name: String,
    /// The last day on which the CA is valid, in UTC: a `full-date` of RFC 3339.
    not_after: String,
    /// The nodes whose certificates are signed by this CA.
    nodes: Vec<String>,
}

impl RotationReport {
    /// Reports on `rotation`.
    pub(super) fn new(rotation: &Rotation) -> Self {
        let row = |(ca, nodes): &(PublicCert, Vec<HostName>)| AuthorityRow {
            name: ca.name().to_owned(),
            not_after: ca.not_after.to_offset(UtcOffset::UTC).date().to_string(),
            nodes: nodes.iter().map(ToString::to_string).collect(),
        };
        let (next, why) = match rotation.stage {
            RotationStage::Unpublished => (None, "nodes/ publishes no CA yet: plasmagen render makes one".to_owned()),
            RotationStage::Single => (
                None,
                "no rotation is going on: plasmagen certs rotate begin publishes a new CA beside this one".to_owned(),
            ),
            RotationStage::Begun => (
                Some("plasmagen certs rotate issue"),
                "the new CA has signed nothing yet. First deploy all nodes, so that each trusts both CAs; the way back is \
                 plasmagen certs rotate cancel"
                    .to_owned(),
            ),
            RotationStage::Mixed => (
                Some("plasmagen certs rotate issue"),
                format!("{} still signed by the old CA", count_certificates(rotation.list_waiting().len())),
            ),
            RotationStage::Issued => (
                Some("plasmagen certs rotate finish --deployed"),
                "all certificates are signed by the new CA. First deploy all nodes, so that each runs with its new \
                 certificate"
                    .to_owned(),
            ),
        };
        Self { stage: rotation.stage, authorities: rotation.authorities.iter().map(row).collect(), next, why }
    }

    /// Prints the report for people.
    pub(super) fn print(&self) -> String {
        let mut table = TextTable::with_headings(["CA", "not after", "certificates"]);
        for AuthorityRow { name, not_after, nodes } in &self.authorities {
            table.row([name.clone(), not_after.clone(), nodes.len().to_string()]);
        }
        let next = self.next.map_or_else(String::new, |next| format!("next: {next}\n"));
        format!("{}{next}{}\n", table.print(), self.why)
    }
}

fn count_certificates(count: usize) -> String {
    format!("{} {}", plural(count, "certificate"), if count == 1 { "is" } else { "are" })
}
