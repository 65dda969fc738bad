//! Questions on the terminal.

use std::io::{IsTerminal, Write, stderr, stdin};

use anyhow::Context;

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Yes,
    No,
    /// Nobody could be asked.
    NoTerminal,
}

/// Asks `question` on the terminal; only `y` and `yes` are a yes.
pub(super) fn ask(question: &str) -> anyhow::Result<Answered> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Ok(Answered::NoTerminal);
    }
    write!(stderr(), "{question}")
        .and_then(|()| stderr().flush())
        .context("could not ask on the terminal")?;
    let mut line = String::new();
    stdin().read_line(&mut line).context("could not read the answer")?;
    let is_yes = ["y", "yes"].contains(&line.trim().to_ascii_lowercase().as_str());
    Ok(if is_yes { Answered::Yes } else { Answered::No })
}
