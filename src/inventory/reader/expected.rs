//! A value of another type than a key has: what was expected, and how the value is written with that type.

use toml::de::DeValue;

/// The type that a value was expected to have.
#[derive(Clone, Copy)]
pub(in crate::inventory) enum Expected {
    /// A string.
    Text,
    /// A list.
    List,
    /// A table.
    Table,
    /// A boolean.
    Flag,
    /// A whole number.
    Number,
    /// A whole number of days.
    Days,
}

impl Expected {
    /// The type in TOML's words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::List => "a list",
            Self::Table => "a table",
            Self::Flag => "`true` or `false`",
            Self::Number => "a whole number",
            Self::Days => "a whole number of days",
        }
    }

    /// The text that says `value` with this type, where there is one such text.
    pub(super) fn convert(self, value: &DeValue<'_>) -> Option<String> {
        let number = |number: &toml::de::DeInteger<'_>| {
            Some(number.as_str().to_owned()).filter(|_| number.radix() == 10)
        };
        match (self, value) {
            (Self::Text, DeValue::Integer(integer)) => number(integer).map(|text| quote(&text)),
            (Self::Text, DeValue::Float(float)) => Some(quote(float.as_str())),
            (Self::Text, DeValue::Boolean(flag)) => Some(quote(&flag.to_string())),
            (Self::Text, DeValue::Array(items)) => match items.iter().collect::<Vec<_>>()[..] {
                [item] => {
                    Some(item.get_ref()).and_then(DeValue::as_str).filter(|text| is_plain(text)).map(quote)
                }
                _ => None,
            },
            (Self::List, DeValue::String(text)) => is_plain(text).then(|| format!("[{}]", quote(text))),
            (Self::List, DeValue::Integer(integer)) => number(integer).map(|text| format!("[{text}]")),
            (Self::Flag, DeValue::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some("true".to_owned()),
                "false" | "no" | "off" | "0" => Some("false".to_owned()),
                _ => None,
            },
            (Self::Number | Self::Days, DeValue::String(text)) => {
                let unit = if matches!(self, Self::Days) { &["d", "day", "days"][..] } else { &[] };
                let digits = unit.iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text).trim();
                let is_number = !digits.is_empty()
                    && digits.bytes().all(|b| b.is_ascii_digit())
                    && (digits == "0" || !digits.starts_with('0'));
                is_number.then(|| digits.to_owned())
            }
            _ => None,
        }
    }

    /// Returns the help: the text to write in the place of `value`, in words.
    pub(super) fn help(self, value: &DeValue<'_>) -> &'static str {
        match (self, value) {
            (Self::Table, DeValue::Array(_)) => {
                "write one table: a header in single brackets, `[…]`, or `{ key = value }`"
            }
            (Self::Table, _) => "write `{ key = value }`",
            (Self::List, _) => "write it in brackets: `[ … ]`",
            (Self::Text, DeValue::Array(_) | DeValue::Table(_)) => "write one text in quotes",
            (Self::Text, _) => "write it in quotes",
            (Self::Flag, _) => "write `true` or `false`, without quotes",
            (Self::Number, DeValue::String(text)) if text.contains('-') => {
                "write one whole number, without quotes; a range of ports is `ports = \"first-last\"` of a `firewall.open`"
            }
            (Self::Number, _) => "write a whole number, without quotes and without a unit",
            (Self::Days, _) => "write the number of days, without quotes and without a unit",
        }
    }
}

/// Whether `text` is a line of visible characters.
fn is_plain(text: &str) -> bool {
    !text.contains(crate::model::is_invisible)
}

/// `text`, a line of visible characters, as a string of TOML.
pub(in crate::inventory) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The type of a value in TOML's words.
pub(in crate::inventory) fn name_type(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
