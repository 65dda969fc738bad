//! Observes how far a machine has come, by the logs of the servers and by the machine's serial console.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::boot_test::{BootStep, BootTest, Scenario};
use super::local_disk::LOCAL_DISK_MESSAGE;
use super::log_tail::LogTail;
use super::server_logs::{HttpRequest, parse_lease, parse_tftp_request};
use super::servers::{ACCESS, LeaseLog};
use crate::model::TFTP_DIR;

/// The beginning of each line that the test system prints.
pub(super) const TEST_SYSTEM_PREFIX: &str = "plasmagen-lab: ";

/// The message of a kernel panic that is QEMU's fault under load, not the inventory's.
pub(super) const TIMER_PANIC: &str = "IO-APIC + timer doesn't work";

/// The messages of a bundle's script, `templates/bundle.ipxe.j2`, that refuses to boot.
const REFUSALS: [&str; 2] = ["this iPXE has no sha256sum", "What was loaded is not what was published"];

/// The message of `templates/boot.ipxe.j2` to a machine that is not in the inventory.
const UNKNOWN_MESSAGE: &str = "This machine is not in the inventory";

/// Formats the line in which boot.ipxe shows the MAC address of such a machine.
fn mac_line(mac: impl Display) -> String {
    format!("mac = \"{mac}\"")
}

/// The observations of one machine.
#[derive(Debug)]
pub(super) struct Observer<'a> {
    test: &'a BootTest<'a>,
    dhcp: LogTail,
    lease_message: &'static str,
    tftp: LogTail,
    http: LogTail,
    console: LogTail,
    /// The steps that the machine has made, with the seconds after power-on.
    pub(super) steps: BTreeMap<BootStep, f64>,
    /// The address that DHCP gave to the machine.
    pub(super) address: Option<IpAddr>,
    /// The first file that was requested over TFTP: by the firmware. Some builds of iPXE request further files.
    pub(super) tftp_file: Option<String>,
    pub(super) requests: Vec<HttpRequest>,
    /// The text of the serial console.
    pub(super) serial: String,
}

impl<'a> Observer<'a> {
    /// Begins to observe the machine of `test`. `tftp_log` and `console` are files.
    pub(super) fn new(test: &'a BootTest<'a>, lease_log: &LeaseLog, tftp_log: &Path, console: &Path) -> Self {
        Self {
            test,
            dhcp: LogTail::from_end(&lease_log.path),
            lease_message: lease_log.message,
            tftp: LogTail::from_end(tftp_log),
            http: LogTail::from_end(Path::new(ACCESS)),
            console: LogTail::from_start(console),
            steps: BTreeMap::new(),
            address: None,
            tftp_file: None,
            requests: Vec::new(),
            serial: String::new(),
        }
    }

    /// Reads what is new in the logs, `now` seconds after power-on, and returns the steps that are new.
    pub(super) fn poll(&mut self, now: f64) -> Vec<BootStep> {
        let before: Vec<BootStep> = self.steps.keys().copied().collect();
        for line in self.dhcp.read_lines() {
            self.read_lease(&line, now);
        }
        for line in self.tftp.read_lines() {
            self.read_tftp_request(&line, now);
        }
        for line in self.http.read_lines() {
            self.read_http_request(&line, now);
        }
        self.read_console(now);
        if self.test.steps.contains(&BootStep::Ssh) && self.has_made(BootStep::Kernel) && self.ssh_answers() {
            self.add_step(BootStep::Ssh, now);
        }
        self.steps.keys().copied().filter(|step| !before.contains(step)).collect()
    }

    fn add_step(&mut self, step: BootStep, now: f64) {
        self.steps.entry(step).or_insert(now);
    }

    fn has_made(&self, step: BootStep) -> bool {
        self.steps.contains_key(&step)
    }

    /// Whether `text` is the machine's address.
    fn is_machine(&self, text: &str) -> bool {
        self.address.is_some() && text.parse().ok() == self.address
    }

    /// Reads a line of the DHCP server's log.
    fn read_lease(&mut self, line: &str, now: f64) {
        let mac = self.test.mac.to_string();
        if let Some(address) = parse_lease(line, self.lease_message, &mac) {
            self.address = Some(address);
            self.add_step(BootStep::Lease, now);
        }
    }

    /// Reads a line of the TFTP server's log.
    fn read_tftp_request(&mut self, line: &str, now: f64) {
        let Some((file, _)) = parse_tftp_request(line).filter(|(_, client)| self.is_machine(client)) else {
            return;
        };
        let loader = self.test.loader();
        if loader.file == file && !loader.http {
            self.add_step(BootStep::Loader, now);
        }
        self.tftp_file.get_or_insert_with(|| file.to_owned());
    }

