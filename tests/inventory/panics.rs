//! Whatever the bytes are: `check` comes back with diagnostics or a cluster, and no control character reaches the
//! terminal.
use std::io::Write;
use std::process::Command;

use plasmagen::check::check;
use plasmagen::inventory::LARGEST;
use proptest::prelude::*;
use proptest::sample::Index;

/// The reference, and the inventory of all faults, which has tables that the reference lacks.
const SOURCES: [&str; 2] = [include_str!("../../inventory.toml"), include_str!("faults.toml")];

/// One change to an inventory.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index),
    Repeat(Index, Index),
    /// The value of one line in the place of another's.
    Copy(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0..8u8).prop_map(|(at, bit)| Mutation::Flip(at, 1 << bit)),
        (at(), "\\PC{0,3}|[\"'\\[\\]{}=.,#\n-]{1,3}")
            .prop_map(|(at, text)| Mutation::Insert(at, text.into_bytes())),
        at().prop_map(Mutation::Delete),
        (at(), at()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        (at(), at()).prop_map(|(from, to)| Mutation::Copy(from, to)),
        (at(), at()).prop_map(|(from, to)| Mutation::Copy(from, to)),
    ]
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Where the value of a line begins.
fn value(line: &[u8]) -> usize {
    line.iter().position(|byte| *byte == b'=').map_or(line.len(), |at| at + 1)
}

fn mutate(mut bytes: Vec<u8>, mutation: &Mutation) -> Vec<u8> {
    let mut lines = lines(&bytes);
    if lines.is_empty() {
        return bytes;
    }
    match mutation {
        Mutation::Flip(at, bit) => {
            let at = at.index(bytes.len());
            bytes[at] ^= bit;
            return bytes;
        }
        Mutation::Insert(at, text) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, text.iter().copied());
            return bytes;
        }
        Mutation::Delete(at) => drop(lines.remove(at.index(lines.len()))),
        Mutation::Repeat(from, to) => {
            let line = lines[from.index(lines.len())].clone();
            lines.insert(to.index(lines.len()), line);
        }
        Mutation::Copy(from, to) => {
            let (from, to) = (from.index(lines.len()), to.index(lines.len()));
            let tail = lines[from][value(&lines[from])..].to_vec();
            let start = value(&lines[to]);
            lines[to].splice(start.., tail);
        }
    }
    lines.concat()
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let source = prop::sample::select(SOURCES.to_vec());
    (source, prop::collection::vec(mutation(), 1..6))
        .prop_map(|(source, mutations)| mutations.iter().fold(source.as_bytes().to_vec(), mutate))
}

/// What the program prints of `bytes`; it is refused or sound, and nothing in between.
fn printed(bytes: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_plasmagen")).arg("check").arg(file.path()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}\n{text}", output.status);
    text
}

fn is_harmless(c: char) -> bool {
    c == '\n' || !plasmagen::model::is_invisible(c)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        let checked = check(&bytes).unwrap();
        prop_assert!(checked.cluster.is_none() && !checked.diagnostics.is_empty());
    }

    #[test]
    fn any_text_is_refused(text in "(\\PC|[\\[\\]={}\"'#,.\n\t0-9-]){0,200}") {
        let checked = check(text.as_bytes()).unwrap();
        prop_assert!(checked.cluster.is_none() && !checked.diagnostics.is_empty());
    }

    #[test]
    fn any_change_of_an_inventory_is_checked(bytes in mutated()) {
        let checked = check(&bytes).unwrap();
        for found in &checked.diagnostics {
            let end = found.related.iter().map(|related| related.span.end).fold(found.span.end, usize::max);
            prop_assert!(found.span.start <= found.span.end && end <= bytes.len(), "{found:?}");
            prop_assert!(found.message.chars().all(is_harmless), "{found:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_of_an_inventory_is_shown(bytes in mutated()) {
        prop_assert!(printed(&bytes).chars().all(is_harmless));
    }
}

#[test]
fn no_control_character_reaches_the_terminal() {
    let controls: String = ('\0'..='\u{ffff}').filter(|c| plasmagen::model::is_invisible(*c)).collect();
    for c in controls.chars().filter(|c| *c != '\n') {
        let escaped = format!("\\U{:08x}", u32::from(c));
        let text = format!(
            "# {c}\n\"{c}\" = \"{c}\"\n{c}\n[\"{c}\"]\n[node.\"{c}\"]\n\"{escaped}\" = \"{escaped}\"\n[\"{escaped}\"]\n\
             [node.\"{escaped}\"]\n[node.\"{escaped}\"]\n"
        );
        // The raw character, and its escape alone.
        for text in [text.clone(), text.replace(c, "")] {
            let shown = printed(text.as_bytes());
            assert!(shown.chars().all(is_harmless), "{escaped}: {shown:?}");
        }
    }
}

#[test]
fn depth_and_size_are_refused() {
    let first = |text: &str| check(text.as_bytes()).unwrap().diagnostics.remove(0).code;
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let deep = format!("a = {}1{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(first(&deep), "PG-A01");
    }
    assert_eq!(first(&format!("[{}a]", "a.".repeat(100_000))), "PG-A01");
    assert_eq!(first(&" ".repeat(LARGEST + 1)), "PG-A01");
    assert_eq!(first(&"# a comment\n".repeat(LARGEST / 12)), "PG-A04");
    assert_eq!(first(&format!("schema = \"{}\"", "x".repeat(LARGEST - 11))), "PG-A04");
}

/// A text of many faults is refused with some of them: as many diagnostics as bytes would fill the memory.
#[test]
fn a_text_of_many_faults_is_refused_with_some() {
    for text in ["x\n", "\u{200b}", "<<<<<<< HEAD\n", "[a\n", "a = 1 2\n"] {
        let all = check(format!("schema = 1\n{}", text.repeat(100_000)).as_bytes()).unwrap().diagnostics;
        assert!((1000..1100).contains(&all.len()), "{text:?}: {}", all.len());
    }
}

/// Paths of keys are kept in a size that grows with the text.
#[test]
fn a_key_of_many_parts_takes_no_square_of_memory() {
    let text = format!("schema = 1\n{}x = 1\ny = 1\ny = 2\n", "a.".repeat(100_000));
    assert!(check(text.as_bytes()).unwrap().cluster.is_none());
}
