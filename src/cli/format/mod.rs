//! The formats of diagnostics: one for people, and those of `docs/formats.md` for programs.

mod concise;
mod findings;
mod github;
mod human;
mod json;
mod sarif;
mod source;

use clap::ValueEnum;

pub(super) use findings::Findings;
pub(super) use source::SourceText;

/// Writes all findings of a run as one text.
type RenderFindings = fn(&[Findings<'_>]) -> anyhow::Result<String>;

/// The format of diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DiagnosticFormat {
    /// With excerpts, for people; on standard error
    Human,
    /// `file:line:column: error[PG-C13]: …`, a line each, for editors and grep
    Concise,
    /// One JSON object per line, for programs
    Json,
    /// Workflow commands, which GitHub Actions shows beside the lines of a pull request
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl DiagnosticFormat {
    /// The renderer of the formats for standard output. `Human` has none: the diagnostics of each inventory are
    /// printed on standard error as soon as that inventory has been checked.
    pub(super) fn renderer(self) -> Option<RenderFindings> {
        match self {
            Self::Human => None,
            Self::Concise => Some(concise::render),
            Self::Json => Some(json::render),
            Self::Github => Some(github::render),
            Self::Sarif => Some(sarif::render),
        }
    }
}
