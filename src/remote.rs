//! Scripts on machines of the site, over the user's `ssh`: agents, hardware keys, jump hosts and `~/.ssh/config` work as the
//! user has set them up.
//!
//! ```text
//! script ─ standard input ─ ssh ─ sh on the machine ─ standard output, limited ─ Answer
//! ```
//!
//! A command line holds nothing of an inventory but an address, which is a type and no text. A machine answers as its key in
//! `site/known_hosts`, or not at all. What it answers is hostile until it is parsed: [`Answer`] is bytes, within limits.

mod process;

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use process::{Ended, Limits, run};

/// The seconds within which a connection is made.
const CONNECT_SECONDS: u32 = 10;

/// The seconds after which a silent machine is asked whether it is there; it is lost after the second question.
const ALIVE_SECONDS: u32 = 15;

/// The exit status of ssh where ssh itself has failed (ssh(1), EXIT STATUS).
const FAILED: i32 = 255;

/// The terms of a call.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The program, `ssh` as a rule.
    pub program: OsString,
    /// The directory of the file `known_hosts`, which has the host keys of the machines.
    pub known_hosts: PathBuf,
    /// The options before all others, such as a port; the user's own configuration counts after them.
    pub options: Vec<String>,
    /// The time after which the script is given up.
    pub deadline: Duration,
    /// The most bytes that the machine may answer.
    pub most: usize,
}

impl Terms {
    /// The terms of a short question, with the host keys in `known_hosts` in the directory of that name.
    #[must_use]
    pub fn new(known_hosts: PathBuf) -> Self {
        Self {
            program: "ssh".into(),
            known_hosts,
            options: Vec::new(),
            deadline: Duration::from_secs(60),
            most: 1 << 20,
        }
    }
}

/// The output of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The bytes of standard output.
    pub output: Vec<u8>,
}

/// Why a machine has not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no ssh, or it cannot be started. The text says why.
    NoSsh(String),
    /// The machine has another host key than `known_hosts` says, or `known_hosts` has none.
    HostKey(String),
    /// The machine admits none of the user's keys.
    NotAdmitted(String),
    /// No machine answers at the address.
    Unreachable(String),
    /// The machine did not end the script in time.
    TooSlow(Duration),
    /// The machine printed more than the terms allow.
    TooMuch(usize),
    /// The script failed, with this exit status; none where a signal ended it.
    Script(Option<i32>, String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSsh(why) => write!(f, "could not run ssh: {why}"),
            Self::HostKey(why) => write!(f, "it does not have the host key of site/known_hosts: {why}"),
            Self::NotAdmitted(why) => write!(f, "it admits none of your SSH keys: {why}"),
            Self::Unreachable(why) => write!(f, "it cannot be reached: {why}"),
            Self::TooSlow(time) => write!(f, "it did not answer within {} seconds", time.as_secs()),
            Self::TooMuch(most) => write!(f, "it answered more than {most} bytes"),
            Self::Script(Some(status), why) => {
                write!(f, "the question failed there with the status {status}: {why}")
            }
            Self::Script(None, why) => write!(f, "the question was ended there by a signal: {why}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Runs `script` in `sh` as root of the machine at `address`.
///
/// # Errors
/// When the machine does not answer as `terms` want it, or the script fails.
pub fn run_script(address: IpAddr, script: &str, terms: &Terms) -> Result<Answer, Failure> {
    let mut ssh = prepare(address, terms);
    let limits = Limits { deadline: terms.deadline, most: terms.most };
    let ended =
        run(&mut ssh, script.as_bytes(), limits).map_err(|error| Failure::NoSsh(error.to_string()))?;
    match ended {
        Ended::TooSlow => Err(Failure::TooSlow(terms.deadline)),
        Ended::TooMuch => Err(Failure::TooMuch(terms.most)),
        Ended::Exited { status: Some(0), output, .. } => Ok(Answer { output }),
        Ended::Exited { status, errors, .. } => Err(name_failure(status, &errors)),
    }
}

fn prepare(address: IpAddr, terms: &Terms) -> Command {
    let mut ssh = Command::new(&terms.program);
    ssh.args(&terms.options);
    let (connect, alive) =
        (format!("ConnectTimeout={CONNECT_SECONDS}"), format!("ServerAliveInterval={ALIVE_SECONDS}"));
    // The file is named relative to the directory in which ssh runs: a path may hold blanks and `%`, which ssh expands.
    let options = [
        "BatchMode=yes",
        &connect,
        &alive,
        "ServerAliveCountMax=2",
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=known_hosts",
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        "VerifyHostKeyDNS=no",
        "ForwardAgent=no",
        "ForwardX11=no",
        "ClearAllForwardings=yes",
        "PermitLocalCommand=no",
        "RequestTTY=no",
        "RemoteCommand=none",
        "LogLevel=ERROR",
    ];
    for option in options {
        ssh.args(["-o", option]);
    }
    ssh.args(["-T", "-l", "root", "--"]).arg(address.to_string()).arg("sh -s");
    ssh.current_dir(&terms.known_hosts);
    ssh.env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    ssh
}

/// Words of ssh's messages about host keys, and about users that are not admitted.
const HOST_KEY: [&str; 3] =
    ["Host key verification failed", "HOST IDENTIFICATION HAS CHANGED", "host key is known"];
const NOT_ADMITTED: [&str; 2] = ["Permission denied", "Too many authentication failures"];

/// Tells the failures of ssh itself apart, which have one exit status. The messages of a jump host or a proxy command stand
/// between those of ssh.
fn name_failure(status: Option<i32>, errors: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(errors);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = shorten(lines().next_back().unwrap_or("ssh says nothing"));
    let says =
        |words: &[&str]| lines().find(|line| words.iter().any(|word| line.contains(word))).map(shorten);
    if status != Some(FAILED) {
        return Failure::Script(status, last);
    }
    if let Some(line) = says(&HOST_KEY) {
        Failure::HostKey(line)
    } else if let Some(line) = says(&NOT_ADMITTED) {
        Failure::NotAdmitted(line)
    } else {
        Failure::Unreachable(last)
    }
}

/// The beginning of a line, without characters that a terminal obeys: a machine chooses parts of it.
fn shorten(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_ssh_are_told_apart() {
        for (status, why, is_it) in [
            (255, "Host key verification failed.", "host key"),
            (255, "No ED25519 host key is known for 10.0.0.1", "host key"),
            (255, "root@10.0.0.1: Permission denied (publickey).", "admits none"),
            (255, "ssh: connect to host 10.0.0.1 port 22: Connection refused", "cannot be reached"),
            (1, "sh: no", "status 1"),
        ] {
            let failure = name_failure(Some(status), format!("x\n{why}\u{7}\n\n").as_bytes());
            let text = failure.to_string();
            assert!(text.contains(is_it) && text.ends_with(why), "{text}");
        }
    }
}
