//! plasmagen on a single thread, for tests that interrupt it: the Nth system call is the same one in every run.

use std::process::ExitCode;

fn main() -> ExitCode {
    match rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global() {
        Ok(()) => plasmagen::cli::run(),
        Err(_) => ExitCode::from(70),
    }
}
