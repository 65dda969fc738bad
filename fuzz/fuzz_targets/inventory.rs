//! Inventories that are nearly sound: every output can be rendered from those that the rules accept.

#![no_main]

use std::fmt::Write;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use plasmagen::outputs;
use plasmagen::plan::{Certificates, HostKeys, Plan, Zones};

/// A value: the right one, one that is nearly right, or any text.
#[derive(Arbitrary, Debug)]
enum Text {
    Right,
    Other(u8),
    Free(String),
}

impl Text {
    /// The value as a TOML string: `right`, one of `others`, or the free text.
    fn toml(&self, right: &str, others: &[&str]) -> String {
        let text = match self {
            Self::Right => right,
            Self::Other(n) => others[usize::from(*n) % others.len()],
            Self::Free(text) => text,
        };
        let mut literal = String::from("\"");
        for c in text.chars() {
            // TOML 1.0, basic strings: any character may be written by its number.
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | '-' | '/' | ':' | '_' => literal.push(c),
                c => write!(literal, "\\U{:08x}", u32::from(c)).expect("a String takes everything"),
            }
        }
        literal + "\""
    }
}

#[derive(Arbitrary, Debug)]
struct Node {
    profile: Text,
    mac: Text,
    boot: Text,
    core: Text,
    disk: Text,
    serial: Option<Text>,
    style: u8,
    hardware: Option<Text>,
    firmware: Option<bool>,
    mtu: Option<u16>,
    bond: bool,
    tagged: bool,
}

#[derive(Arbitrary, Debug)]
struct Site {
    cluster: Text,
    domain: Text,
    voters: u8,
    single: bool,
    formed: bool,
    address: Text,
    port: Option<u16>,
    vlan: Option<u16>,
    subnet: Text,
    gateway: Option<Text>,
    pool: Option<Text>,
    vip: Option<(Text, Text)>,
    service: Option<(Text, u16, Text, i64, bool)>,
    param: Text,
    nodes: Vec<Node>,
}

const ADDRESSES: [&str; 8] =
    ["10.0.0.0", "10.0.0.255", "10.0.0.1", "10.0.1.7", "10.0.0.010", "fd00::1", "127.0.0.1", "10.0.0.120"];

impl Site {
    fn toml(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::from("schema = 1\n[cluster]\n");
        let (name, domain) = (
            self.cluster.toml("lab", &["Lab", "", "localhost"]),
            self.domain.toml("lab.example.com", &["com", "a..b"]),
        );
        let voters: Vec<String> = (0..self.voters % 8).map(|n| format!("\"n{n}\"")).collect();
        writeln!(
            out,
            "name = {name}\ndomain = {domain}\nbootstrap = [{}]\nsingle = {}\nformed = {}",
            voters.join(", "),
            self.single,
            self.formed
        )?;
        writeln!(
            out,
            "state_version = \"24.11\"\nadmin_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57\"]"
        )?;
        writeln!(
            out,
            "[provisioner]\nnetwork = \"boot\"\naddress = {}\ninterface = \"eth0\"",
            self.address.toml("10.0.0.10", &ADDRESSES)
        )?;
        if let Some(port) = self.port {
            writeln!(out, "http_port = {port}")?;
        }
        writeln!(
            out,
            "[network.boot]\nroles = [\"provisioning\"]\nsubnet = \"10.0.0.0/24\"\ngateway = \"10.0.0.1\""
        )?;
        if let Some(pool) = &self.pool {
            writeln!(
                out,
                "pool = {}",
                pool.toml("10.0.0.100-10.0.0.199", &["10.0.0.9-10.0.0.1", "10.0.0.0-10.0.0.255", "x"])
            )?;
        }
        writeln!(
            out,
            "[network.core]\nroles = [\"cluster\"]\ndns = [\"10.1.0.1\"]\nsubnet = {}",
            self.subnet.toml("10.1.0.0/16", &["10.0.0.0/8", "10.1.0.1/16", "fd00::/64"])
        )?;
        if let Some(vlan) = self.vlan {
            writeln!(out, "vlan = {vlan}")?;
        }
        if let Some(gateway) = &self.gateway {
            writeln!(out, "gateway = {}", gateway.toml("10.1.0.1", &ADDRESSES))?;
        }
        if let Some((name, address)) = &self.vip {
            writeln!(
                out,
                "[vip]\n{} = {}",
                name.toml("iam", &["n0", "ns"]),
                address.toml("10.1.0.100", &ADDRESSES)
            )?;
        }
        writeln!(
            out,
            "[profile.control-plane]\nservices = [\"chainfire\", \"flaredb\"{}]",
            if self.service.is_some() { ", \"custom\"" } else { "" }
        )?;
        writeln!(
            out,
            "kernel_params = [{}]\ndisk.single = {{}}",
            self.param.toml("quiet", &["a b", "x=${y}"])
        )?;
        writeln!(
            out,
            "interface.eth0 = {{ network = \"boot\" }}\ninterface.eth1 = {{ network = \"core\" }}"
        )?;
        if let Some((key, port, value, number, flag)) = &self.service {
            let (key, value) =
                (key.toml("level", &["tls", "node_id", "peers"]), value.toml("info", &["${x}"]));
            writeln!(
                out,
                "[service.custom]\nport = {port}\nsettings = {{ {key} = [{value}, {{ {key} = {number}, b = {flag} }}] }}"
            )?;
        }
        for (n, node) in self.nodes.iter().take(8).enumerate() {
            node.toml(n, &mut out)?;
        }
        Ok(out)
    }
}

