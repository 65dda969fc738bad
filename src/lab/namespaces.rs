//! The lab's own network, mount and process namespaces (namespaces(7)).
//!
//! The lab is the first process of its process namespace. When it ends, the kernel ends all other processes in the
//! namespace. With the last process the mounts, the network interfaces and all files disappear, since the files lie in
//! memory. The lab ends when its standard input ends, and so when its parent ends in any way. Nothing has to be cleaned
//! up.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::tools::Tools;

/// Starts `program` as the first process of new namespaces. It ends when its standard input, a pipe, is closed.
///
/// # Errors
/// When `unshare` cannot be started.
pub(super) fn spawn_in_namespaces(tools: &Tools, program: &mut Command) -> Result<Child> {
    let mut command = Command::new(&tools.unshare);
    if !rustix::process::geteuid().is_root() {
        // nginx and in.tftpd become other users, so these must exist in the user namespace.
        command.args(["--map-root-user", "--map-auto"]);
    }
    command.args([
        "--net",
        "--mount",
        "--pid",
        "--ipc",
        "--uts",
        "--mount-proc",
        "--fork",
        "--kill-child",
        "--",
    ]);
    command.arg(program.get_program()).args(program.get_args());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().with_context(|| format!("could not start {}", tools.unshare.display()))
}

/// Ends this process, and so the lab, when its standard input ends. Only the parent holds the other end of the pipe.
pub(super) fn end_with_parent() {
    std::thread::spawn(|| {
        let mut rest = [0; 64];
        while matches!(io::stdin().read(&mut rest), Ok(1..)) {}
        std::process::exit(2);
    });
}
