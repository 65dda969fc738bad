//! The table of rules, the catalogue and the pages name the same set; which of them have fixtures, `rejects.rs` and
//! `certificates/` say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use plasmagen::rules::{Check, RULES};

fn table() -> BTreeSet<String> {
    RULES.iter().map(|rule| rule.code.to_owned()).collect()
}

#[test]
fn every_rule_of_the_catalogue_is_in_the_table_and_no_other() {
    assert_eq!((RULES.len(), table().len()), (137, 137));
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/INVARIANTS.md");
    if !catalogue.exists() {
        println!("no catalogue beside the checkout: the number of rules is all that is compared");
        return;
    }
    let text = fs::read_to_string(catalogue).unwrap();
    let chapters = text.split("### ").skip(1).flat_map(|chapter| chapter.lines().skip(1));
    let ids = chapters.flat_map(|line| line.split(" · ")).filter_map(|rule| {
        let (id, severity) = rule.split_once(' ')?;
        let shape = id.len() == 3
            && id.starts_with(|c: char| c.is_ascii_uppercase())
            && id[1..].parse::<u8>().is_ok();
        (shape && (severity.starts_with("E ") || severity.starts_with("W "))).then(|| format!("PG-{id}"))
    });
    assert_eq!(ids.collect::<BTreeSet<_>>(), table());
}

#[test]
fn every_rule_has_a_page_with_incident_and_cure() {
    let pages =
        fs::read_dir("docs/rules").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let named: BTreeSet<String> =
        pages.filter_map(|page| page.strip_suffix(".md").map(str::to_owned)).collect();
    let readme = BTreeSet::from(["README".to_owned()]);
    assert_eq!(named, &table() | &readme);
    for rule in RULES {
        assert!(rule.page.starts_with(&format!("# {}: {}\n", rule.code, rule.title)), "{}", rule.code);
        assert!(rule.page.contains("\n## The incident\n"), "{}", rule.code);
        assert!(rule.page.contains("\n## The fix\n"), "{}", rule.code);
        // A fence stands on a line of its own, and what is in it can be pasted.
        let blocks: Vec<&str> = rule.page.split("```").collect();
        assert_eq!(blocks.len() % 2, 1, "{}: a block is not closed", rule.code);
        for block in blocks.iter().filter_map(|block| block.strip_prefix("toml\n")) {
            let sound = block.ends_with('\n') && block.parse::<toml::Table>().is_ok();
            assert!(sound, "{}: {block}", rule.code);
        }
        let place = rule.page.contains("\n## Where it is checked\n");
        let other = matches!(rule.check, Check::Elsewhere(_) | Check::Later(_));
        assert!(place || !other, "{} does not say where it is checked", rule.code);
    }
}
