//! A lab: the provisioner in network, mount and process namespaces of its own, wired to a client in another. All of
//! it dies with the test. Other users than root have a user namespace too, in which nginx and in.tftpd cannot become the
//! users that their files name.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use plasmagen::artifact::ArtifactSet;
use plasmagen::model::{Cluster, Role};
use plasmagen::outputs;
use plasmagen::plan::Plan;
use serde_json::Value;

use test_kit::process::{is_root, run, spawn, unshare_as_root};
use test_kit::repository;

/// How long a server may take until it listens, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The programs' place on Debian is not in a user's path.
fn path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

/// The provisioner's namespaces, and the rendered files.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) cluster: Cluster,
    pub(crate) name: String,
    pub(crate) dir: tempfile::TempDir,
    holder: Child,
    stdin: Option<ChildStdin>,
    pid: u32,
    servers: Vec<(Child, PathBuf)>,
}

/// A socket that a server listens at: the file below `/proc/net` that lists it, and its port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port(pub(crate) &'static str, pub(crate) u16);

impl Lab {
    /// The provisioner of `plan` with everything that is rendered from it, below `dir`.
    pub(crate) fn new(name: &str, plan: &Plan) -> Self {
        Self::with(name, plan.cluster.clone(), &outputs::render(plan).unwrap())
    }

