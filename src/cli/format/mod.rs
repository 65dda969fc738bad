//! How diagnostics are written: for people, and for the programs that `docs/formats.md` names.

mod concise;
mod github;
mod human;
mod json;
mod sarif;
mod source;

use clap::ValueEnum;

use crate::diag::Diagnostic;

pub(super) use source::{Source, one_line};

/// An inventory and what is to be said about it.
pub(super) struct Findings<'a> {
    pub(super) source: Source<'a>,
    pub(super) found: Vec<Diagnostic>,
}

/// All that a run has to say, as one text.
type Render = fn(&[Findings<'_>]) -> anyhow::Result<String>;

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// With excerpts, for people; on standard error
    Human,
    /// `file:line:column: error[PG-C13]: …`, a line each, for editors and grep
    Concise,
    /// An object a line, for programs
    Json,
    /// Workflow commands, which GitHub Actions shows beside the lines of a pull request
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl Format {
    /// What writes it on standard output; none for people, to whom each inventory is explained in turn.
    pub(super) fn render(self) -> Option<Render> {
        match self {
            Self::Human => None,
            Self::Concise => Some(concise::render),
            Self::Json => Some(json::render),
            Self::Github => Some(github::render),
            Self::Sarif => Some(sarif::render),
        }
    }
}
