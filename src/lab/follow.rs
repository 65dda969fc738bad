//! How far a machine has come, by what the servers log and by its serial console.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::disk::LOCAL_DISK;
use super::servers::ACCESS;
use super::tail::Tail;
use super::trial::{Kind, Step, Trial};
use crate::model::TFTP_DIR;

/// What begins a line of the lab's own system.
pub(super) const SAYS: &str = "plasmagen-lab: ";

/// The one panic that is QEMU's and not the inventory's, under load.
pub(super) const FLAKE: &str = "IO-APIC + timer doesn't work";

/// What a bundle's script says when it refuses.
const REFUSALS: [&str; 2] = ["this iPXE has no sha256sum", "What was loaded is not what was published"];

/// What boot.ipxe says to a machine that it does not know.
const PAGE: &str = "This machine is not in the inventory";

/// Something that was loaded over HTTP.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) bytes: u64,
}

/// A machine on its way.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    trial: &'a Trial<'a>,
    dhcp: Tail,
    lease_message: &'static str,
    tftp: Tail,
    http: Tail,
    console: Tail,
    /// When each step was made, in seconds after power-on.
    pub(super) steps: BTreeMap<Step, f64>,
    pub(super) address: Option<IpAddr>,
    /// The file that the firmware asked for over TFTP; some iPXEs then ask for more.
    pub(super) asked: Option<String>,
    pub(super) fetched: Vec<Fetched>,
    pub(super) serial: String,
}

/// Where servers log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logs<'a> {
    pub(super) dhcp: &'a Path,
    /// What begins the message about a lease in the log of the DHCP server.
    pub(super) lease_message: &'static str,
    pub(super) tftp: &'a Path,
}

impl<'a> Watch<'a> {
    /// Follows `trial` from now on.
    pub(super) fn new(trial: &'a Trial<'a>, logs: Logs<'_>, serial: &Path) -> Self {
        Self {
            trial,
            dhcp: Tail::at_end(logs.dhcp),
            lease_message: logs.lease_message,
            tftp: Tail::at_end(logs.tftp),
            http: Tail::at_end(Path::new(ACCESS)),
            console: Tail::at_start(serial),
            steps: BTreeMap::new(),
            address: None,
            asked: None,
            fetched: Vec::new(),
            serial: String::new(),
        }
    }

    /// Looks again, `now` seconds after power-on: the steps that are new.
    pub(super) fn look(&mut self, now: f64) -> Vec<Step> {
        let before: Vec<Step> = self.steps.keys().copied().collect();
        for line in self.dhcp.lines() {
            self.lease(&line, now);
        }
        for line in self.tftp.lines() {
            self.tftp_request(&line, now);
        }
        for line in self.http.lines() {
            self.http_request(&line, now);
        }
        self.read_console(now);
        if self.trial.steps.contains(&Step::Ssh)
            && self.steps.contains_key(&Step::Kernel)
            && self.answers_ssh()
        {
            self.made(Step::Ssh, now);
        }
        self.steps.keys().copied().filter(|step| !before.contains(step)).collect()
    }

    fn made(&mut self, step: Step, now: f64) {
        self.steps.entry(step).or_insert(now);
    }

    /// `DHCPACK on 10.0.0.1 to MAC`, `DHCPACK(eth0) 10.0.0.1 MAC name`, `DHCP4_LEASE_ALLOC … MAC …: lease 10.0.0.1 has`.
    fn lease(&mut self, line: &str, now: f64) {
        let mac = self.trial.mac.to_string();
        let Some((_, rest)) = line.split_once(self.lease_message).filter(|(_, rest)| rest.contains(&mac))
        else {
            return;
        };
        let mut words = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
        if let Some(address) = words.find_map(|word| word.parse().ok()) {
            self.address = Some(address);
            self.made(Step::Lease, now);
        }
    }

    /// `RRQ from 10.0.0.1 filename ipxe.efi`, `sent /root/ipxe.efi to 10.0.0.1`.
    fn tftp_request(&mut self, line: &str, now: f64) {
        let mut words = line.split_whitespace();
        let Some(begin) = words.find(|word| matches!(*word, "RRQ" | "sent")) else { return };
        let words: Vec<&str> = words.collect();
        let (file, client) = match (begin, &*words) {
            ("RRQ", ["from", client, "filename", file, ..]) => (file, client),
            ("sent", [file, "to", client, ..]) => (file, client),
            _ => return,
        };
        if client.parse().ok() != self.address || self.address.is_none() {
            return;
        }
        let file = file.rsplit('/').next().unwrap_or(file).to_owned();
        let loader = self.trial.loader();
        if loader.file == file && !loader.http {
            self.made(Step::Loader, now);
        }
        self.asked.get_or_insert(file);
    }

