//! The program `ipmitool`: how it is run, and what became of it. No crate for Rust knows chassis control and boot options.
//!
//! The password stands in a file that `ipmitool` reads by itself (`-f`), never in an argument or in the environment. It cuts
//! a password at 20 bytes without a word, and asks the terminal where the file is empty or missing: the file was checked
//! before, standard input is empty, and the program is in a process group in the background, which the kernel stops if it
//! reads from the terminal.

use std::io::{ErrorKind, Read};
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::words::{Fault, explain};
use crate::bmc::access::Access;

/// The longest password of IPMI 2.0, in bytes.
const LONGEST_PASSWORD: usize = 20;
/// The longest time for a command: with `-N 2 -R 3`, ipmitool gives a BMC that is silent up after 18 s.
const COMMAND_TIME: Duration = Duration::from_secs(30);
const POLL_PAUSE: Duration = Duration::from_millis(20);
/// The time that a BMC has between two commands: some crash without it (ironic, `min_command_interval`).
const REST: Duration = Duration::from_secs(5);
/// The largest output that is read, in bytes.
const LARGEST_OUTPUT: u64 = 64 << 10;
/// Cipher suites to try: HMAC-SHA256, which new BMCs want, and HMAC-SHA1, which old ones know alone. Without one, ipmitool
/// asks the BMC for its suites, which takes 10 s where the BMC does not answer that.
const CIPHERS: [&str; 2] = ["17", "3"];

/// `ipmitool` for one BMC.
pub(super) struct Ipmitool {
    address: IpAddr,
    user: String,
    password_path: PathBuf,
    /// The place in [`CIPHERS`].
    cipher: usize,
    /// The end of the last command.
    last: Option<Instant>,
}

impl Ipmitool {
    /// Prepares `ipmitool` for the BMC of `access`; runs nothing yet.
    ///
    /// # Errors
    /// When the password is longer than IPMI allows.
    pub(super) fn new(access: &Access) -> Result<Self> {
        let (length, path) = (access.password.len(), access.password_path.clone());
        ensure!(
            length <= LONGEST_PASSWORD,
            "the password in {} has {length} bytes, and IPMI allows {LONGEST_PASSWORD}: set a shorter one at the BMC",
            path.display()
        );
        Ok(Self {
            address: access.address,
            user: access.user.clone(),
            password_path: path,
            cipher: 0,
            last: None,
        })
    }

    /// Runs `words` at the BMC, and returns what ipmitool printed.
    ///
    /// # Errors
    /// An error with a [`Fault`] when the BMC refuses or does not answer. Else when ipmitool is missing.
    pub(super) fn run(&mut self, words: &[&str]) -> Result<String> {
        loop {
            let ended = self.run_once(words)?;
            if ended.status.success() {
                return Ok(ended.stdout);
            }
            let fault = Fault::find(&ended.stdout, &ended.stderr);
            if fault == Fault::Cipher && self.cipher + 1 < CIPHERS.len() {
                self.cipher += 1;
                continue;
            }
            let text = explain(&fault, self.address, &self.user);
            return Err(anyhow::Error::new(fault).context(text));
        }
    }

    fn run_once(&mut self, words: &[&str]) -> Result<Ended> {
        if let Some(last) = self.last {
            sleep(REST.saturating_sub(last.elapsed()));
        }
        // -v names the reason where a session does not come about, and prints it on standard error.
        let mut command = self.command();
        command.arg("-v").args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = wait(start(command.process_group(0))?, self.address);
        self.last = Some(Instant::now());
        ended
    }

    /// Hands the terminal to the console of the machine until the user ends it.
    ///
    /// # Errors
    /// As for [`run`](Self::run), and when another session has the console, which is ended first if `takes_over`.
    pub(super) fn show_console(&mut self, takes_over: bool) -> Result<ExitStatus> {
        // The cipher suite is found by a question, for which the terminal is not needed.
        self.run(&["chassis", "power", "status"])?;
        if takes_over {
            // Without a session there is nothing to end.
            let _ = self.run(&["sol", "deactivate"]);
        }
        sleep(REST);
        let mut command = self.command();
        let mut child = start(command.args(["sol", "activate"]))?;
        child.wait().context("could not wait for ipmitool")
    }

    fn command(&self) -> Command {
        let mut command = Command::new("ipmitool");
        command.args(["-I", "lanplus", "-H", &self.address.to_string(), "-U", &self.user, "-f"]);
        command.arg(&self.password_path).args([
            "-C",
            CIPHERS[self.cipher],
            "-N",
            "2",
            "-R",
            "3",
            "-L",
            "OPERATOR",
        ]);
        // Its words are compared.
        command.env("LC_ALL", "C");
        command
    }
}

fn start(command: &mut Command) -> Result<Child> {
    command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!(
            "IPMI needs the program ipmitool, which is not in PATH: install the package ipmitool (Debian and nixpkgs call it so)"
        ),
        _ => anyhow::Error::new(error).context("could not run ipmitool"),
    })
}

/// How a command has ended.
struct Ended {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

/// Waits for `child`, which is killed after [`COMMAND_TIME`].
fn wait(mut child: Child, address: IpAddr) -> Result<Ended> {
    let stdout = child.stdout.take().map(read);
    let stderr = child.stderr.take().map(read);
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().context("could not wait for ipmitool")? {
            break status;
        }
        if begin.elapsed() > COMMAND_TIME {
            child.kill().and_then(|()| child.wait()).context("could not end ipmitool")?;
            bail!("the BMC at {address} does not answer in time");
        }
        sleep(POLL_PAUSE);
    };
    let text = |reader: Option<JoinHandle<Vec<u8>>>| {
        let bytes = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Ended { status, stdout: text(stdout), stderr: text(stderr) })
}

/// Reads a pipe to its end in another thread, and keeps the beginning.
fn read(pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let (mut bytes, mut pipe) = (Vec::new(), pipe);
        // A pipe that breaks ends there; the rest is drained so that the program can end.
        let _ = pipe.by_ref().take(LARGEST_OUTPUT).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        bytes
    })
}
