//! The table of `plasmagen diff` beside NixOS' module system: one key of a golden case is changed at a time, and several of
//! a random inventory; both configurations of a node are evaluated, and the options that differ have the effect that the
//! table predicts, or a lesser one.

mod edits;
mod mutations;
mod options;
mod pairs;

use std::collections::BTreeSet;
use std::fs;

use plasmagen::change::table::list_rows;
use test_kit::{repository, site};

use edits::{EDITS, Edit, apply};
use options::UNKNOWN;
use pairs::{Compared, Pair, compare_all};

/// The number of random pairs; `PLASMAGEN_CHANGE_PAIRS` asks for more, and never for fewer.
const RANDOM: u64 = 24;

/// The text of the golden case `case`, or of the reference.
fn text_of(case: &str) -> String {
    let dir = match case {
        "reference" => repository().to_owned(),
        _ => repository().join("tests/golden").join(case),
    };
    fs::read_to_string(dir.join("inventory.toml")).unwrap()
}

/// The pairs of single changes, or the names of those that are refused.
fn list_edited() -> Result<Vec<Pair>, Vec<String>> {
    let pair = |edit: &Edit| {
        let (key, case, node, ..) = edit;
        let (old, name) = (text_of(case), format!("{key} of {case}"));
        Pair::new(name.clone(), &old, &apply(&old, edit), node).ok_or(name)
    };
    let (pairs, refused): (Vec<_>, Vec<_>) = EDITS.iter().map(pair).partition(Result::is_ok);
    let refused: Vec<String> = refused.into_iter().filter_map(Result::err).collect();
    if refused.is_empty() { Ok(pairs.into_iter().filter_map(Result::ok).collect()) } else { Err(refused) }
}

/// Several changes of the reference at once, as far as they fit together.
fn combined() -> Vec<Pair> {
    let reference = text_of("reference");
    let fits = |edit: &&Edit| {
        edit.1 == "reference" && edit.2 == "node01" && !edit.3.is_empty() && !edit.3.contains("[node")
    };
    let single: Vec<&Edit> = EDITS.iter().filter(fits).collect();
    let combine = |window: &[&Edit]| {
        let apply_if_there =
            |text: String, edit: &&Edit| if text.contains(edit.3) { apply(&text, edit) } else { text };
        let new = window.iter().fold(reference.clone(), apply_if_there);
        let name = window.iter().map(|edit| edit.0).collect::<Vec<_>>().join(" and ");
        Pair::new(name.clone(), &reference, &new, "node01").unwrap_or_else(|| panic!("{name} is refused"))
    };
    single.windows(3).map(combine).collect()
}

/// The pairs whose prediction is below what NixOS does.
fn list_misses(compared: &[Compared]) -> Vec<String> {
    let unknown: BTreeSet<_> = compared
        .iter()
        .flat_map(|pair| pair.options.iter().filter(|option| option.starts_with(UNKNOWN)))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    let missed = compared.iter().filter(|pair| pair.predicted < pair.computed);
    missed
        .map(|pair| {
            let (name, predicted, computed) = (&pair.name, pair.predicted, pair.computed);
            format!("{name}: predicted {predicted:?}, NixOS does {computed:?}: {:?}", pair.options)
        })
        .collect()
}

/// The number of random pairs that are compared.
fn number_of_pairs() -> u64 {
    let asked = std::env::var("PLASMAGEN_CHANGE_PAIRS").ok();
    let number = |asked: String| match asked.parse::<u64>() {
        Ok(number) => number.max(RANDOM),
        Err(_) => panic!("PLASMAGEN_CHANGE_PAIRS is no number: {asked}"),
    };
    asked.map_or(RANDOM, number)
}

#[test]
fn no_prediction_is_below_what_nixos_does() {
    let mut pairs = list_edited().unwrap_or_else(|refused| panic!("no inventories: {refused:#?}"));
    pairs.extend(combined());
    let compared = compare_all(&pairs);
    assert_eq!(compared.len(), pairs.len());
    for (edit, found) in EDITS.iter().zip(&compared) {
        assert!(found.keys.contains(edit.0), "{} did not change: {:?}", edit.0, found.keys);
    }
    let equal = compared.iter().filter(|pair| pair.predicted == pair.computed).count();
    let rows = list_rows().count();
    let proved: BTreeSet<&str> =
        compared.iter().flat_map(|pair| pair.keys.iter().map(String::as_str)).collect();
    let misses = list_misses(&compared);
    let figures = format!(
        "{rows} rows, {} of them changed by a pair; {} pairs, {equal} predicted as they are and {} as worse; {} misses; {RANDOM} \
         random pairs",
        proved.len(),
        compared.len(),
        compared.len() - equal,
        misses.len()
    );
    println!("{figures}");
    assert!(misses.is_empty(), "{misses:#?}");
    let document = fs::read_to_string(repository().join("docs/changing.md")).unwrap();
    let document = document.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(document.contains(&figures), "docs/changing.md has other figures than: {figures}");
}

#[test]
fn no_prediction_of_a_random_change_is_below_what_nixos_does() {
    let wanted = number_of_pairs();
    let mut pairs = Vec::new();
    for number in 0..wanted {
        let old = site::inventory(number);
        pairs.push(mutations::random_pair(number, &old));
    }
    let compared = compare_all(&pairs);
    assert_eq!(compared.len() as u64, wanted);
    // A comparison of equal clusters proves nothing.
    let empty: Vec<_> = compared.iter().filter(|pair| pair.keys.is_empty()).map(|pair| &pair.name).collect();
    assert!(empty.is_empty(), "{empty:?}");
    let touched = compared.iter().filter(|pair| pair.computed > plasmagen::change::Effect::File).count();
    assert!(touched * 4 > compared.len(), "NixOS does something in {touched} of {} pairs", compared.len());
    let keys: BTreeSet<&str> =
        compared.iter().flat_map(|pair| pair.keys.iter().map(String::as_str)).collect();
    println!("{} random pairs, {} keys: {keys:?}", compared.len(), keys.len());
    let misses = list_misses(&compared);
    assert!(misses.is_empty(), "{misses:#?}");
}
