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

/// Say what a rule protects, which incident it comes from, and what to write instead
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The code of a rule, `PG-C13` or `c13`; all rules are listed without one
    #[arg(value_name = "CODE", add = ArgValueCandidates::new(complete::rules))]
    code: Option<String>,
}

impl ExplainArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let text = match &self.code {
            Some(code) => write_page(find(code)?),
            None => RULES.iter().map(write_line).collect(),
        };
        let styled = printer.is_styled(&stdout());
        Printer::print(&if styled { style(&text) } else { text })?;
        Ok(DONE)
    }
}

/// Finds the rule that `typed` stands for.
fn find(typed: &str) -> anyhow::Result<&'static Rule> {
    let upper = typed.trim().to_uppercase();
    let code = if upper.starts_with("PG-") { upper } else { format!("PG-{upper}") };
    if let Some(rule) = rules::find(&code) {
        return Ok(rule);
    }
    let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
    let meant = nearest(&code, &codes).map(|near| format!("did you mean {near}? ")).unwrap_or_default();
    bail!("there is no rule {typed:?}: {meant}plasmagen explain lists all rules")
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
        } else if let Some((code, rest)) = line.split_once("  ").filter(|(code, _)| code.starts_with("PG-")) {
            styled += &format!("{bold}{code}{bold:#}  {rest}\n");
        } else {
            styled += &format!("{line}\n");
        }
    }
    styled
}
