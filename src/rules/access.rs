//! Chapters H and I: who gets in, and who can read secrets when the operator cannot.

use std::collections::HashMap;
use std::net::IpAddr;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Checksum};
use ipnet::IpNet;

use crate::diag::{Diagnostic, Report, Spanned};
use crate::resolve::Draft;

/// The words before the data of age's own recipients (age specification, "X25519 recipient stanza").
const AGE: &str = "age";

/// Bech32 (BIP 173) as age has it: of any length, since recipients of plugins and of post-quantum keys are long.
enum AgeBech32 {}

impl Checksum for AgeBech32 {
    type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
    type CorrectionField = <Bech32 as Checksum>::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32::TARGET_RESIDUE;
}

/// Why age would not encrypt to `text`, and what to write instead.
fn refused(text: &str) -> Option<(&'static str, &'static str)> {
    // Not quoted: it may be a private key.
    if text.starts_with("AGE-SECRET-KEY-") || text.contains("PRIVATE KEY") {
        let help =
            "it is public now: make another with `age-keygen`, and write what `age-keygen -y` prints of it";
        return Some(("this is a private key", help));
    }
    if text.starts_with("ssh-") {
        // The two kinds that age(1) knows.
        let known = ssh_key::PublicKey::from_openssh(text)
            .is_ok_and(|key| ["ssh-ed25519", "ssh-rsa"].contains(&key.algorithm().as_str()));
        let help = "write the line of a `.pub` file of type ssh-ed25519 or ssh-rsa";
        return (!known).then_some(("this is no SSH key that age encrypts to", help));
    }
    let sound = CheckedHrpstring::new::<AgeBech32>(text).is_ok_and(|own| {
        let kind = own.hrp().to_string();
        // A plugin's recipients begin with `age1` and its name; only it knows what its data mean.
        (kind == AGE && own.byte_iter().len() == 32) || kind.starts_with("age1")
    });
    let help = "write what `age-keygen -y` prints, `age1…`: its checksum tells a slip of the pen";
    (!sound).then_some(("this is no age recipient", help))
}

/// The part of a recipient by which it is known: of an SSH key not the comment.
fn identity(text: &str) -> String {
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Where recipients are given, they are two at least, and age knows them.
pub(super) fn h16(draft: &Draft<'_>, report: &mut Report) {
    let Some(recipients) = &draft.inventory.vault.recipients else { return };
    let mut seen = HashMap::new();
    for Spanned { value, span } in &recipients.value {
        let Some(value) = value else { continue };
        if let Some((message, help)) = refused(value) {
            report.push(Diagnostic::error("PG-H16", span, message).help(help));
        } else if let Some(first) = seen.insert(identity(value), span) {
            let fault = Diagnostic::error("PG-H16", span, "this recipient is listed twice");
            report.push(fault.related(first, "first used here").help("list each recipient once"));
        }
    }
    if recipients.value.len() < 2 {
        let message = match recipients.value.len() {
            0 => "nobody could decrypt the vault",
            _ => "only one person could decrypt the vault",
        };
        let help = "add a second recipient whose key lies in a safe";
        report.push(Diagnostic::error("PG-H16", &recipients.span, message).help(help));
    }
}

/// What no packet from another machine has for its source: the host itself, "this network" and multicast (RFC 1122
/// section 3.2.1.3, RFC 4291 sections 2.5.2, 2.5.3 and 2.7).
const NOBODY: [&str; 6] = ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/128", "::1/128", "ff00::/8"];

/// Whether nobody can come from `subnet`.
fn is_nobodys(subnet: &IpNet) -> bool {
    NOBODY.iter().filter_map(|own| own.parse::<IpNet>().ok()).any(|own| own.contains(subnet))
}

/// SSH is open to somebody, and to the provisioner, which installs the nodes over it.
pub(super) fn i07(draft: &Draft<'_>, report: &mut Report) {
    let Some(sources) = &draft.inventory.firewall.ssh_from else { return };
    let provisioner = draft.inventory.provisioner.as_ref().and_then(|own| own.address.as_ref());
    let nobodys = sources.value.iter().filter(|own| is_nobodys(&own.value)).collect::<Vec<_>>();
    for own in &nobodys {
        let message = format!("nobody comes from {}: no machine sends from there to another", own.value);
        let fault = Diagnostic::error("PG-I07", &own.span, message);
        report.push(fault.help("name the subnets that operators come from"));
    }
    if sources.value.is_empty() {
        let fault = Diagnostic::error("PG-I07", &sources.span, "no network may reach SSH on the nodes");
        report.push(fault.help(
            "name the subnets that operators come from, or drop `ssh_from`: then it is the management, provisioning \
             and cluster networks",
        ));
    } else if let Some(address) = provisioner.filter(|_| nobodys.is_empty()) {
        let provisioner = IpAddr::from(address.value);
        if !sources.value.iter().any(|own| own.value.contains(&provisioner)) {
            let message = format!("the provisioner, {provisioner}, may not reach SSH on the nodes");
            let fault = Diagnostic::warning("PG-I07", &sources.span, message);
            report.push(fault.related(&address.span, "the provisioner's address").help(format!(
                "add \"{}\", or acknowledge it with `allow` in [firewall] where nobody looks after nodes from there",
                IpNet::from(provisioner)
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bech32::{ByteIterExt, Fe32IterExt, Hrp};

    /// A recipient with that word before it and so many bytes of data.
    fn recipient(kind: &str, bytes: usize) -> String {
        let hrp = Hrp::parse(kind).unwrap();
        std::iter::repeat_n(7, bytes).bytes_to_fes().with_checksum::<AgeBech32>(&hrp).chars().collect()
    }

    #[test]
    fn recipients_of_age() {
        // From age's own README.
        assert!(refused("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p").is_none());
        // Post-quantum recipients are 1,216 bytes and more (X-Wing), those of plugins whatever they like.
        for (kind, bytes) in [("age", 32), ("age1yubikey", 33), ("age1pq", 1216)] {
            assert!(refused(&recipient(kind, bytes)).is_none(), "{kind}");
        }
        for bad in [recipient("age", 31), recipient("agf", 32), recipient("bc", 32), String::new()] {
            assert!(refused(&bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_private_key_is_told_and_not_quoted() {
        let secret = recipient("age-secret-key-", 32).to_uppercase();
        for private in [secret.as_str(), "-----BEGIN OPENSSH PRIVATE KEY-----"] {
            assert_eq!(refused(private).unwrap().0, "this is a private key");
        }
    }
}
