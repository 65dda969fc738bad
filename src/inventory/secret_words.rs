//! The names and the forms of secrets: passwords, tokens and random keys.

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
const KEY: [&str; 7] = ["api", "private", "preshared", "secret", "access", "encryption", "signing"];
/// Words in the names of values that are as random as a secret, but public.
const PUBLIC: [&str; 10] =
    ["public", "pub", "cert", "certificate", "digest", "hash", "checksum", "fingerprint", "id", "recipient"];

/// `name` without `word`, if the name ends in that word.
fn strip_last_word<'n>(name: &'n str, word: &str) -> Option<&'n str> {
    let (before, end) = name.split_at_checked(name.len().checked_sub(word.len())?)?;
    let apart = !before.ends_with(char::is_alphanumeric) || end.starts_with(char::is_uppercase);
    let separator = |c: char| !c.is_alphanumeric();
    (apart && end.eq_ignore_ascii_case(word)).then(|| before.trim_end_matches(separator))
}

/// Whether `name` is that of a secret: its last words say so.
pub(super) fn is_secret_name(name: &str) -> bool {
    let key = strip_last_word(name, "key").or_else(|| strip_last_word(name, "keys"));
    SECRET.iter().any(|word| strip_last_word(name, word).is_some())
        || key.is_some_and(|rest| KEY.iter().any(|word| strip_last_word(rest, word).is_some()))
}

/// Whether `name` is that of a value as random as a secret, but public.
pub(super) fn is_public_name(name: &str) -> bool {
    split_words(name).iter().any(|word| PUBLIC.contains(&word.as_str()))
}

/// Whether `text` is the secret itself, and no reference to it: a path, a variable, a URL, a placeholder.
pub(super) fn is_literal(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['/', '.', '$', '%', '<', '{', '@', '~'])
        && !["file:", "env:", "vault:", "secret:", "*"].iter().any(|start| text.starts_with(start))
        && !text.contains("://")
}

/// Whether `text` looks drawn at random: 32 or more characters of Base64, of all kinds, of 4.2 bits each (Shannon).
/// Digests and UUIDs are hexadecimal, of 4 bits at most; a digest in Base64 says its algorithm (`sha256-…`).
pub(super) fn is_random(text: &str) -> bool {
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
