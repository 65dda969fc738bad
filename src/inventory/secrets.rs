//! Rule A16: strings that are private keys, or that look like secrets, which would be committed with the inventory.

use toml::de::{DeString, DeTable, DeValue};

use crate::diag::{Diagnostic, Report, Span, Subject};
use crate::model::find_private_key;

/// Words that end the name of a secret: `admin_password`, `apiToken`.
const SECRET: [&str; 12] = [
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikey",
    "credential",
    "credentials",
    "psk",
];
/// Words before a final `key` that make it a secret: `private_key`.
const KEY: [&str; 6] = ["api", "private", "secret", "access", "encryption", "signing"];
/// Words in the names of values that are as random as a secret, but public.
const PUBLIC: [&str; 10] =
    ["public", "pub", "cert", "certificate", "digest", "hash", "checksum", "fingerprint", "id", "recipient"];

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
    find_private_key(format!("{text}\nAAAAAAAA").as_bytes())
}

/// The kind of secret that `text` looks like.
fn classify(key: &Key<'_>, text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY") {
        return Some("a private key");
    }
    if text.contains("AGE-SECRET-KEY-") {
        return Some("an age identity");
    }
    // Elsewhere a key such as `token` is a name that the user gives, to a virtual address for example.
    if key.free && is_secret_name(key.name) && is_literal(text) {
        return Some("a password or token");
    }
    let login = text.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
    if login.and_then(|(login, _)| login.split_once(':')).is_some_and(|(_, password)| is_literal(password)) {
        return Some("an address with a password");
    }
    let assigned = |name| text.split_once(name)?.1.split([' ', ';', '&', ',']).next();
    if ["password=", "passwd=", "secret=", "token="].into_iter().filter_map(assigned).any(is_literal) {
        return Some("a password or token");
    }
    let random = key.free
        && is_random(text)
        && !split_words(key.name).iter().any(|word| PUBLIC.contains(&word.as_str()));
    random.then_some("a random key")
}

/// `name` without `word`, if the name ends in that word.
fn strip_last_word<'n>(name: &'n str, word: &str) -> Option<&'n str> {
    let (before, end) = name.split_at_checked(name.len().checked_sub(word.len())?)?;
    let apart = !before.ends_with(char::is_alphanumeric) || end.starts_with(char::is_uppercase);
    let separator = |c: char| !c.is_alphanumeric();
    (apart && end.eq_ignore_ascii_case(word)).then(|| before.trim_end_matches(separator))
}

fn is_secret_name(name: &str) -> bool {
    let key = strip_last_word(name, "key").or_else(|| strip_last_word(name, "keys"));
    SECRET.iter().any(|word| strip_last_word(name, word).is_some())
        || key.is_some_and(|rest| KEY.iter().any(|word| strip_last_word(rest, word).is_some()))
}

/// Whether `text` is the secret itself, and no reference to it: a path, a variable, a URL, a placeholder.
fn is_literal(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['/', '.', '$', '%', '<', '{', '@', '~'])
        && !["file:", "env:", "vault:", "secret:", "*"].iter().any(|start| text.starts_with(start))
        && !text.contains("://")
}

/// Whether `text` looks drawn at random: 32 or more characters of Base64, of all kinds, of 4.2 bits each (Shannon).
/// Digests and UUIDs are hexadecimal, of 4 bits at most; a digest in Base64 says its algorithm (`sha256-…`).
fn is_random(text: &str) -> bool {
    let count = |kind: fn(u8) -> bool| text.bytes().filter(|b| kind(*b)).count();
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b);
    let starts = |start: &&str| text.starts_with(*start);
    let drawn = (32..=4096).contains(&text.len())
        && text.bytes().all(base64)
        && count(|b| b.is_ascii_lowercase()) > 0
        && count(|b| b.is_ascii_uppercase()) > 0
        && count(|b| b.is_ascii_digit()) >= text.len() / 16
        // Words that are put together.
        && count(|b| b"-_".contains(&b)) <= text.len() / 16;
    if !drawn || ["/", "sha256-", "sha384-", "sha512-", "md5-", "AAAA"].iter().any(starts) {
        return false;
    }
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let all = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / all);
    -shares.map(|share| share * share.log2()).sum::<f64>() >= 4.2
}

/// The words of `name`, which begin at capitals and behind anything but letters and digits.
fn split_words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (small && c.is_uppercase()) {
            words.push(String::new());
        }
        small = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words
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
