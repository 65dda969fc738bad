//! Text that is not TOML: what the author meant, one fault for one slip. [`find_faults`] looks at each statement alone,
//! so that a slip in one makes no fault of the next.

mod brackets;
pub(super) mod duplicates;
mod fault;
mod foreign;
mod keys;
pub(super) mod other_file;
mod quotes;
mod statement;
mod steps;
mod values;

use toml::de::{DeTable, Error};

use crate::diag::{Diagnostic, Span};

use super::secret_values::find_secret_values;

pub(super) use fault::MOST_FAULTS;
use fault::fault;
use statement::{Statement, Statements};

/// Finds the faults of syntax in `text`, in order, and at most [`MOST_FAULTS`] of them: a text of 64 MiB could have that
/// many million. Keys that are written twice are not among them.
pub(super) fn find_faults(text: &str) -> Vec<Diagnostic> {
    let mut faults = foreign::find_conflicts(text);
    if faults.is_empty() {
        faults = find_faults_of_statements(text);
    }
    if faults.len() > MOST_FAULTS {
        faults.truncate(MOST_FAULTS);
        let last = faults.last().map_or(0..0, |last| last.span.clone());
        let fault = fault(
            &(last.end..last.end),
            format!("more than {MOST_FAULTS} faults: the text behind is not read"),
        );
        faults.push(fault.help("mend the faults above first"));
    }
    let secrets = find_secret_values(text);
    faults.into_iter().map(|fault| leave_out_secrets(fault, text, &secrets)).collect()
}

/// Leaves out of `fault` the values of `text` at the places `secrets`, as far as the fault is about them.
fn leave_out_secrets(fault: Diagnostic, text: &str, secrets: &[Span]) -> Diagnostic {
    let edit = fault.edit.as_ref().map_or(&fault.span, |edit| &edit.span);
    let (start, end) = (fault.span.start.min(edit.start), fault.span.end.max(edit.end));
    let first = secrets.partition_point(|secret| secret.end < start);
    let about = secrets[first..].iter().take_while(|secret| secret.start <= end);
    about.fold(fault, |fault, secret| fault.without(text[secret.clone()].trim()))
}

/// Finds the faults of syntax in the statements of `text`.
fn find_faults_of_statements(text: &str) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut covered = 0;
    for statement in Statements::of(text) {
        if faults.len() > MOST_FAULTS {
            break;
        }
        let span = statement.span();
        if span.start < covered {
            continue;
        }
        let (_, errors) = DeTable::parse_recoverable(&text[span.clone()]);
        let errors: Vec<_> = errors.iter().filter(|error| !is_duplicate(error)).collect();
        if errors.is_empty() {
            continue;
        }
        if let Some(json) = foreign::find_json(&statement) {
            faults.push(json);
            break;
        }
        if let Some((yaml, end)) = foreign::find_yaml(&statement) {
            faults.push(yaml);
            covered = end;
            continue;
        }
        faults.extend(find_slips(&statement, &errors));
    }
    faults
}

/// Whether `error` is that of a key or a table that is written twice, or of a value that is a table elsewhere.
pub(super) fn is_duplicate(error: &Error) -> bool {
    ["duplicate key", "cannot extend value"].iter().any(|start| error.message().starts_with(start))
}

/// Finds what the author of `statement`, in which the parser found `errors`, meant.
fn find_slips(statement: &Statement<'_>, errors: &[&Error]) -> Vec<Diagnostic> {
    let lines = statement.lines();
    let find_quotes = |line: &Span| {
        quotes::find_lookalike(statement, line).or_else(|| quotes::find_single_quote(statement, line))
    };
    if let Some(first) = keys::find_comment(statement).or_else(|| quotes::find_endless_text(statement)) {
        return vec![first];
    }
    let quotes: Vec<_> = lines.iter().filter_map(find_quotes).collect();
    if !quotes.is_empty() {
        return quotes;
    }
    let whole = keys::find_text_behind_header(statement)
        .or_else(|| keys::find_half_header(statement))
        .or_else(|| brackets::find_single_bracket(statement))
        .or_else(|| keys::find_bad_key(statement))
        .or_else(|| keys::find_bare_key(statement));
    if let Some(whole) = whole {
        return vec![whole];
    }
    let start = statement.span().start;
    let place = |error: &Error| {
        let span = error.span().unwrap_or(0..0);
        start + span.start..start + span.end
    };
    let mut errors: Vec<(Span, &str)> = errors.iter().map(|error| (place(error), error.message())).collect();
    errors.sort_by_key(|(place, _)| place.start);
    let in_line = |line: &Span| {
        let (place, why) = errors.get(errors.partition_point(|(place, _)| place.start < line.start))?;
        let refuse = || refuse(statement, place, why);
        (place.start < line.end).then(|| values::find_bad_value(statement, line).unwrap_or_else(refuse))
    };
    let found: Vec<_> = lines.iter().filter_map(in_line).collect();
    if found.is_empty() { vec![refuse(statement, &errors[0].0, errors[0].1)] } else { found }
}

/// Makes the fault that the parser describes as `why`.
fn refuse(statement: &Statement<'_>, span: &Span, why: &str) -> Diagnostic {
    let comma = why.starts_with("missing comma").then(|| brackets::refuse_missing_comma(statement, span));
    comma.flatten().unwrap_or_else(|| fault(span, format!("this is not TOML: {why}")))
}
