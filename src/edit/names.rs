//! Names of nodes: ranges such as `worker[10-15]`, and the next free name.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use crate::model::{HostName, Word};

/// The most names that one range may have.
const MOST_NAMES: usize = 100_000;

/// Expands `pattern`, a name or names with a range, such as `worker[08-12]` and `worker[1,3,7-9]`. Numbers have as many
/// digits as the first number of their range.
///
/// # Errors
/// When the pattern is none, or a name is no host name.
pub fn expand_names(pattern: &str) -> Result<Vec<HostName>> {
    let names = match pattern.split_once('[') {
        None => vec![pattern.to_owned()],
        Some((before, rest)) => {
            let shape = || format!("`{pattern}` is no range of names: write it as in `worker[10-15]`");
            let (ranges, after) = rest.split_once(']').with_context(shape)?;
            let mut names = Vec::new();
            for range in ranges.split(',') {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let number = |text: &str| {
                    text.parse::<usize>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
                };
                let numbers = number(first).zip(number(last)).filter(|(first, last)| first <= last);
                let (from, to) = numbers.with_context(shape)?;
                ensure!(to - from < MOST_NAMES, "`{pattern}` has more than {MOST_NAMES} names");
                let width = first.len();
                names.extend((from..=to).map(|number| format!("{before}{number:0width$}{after}")));
            }
            names
        }
    };
    let mut seen = BTreeSet::new();
    names
        .into_iter()
        .map(|name| parse_name(&name))
        .map(|name| {
            let name = name?;
            ensure!(seen.insert(name.as_str().to_owned()), "`{pattern}` has the name `{name}` twice");
            Ok(name)
        })
        .collect()
}

/// Parses the name of a node.
fn parse_name(name: &str) -> Result<HostName> {
    HostName::parse(name).map_err(|invalid| anyhow::anyhow!("{}: {}", invalid.message, invalid.help))
}

/// The name after `last` that is not `taken`: the next number, with as many digits.
///
/// # Errors
/// When `last` does not end with a number.
pub(super) fn next_name(last: &str, taken: &BTreeSet<String>) -> Result<HostName> {
    let stem = last.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &last[stem.len()..];
    let Ok(mut number) = digits.parse::<u64>() else {
        bail!("the last node, `{last}`, has no number that could be counted up: name the new node");
    };
    loop {
        number = number.checked_add(1).context("there is no next number: name the new node")?;
        let name = format!("{stem}{number:0width$}", width = digits.len());
        if !taken.contains(&name) {
            return parse_name(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(pattern: &str) -> Vec<String> {
        expand_names(pattern).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ranges_keep_their_digits() {
        assert_eq!(expand("node01"), ["node01"]);
        assert_eq!(expand("w[08-11]"), ["w08", "w09", "w10", "w11"]);
        assert_eq!(expand("r[1,3-4]x"), ["r1x", "r3x", "r4x"]);
        for wrong in ["w[1-", "w[]", "w[3-1]", "w[1-+3]", "w[a-b]", "w[1,1]", "W[1-2]", "w[1-999999999]"] {
            assert!(expand_names(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_name_is_neither_taken_nor_removed() {
        let taken = BTreeSet::from(["node06".to_owned(), "node07".to_owned()]);
        assert_eq!(next_name("node05", &taken).unwrap().as_str(), "node08");
        assert_eq!(next_name("w9", &taken).unwrap().as_str(), "w10");
        assert!(next_name("store", &taken).is_err());
    }
}
