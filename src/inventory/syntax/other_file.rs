//! The question whether a text is an inventory at all, or another file that the command line or a link names by mistake.

use toml_parser::lexer::TokenKind;

use crate::diag::{Diagnostic, Subject};

use super::fault::fault;
use super::foreign;
use super::statement::{Statement, Statements};

/// Makes the fault of a text in which no statement begins with one of `keys`, the keys and tables of an inventory. Files of
/// other programs hold secrets in any form, so that the fault quotes nothing. A text without statements is one fault, too: that
/// each table is missing says no more.
pub(in crate::inventory) fn refuse_other_file(text: &str, keys: &[&str]) -> Option<Diagnostic> {
    let Some(first) = Statements::of(text).next() else {
        let fault = Diagnostic::error("PG-A04", &(0..0), "the inventory is empty");
        return Some(fault.help("start one with `plasmagen init DIR`"));
    };
    if Statements::of(text).any(|statement| is_of_inventory(&statement, keys)) {
        return None;
    }
    let is_json = foreign::find_json(&first).is_some();
    let language = if is_json { Some("JSON") } else { foreign::find_yaml(&first).map(|_| "YAML") };
    let (message, help) = match language {
        Some(language) => (
            format!("this is {language}, and an inventory is TOML"),
            "is this the right file? An inventory has `[table]` headers and `key = value` lines, as `plasmagen init` writes \
             them",
        ),
        None => (
            "this is another file: no key and no table in it is one of an inventory".to_owned(),
            "is this the right file? An inventory begins with `schema = 1`, and `plasmagen init DIR` starts one",
        ),
    };
    Some(fault(&(0..0), message).about(Subject::Secret).help(help))
}

/// Whether `statement` is a header or has a value, and begins with one of `keys`.
fn is_of_inventory(statement: &Statement<'_>, keys: &[&str]) -> bool {
    let key = statement.key();
    let is_known = |name: &str| keys.contains(&name.trim_matches(['"', '\'']));
    let is_path = key.get(1).is_none_or(|second| second.kind() == TokenKind::Dot);
    let is_statement = statement.is_header() || statement.equals().is_some();
    is_statement && is_path && key.first().is_some_and(|first| is_known(statement.text_of(first)))
}
