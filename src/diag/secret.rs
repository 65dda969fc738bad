//! Private keys in the text of an inventory: no message and no excerpt quotes them, since terminals and CI keep logs.

use super::span::Span;

/// The last words of the line that begins or ends a private key in PEM (RFC 7468) or in OpenSSH's format (PROTOCOL.key).
const PEM: &str = "PRIVATE KEY-----";
/// The beginning of an age identity.
const AGE: &str = "AGE-SECRET-KEY-";
/// The beginning of a file of PuTTY's.
const PUTTY: &str = "PuTTY-User-Key-File-";

/// The markers that private keys begin with, each with what it begins.
pub const KEY_MARKERS: [(&str, &str); 3] =
    [(PEM, "a private key"), (AGE, "an age identity"), (PUTTY, "a private key")];

/// The letters of a passphrase that plasmagen makes for encrypted disks: modhex, as in systemd's recovery keys.
pub const PASSPHRASE_LETTERS: &[u8; 16] = b"cbdefghijklnrtuv";

/// The length of such a passphrase: eight groups of four letters, with hyphens between them.
const PASSPHRASE: usize = 39;

/// Finds the first passphrase of encrypted disks in `bytes`, as `plasmagen render` makes them; returns its place.
#[must_use]
pub fn find_passphrase(bytes: &[u8]) -> Option<Span> {
    // The hyphen behind the first group.
    let starts = memchr::memchr_iter(b'-', bytes).filter_map(|at| at.checked_sub(4));
    starts.map(|start| start..start + PASSPHRASE).find(|place| {
        let is_word =
            |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        let is_legal = |(at, byte): (usize, &u8)| match at % 5 {
            4 => *byte == b'-',
            _ => PASSPHRASE_LETTERS.contains(byte),
        };
        bytes.get(place.clone()).is_some_and(|text| text.iter().enumerate().all(is_legal))
            && !is_word(place.end)
            && !place.start.checked_sub(1).is_some_and(is_word)
    })
}

/// How many bytes before [`PEM`] the line may begin: the longest type of key is `ENCRYPTED`.
const LOOK_BACK: usize = 32;

/// How many characters a file of nothing but base64 has at least: a key of WireGuard has 44, one of 256 bits in all
/// other forms as many or more.
const LEAST: usize = 40;

/// Finds the private keys in `text`, in order. A key in PEM reaches from the line that begins the key to the line that
/// ends the key; without such a line, to the end of the text. A mere mention of the words that keys begin with, in a comment
/// for example, is no key.
#[must_use]
pub fn find_keys(text: &str) -> Vec<Span> {
    let word = text.trim();
    if word.len() >= LEAST && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    {
        return std::iter::once(0..text.len()).collect();
    }
    find_marked_keys(text)
}

/// Finds the keys by their markers, in one pass: a text of a million markers must not take the square of that.
fn find_marked_keys(text: &str) -> Vec<Span> {
    let mut marks: Vec<(usize, &str)> =
        KEY_MARKERS.iter().flat_map(|(mark, _)| text.match_indices(mark)).collect();
    marks.sort_unstable();
    let mut keys = Vec::<Span>::new();
    for (n, (at, mark)) in marks.iter().copied().enumerate() {
        if keys.last().is_some_and(|key| at < key.end) {
            continue;
        }
        let rest = &text[at + mark.len()..];
        let key = match mark {
            PEM => {
                let mut before = at.saturating_sub(LOOK_BACK)..=at;
                let before = before.find(|place| text.is_char_boundary(*place)).unwrap_or(at);
                let begin = text[before..at].rfind("-----BEGIN").filter(|_| has_body(rest));
                let next = || marks[n + 1..].iter().find(|(_, mark)| *mark == PEM);
                begin.map(|begin| before + begin..next().map_or(text.len(), |(next, _)| next + PEM.len()))
            }
            AGE => {
                let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
                (length > 1).then_some(at..at + mark.len() + length)
            }
            // The version of the format: `2: ssh-rsa`.
            _ => rest.get(1..).filter(|rest| rest.starts_with(':')).map(|_| at..text.len()),
        };
        keys.extend(key);
    }
    add_passphrases(text, &mut keys);
    keys
}

