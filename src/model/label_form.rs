//! The form of labels, of which names of hosts and domains consist, and the legal label that is closest to a text.

use super::word::{Invalid, LONGEST_LABEL, check_identifier, has_label_form};

/// Letters with a mark or a ligature, and the ASCII letters that are written for them.
const PLAIN: [(&str, &str); 12] = [
    ("àáâãäåā", "a"),
    ("çćč", "c"),
    ("èéêëēę", "e"),
    ("ìíîïī", "i"),
    ("ñńň", "n"),
    ("òóôõöøō", "o"),
    ("śš", "s"),
    ("ùúûüū", "u"),
    ("ýÿ", "y"),
    ("źżž", "z"),
    ("æ", "ae"),
    ("ß", "ss"),
];

/// The legal label that is closest to `text`, if a letter or digit of `text` can stand in a label.
#[must_use]
pub fn suggest_label(text: &str) -> Option<String> {
    let mut label = String::new();
    for c in text.to_lowercase().chars() {
        match PLAIN.iter().find(|(letters, _)| letters.contains(c)) {
            Some((_, plain)) => label.push_str(plain),
            None if c.is_ascii_alphanumeric() => label.push(c),
            None => label.push('-'),
        }
    }
    let label = label.trim_matches('-');
    let label = label[..label.len().min(LONGEST_LABEL)].trim_matches('-');
    (!label.is_empty()).then(|| label.to_owned())
}

/// The legal domain that is closest to `text`.
pub(super) fn suggest_domain(text: &str) -> Option<String> {
    let labels: Option<Vec<String>> = text.split('.').map(suggest_label).collect();
    labels.map(|labels| labels.join("."))
}

/// Adds the legal label that is closest to `text` to a refusal.
fn with_label(invalid: Invalid, text: &str) -> Invalid {
    match suggest_label(text) {
        Some(label) => invalid.instead(label),
        None => invalid,
    }
}

/// Checks a label of `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, at most 63 bytes.
pub(super) fn check_label(text: &str, what: &str) -> Result<(), Invalid> {
    check_identifier(text)?;
    if !has_label_form(text, b"-") || text.bytes().any(|b| b.is_ascii_uppercase()) {
        let message = format!("`{text}` is not {what}: only a-z, 0-9 and inner hyphens are (RFC 1123)");
        let invalid = Invalid::new("PG-B01", message, "write letters a-z, digits and hyphens");
        return Err(with_label(invalid, text));
    }
    if text.len() > LONGEST_LABEL {
        let message = format!("this name has {} bytes, and a label at most 63", text.len());
        return Err(Invalid::new("PG-B02", message, "shorten it"));
    }
    Ok(())
}

/// Refuses a label that resolvers might read as something else (rule B02).
pub(super) fn check_other_meanings(text: &str) -> Result<(), Invalid> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let message = format!("`{text}` is all digits: tools read it as an address");
        return Err(Invalid::new("PG-B02", message, "").instead(format!("n{text}")));
    }
    // inet_aton(3) reads hexadecimal too: glibc's resolver asks nobody for such a name.
    let hex = text.strip_prefix("0x").unwrap_or_default();
    if !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = format!("`{text}` is a hexadecimal number: tools read it as an address");
        return Err(Invalid::new("PG-B02", message, "").instead(format!("n{text}")));
    }
    if text.starts_with("xn--") {
        let message = format!("`{text}` claims to be an internationalised name");
        return Err(Invalid::new("PG-B02", message, "use a plain ASCII name"));
    }
    Ok(())
}
