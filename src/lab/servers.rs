//! The real servers on the rendered files, each in the foreground and with a log in a file. Each DHCP server has a file
//! in `servers/`: its command, and the message by which it tells of a lease.

mod dnsmasq;
mod isc;
mod kea;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::command::{make_dir, run_command};
use super::network::{LabNetwork, ROUTER, command_in};
use super::tools::Tools;
use crate::model::{Cluster, DhcpServer, is_gateway};

/// How long a server may take until it listens, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The directory of the logs.
const LOGS: &str = "logs";

/// The access log of nginx, where the rendered nginx.conf puts it.
pub(super) const ACCESS: &str = "/var/log/nginx/access.log";

/// A socket that a server listens at: the file below `/proc/PID/net` that lists it, and its port.
#[derive(Clone, Copy, Debug)]
struct Port(&'static str, u16);

const DHCP: Port = Port("udp", 67);
const TFTP: Port = Port("udp", 69);
/// A raw socket has its protocol in the place of the port: ICMPv6.
const ADVERTISEMENTS: Port = Port("raw6", 58);

/// The log of the DHCP server.
#[derive(Clone, Debug, Default)]
pub(super) struct LeaseLog {
    pub(super) path: PathBuf,
    /// The beginning of the message about a lease.
    pub(super) message: &'static str,
}

/// The servers that run, each with its log.
#[derive(Debug, Default)]
pub(super) struct Servers {
    running: Vec<(Child, PathBuf)>,
    pub(super) lease_log: LeaseLog,
    /// The log of TFTP requests.
    pub(super) tftp_log: PathBuf,
}

impl Servers {
    /// Starts all servers on the files below `site`.
    ///
    /// # Errors
    /// When a server does not listen after a minute or ends: the error quotes the end of the server's log.
    pub(super) fn start(
        tools: &Tools,
        cluster: &Cluster,
        dhcp: DhcpServer,
        networks: &[LabNetwork<'_>],
        site: &Path,
    ) -> Result<Self> {
        let mut servers = Self::default();
        let syslog = listen_to_syslog()?;
        servers.start_router(tools, cluster, networks)?;
        servers.start_dhcp(tools, cluster, dhcp, &site.join("pxe"))?;
        servers.tftp_log = if dhcp.facts().serves_tftp { servers.lease_log.path.clone() } else { syslog };
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

    /// Starts the DHCP server on the file that is rendered for it, and notes where and how its log tells of leases.
    fn start_dhcp(&mut self, tools: &Tools, cluster: &Cluster, dhcp: DhcpServer, pxe: &Path) -> Result<()> {
        let (program, config) = (&tools.dhcpd, pxe.join(dhcp.facts().config));
        let (mut command, lease_message) = match dhcp {
            DhcpServer::Kea => (kea::command(program, &config)?, kea::LEASE_MESSAGE),
            DhcpServer::Isc => (isc::command(program, &config, &cluster.provisioner)?, isc::LEASE_MESSAGE),
            DhcpServer::Dnsmasq => (dnsmasq::command(program, &config), dnsmasq::LEASE_MESSAGE),
        };
        let path = self.launch(dhcp.as_str(), DHCP, &mut command)?;
        self.lease_log = LeaseLog { path, message: lease_message };
        Ok(())
    }

    /// Starts the router, which advertises itself in every network, relays DHCP to the provisioner, and forwards. So does the
    /// provisioner where it is a gateway.
    fn start_router(&mut self, tools: &Tools, cluster: &Cluster, networks: &[LabNetwork<'_>]) -> Result<()> {
        let forward = ["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"];
        run_command(command_in(tools, ROUTER, Path::new("/bin/sh")).args(forward))?;
        if is_gateway(cluster) {
            run_command(Command::new("/bin/sh").args(forward))?;
        }
        let dnsmasq = dnsmasq::foreground(&tools.dnsmasq);
        let mut command = command_in(tools, ROUTER, Path::new(dnsmasq.get_program()));
        command.args(dnsmasq.get_args()).args(["--conf-file=/dev/null", "--port=0", "--enable-ra"]);
        command.args(["--dhcp-leasefile=/run/router.leases", "--except-interface=lo"]);
        let server = cluster.provisioner.home.address;
        let mut port = ADVERTISEMENTS;
        for network in networks {
            command.arg(format!("--interface={}", network.router_interface()));
            command.arg(format!("--dhcp-range={},ra-only", network.router6().0));
            if let Some(relay) = network.relay_address() {
                command.arg(format!("--dhcp-relay={relay},{server}"));
                port = DHCP;
            }
        }
        self.launch("router", port, &mut command)?;
        Ok(())
    }

    /// Starts a server, waits until it listens, and returns the path of its log.
    fn launch(&mut self, name: &str, port: Port, command: &mut Command) -> Result<PathBuf> {
        let log = make_dir(LOGS)?.join(format!("{name}.log"));
        let file = OpenOptions::new().create_new(true).append(true).open(&log);
        let file = file.with_context(|| format!("could not make {}", log.display()))?;
        let other = file.try_clone().context("could not share a file")?;
        let child = command.stdin(Stdio::null()).stdout(file).stderr(other).spawn();
        let child = child.with_context(|| format!("could not start {}", command.get_program().display()))?;
        let pid = child.id();
        self.running.push((child, log.clone()));
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
        Ok(log)
    }

    /// Makes sure that no server has ended.
    ///
    /// # Errors
    /// When a server has ended: the error quotes the end of the server's log.
    pub(super) fn all_run(&mut self) -> Result<()> {
        for (child, log) in &mut self.running {
            if let Ok(Some(status)) = child.try_wait() {
                let name = log.file_stem().unwrap_or_default().display().to_string();
                bail!("{name} has ended ({status}): {}", tail(log));
            }
        }
        Ok(())
    }

    /// The end of the log of the server called `name`.
    fn last_words(&self, name: &str) -> String {
        let server = self.running.iter().find(|(_, log)| log.file_stem().is_some_and(|stem| stem == name));
        server.map(|(_, log)| tail(log)).unwrap_or_default()
    }
}

/// Copies what programs send to syslog into a file, and returns the path of the file: in.tftpd logs nowhere else.
fn listen_to_syslog() -> Result<PathBuf> {
    let path = make_dir(LOGS)?.join("syslog.log");
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

/// Whether a socket listens at `port` in the network namespace of `pid` (proc_pid_net(5)).
fn listens(pid: u32, Port(table, port): Port) -> bool {
    let table = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
    // UDP sockets are in state 07, listening TCP sockets in 0A.
    table.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let local = words.next().and_then(|local| local.rsplit(':').next());
        local == Some(&format!("{port:04X}")) && matches!(words.nth(1), Some("07" | "0A"))
    })
}

/// The last lines of a file.
fn tail(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n  ")
}
