//! `explain`: the page of a rule, the section of a key, the search for a word, and the list of all rules.

use plasmagen::rules::{Enforcement, RULES};

use crate::kit::{PLASMAGEN, Site};

#[test]
fn every_rule_has_a_page_that_fits_a_terminal() {
    let site = Site::empty();
    for rule in RULES {
        let run = site.within(site.path(), &["explain", rule.code]);
        assert_eq!(run.ends(0, &[]).stderr, "");
        assert!(run.stdout.starts_with(&format!("# {}: ", rule.code)), "{}", run.stdout);
        assert!(run.stdout.contains(rule.page.trim_end()), "{}", rule.code);
        let is_later = matches!(rule.enforcement, Enforcement::Later(_));
        assert_eq!(run.stdout.contains("Not enforced yet: "), is_later, "{}", rule.code);
        assert_eq!(run.stdout.contains("acknowledge it with"), rule.warns && !is_later, "{}", rule.code);
        for line in run.stdout.lines() {
            assert!(line.chars().count() <= 100 && !line.contains('\x1b'), "{}: {line}", rule.code);
        }
    }
}

#[test]
fn a_code_is_taken_as_it_is_typed() {
    let site = Site::empty();
    let page = |code| site.within(site.path(), &["explain", code]).ends(0, &[]).stdout.clone();
    for code in ["pg-c13", "C13", "c13", " PG-C13 "] {
        assert_eq!(page(code), page("PG-C13"), "{code}");
    }
}

#[test]
fn without_a_code_all_rules_are_listed() {
    let site = Site::empty();
    let run = site.within(site.path(), &["explain"]);
    let lines: Vec<_> = run.ends(0, &[]).stdout.lines().collect();
    assert_eq!(lines.len(), RULES.len());
    for (line, rule) in lines.iter().zip(RULES) {
        let is_later = matches!(rule.enforcement, Enforcement::Later(_));
        let later = if is_later { " (not enforced yet)" } else { "" };
        assert_eq!(*line, format!("{}  {:<7}  {}{later}", rule.code, rule.severity.as_str(), rule.title));
    }
}

#[test]
fn at_a_terminal_headings_stand_out() {
    let site = Site::new();
    for (flags, styled) in [("", true), ("--color never", false), ("| cat", false)] {
        let command = format!("TERM=xterm {PLASMAGEN} explain c13 {flags}");
        let run = site.tool("script", "bsdutils", &["-qec", &command, "/dev/null"]);
        assert!(run.stdout.contains("PG-C13: a reserved address"), "{run:?}");
        assert_eq!(run.stdout.contains("\x1b[1mPG-C13"), styled, "{run:?}");
        assert_eq!(run.stdout.contains("# PG-C13"), !styled, "{run:?}");
    }
}

/// Returns the output of `plasmagen explain` for `word`.
fn explained(word: &str) -> String {
    let site = Site::empty();
    let run = site.within(site.path(), &["explain", word]);
    run.ends(0, &[]);
    run.stdout
}

#[test]
fn a_key_is_explained_as_on_the_page() {
    let page = include_str!("../../docs/inventory.md");
    for key in ["cluster.bootstrap", "network.pool", "network.NAME.pool", "pool", "[tls]", "node_days"] {
        let text = explained(key);
        let section = text.split("\nMore about").next().unwrap();
        assert!(page.contains(section.trim_end()) && section.contains("- Type: "), "{key}: {text}");
    }
    assert!(explained("cluster.bootstrap").contains("Rules: PG-"));
}

#[test]
fn a_word_finds_keys_and_rules() {
    let bond = explained("bond");
    for part in ["## `profile.NAME.interface.NAME.bond", "profile.NAME.interface.NAME.bond.members", "PG-D11"]
    {
        assert!(bond.contains(part), "{part}: {bond}");
    }
    // There are several keys of that name, and none of that path.
    for word in ["format", "network.mtu", "gateway", "redfish"] {
        assert!(explained(word).contains('.'), "{word}");
    }
    assert!(explained("network.mtu").contains("interface.NAME.mtu"));
    let site = Site::empty();
    site.within(site.path(), &["explain", "bootstarp"]).ends(2, &["did you mean bootstrap?"]);
}

/// The first word of each line: keys and codes of rules.
fn names(list: &str) -> Vec<&str> {
    list.lines().filter_map(|line| line.split("  ").next()).collect()
}

#[test]
fn a_word_is_found_whole_and_the_nearest_first() {
    let mac = explained("node.mac");
    let (section, others) = mac.split_once("\nMore about `mac`:\n\n").unwrap();
    assert!(section.starts_with("### `node.NAME.mac`"), "{section}");
    for line in others.lines() {
        let words = line.to_lowercase();
        let is_word = |word: &str| ["mac", "macs"].contains(&word);
        assert!(words.split(|c: char| !c.is_alphanumeric()).any(is_word), "{line}");
    }
    assert!(others.contains("PG-D05") && !others.contains("hibernates"), "{others}");
    // Keys of that name before those that mention the word.
    let ends_so: Vec<bool> = names(others).iter().map(|name| name.ends_with(".mac")).collect();
    assert!(ends_so[0] && ends_so.is_sorted_by(|before, behind| before >= behind), "{others}");
    // Half a word finds the words that begin so.
    assert!(names(&explained("hibernat")).contains(&"PG-F13"));
}
