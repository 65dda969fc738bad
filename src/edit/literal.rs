//! Values as TOML.

/// Prints `text` as a string of TOML in double quotes.
#[must_use]
pub fn toml_string(text: &str) -> String {
    let mut printed = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => printed.extend(['\\', c]),
            c if c.is_control() => printed += &format!("\\u{:04X}", u32::from(c)),
            c => printed.push(c),
        }
    }
    printed + "\""
}

/// Prints `name` as a key of TOML, in quotes where it is no bare key.
pub(super) fn toml_key(name: &str) -> String {
    let is_bare = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if !name.is_empty() && is_bare(name) { name.to_owned() } else { toml_string(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_keys_are_read_back() {
        for text in ["node01", "a b", "\"\\", "\u{1}é\n", ""] {
            let line = format!("{} = {}", toml_key(text), toml_string(text));
            let read: toml::Table = line.parse().unwrap();
            assert_eq!(read.into_iter().next(), Some((text.to_owned(), text.into())), "{line}");
        }
        assert_eq!(toml_key("node01"), "node01");
    }
}
