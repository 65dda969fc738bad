//! Helps lead on, whatever the slip: sound inventories with random slips, of which each change that a diagnostic proposes
//! gives a sound inventory or another diagnostic, and following the changes comes to an end.

use plasmagen::check::check;
use plasmagen::diag::{Diagnostic, Edit};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Sound inventories.
const SOURCES: [&str; 4] = [
    include_str!("../../inventory.toml"),
    include_str!("../golden/bonds-and-vlans/inventory.toml"),
    include_str!("../golden/ipv6/inventory.toml"),
    include_str!("../golden/minimal/inventory.toml"),
];

/// How many changes are followed: more than the slips and all that they hide.
const STEPS: usize = 40;

/// The signs of TOML, and those that are taken for them.
const SIGNS: [&str; 20] = [
    "\"", "'", "[", "]", "{", "}", "=", ",", ".", "#", "“", "”", ":", ";", "==", " ", "\n", "\\", "\u{a0}",
    "//",
];

/// A slip in an inventory.
#[derive(Clone, Debug)]
enum Slip {
    /// A sign of TOML is left out.
    Without(Index),
    /// A sign of TOML is another one.
    Other(Index, &'static str),
    /// A sign stands where none belongs.
    More(Index, &'static str),
    /// Two letters of a word change places.
    Swapped(Index),
    /// A word is in capitals.
    Capitals(Index),
    /// A word is another word of the inventory.
    Copied(Index, Index),
    /// A word, or a text with its quotes, gets quotes or loses them.
    Quoted(Index),
    /// A line is left out.
    WithoutLine(Index),
    /// A line stands a second time elsewhere.
    Repeated(Index, Index),
}

fn slip() -> impl Strategy<Value = Slip> {
    let at = any::<Index>;
    let sign = || select(SIGNS.to_vec());
    prop_oneof![
        at().prop_map(Slip::Without),
        (at(), sign()).prop_map(|(at, sign)| Slip::Other(at, sign)),
        (at(), sign()).prop_map(|(at, sign)| Slip::More(at, sign)),
        at().prop_map(Slip::Swapped),
        at().prop_map(Slip::Capitals),
        (at(), at()).prop_map(|(from, to)| Slip::Copied(from, to)),
        at().prop_map(Slip::Quoted),
        at().prop_map(Slip::WithoutLine),
        (at(), at()).prop_map(|(from, to)| Slip::Repeated(from, to)),
    ]
}

/// The places of the words in `text`, without quotes.
fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in text.split(|c: char| c.is_whitespace() || "\"'[]{}=,".contains(c)) {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        debug_assert!(start >= at);
        at = start;
        if !word.is_empty() {
            words.push(start..start + word.len());
        }
    }
    words
}

fn replace(text: &str, place: std::ops::Range<usize>, with: &str) -> String {
    [&text[..place.start], with, &text[place.end..]].concat()
}

/// `text` with the slip.
fn make(text: &str, slip: &Slip) -> String {
    let signs: Vec<_> = text.match_indices(['"', '\'', '[', ']', '{', '}', '=', ',', '.', '#']).collect();
    let (words, lines) = (words(text), text.split_inclusive('\n').collect::<Vec<_>>());
    if signs.is_empty() || words.is_empty() {
        return text.to_owned();
    }
    let sign = |index: &Index| {
        let (at, sign) = signs[index.index(signs.len())];
        at..at + sign.len()
    };
    let word = |index: &Index| words[index.index(words.len())].clone();
    match slip {
        Slip::Without(at) => replace(text, sign(at), ""),
        Slip::Other(at, other) => replace(text, sign(at), other),
        Slip::More(at, more) => {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let at = places[at.index(places.len())];
            replace(text, at..at, more)
        }
        Slip::Swapped(at) => {
            let place = word(at);
            let mut letters: Vec<char> = text[place.clone()].chars().collect();
            let middle = letters.len() / 2;
            letters.swap(middle, middle.saturating_sub(1));
            replace(text, place, &letters.into_iter().collect::<String>())
        }
        Slip::Capitals(at) => replace(text, word(at), &text[word(at)].to_uppercase()),
        Slip::Copied(from, to) => replace(text, word(to), &text[word(from)]),
        Slip::Quoted(at) => {
            let place = word(at);
            let (before, behind) = (&text[..place.start], &text[place.end..]);
            match (before.strip_suffix('"'), behind.strip_prefix('"')) {
                (Some(before), Some(behind)) => [before, &text[place], behind].concat(),
                _ => [before, "\"", &text[place], "\"", behind].concat(),
            }
        }
        Slip::WithoutLine(at) => {
            let left = at.index(lines.len());
            lines.iter().enumerate().filter(|(line, _)| *line != left).map(|(_, line)| *line).collect()
        }
        Slip::Repeated(from, to) => {
            let mut lines = lines.clone();
            lines.insert(to.index(lines.len()), lines[from.index(lines.len())]);
            lines.concat()
        }
    }
}

fn found(text: &str) -> Vec<Diagnostic> {
    check(text.as_bytes()).unwrap().diagnostics
}

fn apply(text: &str, edit: &Edit) -> String {
    replace(text, edit.span.clone(), &edit.text)
}

/// Follows the changes that the diagnostics of `text` propose.
///
/// # Errors
/// The change that leads back to a fault, or to a text that was there before.
fn follow(text: &str) -> Result<(), String> {
    let mut seen: Vec<String> = Vec::new();
    let (mut text, mut faults) = (text.to_owned(), found(text));
    while let Some(edit) = faults.iter().find_map(|fault| fault.edit.clone()) {
        if seen.len() > STEPS || seen.contains(&text) {
            return Err(format!("no end after {} changes: {faults:#?}", seen.len()));
        }
        // Each help alone at first; then one behind the other.
        let ways = if seen.is_empty() { &faults[..] } else { &faults[..1] };
        for fault in ways {
            let Some(edit) = &fault.edit else { continue };
            let is_same = |other: &Diagnostic| {
                (other.code, &other.message, other.span.start)
                    == (fault.code, &fault.message, fault.span.start)
            };
            if let Some(again) = found(&apply(&text, edit)).into_iter().find(is_same) {
                return Err(format!("the change of {fault:#?} leads to {again:#?}"));
            }
        }
        let next = apply(&text, &edit);
        seen.push(std::mem::replace(&mut text, next));
        faults = found(&text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_change_leads_on(source in select(SOURCES.to_vec()), slips in prop::collection::vec(slip(), 1..4)) {
        let text = slips.iter().fold(source.to_owned(), |text, slip| make(&text, slip));
        if let Err(circle) = follow(&text) {
            let changed: Vec<_> = text.lines().filter(|line| !source.contains(*line)).collect();
            prop_assert!(false, "{circle}\n{changed:#?}");
        }
    }
}
