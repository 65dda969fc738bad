//! The program `plasmagen`: its command line is in [`plasmagen::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    plasmagen::cli::run()
}