    /// The same with what is rendered already.
    pub(crate) fn with(name: &str, cluster: Cluster, files: &ArtifactSet) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Servers read none of the files that only one node uses.
        for file in files.iter().filter(|file| !file.path.as_str().starts_with("nodes/")) {
            let path = dir.path().join(file.path.as_str());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &file.body).unwrap();
        }
        let mut command = unshare_as_root(&["--net", "--mount", "--pid", "--fork", "--kill-child", "sh"]);
        command
            .arg(repository().join("tests/servers/live/setup.sh"))
            .args(wiring(&cluster))
            .env("PATH", path());
        let log = dir.path().join("setup.log");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(fs::File::create(&log).unwrap());
        let mut holder = spawn("util-linux", &mut command);
        let mut said = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let pid = said.trim().parse().unwrap_or_else(|_| {
            panic!("the lab cannot be set up (Debian packages iproute2, mount): {}", read(&log))
        });
        let stdin = holder.stdin.take();
        Self { cluster, name: name.to_owned(), dir, holder, stdin, pid, servers: Vec::new() }
    }

    /// The path of a rendered file.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// `program`, to be run on the provisioner.
    pub(crate) fn on_provisioner(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--net", "--mount", "--pid", "--target", &self.pid.to_string(), "--", program]);
        command.env("PATH", path());
        command
    }

    /// `program`, to be run on the other end of the wire.
    pub(crate) fn on_client(&self, program: &str) -> Command {
        let mut command = self.on_provisioner("ip");
        command.args(["netns", "exec", "client", program]);
        command
    }

    /// Runs `command` to its end, which must be a good one.
    pub(crate) fn done(&self, package: &str, command: &mut Command) -> Output {
        let output = run("util-linux", command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}: {command:?} (Debian package {package}): {said}\n{}",
            self.name,
            self.logs()
        );
        output
    }

    /// Starts a server on the provisioner; returns when it listens at `port`.
    pub(crate) fn start(&mut self, package: &str, port: Port, command: &mut Command) {
        let program = command.get_args().skip_while(|word| *word != "--").nth(1).unwrap();
        let program = program.to_string_lossy().into_owned();
        let log = self.dir.path().join(format!("{}.log", program.rsplit('/').next().unwrap()));
        let file = fs::File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        self.servers.push((command.spawn().unwrap(), log));
        let end = Instant::now() + PATIENCE;
        while !self.listens(port) {
            let dead = self.servers.last_mut().unwrap().0.try_wait().unwrap();
            let logs = self.logs();
            assert!(
                dead.is_none(),
                "{}: {program} (Debian package {package}) has died: {dead:?}\n{logs}",
                self.name
            );
            assert!(Instant::now() < end, "{}: {program} does not listen at {port:?}\n{logs}", self.name);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether something listens at `port` on the provisioner (proc_pid_net(5)).
    fn listens(&self, Port(table, port): Port) -> bool {
        let table = read(Path::new(&format!("/proc/{}/net/{table}", self.pid)));
        // UDP sockets are in state 07, listening TCP sockets in 0A.
        table.lines().any(|line| {
            let mut words = line.split_whitespace().skip(1);
            let local = words.next().and_then(|local| local.rsplit(':').next());
            local == Some(&format!("{port:04X}")) && matches!(words.nth(1), Some("07" | "0A"))
        })
    }

    /// What all servers have said, the last part of it.
    pub(crate) fn logs(&self) -> String {
        let tail = |path: &PathBuf| {
            let text = read(path);
            let lines: Vec<_> = text.lines().collect();
            format!("-- {}\n{}\n", path.display(), lines[lines.len().saturating_sub(15)..].join("\n"))
        };
        self.servers.iter().map(|(_, log)| tail(log)).collect()
    }

    /// The peak of the memory of the server that was started last (proc_pid_status(5)).
    pub(crate) fn memory(&self) -> String {
        // It is the child of the program that entered the namespaces.
        let parent = self.servers.last().unwrap().0.id();
        let children = read(Path::new(&format!("/proc/{parent}/task/{parent}/children")));
        let status = read(Path::new(&format!("/proc/{}/status", children.trim())));
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .map_or_else(String::new, |value| value.trim().to_owned())
    }

    /// Runs one of this directory's Python programs on the client's side: `input` as JSON in, JSON out.
    pub(crate) fn script(&self, name: &str, arguments: &[&str], input: &Value) -> Value {
        let mut command = self.on_client("python3");
        command.arg(repository().join("tests/servers/live").join(name)).args(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} (Debian package python3): {said}\n{}", self.logs());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The end of its input ends the first process of the namespace, and so all others.
        drop(self.stdin.take());
        let _ = self.holder.wait();
        for (server, _) in &mut self.servers {
            let _ = server.wait();
        }
    }
}

/// The arguments of `setup.sh`.
fn wiring(cluster: &Cluster) -> Vec<String> {
    let provisioner = &cluster.provisioner;
    let network = &cluster.networks[&provisioner.home.network];
    let subnet = network.subnet.unwrap();
    // Where the provisioner is the router, the client is another machine of the network.
    let router = match network.gateway {
        None => "none".to_owned(),
        Some(router) if router == provisioner.home.address => subnet.hosts().last().unwrap().to_string(),
        Some(router) => router.to_string(),
    };
    let length = subnet.prefix_len();
    let mut words = vec![
        provisioner.web_root.to_string(),
        provisioner.home.name.to_string(),
        format!("{}/{length}", provisioner.home.address),
        router,
    ];
    for other in &provisioner.other_interfaces {
        let subnet = cluster.networks[&other.network].subnet.unwrap();
        let client = subnet.hosts().last().unwrap();
        words.extend(["--other".to_owned(), other.name.to_string()]);
        words.extend([other.address, client].map(|address| format!("{address}/{}", subnet.prefix_len())));
        let router = cluster.networks[&other.network].gateway.filter(|router| *router != other.address);
        words.push(router.map_or_else(|| "none".to_owned(), |router| router.to_string()));
    }
    words.extend(relays(cluster).map(|(subnet, relay)| format!("{subnet}={relay}")));
    words
}

/// The networks that machines boot in behind a relay: subnet and relay.
fn relays(cluster: &Cluster) -> impl Iterator<Item = (ipnet::Ipv4Net, Ipv4Addr)> {
    let others = cluster
        .networks_for(Role::Provisioning)
        .filter(|(name, _)| cluster.provisioner.interface_in(name).is_none());
    others.filter_map(|(_, network)| Some((network.subnet?, network.gateway?)))
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
