//! dnsmasq, in the foreground: as the DHCP and TFTP server, and as the lab's router.

use std::path::Path;
use std::process::Command;

/// The message that tells of a lease, with the leased address and the MAC address after it.
pub(super) const LEASE_MESSAGE: &str = "DHCPACK";

/// The command that serves DHCP and TFTP by the file `config`.
pub(super) fn command(program: &Path, config: &Path) -> Command {
    let mut command = foreground(program);
    // dnsmasq would ping an address before it leases the address, and do nothing else for three seconds.
    command.args(["--no-ping", "--dhcp-leasefile=/run/dnsmasq.leases"]);
    command.arg(format!("--conf-file={}", config.display()));
    command
}

/// dnsmasq in the foreground, with its messages on standard error and without a file of its process id.
pub(super) fn foreground(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--keep-in-foreground", "--log-facility=-", "--user=root", "--group=root", "--pid-file"]);
    command
}
