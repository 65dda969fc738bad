//! The program: parse the command line, call, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    plasmagen::cli::run()
}
