//! The values of an inventory's text whose keys are named like secrets. The text need not be TOML: nothing that quotes the
//! text may quote such a value, since terminals and CI keep logs.

use std::net::IpAddr;

use crate::diag::Span;

use super::secret_words::{is_literal, is_secret_name};

/// How many bytes before a value may belong to the key.
const LONGEST_KEY: usize = 128;

/// Finds the values of keys that are named like secrets, in order, without their quotes. A value without quotes reaches to
/// the end of its line.
#[must_use]
pub fn find_secret_values(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(sign) = text[at..].find(['=', ':', '"', '\'']).map(|sign| at + sign) {
        at = sign + 1;
        let is_pair = match &text[sign..at] {
            "=" => true,
            ":" => text[at..].starts_with([' ', '\t', '\n', '"', '\'']),
            // A key without `=`, before a text in quotes.
            _ => {
                let is_apart = text[..sign].ends_with([' ', '\t']);
                at = if is_apart { sign } else { at };
                is_apart
            }
        };
        if !is_pair || !is_secret_name(key_before(&text[..sign])) {
            at = sign + 1;
            continue;
        }
        for value in values_behind(text, at) {
            at = value.end;
            let written = text[value.clone()].trim();
            if is_literal(written) && written.parse::<IpAddr>().is_err() {
                found.push(value);
            }
        }
    }
    found
}

/// The values that begin at the place `at` of `text`: one on the line, or else on the next lines a text in quotes or a list
/// of YAML.
fn values_behind(text: &str, at: usize) -> Vec<Span> {
    let value = value_behind(text, at);
    let Some(mut next) = next_line(text, value.end).filter(|_| text[value.clone()].trim().is_empty()) else {
        return vec![value];
    };
    let mut values = Vec::new();
    loop {
        let start = text.len() - text[next..].trim_start_matches([' ', '\t']).len();
        match text[start..].strip_prefix("- ") {
            Some(_) => values.push(value_behind(text, start + 2)),
            None if values.is_empty() && text[start..].starts_with(['"', '\'']) => {
                return vec![value_behind(text, start)];
            }
            None => break,
        }
        let Some(line) = values.last().and_then(|item| next_line(text, item.end)) else { break };
        next = line;
    }
    if values.is_empty() { vec![value] } else { values }
}

/// Where the line behind that of the place `at` begins.
fn next_line(text: &str, at: usize) -> Option<usize> {
    text[at..].find('\n').map(|end| at + end + 1)
}

/// The last word of `text`, without quotes.
fn key_before(text: &str) -> &str {
    let mut start = text.len().saturating_sub(LONGEST_KEY);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let key = text[start..].trim_end_matches([' ', '\t', '"', '\'']);
    let is_apart = |c: char| !(c.is_alphanumeric() || "_-".contains(c));
    key.rfind(is_apart).map_or(key, |before| key[before..].trim_start_matches(is_apart))
}

/// The value that begins at the place `at` of `text`, without quotes and brackets.
fn value_behind(text: &str, at: usize) -> Span {
    let start = text.len() - text[at..].trim_start_matches([' ', '\t', '=', '>']).len();
    let rest = &text[start..];
    for (open, close) in [("\"\"\"", "\"\"\""), ("'''", "'''"), ("[", "]")] {
        if let Some(inner) = rest.strip_prefix(open) {
            let start = start + open.len();
            return start..start + inner.find(close).unwrap_or(inner.len());
        }
    }
    let line = rest.lines().next().unwrap_or_default();
    let quote = ["\"", "'"].into_iter().find(|quote| line.starts_with(quote));
    let Some(quote) = quote else { return start..start + line.len() };
    let inner = &line[1..];
    let mut is_escaped = false;
    let closing = inner.char_indices().find(|(_, c)| {
        let is_closing = !is_escaped && quote.starts_with(*c);
        is_escaped = !is_escaped && *c == '\\' && quote == "\"";
        is_closing
    });
    start + 1..start + 1 + closing.map_or(inner.len(), |(end, _)| end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::json_schema;

    #[test]
    fn values_of_secrets_are_found_in_any_form() {
        for (text, secrets) in [
            ("password = \"hunter2\" # x\nname = \"x\"\n", &["hunter2"][..]),
            ("PASSWORD=hunter2\n", &["hunter2"]),
            ("bmc = { user = \"x\", password = \"hunter2\", api_key = 'abc' }", &["hunter2", "abc"]),
            ("\"token\": \"abc\\\"d\",\nother: x", &["abc\\\"d"]),
            ("db.password = \"hunter2\n", &["hunter2"]),
            ("//registry.example/:_authToken=npm_abc\n", &["npm_abc"]),
            ("PrivateKey = aGVsbG8=\nPresharedKey = aGVsbG8=\n", &["aGVsbG8=", "aGVsbG8="]),
            ("passphrase = \"\"\"one\ntwo\"\"\"\nx = 1", &["one\ntwo"]),
            ("tokens = [\"a\",\n\"b\"]\nx = 1", &["\"a\",\n\"b\""]),
            ("dsn = \"host=db password=hunter2\"\n", &["hunter2\""]),
            ("é_password == \"hunter2\"", &["hunter2"]),
            ("password \"hunter2\"\nname = \"x\"", &["hunter2"]),
            ("password:\n  - hunter2\n  - \"other\"\nname: x\n", &["hunter2", "other"]),
            ("password =\n\"hunter2\"\nname = \"x\"\n", &["hunter2"]),
            ("password =\n- hunter2", &["hunter2"]),
            ("password =\nname = \"x\"\n", &[]),
            ("password =\n", &[]),
            ("names = [\"token\", \"x\"]", &[]),
            ("password", &[]),
            ("password =", &[]),
            ("password = \"/run/secrets/db\"", &[]),
            ("password = \"$PASSWORD\"", &[]),
            ("[vip]\ntoken = \"10.0.0.1\"", &[]),
            ("password_file = \"x\"", &[]),
            ("mac = \"52:54:00:12:34:56\"", &[]),
        ] {
            let found: Vec<_> = find_secret_values(text).into_iter().map(|span| &text[span]).collect();
            assert_eq!(found, secrets, "{text}");
        }
    }

    /// A key of the schema is not named like a secret: its values are quoted.
    #[test]
    fn no_key_of_the_schema_is_named_like_a_secret() {
        let mut schemas = vec![json_schema()];
        let mut keys = 0;
        while let Some(schema) = schemas.pop() {
            for (key, property) in schema["properties"].as_object().into_iter().flatten() {
                assert!(!is_secret_name(key), "{key}");
                keys += 1;
                schemas.push(property.clone());
            }
            let inner = ["items", "additionalProperties"].map(|name| schema[name].clone());
            schemas.extend(inner.into_iter().filter(serde_json::Value::is_object));
        }
        assert!(keys > 100, "{keys}");
    }
}
