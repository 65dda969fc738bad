//! Old and new values in few words.

use serde_json::Value;

/// The most entries of a list that are shown.
const FEW: usize = 3;

/// The longest value that is shown, in characters.
const LONGEST: usize = 120;

/// Describes a change of `key`: `mtu 1500 → 9000`, `vips.cache is new`, `disks + b − a`.
pub(super) fn describe_values(key: &str, old: Option<&Value>, new: Option<&Value>) -> String {
    match (old, new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => describe_lists(key, old, new),
        (Some(old), Some(new)) => match (scalar(old), scalar(new)) {
            (Some(old), Some(new)) => format!("{key} {old} → {new}"),
            _ => key.to_owned(),
        },
        (None, Some(new)) => {
            scalar(new).map_or_else(|| format!("{key} is new"), |new| format!("{key} is {new}"))
        }
        (Some(old), None) => match scalar(old) {
            Some(old) => format!("{key} was {old}"),
            None => format!("{key} is gone"),
        },
        (None, None) => key.to_owned(),
    }
}

fn describe_lists(key: &str, old: &[Value], new: &[Value]) -> String {
    let only = |one: &[Value], other: &[Value], sign: &str| -> String {
        let items: Vec<_> = one.iter().filter(|item| !other.contains(item)).collect();
        let shown: Vec<_> = items.iter().take(FEW).filter_map(|item| scalar(item)).collect();
        match items.len() {
            0 => String::new(),
            count if count > shown.len() => {
                format!(" {sign} {} and {} more", shown.join(", "), count - shown.len())
            }
            _ => format!(" {sign} {}", shown.join(", ")),
        }
    };
    let (added, removed) = (only(new, old, "+"), only(old, new, "−"));
    if added.is_empty() && removed.is_empty() {
        format!("{key} in another order")
    } else {
        format!("{key}{added}{removed}")
    }
}

/// A value that is no list and no table.
fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => return None,
        other => other.to_string(),
    };
    let short: String = text.chars().take(LONGEST).collect();
    Some(if short.len() < text.len() { short + "…" } else { text })
}
