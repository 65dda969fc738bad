//! Many faults at once: each is reported where it is, once, and nothing that merely follows from another.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use plasmagen::check::{Checked, check};

/// The lines of `text` with the codes that they end in: `# PG-G03 PG-A04`.
fn marked(text: &str) -> Vec<(usize, &str)> {
    let marks = (1..).zip(text.lines()).filter_map(|(line, text)| Some((line, text.split_once(" # PG-")?.1)));
    marks.flat_map(|(line, codes)| codes.split(" PG-").map(move |code| (line, code))).collect()
}

/// The lines of what was found in `text`, with its codes.
fn found<'c>(text: &str, checked: &'c Checked) -> Vec<(usize, &'c str)> {
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let found = checked.diagnostics.iter();
    found.map(|own| (line(own.span.start), own.code.trim_start_matches("PG-"))).collect()
}

#[test]
fn each_fault_is_reported_once_and_by_place() {
    let text = include_str!("faults/inventory.toml");
    let checked = check(text.as_bytes()).unwrap();
    let (found, marked) = (found(text, &checked), marked(text));
    for (own, place) in checked.diagnostics.iter().zip(&found) {
        assert!(marked.contains(place), "{place:?} merely follows from another: {}", own.message);
    }
    assert_eq!(found, marked);
    assert!(marked.len() > 80, "{}", marked.len());
}