    /// `$msec $remote_addr "$request" $status $body_bytes_sent …`.
    fn http_request(&mut self, line: &str, now: f64) {
        let Some((head, rest)) = line.split_once(" \"") else { return };
        let Some((request, rest)) = rest.split_once("\" ") else { return };
        if head.split(' ').nth(1).and_then(|own| own.parse().ok()) != self.address || self.address.is_none() {
            return;
        }
        let mut numbers = rest.split(' ');
        let mut number = || numbers.next().and_then(|own| own.parse::<u64>().ok()).unwrap_or_default();
        let (status, bytes) = (u16::try_from(number()).unwrap_or_default(), number());
        let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches("/boot/").to_owned();
        if status == 200 && request.starts_with("GET ") {
            let loader = self.trial.loader();
            let step = match (
                path.split('/').next().unwrap_or_default(),
                path.rsplit('/').next().unwrap_or_default(),
            ) {
                (TFTP_DIR, file) if loader.http && loader.file == file => Some(Step::Loader),
                ("ipxe", "boot.ipxe") => Some(Step::BootScript),
                ("ipxe", _) => Some(Step::NodeScript),
                ("armed", _) => Some(Step::Armed),
                ("nixos", "boot.ipxe") => Some(Step::BundleScript),
                ("nixos", "bzImage") => Some(Step::Kernel),
                ("nixos", "initrd") => Some(Step::Initrd),
                ("overlay", _) => Some(Step::Overlay),
                _ => None,
            };
            if let Some(step) = step {
                self.made(step, now);
            }
        }
        self.fetched.push(Fetched { path, status, bytes });
    }

    fn read_console(&mut self, now: f64) {
        let more = self.console.more();
        if more.is_empty() {
            return;
        }
        self.serial.push_str(&more);
        let mac = format!("mac = \"{}\"", self.trial.mac);
        for (step, signs) in [
            (Step::System, &[&*format!("{SAYS}end")][..]),
            (Step::LocalDisk, &[LOCAL_DISK]),
            (Step::Page, &[PAGE, &mac]),
        ] {
            if signs.iter().all(|sign| self.serial.contains(sign)) {
                self.made(step, now);
            }
        }
        if REFUSALS.iter().any(|sign| self.serial.contains(sign)) {
            self.made(Step::Refused, now);
        }
    }

    /// Whether the machine's SSH server greets (RFC 4253, section 4.2).
    fn answers_ssh(&self) -> bool {
        let Some(address) = self.address else { return false };
        let limit = Duration::from_millis(500);
        let Ok(mut stream) = TcpStream::connect_timeout(&SocketAddr::new(address, 22), limit) else {
            return false;
        };
        let mut greeting = [0; 4];
        stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
            && stream.read_exact(&mut greeting).is_ok()
            && greeting == *b"SSH-"
    }

    /// Why it will come no further, if that is certain.
    pub(super) fn dead_end(&self) -> Option<String> {
        if self.serial.contains("Kernel panic") {
            return Some("the kernel panicked".to_owned());
        }
        let disk = self.steps.contains_key(&Step::LocalDisk);
        match self.trial.kind {
            Kind::Armed if disk && self.steps.contains_key(&Step::Refused) => {
                Some("it refused what it had loaded, and started from its local disk".to_owned())
            }
            Kind::Armed if disk => Some("it started from its local disk".to_owned()),
            Kind::Unarmed | Kind::Unknown if self.steps.contains_key(&Step::Kernel) => {
                Some("it loads an installer, and nobody has armed it".to_owned())
            }
            Kind::Tampered
                if self.steps.contains_key(&Step::System) || self.serial.contains("Linux version") =>
            {
                Some("it boots what was changed".to_owned())
            }
            _ => None,
        }
    }

    /// Whether it has made all its steps.
    pub(super) fn is_through(&self) -> bool {
        self.trial.steps.iter().all(|step| self.steps.contains_key(step))
    }
}
