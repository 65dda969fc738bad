//! Many faults at once: each is reported where it is, once, and nothing that merely follows from another.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::ops::Range;

use plasmagen::check::{Checked, check};

const REFERENCE: &str = include_str!("../inventory.toml");

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

/// The places that `find` finds in the lines of `text`, without comments and acknowledgements.
fn places(text: &str, find: impl Fn(&str) -> Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut places = Vec::new();
    for line in text.split_inclusive('\n') {
        let code = line.split('#').next().unwrap().trim_end();
        if !code.starts_with("allow") {
            places.extend(find(code).into_iter().map(|own| own.start + start..own.end + start));
        }
        start += line.len();
    }
    places
}

/// The strings of a line, with their quotes.
fn strings(line: &str) -> Vec<Range<usize>> {
    let quotes: Vec<_> = line.match_indices('"').map(|(at, _)| at).collect();
    quotes.chunks(2).map(|pair| pair[0]..pair[1] + 1).collect()
}

/// The value of a line `key = value`.
fn values(line: &str) -> Vec<Range<usize>> {
    let start = line.find(" = ").map(|at| at + 3).filter(|at| &line[*at..] != "[");
    start.map(|start| start..line.len()).into_iter().collect()
}

/// What of the reference's keys is a name of the user's.
const NAMES: &str = "management provisioning production client chainfire flaredb iam control-plane worker vip eth0 eth1 \
                     node01 node02 node03 node04 node05 log_level";

/// The ends of the keys of a line that are the schema's, those of inline tables and headers among them.
fn keys(line: &str) -> Vec<Range<usize>> {
    let equals = line.match_indices(" = ").map(|(at, _)| at);
    let dots = line.match_indices('.').map(|(at, _)| at).filter(|at| !line[..*at].contains('"'));
    let header = line.strip_suffix(']').filter(|_| line.starts_with('[')).map(str::len);
    let key = |end: &usize| line[..*end].rsplit([' ', '.', '[', '{']).next().unwrap();
    let ends = equals.chain(dots).chain(header);
    ends.filter(|end| !NAMES.split(' ').any(|name| name == key(end))).map(|end| end..end).collect()
}

/// The reference with `new` in the place of each of `places`, in turn: how many diagnostics that makes.
fn broken(places: Vec<Range<usize>>, new: &str) -> Vec<(String, usize)> {
    assert!(places.len() > 50);
    let broken = places.into_iter().map(|place| {
        let mut text = REFERENCE.to_owned();
        text.replace_range(place.clone(), new);
        let line = REFERENCE[..place.start].matches('\n').count();
        (
            format!("{}: {}", line + 1, text.lines().nth(line).unwrap()),
            check(text.as_bytes()).unwrap().diagnostics.len(),
        )
    });
    broken.collect()
}

#[test]
fn one_faulty_value_is_one_diagnostic() {
    for places in [places(REFERENCE, strings), places(REFERENCE, values)] {
        for (line, count) in broken(places, "1979-05-27") {
            assert_eq!(count, 1, "{line}");
        }
    }
}

#[test]
fn one_misspelt_key_is_one_diagnostic() {
    for (line, count) in broken(places(REFERENCE, keys), "e") {
        assert_eq!(count, 1, "{line}");
    }
}
