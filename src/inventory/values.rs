//! Values that are neither words nor tables: choices, free-form settings, codes of rules.

use serde_json::{Map, Number, Value};
use toml::de::DeValue;

use crate::diag::{Diagnostic, Report};
use crate::model::{
    Base, BmcProtocol, BondMode, Cpu, DhcpServer, Firmware, Format, Invalid, KeyAlgorithm, Protocol, Role,
    Settings, System, Verify, Word,
};

use super::reader::{Cell, Read, integer, text};

/// The closest of `words` to `typed`, if it is close enough to be what was meant.
pub(crate) fn nearest<'w>(typed: &str, words: &[&'w str]) -> Option<&'w str> {
    let distance = |word: &&str| strsim::damerau_levenshtein(&typed.to_lowercase(), &word.to_lowercase());
    let near = words.iter().min_by_key(|word| distance(word))?;
    let enough = (near.len().max(typed.len()) / 3).max(1);
    (typed.len() < 64 && distance(near) <= enough).then_some(*near)
}

/// One of a few words, as rule A04 wants them.
fn choose<T: Copy>(typed: &str, choices: &[(&str, T)]) -> Result<T, Invalid> {
    if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == typed) {
        return Ok(*choice);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let legal = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let help = match nearest(typed, &words) {
        Some(near) => format!("did you mean `{near}`? legal are {legal}"),
        None => format!("legal are {legal}"),
    };
    Err(Invalid::new("PG-A04", format!("`{typed}` is none of the legal values"), help))
}

macro_rules! choices {
    ($($type:ident { $($word:literal => $variant:ident),+ $(,)? })+) => {$(
        impl Word for $type {
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
    DhcpServer { "kea" => Kea, "isc" => Isc, "dnsmasq" => Dnsmasq }
    Firmware { "uefi" => Uefi, "bios" => Bios }
    Format { "ext4" => Ext4, "xfs" => Xfs, "btrfs" => Btrfs }
    KeyAlgorithm { "ecdsa-p256" => EcdsaP256, "ecdsa-p384" => EcdsaP384 }
    Protocol { "tcp" => Tcp, "udp" => Udp }
    Role { "management" => Management, "provisioning" => Provisioning, "cluster" => Cluster, "client" => Client }
    System { "x86_64-linux" => X86_64, "aarch64-linux" => Aarch64 }
    Verify { "none" => None, "digest" => Digest, "signature" => Signature }
}

/// The code of a rule, `PG-D04`. Whether there is such a rule is a matter of the table of rules.
pub(super) struct RuleCode(pub(super) String);

impl Word for RuleCode {
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

/// Settings that plasmagen passes through. TOML's dates and infinities have no counterpart in JSON and Nix.
impl Read for Settings {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        match setting(cell, report)? {
            Value::Object(settings) => Some(settings),
            _ => {
                cell.expected("a table", report);
                None
            }
        }
    }
}

fn setting(cell: Cell<'_>, report: &mut Report) -> Option<Value> {
    let at = |value: &toml::Spanned<DeValue<'_>>| (value.span().start, value.span().end);
    Some(match cell.value {
        DeValue::String(_) => Value::String(text(cell, report)?.to_owned()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(number) => match integer(number) {
            // Nix reads -9223372036854775808 as a negated number that is too large.
            Some(value) if value != i64::MIN => Value::Number(value.into()),
            _ => return refuse(cell, "PG-A10", "this number does not fit 64 bits", report),
        },
        DeValue::Float(number) => match float(number.as_str()).and_then(Number::from_f64) {
            Some(value) => Value::Number(value),
            None => return refuse(cell, "PG-A10", "Nix cannot say this number", report),
        },
        DeValue::Datetime(_) => {
            return refuse(cell, "PG-A04", "a date cannot be passed on: write it as a string", report);
        }
        DeValue::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items.iter() {
                let (start, end) = at(item);
                list.extend(setting(Cell { value: item.get_ref(), start, end }, report));
            }
            Value::Array(list)
        }
        DeValue::Table(table) => {
            let mut map = Map::new();
            for (name, item) in table {
                let (start, end) = at(item);
                if name.get_ref().chars().any(char::is_control) {
                    let message = "this key holds a control character";
                    report.push(
                        Diagnostic::error("PG-A06", &name.span(), message)
                            .help("write visible characters only"),
                    );
                } else if let Some(value) = setting(Cell { value: item.get_ref(), start, end }, report) {
                    map.insert(name.get_ref().to_string(), value);
                }
            }
            Value::Object(map)
        }
    })
}

/// A number that every consumer reads back as the same: finite, not subnormal, not `-0.0`.
fn float(text: &str) -> Option<f64> {
    let value: f64 = text.replace('_', "").parse().ok()?;
    (value.is_normal() || (value == 0.0 && value.is_sign_positive())).then_some(value)
}

fn refuse<T>(cell: Cell<'_>, code: &'static str, message: &str, report: &mut Report) -> Option<T> {
    report.push(Diagnostic::error(code, &cell.span(), message));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_word() {
        let words = ["bootstrap", "domain", "name", "state_version"];
        assert_eq!(nearest("bootstap", &words), Some("bootstrap"));
        assert_eq!(nearest("State-Version", &words), Some("state_version"));
        assert_eq!(nearest("colour", &words), None);
    }

    #[test]
    fn choices_list_what_is_legal() {
        let invalid = Firmware::parse("uefy").unwrap_err();
        assert_eq!(invalid.code, "PG-A04");
        assert!(invalid.help.contains("did you mean `uefi`?") && invalid.help.contains("`bios`"));
    }
}
