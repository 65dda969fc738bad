//! The lab's own world: network, mount and process namespaces that one process holds.
//!
//! It is the first process of its process namespace: when it ends, the kernel ends every other one in it, and with the
//! last of them go the mounts, the network interfaces, and all files, which lie in memory. It ends when its standard
//! input does, and so whatever way its parent ends. Nothing is ever taken away by hand.

use std::fs;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::tools::Tools;

/// What lies in memory: what servers write, and what the lab makes.
const IN_MEMORY: [&str; 3] = ["/run", "/var/lib", "/var/log"];

/// Everything that the lab makes.
pub(super) const HOME: &str = "/run/plasmagen-lab";

/// What is kept of `/dev`.
const DEVICES: [&str; 8] = ["null", "zero", "full", "random", "urandom", "tty", "kvm", "net/tun"];

/// Where no tmpfs may lie: programs are there.
const PROGRAMS: [&str; 9] = ["/", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix", "/boot", "/etc"];

/// The users that the rendered files name.
const USERS: [(&str, u32); 2] = [("www-data", 33), ("tftp", 110)];

/// Starts `program` as the first process of namespaces of its own. It gets what is written to its standard input, whose
/// end is the end of everything.
///
/// # Errors
/// When it cannot be started.
pub(super) fn enter(tools: &Tools, program: &mut Command) -> Result<Child> {
    let mut command = Command::new(&tools.unshare);
    if !rustix::process::geteuid().is_root() {
        // nginx and in.tftpd become other users, who must exist here.
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

/// Makes sure that the lab does not hide `path` from itself.
///
/// # Errors
/// When it does.
pub(super) fn visible(path: &Path) -> Result<()> {
    let hiding = IN_MEMORY.iter().find(|dir| path.starts_with(dir));
    ensure!(
        hiding.is_none(),
        "{} lies in {}, which is another one in the lab: copy it elsewhere",
        path.display(),
        hiding.unwrap_or(&"")
    );
    Ok(())
}

/// Ends this process, and so the lab, when standard input ends: its other end is held by nobody but the parent.
pub(super) fn end_with_parent() {
    std::thread::spawn(|| {
        let mut rest = [0; 64];
        while matches!(io::stdin().read(&mut rest), Ok(1..)) {}
        std::process::exit(2);
    });
}

/// Lays memory over the directories that servers write to, and over that of `web_root`; makes a `/dev` in which the lab
/// can listen for what is logged. With `keep`, the lab's own files lie in that directory instead.
///
/// # Errors
/// When the kernel refuses, or `web_root` has no place.
pub(super) fn furnish(tools: &Tools, web_root: &Path, keep: Option<&Path>) -> Result<()> {
    let mount = |arguments: &[&str]| run(Command::new(&tools.mount).args(arguments));
    let below = |dir: &str| fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(below("/proc/self"), "/proc is not mounted");
    for dir in IN_MEMORY {
        mount(&["-t", "tmpfs", "-o", "mode=0755", "lab", dir])?;
    }
    for dir in ["/run/lock", "/run/netns", "/var/lib/misc", "/var/lib/nginx", "/var/log/nginx", HOME] {
        fs::create_dir_all(dir).with_context(|| format!("could not make {dir}"))?;
    }
    if let Some(keep) = keep {
        mount(&["--bind", &keep.display().to_string(), HOME])?;
    }
    devices(tools)?;
    place(tools, web_root)?;
    users(tools)
}

/// A directory at `path`, in memory.
fn place(tools: &Tools, path: &Path) -> Result<()> {
    let there = path.ancestors().find(|own| own.is_dir()).unwrap_or(Path::new("/"));
    if !IN_MEMORY.iter().any(|dir| there.starts_with(dir)) {
        ensure!(
            !PROGRAMS.iter().any(|dir| there == Path::new(dir)),
            "{} is not there and the lab cannot lay it over {}: make it, an empty directory will do",
            path.display(),
            there.display()
        );
        let there = there.display().to_string();
        run(Command::new(&tools.mount).args(["-t", "tmpfs", "-o", "mode=0755", "lab", &there]))?;
    }
    fs::create_dir_all(path).with_context(|| format!("could not make {}", path.display()))
}

/// `/dev` with what programs need, and nothing of the machine's own.
fn devices(tools: &Tools) -> Result<()> {
    let mount = |arguments: &[&str]| run(Command::new(&tools.mount).args(arguments));
    let new = Path::new(HOME).join("dev");
    fs::create_dir_all(new.join("net")).context("could not make a /dev")?;
    mount(&["-t", "tmpfs", "-o", "mode=0755", "lab", &new.display().to_string()])?;
    let fill = || {
        fs::create_dir(new.join("net"))?;
        fs::create_dir(new.join("shm"))?;
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            symlink(target, new.join(name))?;
        }
        DEVICES
            .iter()
            .filter(|name| Path::new("/dev").join(name).exists())
            .try_for_each(|name| fs::write(new.join(name), ""))
    };
    fill().context("could not make a /dev")?;
    for name in DEVICES.iter().filter(|name| new.join(name).exists()) {
        mount(&["--bind", &format!("/dev/{name}"), &new.join(name).display().to_string()])?;
    }
    mount(&["--move", &new.display().to_string(), "/dev"])
        .or_else(|_| mount(&["--rbind", &new.display().to_string(), "/dev"]))
}

/// The users that the rendered files name, where the machine lacks them.
fn users(tools: &Tools) -> Result<()> {
    for (file, line) in [
        (
            "/etc/passwd",
            (|name, id| format!("{name}:x:{id}:{id}::/:/bin/false\n")) as fn(&str, u32) -> String,
        ),
        ("/etc/group", |name, id| format!("{name}:x:{id}:\n")),
    ] {
        let mut text = fs::read_to_string(file).with_context(|| format!("could not read {file}"))?;
        let lacks = |name: &str| !text.lines().any(|line| line.starts_with(&format!("{name}:")));
        let lacking: Vec<_> = USERS.iter().filter(|(name, _)| lacks(name)).collect();
        if lacking.is_empty() {
            continue;
        }
        for (name, id) in lacking {
            text.push_str(&line(name, *id));
        }
        let own = Path::new(HOME).join(file.replace('/', "_"));
        fs::write(&own, text).with_context(|| format!("could not write {}", own.display()))?;
        run(Command::new(&tools.mount).arg("--bind").arg(&own).arg(file))?;
    }
    Ok(())
}

/// Runs `command` to its end, which must be a good one.
///
/// # Errors
/// When it is not: with what it said.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("could not start {}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    bail!("{} {} failed: {}", command.get_program().display(), words.join(" "), said.trim())
}

/// The directory of a machine or server of the lab.
///
/// # Errors
/// When it cannot be made.
pub(super) fn dir(name: &str) -> Result<PathBuf> {
    let dir = Path::new(HOME).join(name);
    fs::create_dir_all(&dir).with_context(|| format!("could not make {}", dir.display()))?;
    Ok(dir)
}

/// An address and the length of its network's prefix.
pub(super) fn with_length(address: impl Into<IpAddr>, length: u8) -> String {
    format!("{}/{length}", address.into())
}
