//! What is printed: results on standard output, messages on standard error, colours where they are wanted.

use std::io::{ErrorKind, Write, stderr, stdout};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use clap::builder::styling::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::model::escape_line;

use super::command_line::carry_options;
use super::escape::{ascii_controls, indented_lines, many_lines};

/// The style of the word `error`, as clap prints it.
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// The options that every command has, and the printer that they set up.
#[derive(Debug, Args)]
pub(super) struct Printer {
    /// Print errors and results only
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// When to use colours; `auto` uses them on a terminal, and obeys NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

/// The option `--format` of commands whose result is data.
#[derive(Debug, Args)]
pub(super) struct FormatOption {
    /// How to print the result: as text for people, or as JSON for programs
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) format: DataFormat,
}

/// How a command prints data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DataFormat {
    Human,
    Json,
}

impl FormatOption {
    /// Prints a result: `human` as it is, or `value` as JSON.
    pub(super) fn print(&self, value: &impl Serialize, human: impl FnOnce() -> String) -> anyhow::Result<()> {
        match self.format {
            DataFormat::Human => Printer::print(&many_lines(&human())),
            DataFormat::Json => {
                Printer::print(&(ascii_controls(&serde_json::to_string_pretty(value)?) + "\n"))
            }
        }
    }
}

impl Printer {
    /// Whether to colour what goes to `stream`.
    pub(super) fn is_styled(&self, stream: &impl RawStream) -> bool {
        match self.color {
            When::Auto => AutoStream::choice(stream) != ColorChoice::Never,
            When::Always => true,
            When::Never => false,
        }
    }

    /// Prints a message of one line on standard error, unless `--quiet` is given. A line end in the message belongs to a
    /// name that somebody else chose, and is escaped: that name could otherwise forge a message.
    pub(super) fn say(&self, line: &str) {
        if !self.quiet {
            Self::warn(line);
        }
    }

    /// Prints a message of several lines on standard error, unless `--quiet` is given.
    pub(super) fn say_lines(&self, lines: &str) {
        if !self.quiet {
            Self::warn_rendered(&many_lines(lines));
        }
    }

    /// Prints a message of one line on standard error, as [`say`](Self::say) does, with `--quiet` too.
    pub(super) fn warn(line: &str) {
        Self::warn_rendered(&escape_line(line));
    }

    /// Prints a message on standard error whose colours are part of the text; everything else in the text is escaped.
    pub(super) fn warn_rendered(line: &str) {
        // Where standard error is closed nobody reads it, and the exit status still tells.
        let _ = writeln!(stderr(), "{line}");
    }

    /// Prints an error, with its causes, on one line of standard error.
    pub(super) fn error(&self, error: &anyhow::Error) {
        self.error_on(error, "");
    }

    /// As [`error`](Self::error), for a command on the web root that `options` name: they are added to the commands on a web
    /// root in the message.
    pub(super) fn error_on(&self, error: &anyhow::Error, options: &str) {
        let style = if self.is_styled(&stderr()) { ERROR } else { Style::new() };
        let text = carry_options(&format!("{error:#}"), options);
        Self::warn_rendered(&format!("{style}error{style:#}: {}", indented_lines(&text)));
    }

    /// Prints the result of a command on standard output, as it is. A reader that closes its pipe early, such as `head`, is no
    /// error.
    pub(super) fn print(text: &str) -> anyhow::Result<()> {
        let mut stdout = stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(error).context("could not write to standard output")
            }
            _ => Ok(()),
        }
    }

    /// Prints a unified diff on standard output, in git's colours.
    pub(super) fn print_diff(&self, diff: &str) -> anyhow::Result<()> {
        let diff = many_lines(diff);
        if !self.is_styled(&stdout()) {
            return Self::print(&diff);
        }
        let coloured = |line: &str| {
            let style = match line.as_bytes() {
                [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Style::new().bold(),
                [b'+', ..] => AnsiColor::Green.on_default(),
                [b'-', ..] => AnsiColor::Red.on_default(),
                [b'@', ..] => AnsiColor::Cyan.on_default(),
                _ => Style::new(),
            };
            format!("{style}{}{style:#}\n", line.trim_end_matches('\n'))
        };
        Self::print(&diff.split_inclusive('\n').map(coloured).collect::<String>())
    }
}

/// A count with its noun: `1 error`, `2 errors`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A size in the unit that suits it: `12 B`, `3.4 KiB`, `234 MiB`.
pub(super) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}
