//! The peak memory of a process.

use std::fs;
use std::io;
use std::process::{Child, ExitStatus};
use std::thread::sleep;
use std::time::Duration;

/// Waits for `child`, and returns its exit status and the most memory that it held, as Linux counts it: `1234 kB`.
pub fn wait_with_peak(child: &mut Child) -> io::Result<(ExitStatus, String)> {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = String::new();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, peak));
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        if let Some(kib) = text.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            kib.trim().clone_into(&mut peak);
        }
        sleep(Duration::from_millis(1));
    }
}