/// Adds the passphrases in `text` that lie in none of `keys`.
fn add_passphrases(text: &str, keys: &mut Vec<Span>) {
    let mut begin = 0;
    let mut found = Vec::new();
    while let Some(place) = find_passphrase(&text.as_bytes()[begin..]) {
        let place = begin + place.start..begin + place.end;
        begin = place.end;
        if !keys.iter().any(|key| key.contains(&place.start)) {
            found.push(place);
        }
    }
    keys.extend(found);
    keys.sort_unstable_by_key(|key| key.start);
}

/// Whether `text`, which follows the line that begins a key in PEM, begins with the body of the key: a line of Base64, or a
/// header. Line ends may be written as escapes, and each line may stand in quotes or in a comment.
fn has_body(text: &str) -> bool {
    const SEPARATORS: [&str; 11] = [" ", "\t", "\r", "\n", "\\n", "\\r", "#", "\"", "'", ",", "\\u{a}"];
    let mut body = text;
    while let Some(rest) = SEPARATORS.iter().find_map(|separator| body.strip_prefix(separator)) {
        body = rest;
    }
    if ["Proc-Type:", "DEK-Info:"].iter().any(|header| body.starts_with(header)) {
        return true;
    }
    let length = body.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)).count();
    let behind = body[length..].trim_start_matches('=');
    let is_line = behind.is_empty() || behind.starts_with(['\r', '\n', '\\', '"', '\'']);
    length >= 16 || length >= 4 && is_line
}

/// Replaces every private key in `text`.
pub(super) fn conceal(mut text: String) -> String {
    // From the end, so that the places of the keys before stay.
    for key in find_marked_keys(&text).into_iter().rev() {
        text.replace_range(key, "(a private key)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_whole() {
        for (before, key, after) in [
            ("a = 1\n", "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----", "\nb = 2\n"),
            ("a = '", "-----BEGIN EC PRIVATE KEY-----\\nMIGH\\n-----END EC PRIVATE KEY-----", "'\n"),
            (
                "",
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIGH\n-----END RSA PRIVATE KEY-----",
                "",
            ),
            ("", "-----BEGIN PRIVATE KEY----- MIGHAgEAMBMGByqGSM49 -----END PRIVATE KEY-----", "\n"),
            ("# ", "-----BEGIN PRIVATE KEY-----\n# MIGHAgEA\n# -----END PRIVATE KEY-----", "\n"),
            ("a = 1\n", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", ""),
            ("a = '", "AGE-SECRET-KEY-1QQPZRY9X8", "'\n"),
            ("", "PuTTY-User-Key-File-3: ssh-ed25519\nAAAA\n", ""),
            ("# ", "dcur-kfnb-tvli-hgej-dcur-kfnb-tvli-hgej", "\na = 1"),
            // Of a file of nothing else, the end of the line too.
            ("", "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n", ""),
        ] {
            let text = [before, key, after].concat();
            let place = before.len()..before.len() + key.len();
            assert_eq!(find_keys(&text), std::slice::from_ref(&place), "{text}");
        }
        let two = "AGE-SECRET-KEY-1A AGE-SECRET-KEY-1B";
        assert_eq!(conceal(two.to_owned()), "(a private key) (a private key)");
        let both = "AGE-SECRET-KEY-1A dcur-kfnb-tvli-hgej-dcur-kfnb-tvli-hgej AGE-SECRET-KEY-1B";
        assert_eq!(conceal(both.to_owned()), "(a private key) (a private key) (a private key)");
        for text in [
            "",
            "node01",
            "dcur-kfnb-tvli-hgej-dcur-kfnb-tvli-hgea",
            "dcur-kfnb-tvli-hgej-dcur-kfnb-tvli-hgej-dcur",
            "adcur-kfnb-tvli-hgej-dcur-kfnb-tvli-hgej",
            "-------------------------------------------",
            "-----BEGIN PUBLIC KEY-----\nMFkw\n",
            "the PRIVATE KEY",
            "AAAA",
            // Mentions.
            "# a key begins with -----BEGIN PRIVATE KEY-----\nname = \"x\"\n",
            "# -----BEGIN PRIVATE KEY-----\n[cluster]\n# -----END PRIVATE KEY-----\nformed=true\n",
            "-----END PRIVATE KEY-----\nMIGH\n",
            "# AGE-SECRET-KEY-… and PuTTY-User-Key-File-",
        ] {
            assert_eq!(find_keys(text), [], "{text}");
            assert_eq!(conceal(text.to_owned()), text);
        }
    }
}
