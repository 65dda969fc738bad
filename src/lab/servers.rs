//! The real servers on the rendered files, each in the foreground with what it says in a file of its own.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::space;
use super::tools::Tools;
use super::wires::{Net, ROUTER, Wire, relay};
use crate::model::{Cluster, DhcpServer};

/// How long a server may take until it listens, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where logs lie.
const LOGS: &str = "logs";

/// The log of nginx, where the rendered file puts it.
pub(super) const ACCESS: &str = "/var/log/nginx/access.log";

/// A socket that a server listens at: the file below `/proc/PID/net` that lists it, and its port.
#[derive(Clone, Copy, Debug)]
struct Port(&'static str, u16);

const DHCP: Port = Port("udp", 67);
const TFTP: Port = Port("udp", 69);
/// A raw socket has its protocol in the place of the port: ICMPv6.
const ADVERTISEMENTS: Port = Port("raw6", 58);

/// Servers that run, and the file of each that its messages are in.
#[derive(Debug, Default)]
pub(super) struct Servers {
    running: Vec<(Child, PathBuf)>,
    /// Where it is told who has a lease.
    pub(super) dhcp_log: PathBuf,
    /// Where it is told who loads by TFTP.
    pub(super) tftp_log: PathBuf,
}

impl Servers {
    /// Starts everything on the files below `site`.
    ///
    /// # Errors
    /// When a server does not come to listen: with what it said.
    pub(super) fn start(
        tools: &Tools,
        cluster: &Cluster,
        dhcp: DhcpServer,
        wires: &[Wire<'_>],
        site: &Path,
    ) -> Result<Self> {
        let mut servers = Self::default();
        let syslog = listen_to_syslog()?;
        servers.router(tools, cluster, wires)?;
        servers.dhcp(tools, cluster, dhcp, &site.join("pxe"))?;
        servers.dhcp_log = servers.running.last().map(|(_, log)| log.clone()).unwrap_or_default();
        servers.tftp_log = if dhcp == DhcpServer::Dnsmasq { servers.dhcp_log.clone() } else { syslog };
        if let Some(program) = &tools.tftpd {
            // As Debian's script starts it, from the settings.
            let script = r#". "$1"
                exec "$2" --foreground --user "$TFTP_USERNAME" --address "$TFTP_ADDRESS" $TFTP_OPTIONS "$TFTP_DIRECTORY""#;
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script, "sh"]).arg(site.join("pxe/tftpd-hpa.default")).arg(program);
            servers.launch("tftpd", TFTP, &mut command)?;
        }
        let mut command = Command::new(&tools.nginx);
        command
            .args(["-g", "daemon off;", "-e", "/var/log/nginx/error.log", "-c"])
            .arg(site.join("pxe/nginx.conf"));
        servers.launch("nginx", Port("tcp", cluster.provisioner.http_port), &mut command)?;
        Ok(servers)
    }

    fn dhcp(&mut self, tools: &Tools, cluster: &Cluster, dhcp: DhcpServer, pxe: &Path) -> Result<()> {
        let other = tools.dhcpd.as_deref().unwrap_or(Path::new(""));
        let (name, mut command) = match dhcp {
            DhcpServer::Kea => {
                let mut command = Command::new(other);
                command.arg("-c").arg(pxe.join("kea-dhcp4.json"));
                command.env("KEA_PIDFILE_DIR", "/run/kea").env("KEA_LOCKFILE_DIR", "/run/kea");
                ("kea", command)
            }
            DhcpServer::Isc => {
                let leases = Path::new("/run/dhcpd.leases");
                fs::write(leases, "").context("could not make the leases of dhcpd")?;
                let mut command = Command::new(other);
                command.args(["-4", "-d", "-pf", "/run/dhcpd.pid", "-lf"]).arg(leases);
                command.arg("-cf").arg(pxe.join("dhcpd.conf")).arg(cluster.provisioner.interface.as_str());
                ("dhcpd", command)
            }
            DhcpServer::Dnsmasq => {
                let mut command = self::dnsmasq(tools);
                // It would ping an address that it is about to lease, and do nothing else for three seconds.
                command.args(["--no-ping", "--dhcp-leasefile=/run/dnsmasq.leases"]);
                command.arg(format!("--conf-file={}", pxe.join("dnsmasq.conf").display()));
                ("dnsmasq", command)
            }
        };
        self.launch(name, DHCP, &mut command)
    }

    /// The router: advertises itself everywhere, relays DHCP to the provisioner, and forwards.
    fn router(&mut self, tools: &Tools, cluster: &Cluster, wires: &[Wire<'_>]) -> Result<()> {
        let net = Net::new(tools);
        let mut forward = net.within(ROUTER, Path::new("/bin/sh"));
        space::run(forward.args(["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]))?;
        let own = self::dnsmasq(tools);
        let mut command = net.within(ROUTER, Path::new(own.get_program()));
        command.args(own.get_args()).args(["--conf-file=/dev/null", "--port=0", "--enable-ra"]);
        command.args(["--dhcp-leasefile=/run/router.leases", "--except-interface=lo"]);
        let server = cluster.provisioner.address;
        let mut port = ADVERTISEMENTS;
        for wire in wires {
            command.arg(format!("--interface={}", wire.leg()));
            command.arg(format!("--dhcp-range={},ra-only", wire.router6().0));
            if let Some(relay) = relay(wire) {
                command.arg(format!("--dhcp-relay={relay},{server}"));
                port = DHCP;
            }
        }
        self.launch("router", port, &mut command)
    }

    /// Starts a server; returns when it listens.
    fn launch(&mut self, name: &str, port: Port, command: &mut Command) -> Result<()> {
        let log = space::dir(LOGS)?.join(format!("{name}.log"));
        let file = OpenOptions::new().create_new(true).append(true).open(&log);
        let file = file.with_context(|| format!("could not make {}", log.display()))?;
        let other = file.try_clone().context("could not share a file")?;
        let child = command.stdin(Stdio::null()).stdout(file).stderr(other).spawn();
        let child = child.with_context(|| format!("could not start {}", command.get_program().display()))?;
        let pid = child.id();
        self.running.push((child, log));
        let end = Instant::now() + PATIENCE;
        while !listens(pid, port) {
            self.all_run()?;
            ensure!(
                Instant::now() < end,
                "{name} does not listen at port {}: {}",
                port.1,
                self.last_words(name)
            );
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Makes sure that no server has ended.
    ///
    /// # Errors
    /// When one has: with what it said.
    pub(super) fn all_run(&mut self) -> Result<()> {
        for (child, log) in &mut self.running {
            if let Ok(Some(status)) = child.try_wait() {
                let name = log.file_stem().unwrap_or_default().display().to_string();
                bail!("{name} has ended ({status}): {}", tail(log));
            }
        }
        Ok(())
    }

    fn last_words(&self, name: &str) -> String {
        let own = self.running.iter().find(|(_, log)| log.file_stem().is_some_and(|stem| stem == name));
        own.map(|(_, log)| tail(log)).unwrap_or_default()
    }
}

/// dnsmasq in the foreground, told nothing by the machine's own files.
fn dnsmasq(tools: &Tools) -> Command {
    let mut command = Command::new(&tools.dnsmasq);
    command.args(["--keep-in-foreground", "--log-facility=-", "--user=root", "--group=root", "--pid-file"]);
    command
}

/// Takes what programs log: in.tftpd says it nowhere else. The file that it comes into.
fn listen_to_syslog() -> Result<PathBuf> {
    let path = space::dir(LOGS)?.join("syslog.log");
    let file = OpenOptions::new().create_new(true).append(true).open(&path);
    let mut file = file.with_context(|| format!("could not make {}", path.display()))?;
    let socket = UnixDatagram::bind("/dev/log").context("could not listen at /dev/log")?;
    thread::spawn(move || {
        let mut message = [0; 4096];
        while let Ok(length) = socket.recv(&mut message) {
            let text = String::from_utf8_lossy(&message[..length]);
            let _ = writeln!(file, "{}", text.trim_end_matches(['\0', '\n']));
        }
    });
    Ok(path)
}

/// Whether something listens at `port` in the network namespace of `pid` (proc_pid_net(5)).
fn listens(pid: u32, Port(table, port): Port) -> bool {
    let table = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
    // UDP sockets are in state 07, listening TCP sockets in 0A.
    table.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let local = words.next().and_then(|local| local.rsplit(':').next());
        local == Some(&format!("{port:04X}")) && matches!(words.nth(1), Some("07" | "0A"))
    })
}

/// The end of a file.
fn tail(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
