//! The progress of long work: a bar on a terminal, and nothing anywhere else.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::printer::Printer;

/// The bytes done and their total, the speed, and the time that is left.
const BYTES: &str = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";

/// A progress bar, which goes away when it is dropped.
pub(super) struct ByteProgress {
    bar: ProgressBar,
}

impl ByteProgress {
    /// Shows a bar for work on `bytes`, with `message` before it.
    pub(super) fn bytes(printer: &Printer, message: &'static str, bytes: u64) -> Self {
        let shown = !printer.quiet && stderr().is_terminal();
        // Drawn at most ten times a second, so that short work shows none.
        let target =
            if shown { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(bytes), target);
        if let Ok(style) = ProgressStyle::with_template(BYTES) {
            bar.set_style(style);
        }
        bar.set_message(message);
        if shown {
            // Starts a thread.
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar }
    }

    /// Moves the bar by `bytes`.
    pub(super) fn add(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

impl Drop for ByteProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
