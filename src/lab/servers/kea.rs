//! Kea's server for IPv4, in the foreground.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// The message that tells of a lease, with the MAC address and the leased address after it.
pub(super) const LEASE_MESSAGE: &str = "DHCP4_LEASE_ALLOC";

/// Where Kea keeps its process id and its lock.
const RUN: &str = "/run/kea";

/// Where Kea keeps its leases: the rendered file names no other path.
const LEASES: &str = "/var/lib/kea";

/// The command that serves DHCP by the file `config`.
pub(super) fn command(program: &Path, config: &Path) -> Result<Command> {
    for dir in [RUN, LEASES] {
        fs::create_dir_all(dir).with_context(|| format!("could not make {dir}"))?;
    }
    let mut command = Command::new(program);
    command.arg("-c").arg(config);
    command.env("KEA_PIDFILE_DIR", RUN).env("KEA_LOCKFILE_DIR", RUN);
    Ok(command)
}