impl Node {
    fn toml(&self, n: usize, out: &mut String) -> std::fmt::Result {
        let mac = self.mac.toml(
            &format!("3c:ec:ef:00:00:0{n}"),
            &["3c:ec:ef:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"],
        );
        writeln!(
            out,
            "[node.n{n}]\nprofile = {}\nmac = {mac}",
            self.profile.toml("control-plane", &["control-plan"])
        )?;
        writeln!(out, "address.boot = {}", self.boot.toml(&format!("10.0.0.2{n}"), &ADDRESSES))?;
        writeln!(out, "address.core = {}", self.core.toml(&format!("10.1.0.2{n}"), &ADDRESSES))?;
        let style = [
            "single = {}",
            "raid1 = { format = \"xfs\" }",
            "lvm = { swap = \"1G\" }",
            "luks = { esp = \"2G\" }",
        ];
        writeln!(out, "disk.{}", style[usize::from(self.style) % style.len()])?;
        let disk = self.disk.toml(
            &format!("/dev/disk/by-id/ata-D_{n}"),
            &["/dev/sda", "/dev/disk/by-id/ata-D_0", "/dev/sda1"],
        );
        let second =
            if self.style % 4 == 1 { format!(", \"/dev/disk/by-id/ata-E_{n}\"") } else { String::new() };
        writeln!(out, "disks = [{disk}{second}]")?;
        if let Some(serial) = &self.serial {
            writeln!(out, "serial = {}", serial.toml(&format!("S{n}"), &["", "a\"b"]))?;
        }
        if let Some(hardware) = &self.hardware {
            writeln!(out, "hardware = {}", hardware.toml("dell-r640", &["generic", "dell"]))?;
        }
        if let Some(bios) = self.firmware {
            writeln!(out, "firmware = \"{}\"", if bios { "bios" } else { "uefi" })?;
        }
        let mtu = self.mtu.map(|mtu| format!("mtu = {mtu}, ")).unwrap_or_default();
        let bond =
            if self.bond { "bond = { mode = \"active-backup\", members = [\"a\", \"b\"] }, " } else { "" };
        writeln!(out, "interface.eth1 = {{ {mtu}{bond}tagged = {} }}", self.tagged)
    }
}

fuzz_target!(|site: Site| {
    let text = site.toml().expect("a String takes everything");
    let checked = plasmagen::check::check(text.as_bytes()).expect("what the rules accept is complete");
    if let Some(cluster) = checked.cluster {
        let ca = Some("CA".to_owned());
        let nodes = cluster.nodes.iter().map(|node| (node.name.clone(), "certificate".to_owned())).collect();
        let certificates = Certificates { ca, nodes, ..Certificates::default() };
        outputs::render(&Plan { cluster, certificates, host_keys: HostKeys::default(), zones: Zones::default() })
            .expect("every output says it");
    }
});
