//! `plasmagen power trust`.

use anyhow::{bail, ensure};
use clap::Args;
use clap_complete::ArgValueCandidates;

use super::ask::{Answered, ask};
use super::targets::{BmcSource, Target, find_target};
use crate::bmc::look_at_certificate;
use crate::cli::printer::Printer;
use crate::cli::{DONE, REFUSED, complete};
use crate::fs::Sha256Sum;
use crate::model::BmcProtocol;

/// Show the fingerprint of the certificate of a BMC, and record it in the vault
///
/// The password goes only to a BMC whose certificate is known. Compare the fingerprint with the one that the BMC shows on
/// its own page, at the machine's console, or over a cable; then say yes. Without a terminal, `--fingerprint` says which one is
/// right. Nothing is sent to the BMC.
#[derive(Debug, Args)]
pub(super) struct TrustArgs {
    /// The node
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: String,
    /// Record the certificate only if this is its SHA-256, without a question; `openssl x509 -fingerprint -sha256` prints it
    #[arg(long, value_name = "SHA256", value_parser = parse_fingerprint)]
    fingerprint: Option<Sha256Sum>,
    #[command(flatten)]
    source: BmcSource,
}

/// Parses a fingerprint as plasmagen or OpenSSL prints it.
fn parse_fingerprint(text: &str) -> Result<Sha256Sum, String> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.strip_prefix("sha256:").unwrap_or(&lower);
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    Sha256Sum::try_from(digits).map_err(|error| error.to_string())
}

impl TrustArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(opened) = self.source.open(printer)? else { return Ok(REFUSED) };
        let Target { node, bmc } = find_target(&opened.cluster, &self.node)?;
        let (name, address) = (&node.name, bmc.address);
        ensure!(
            bmc.protocol == BmcProtocol::Redfish,
            "the BMC of {name} speaks IPMI, which has no certificates"
        );
        let recorded = opened.vault.bmc_certificate(name)?;
        let shown = look_at_certificate(name.as_str(), address)?;
        Printer::print(&format!("sha256:{shown}\n"))?;
        if let Some(written) = &bmc.certificate {
            let is_written = written.as_str() == format!("sha256:{shown}");
            match written.fingerprint() {
                None => bail!(
                    "nothing was recorded: for the BMC of {name}, the inventory names the CA in {written}, and only certificates of \
                     that CA are trusted"
                ),
                Some(_) if is_written => {
                    printer.say(&format!("this is the certificate of {name} in the inventory"));
                }
                Some(_) => Printer::warn(&format!(
                    "the inventory says another one, {written}: if the certificate was changed on purpose, write the new one there"
                )),
            }
            return Ok(if is_written { DONE } else { REFUSED });
        }
        if recorded == Some(shown) {
            printer.say(&format!("the vault has this certificate of the BMC of {name}"));
            return Ok(DONE);
        }
        let before = recorded.map_or_else(String::new, |sum| format!(", instead of sha256:{sum}"));
        let is_meant = match self.fingerprint {
            Some(expected) if expected == shown => true,
            Some(_) => {
                Printer::warn(&format!(
                    "nothing was recorded: the BMC of {name} at {address} shows another certificate"
                ));
                false
            }
            None => is_right(&format!("of {name} at {address}{before}"), &self.node, shown)?,
        };
        if !is_meant {
            return Ok(REFUSED);
        }
        opened.vault.record_bmc_certificate(name, shown)?;
        printer.say(&format!("recorded as the certificate of the BMC of {name}{before}"));
        Ok(DONE)
    }
}

/// Asks whether the certificate of the BMC that `what` describes is right.
fn is_right(what: &str, node: &str, shown: Sha256Sum) -> anyhow::Result<bool> {
    match ask(&format!("Is this the certificate of the BMC {what}? [y/N] "))? {
        Answered::Yes => return Ok(true),
        Answered::No => Printer::warn("nothing was recorded"),
        Answered::NoTerminal => Printer::warn(&format!(
            "nothing was recorded: compare the fingerprint with the BMC's own page. If this is the certificate of the BMC {what}: \
             plasmagen power trust {node} --fingerprint sha256:{shown}"
        )),
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_programs_print_them() {
        let sum = Sha256Sum::of(b"certificate");
        let hex = sum.to_string();
        let pairs: Vec<_> =
            hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
        for text in
            [format!("sha256:{hex}"), hex.clone(), pairs.join(":"), format!("SHA256:{}", hex.to_uppercase())]
        {
            assert_eq!(parse_fingerprint(&text).unwrap(), sum, "{text}");
        }
        parse_fingerprint(&hex[1..]).unwrap_err();
    }
}
