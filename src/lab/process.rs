//! The lab as a process: starts it, sends it the configuration, and reads its events.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};
use zeroize::Zeroizing;

use super::config::{Event, LabConfig};
use super::mounts::check_visible;
use super::namespaces::{end_with_parent, spawn_in_namespaces};
use super::report::LabReport;

/// A lab that runs. The lab ends, with all its processes and files, when this value is dropped or its process ends in
/// any way.
#[derive(Debug)]
pub struct LabProcess {
    child: Child,
}

/// Starts the program `inside` as the lab. The program must call [`receive_config`] and [`run`](super::run).
///
/// # Errors
/// When a path of the configuration is not visible inside the lab, or when namespaces cannot be made.
pub fn start(config: &LabConfig, inside: &mut Command) -> Result<LabProcess> {
    let test_system = config.test_system.iter();
    let test_system = test_system
        .flat_map(|system| [Some(&system.kernel), system.modules.as_ref(), Some(&system.busybox)])
        .flatten();
    for path in config.bundles.values().chain(&config.ipxe).chain(&config.keep).chain(test_system) {
        check_visible(path)?;
    }
    let mut child = spawn_in_namespaces(&config.tools, inside)?;
    // The signer's key is in the line.
    let mut line = Zeroizing::new(serde_json::to_string(config)?);
    line.push('\n');
    let input = child.stdin.as_mut().context("the lab has no standard input")?;
    input.write_all(line.as_bytes()).with_context(explain_no_namespaces)?;
    Ok(LabProcess { child })
}

/// Explains why the lab never began. unshare(1) has printed the kernel's reason before.
fn explain_no_namespaces() -> String {
    let mut text = "the lab could not make namespaces of its own".to_owned();
    if !rustix::process::geteuid().is_root() {
        text += ": a user other than root needs subordinate ids (`usermod --add-subuids 100000-165535 --add-subgids \
                 100000-165535 USER`) and a kernel that lets users make namespaces; root needs neither";
    }
    text
}

impl LabProcess {
    /// Waits until the lab has ended, and calls `on_event` with each event before.
    ///
    /// # Errors
    /// When the lab fails, or ends before its report.
    pub fn wait(&mut self, mut on_event: impl FnMut(Event)) -> Result<LabReport> {
        let output = self.child.stdout.take().context("the lab has no standard output")?;
        let (mut report, mut has_begun) = (None, false);
        for line in BufReader::new(output).lines() {
            let line = line.context("could not read the events of the lab")?;
            has_begun = true;
            match serde_json::from_str(&line)
                .with_context(|| format!("the lab printed a line that is not an event: {line}"))?
            {
                Event::Report(finished) => report = Some(finished),
                Event::Failed(why) => bail!("{why}"),
                event => on_event(event),
            }
        }
        report.with_context(|| {
            if has_begun { "the lab ended before its report".to_owned() } else { explain_no_namespaces() }
        })
    }
}

impl Drop for LabProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Reads the configuration that [`start`] sends. After this call the process ends when its standard input ends.
///
/// # Errors
/// When standard input holds no configuration.
pub fn receive_config() -> Result<LabConfig> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().read_line(&mut line).context("could not read the configuration of the lab")?;
    let config = serde_json::from_str(&line).context("standard input holds no configuration of a lab")?;
    end_with_parent();
    Ok(config)
}