    /// Reads a line of nginx' access log.
    fn read_http_request(&mut self, line: &str, now: f64) {
        let Some((client, request)) = HttpRequest::parse(line) else { return };
        if !self.is_machine(client) {
            return;
        }
        if request.status == 200
            && request.is_get
            && let Some(step) = self.find_step(&request.path)
        {
            self.add_step(step, now);
        }
        self.requests.push(request);
    }

    /// Finds the step that a machine makes when it loads `path`.
    fn find_step(&self, path: &str) -> Option<BootStep> {
        let loader = self.test.loader();
        let (dir, file) = (path.split('/').next()?, path.rsplit('/').next()?);
        match (dir, file) {
            (TFTP_DIR, file) if loader.http && loader.file == file => Some(BootStep::Loader),
            ("ipxe", "boot.ipxe") => Some(BootStep::BootScript),
            ("ipxe", _) => Some(BootStep::NodeScript),
            ("armed", _) => Some(BootStep::Armed),
            ("nixos", "boot.ipxe") => Some(BootStep::BundleScript),
            ("nixos", "bzImage") => Some(BootStep::Kernel),
            ("nixos", "initrd") => Some(BootStep::Initrd),
            ("overlay", _) => Some(BootStep::Overlay),
            _ => None,
        }
    }

    fn read_console(&mut self, now: f64) {
        let text = self.console.read_text();
        if text.is_empty() {
            return;
        }
        self.serial.push_str(&text);
        let end = format!("{TEST_SYSTEM_PREFIX}end");
        let mac = mac_line(self.test.mac);
        for (step, messages) in [
            (BootStep::System, &[&*end][..]),
            (BootStep::LocalDisk, &[LOCAL_DISK_MESSAGE]),
            (BootStep::Page, &[UNKNOWN_MESSAGE, &mac]),
        ] {
            if messages.iter().all(|message| self.serial.contains(message)) {
                self.add_step(step, now);
            }
        }
        if REFUSALS.iter().any(|message| self.serial.contains(message)) {
            self.add_step(BootStep::Refused, now);
        }
    }

    /// Whether the machine's SSH server sends its identification string (RFC 4253, section 4.2).
    fn ssh_answers(&self) -> bool {
        let Some(address) = self.address else { return false };
        let limit = Duration::from_millis(500);
        let Ok(mut stream) = TcpStream::connect_timeout(&SocketAddr::new(address, 22), limit) else {
            return false;
        };
        let mut start = [0; 4];
        stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
            && stream.read_exact(&mut start).is_ok()
            && start == *b"SSH-"
    }

    /// Explains why the machine cannot make its remaining steps, if that is certain.
    pub(super) fn find_dead_end(&self) -> Option<String> {
        if self.serial.contains("Kernel panic") {
            return Some("the kernel panicked".to_owned());
        }
        let from_disk = self.has_made(BootStep::LocalDisk);
        match self.test.scenario {
            Scenario::Armed if from_disk && self.has_made(BootStep::Refused) => {
                Some("it refused what it had loaded, and started from its local disk".to_owned())
            }
            Scenario::Armed if from_disk => Some("it started from its local disk".to_owned()),
            Scenario::Unarmed | Scenario::Unknown if self.has_made(BootStep::Kernel) => {
                Some("it loads an installer, and is not armed".to_owned())
            }
            Scenario::Tampered
                if self.has_made(BootStep::System) || self.serial.contains("Linux version") =>
            {
                Some("it boots the changed initrd".to_owned())
            }
            _ => None,
        }
    }

    /// The steps that the machine has not made yet.
    pub(super) fn missing_steps(&self) -> impl Iterator<Item = BootStep> {
        self.test.steps.iter().copied().filter(|step| !self.has_made(*step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &str = include_str!("../../templates/boot.ipxe.j2");
    const BUNDLE: &str = include_str!("../../templates/bundle.ipxe.j2");

    /// Whether `script` prints `message`, in one line.
    fn prints(script: &str, message: &str) -> bool {
        script.lines().filter_map(|line| line.strip_prefix("echo ")).any(|text| text.contains(message))
    }

    #[test]
    fn scripts_print_the_messages_that_are_looked_for() {
        for message in REFUSALS {
            assert!(prints(BUNDLE, message), "templates/bundle.ipxe.j2 does not print: {message}");
        }
        for message in [UNKNOWN_MESSAGE.to_owned(), mac_line("${netX/mac}")] {
            assert!(prints(BOOT, &message), "templates/boot.ipxe.j2 does not print: {message}");
        }
    }
}
