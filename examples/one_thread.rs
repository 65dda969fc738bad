//! plasmagen on a single thread, so that the Nth system call is always the same one: for tests that kill and starve it.

use std::process::ExitCode;

fn main() -> ExitCode {
    match rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global() {
        Ok(()) => plasmagen::cli::run(),
        Err(_) => ExitCode::from(70),
    }
}
