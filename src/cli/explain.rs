//! `plasmagen explain`.

use std::io::stdout;

use anyhow::bail;
use clap::Args;
use clap::builder::styling::{AnsiColor, Style};
use clap_complete::ArgValueCandidates;

use crate::diag::Severity;
use crate::inventory::nearest;
use crate::rules::{self, Enforcement, RULES, Rule};

use super::DONE;
use super::complete;
use super::printer::Printer;
use super::reference::{self, Section};

/// Explain a rule or a key of the inventory
///
/// Of a rule: what it protects, which incident it comes from, and what to write instead. Of a key: its meaning, type, default, an example, and the rules that look at it. Any other word is searched in both: plasmagen explain bond
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The code of a rule, `PG-C13` or `c13`; a key, `cluster.bootstrap`; or a word. All rules are listed without one
    #[arg(value_name = "WORD", add = ArgValueCandidates::new(complete::words))]
    word: Option<String>,
}

impl ExplainArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let text = match &self.word {
            Some(word) => explain(word.trim())?,
            None => RULES.iter().map(write_line).collect(),
        };
        let styled = printer.is_styled(&stdout());
        Printer::print(&if styled { style(&text) } else { text })?;
        Ok(DONE)
    }
}

/// Explains the rule or the key `word`, or lists the rules and keys that are about that word.
fn explain(word: &str) -> anyhow::Result<String> {
    if let Some(rule) = find_rule(word) {
        return Ok(write_page(rule));
    }
    let keys = reference::find(word);
    let last = word.rsplit('.').next().unwrap_or_default();
    if let [key] = keys[..] {
        let others = list(&reference::search(last, true), last, Some(key.key), true);
        let others = if others.is_empty() { others } else { format!("\nMore about `{last}`:\n\n{others}") };
        return Ok(format!("{}\n{others}", key.text.trim_end()));
    }
    // Whole words first: in `mac`, nobody looks for machines.
    let found = [true, false].into_iter().map(|is_whole| {
        let is_search = keys.is_empty() && word.len() > 1;
        let keys = if is_search { reference::search(word, is_whole) } else { keys.clone() };
        list(&keys, word, None, is_whole)
    });
    let Some(found) = found.into_iter().find(|found| !found.is_empty()) else {
        bail!("no rule and no key is about {word:?}: {}plasmagen explain lists all rules", suggest(word));
    };
    Ok(found)
}

/// Finds the rule whose code is `typed`, with or without `PG-`.
fn find_rule(typed: &str) -> Option<&'static Rule> {
    let upper = typed.to_uppercase();
    rules::find(&upper).or_else(|| rules::find(&format!("PG-{upper}")))
}

/// Lists `keys`, but not the key `shown`, and the rules that are about `word`, a line each: about the whole word, or about
/// words that begin so.
fn list(keys: &[Section], word: &str, shown: Option<&str>, is_whole: bool) -> String {
    let keys = keys.iter().filter(|key| Some(key.key) != shown);
    let keys = keys.map(|key| format!("{}  {}\n", key.key, key.summary()));
    let is_about = |rule: &&Rule| !word.is_empty() && reference::is_about(rule.title, word, is_whole);
    keys.chain(RULES.iter().filter(is_about).map(write_line)).collect()
}

/// The code or the key that was probably meant by `typed`, as the beginning of a sentence.
fn suggest(typed: &str) -> String {
    let codes = RULES.iter().map(|rule| rule.code);
    let keys = reference::sections();
    let names = keys
        .iter()
        .filter_map(|section| section.key.rsplit('.').find(|part| !part.starts_with(char::is_uppercase)));
    let upper = typed.to_uppercase();
    let upper = if upper.starts_with("PG-") { upper } else { format!("PG-{upper}") };
    let code =
        nearest(&upper, &codes.collect::<Vec<_>>()).filter(|_| typed.contains(|c: char| c.is_ascii_digit()));
    let last = typed.rsplit('.').next().unwrap_or_default();
    let near = code.or_else(|| nearest(last, &names.collect::<Vec<_>>()));
    near.map(|near| format!("did you mean {near}? ")).unwrap_or_default()
}

/// Writes the line of `rule` in the list of all rules.
fn write_line(rule: &Rule) -> String {
    let later = match rule.enforcement {
        Enforcement::Later(_) => " (not enforced yet)",
        _ => "",
    };
    format!("{}  {:<7}  {}{later}\n", rule.code, rule.severity.as_str(), rule.title)
}

/// Writes the page of `rule`, followed by how the rule is enforced.
fn write_page(rule: &Rule) -> String {
    format!("{}\n\n{}\n", rule.page.trim_end(), describe_enforcement(rule))
}

/// Says what happens where `rule` is broken.
fn describe_enforcement(rule: &Rule) -> String {
    let acknowledge =
        format!("acknowledge it with\n`allow = [\"{}\"]` in the table that it concerns.", rule.code);
    match (rule.enforcement, rule.severity) {
        (Enforcement::Later(missing), _) => format!("Not enforced yet: {missing}."),
        (Enforcement::Elsewhere(part), _) => {
            format!("`plasmagen check` does not check this rule. It is kept by\n{part}.")
        }
        (_, Severity::Error) if !rule.warns => "An error: the inventory is refused.".to_owned(),
        (_, Severity::Error) => {
            format!("An error: the inventory is refused. In lesser cases a warning: {acknowledge}")
        }
        (_, Severity::Warning) => format!("A warning: {acknowledge}"),
    }
}

/// Styles a page, or the list, for a terminal: headings and codes are bold, examples coloured.
fn style(text: &str) -> String {
    let (bold, example) = (Style::new().bold(), AnsiColor::Cyan.on_default());
    let mut styled = String::new();
    let mut is_example = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_example = !is_example;
        } else if is_example {
            styled += &format!("  {example}{line}{example:#}\n");
        } else if line.starts_with('#') {
            styled += &format!("{bold}{}{bold:#}\n", line.trim_start_matches('#').trim_start());
        } else if let Some((code, rest)) =
            line.split_once("  ").filter(|(name, _)| !name.is_empty() && !name.contains(' '))
        {
            styled += &format!("{bold}{code}{bold:#}  {rest}\n");
        } else {
            styled += &format!("{line}\n");
        }
    }
    styled
}
