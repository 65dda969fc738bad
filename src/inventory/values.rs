//! Choices, and the codes of rules.

use crate::model::{
    Base, BmcProtocol, BondMode, BootVerification, Cpu, DhcpServer, Firmware, Form, Format, Invalid,
    KeyAlgorithm, Labels, OpenOn, Role, System, Unlock, Word,
};

use super::nearest::nearest;

/// Picks the choice whose word is `typed` (rule A04).
fn choose<T: Copy>(typed: &str, choices: &[(&str, T)]) -> Result<T, Invalid> {
    if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == typed) {
        return Ok(*choice);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let legal = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let near = nearest(typed, &words);
    let help = match near {
        Some(near) => format!("did you mean `{near}`? legal are {legal}"),
        None => format!("legal are {legal}"),
    };
    let invalid = Invalid::new("PG-A04", format!("`{typed}` is none of the legal values"), help);
    Err(Invalid { instead: near.map(str::to_owned), ..invalid })
}

macro_rules! choices {
    ($($type:ident { $($word:literal => $variant:ident),+ $(,)? })+) => {$(
        impl Word for $type {
            const FORM: Form = Form::choice(&[$($word),+]);

            fn parse(text: &str) -> Result<Self, Invalid> {
                choose(text, &[$(($word, Self::$variant)),+])
            }
        }
    )+};
}

choices! {
    Base { "control-plane" => ControlPlane, "worker" => Worker, "all-in-one" => AllInOne }
    BmcProtocol { "redfish" => Redfish, "ipmi" => Ipmi }
    BondMode { "802.3ad" => Lacp, "active-backup" => ActiveBackup, "balance-xor" => BalanceXor }
    Cpu { "intel" => Intel, "amd" => Amd, "other" => Other }
    Firmware { "uefi" => Uefi, "bios" => Bios }
    Format { "ext4" => Ext4, "xfs" => Xfs, "btrfs" => Btrfs }
    KeyAlgorithm { "ecdsa-p256" => EcdsaP256, "ecdsa-p384" => EcdsaP384 }
    Labels { "node" => Node, "disk" => Disk }
    OpenOn { "nodes" => Nodes, "provisioner" => Provisioner, "all" => All }
    Role { "management" => Management, "provisioning" => Provisioning, "cluster" => Cluster, "client" => Client }
    System { "x86_64-linux" => X86_64, "aarch64-linux" => Aarch64 }
    Unlock { "passphrase" => Passphrase, "tpm2" => Tpm2 }
    BootVerification { "none" => None, "digest" => Digest, "signature" => Signature }
}

impl Word for DhcpServer {
    const FORM: Form = Form::choice(&Self::NAMES);

    fn parse(text: &str) -> Result<Self, Invalid> {
        choose(text, &Self::ALL.map(|server| (server.as_str(), server)))
    }
}

/// The code of a rule, `PG-D04`. Whether there is such a rule is a matter of the table of rules.
pub(super) struct RuleCode(pub(super) String);

impl Word for RuleCode {
    const FORM: Form = Form::new("the code of a warning", "^PG-[A-Z][0-9]{2}$", &["PG-D04"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        let shape = text.strip_prefix("PG-").is_some_and(|id| {
            id.len() == 3
                && id.starts_with(|c: char| c.is_ascii_uppercase())
                && id[1..].bytes().all(|b| b.is_ascii_digit())
        });
        if shape {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            "PG-A04",
            format!("`{text}` is not the code of a rule"),
            "write one such as `PG-D04`",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_list_what_is_legal() {
        let invalid = Firmware::parse("uefy").unwrap_err();
        assert_eq!(invalid.code, "PG-A04");
        assert!(invalid.help.contains("did you mean `uefi`?") && invalid.help.contains("`bios`"));
    }
}
