//! ISC dhcpd, in the foreground.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::model::Provisioner;

/// The message that tells of a lease, with the leased address and the MAC address after it.
pub(super) const LEASE_MESSAGE: &str = "DHCPACK";

/// The command that serves DHCP at the interfaces of `provisioner` by the file `config`.
pub(super) fn command(program: &Path, config: &Path, provisioner: &Provisioner) -> Result<Command> {
    let leases = Path::new("/run/dhcpd.leases");
    fs::write(leases, "").context("could not make the leases of dhcpd")?;
    let mut command = Command::new(program);
    command.args(["-4", "-d", "-pf", "/run/dhcpd.pid", "-lf"]).arg(leases);
    command.arg("-cf").arg(config);
    command.args(provisioner.interfaces().map(|interface| interface.name.as_str()));
    Ok(command)
}
