//! Rule A16: strings that are private keys, or that look like secrets, which would be committed with the inventory.

use toml::de::{DeString, DeTable, DeValue};

use crate::diag::{Diagnostic, Report, Span, Subject};
use crate::model::{find_key_marker, find_private_key};

use super::secret_words::{is_literal, is_public_name, is_random, is_secret_name};

/// A string that is a secret, or looks like one.
struct Suspect {
    key: Span,
    span: Span,
    what: &'static str,
    /// Whether the string holds a private key, beyond doubt.
    is_private_key: bool,
}

/// The key that a value stands at.
struct Key<'a> {
    span: Span,
    name: &'a str,
    /// Whether the key belongs to another program: it stands below `settings`.
    free: bool,
}

/// Refuses each string below `root` that holds a private key, and warns of each that looks like a secret. Leaves out
/// strings that are refused anyway.
pub(super) fn check(root: &DeTable<'_>, report: &mut Report) {
    let mut suspects = Vec::new();
    // Rule H16 checks the recipients in `vault`.
    let tables = root.iter().filter(|(name, _)| name.get_ref() != "vault");
    tables.for_each(|(name, value)| search_entry(name, value, false, &mut suspects));
    if suspects.is_empty() {
        return;
    }
    let mut refused: Vec<Span> = report.places().cloned().collect();
    refused.sort_by_key(|span| span.start);
    for suspect in suspects {
        let after = refused.partition_point(|other| other.start < suspect.key.start);
        if refused.get(after).is_none_or(|other| other.start > suspect.span.end) {
            report.push(suspect.diagnostic());
        }
    }
}

impl Suspect {
    fn diagnostic(&self) -> Diagnostic {
        let Self { span, what, .. } = self;
        let fault = if self.is_private_key {
            let message =
                format!("this holds {what}, which would be committed to git and copied to every node");
            let help = "remove it from here and from git, and make another key: this one may be known now";
            Diagnostic::error("PG-A16", span, message).help(help)
        } else {
            let message = format!("this looks like {what}, and is committed to git");
            let help = "keep it in a file on the machine that needs it, and write that file's path here";
            Diagnostic::warning("PG-A16", span, message).help(help)
        };
        fault.about(Subject::Secret)
    }
}

fn search_entry(
    name: &toml::Spanned<DeString<'_>>,
    value: &toml::Spanned<DeValue<'_>>,
    free: bool,
    found: &mut Vec<Suspect>,
) {
    let free = free || name.get_ref() == "settings";
    search_value(&Key { span: name.span(), name: name.get_ref(), free }, value, found);
}

fn search_value(key: &Key<'_>, value: &toml::Spanned<DeValue<'_>>, found: &mut Vec<Suspect>) {
    match value.get_ref() {
        DeValue::String(text) => {
            let private_key = find_key_in_line(text);
            if let Some(what) = private_key.or_else(|| classify(key, text)) {
                let is_private_key = private_key.is_some();
                found.push(Suspect { key: key.span.clone(), span: value.span(), what, is_private_key });
            }
        }
        DeValue::Array(items) => items.iter().for_each(|item| search_value(key, item, found)),
        DeValue::Table(inner) => {
            inner.iter().for_each(|(name, value)| search_entry(name, value, key.free, found));
        }
        _ => {}
    }
}

/// Looks for a private key in `text`, which may become a line of a file: the next line may look like the body of a key.
fn find_key_in_line(text: &str) -> Option<&'static str> {
    // No key and no passphrase is without a hyphen.
    text.find('-')?;
    find_private_key(format!("{text}\nAAAAAAAA").as_bytes())
}

/// The kind of secret that `text` looks like.
fn classify(key: &Key<'_>, text: &str) -> Option<&'static str> {
    if let Some(what) = find_key_marker(text) {
        return Some(what);
    }
    // Elsewhere a key such as `token` is a name that the user gives, to a virtual address for example.
    if key.free && is_secret_name(key.name) && is_literal(text) {
        return Some("a password or token");
    }
    // The parts that every such text has are looked for first: an inventory has 100,000 strings.
    let login = text
        .contains('@')
        .then(|| text.split_once("://"))
        .flatten()
        .and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
    if login.and_then(|(login, _)| login.split_once(':')).is_some_and(|(_, password)| is_literal(password)) {
        return Some("an address with a password");
    }
    let assigned = |name| text.split_once(name)?.1.split([' ', ';', '&', ',']).next();
    let names = ["password=", "passwd=", "secret=", "token="];
    if text.contains('=') && names.into_iter().filter_map(assigned).any(is_literal) {
        return Some("a password or token");
    }
    let random = key.free && is_random(text) && !is_public_name(key.name);
    random.then_some("a random key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_keys() {
        for text in
            ["-----BEGIN PRIVATE KEY-----\\nMIGHAgEA", "ops AGE-SECRET-KEY-1QQPZRY9X8", "AGE-SECRET-KEY-"]
        {
            assert!(find_key_in_line(text).is_some(), "{text}");
        }
        assert_eq!(find_key_in_line("the file that begins with AGE-SECRET-KEY-…"), None);
    }

    /// Classifies `name = text` below `settings`.
    fn looks(name: &str, text: &str) -> Option<&'static str> {
        classify(&Key { span: 0..0, name, free: true }, text)
    }

    #[test]
    fn secrets() {
        for (name, text) in [
            ("x", "-----BEGIN RSA PRIVATE KEY-----"),
            ("x", "AGE-SECRET-KEY-1QQQQ"),
            ("x", "PuTTY-User-Key-File-3:"),
            ("password", "hunter2"),
            ("adminPassword", "hunter2"),
            ("db-pass.token", "x"),
            ("API_KEY", "x"),
            ("apiKey", "x"),
            ("dsn", "postgres://me:hunter2@db/x"),
            ("dsn", "host=db password=hunter2"),
            ("x", "kZ3vX9q1Lr8TnW0pYb7Hd5Fs2Gc6Jm4Q"),
        ] {
            assert!(looks(name, text).is_some(), "{name} = {text}");
        }
    }

    #[test]
    fn names_of_the_users_are_no_secrets() {
        let key = Key { span: 0..0, name: "token", free: false };
        assert_eq!(classify(&key, "10.0.2.100"), None);
    }

    #[test]
    fn what_is_no_secret() {
        for (name, text) in [
            ("password", ""),
            ("password", "/run/secrets/db"),
            ("password", "${DB_PASSWORD}"),
            ("password_file", "hunter2"),
            ("token_ttl", "10m"),
            ("secret_name", "db"),
            ("tokenizer", "bpe"),
            ("monkey", "x"),
            ("key", "x"),
            ("äpassword", "x"),
            ("public_key", "kZ3vX9q1Lr8TnW0pYb7Hd5Fs2Gc6Jm4Q"),
            ("dsn", "postgres://db:5432/x"),
            ("dsn", "host=db password=$PASSWORD"),
            ("x", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops"),
            ("x", "AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57"),
            ("x", "/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800001_1"),
            ("x", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("x", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
            ("x", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
            ("x", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"),
            ("x", "ThePrivateNetworkOfTheMachinesInHall3"),
            ("x", "Provisioning-Network-Of-Rack-12-In-Hall-3"),
        ] {
            assert_eq!(looks(name, text), None, "{name} = {text}");
        }
    }
}
