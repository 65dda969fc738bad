//! `plasmagen explain`.

use std::io::stdout;

use anyhow::bail;
use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::diag::Severity;
use crate::inventory::nearest;
use crate::rules::{self, RULES, Rule};

use super::DONE;
use super::complete;
use super::output::Output;

/// Say what a rule protects, which incident taught it, and what to write instead
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The code of a rule, `PG-C13` or `c13`; all rules are listed without one
    #[arg(value_name = "CODE", add = ArgValueCandidates::new(complete::rules))]
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let text = match &self.code {
            Some(code) => page(find(code)?),
            None => RULES.iter().map(line).collect(),
        };
        let styled = output.styled(&stdout());
        Output::print(&if styled { style(&text) } else { text })?;
        Ok(DONE)
    }
}

/// The rule that somebody means by `typed`.
fn find(typed: &str) -> anyhow::Result<&'static Rule> {
    let upper = typed.trim().to_uppercase();
    let code = if upper.starts_with("PG-") { upper } else { format!("PG-{upper}") };
    if let Some(rule) = rules::find(&code) {
        return Ok(rule);
    }
    let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
    let meant = nearest(&code, &codes).map(|near| format!("did you mean {near}? ")).unwrap_or_default();
    bail!("there is no rule {typed:?}: {meant}plasmagen explain lists all")
}

/// A line of the list.
fn line(rule: &Rule) -> String {
    format!("{}  {:<7}  {}\n", rule.code, severity(rule), rule.title)
}

fn severity(rule: &Rule) -> &'static str {
    match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The page of `rule`, and what can be done about it in general.
fn page(rule: &Rule) -> String {
    let code = rule.code;
    let acknowledge = format!("acknowledge it with\n`allow = [\"{code}\"]` in the table that it concerns.");
    let rest = match rule.severity {
        Severity::Error if !rule.warns => "An error: the inventory is refused.".to_owned(),
        Severity::Error => {
            format!("An error: the inventory is refused. In lesser cases a warning: {acknowledge}")
        }
        Severity::Warning => format!("A warning: {acknowledge}"),
    };
    format!("{}\n\n{rest}\n", rule.page.trim_end())
}

/// The Markdown, or the list, for a terminal: headings and codes are bold, examples coloured.
fn style(text: &str) -> String {
    let mut styled = String::new();
    let mut example = false;
    for line in text.lines() {
        if line.starts_with("```") {
            example = !example;
        } else if example {
            styled += &format!("  \x1b[36m{line}\x1b[0m\n");
        } else if line.starts_with('#') {
            styled += &format!("\x1b[1m{}\x1b[0m\n", line.trim_start_matches('#').trim_start());
        } else if let Some((code, rest)) = line.split_once("  ").filter(|(code, _)| code.starts_with("PG-")) {
            styled += &format!("\x1b[1m{code}\x1b[0m  {rest}\n");
        } else {
            styled += &format!("{line}\n");
        }
    }
    styled
}
