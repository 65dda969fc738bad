//! Many faults at once: each is reported where it is, once, and nothing that merely follows from another.
use std::ops::Range;

use plasmagen::check::{Checked, check};

const REFERENCE: &str = include_str!("../../inventory.toml");

/// The lines of `text` with the codes that they end in: `# PG-G03 PG-A04`.
fn marked(text: &str) -> Vec<(usize, &str)> {
    let marks = (1..).zip(text.lines()).filter_map(|(line, text)| Some((line, text.split_once(" # PG-")?.1)));
    marks.flat_map(|(line, codes)| codes.split(" PG-").map(move |code| (line, code))).collect()
}

/// The lines of what was found in `text`, with its codes.
fn found<'c>(text: &str, checked: &'c Checked) -> Vec<(usize, &'c str)> {
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let found = checked.diagnostics.iter();
    found.map(|diagnostic| (line(diagnostic.span.start), diagnostic.code.trim_start_matches("PG-"))).collect()
}

#[test]
fn each_fault_is_reported_once_and_by_place() {
    let text = include_str!("faults.toml");
    let checked = check(text.as_bytes()).unwrap();
    let (found, marked) = (found(text, &checked), marked(text));
    for (diagnostic, place) in checked.diagnostics.iter().zip(&found) {
        assert!(marked.contains(place), "{place:?} merely follows from another: {}", diagnostic.message);
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
            places.extend(find(code).into_iter().map(|range| range.start + start..range.end + start));
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

/// The faults that dhcpd, Kea and dnsmasq let pass with exit status 0, each of them at least one (INVARIANTS.md, last
/// table): what to replace in the reference, and the rule that catches it.
const MISSED_BY_SERVERS: [(&str, &str, &str, &str); 13] = [
    ("a MAC address twice", "52:54:00:12:34:57", "52:54:00:12:34:56", "PG-D05"),
    ("an address twice", "10.0.100.51", "10.0.100.50", "PG-C06"),
    ("a host name twice", "[node.node05]", "[node.node04]", "PG-A02"),
    ("an address outside its subnet", "10.0.100.51", "10.0.101.51", "PG-C01"),
    ("the address of the network", "10.0.100.51", "10.0.100.0", "PG-C02"),
    ("the broadcast address", "10.0.100.51", "10.0.100.255", "PG-C03"),
    ("the address of the gateway", "10.0.100.51", "10.0.100.1", "PG-C04"),
    ("a reservation inside the pool", "10.0.100.51", "10.0.100.151", "PG-C13"),
    ("the broadcast MAC address", "52:54:00:12:34:57", "ff:ff:ff:ff:ff:ff", "PG-D03"),
    ("the MAC address of zeros", "52:54:00:12:34:57", "00:00:00:00:00:00", "PG-D03"),
    ("a multicast MAC address", "52:54:00:12:34:57", "01:00:5e:00:00:01", "PG-D02"),
    ("an underscore in a host name", "[node.node05]", "[node.node_05]", "PG-B01"),
    ("a host name of 64 letters", "[node.node05]", LONG, "PG-B02"),
];
const LONG: &str = "[node.nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]";

#[test]
fn what_servers_miss_is_caught() {
    for (fault, sound, broken, code) in MISSED_BY_SERVERS {
        assert_eq!(REFERENCE.matches(sound).count(), 1, "{fault}");
        let checked = check(REFERENCE.replace(sound, broken).as_bytes()).unwrap();
        let codes: Vec<_> = checked.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [code], "{fault}");
    }
}

#[test]
fn what_is_around_a_value_that_is_none_is_checked() {
    let edits = [
        ("mac = \"52:54:00:12:34:57\"", "mac = 52:54:00:12:34:57"),
        ("serial = \"CN7475139H0025\"", "serial = CN7475139H0025"),
        ("formed = false", "formde = false"),
        ("address.production = \"10.0.200.20\"", "address.production = \"10.0.200.1\""),
    ];
    let text = edits.iter().fold(REFERENCE.to_owned(), |text, (old, new)| text.replace(old, new));
    let checked = check(text.as_bytes()).unwrap();
    let codes: Vec<_> = checked.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["PG-A03", "PG-A01", "PG-A01", "PG-C04"]);
}
