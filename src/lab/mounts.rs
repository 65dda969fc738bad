//! The file systems of the lab: memory over the directories that servers write to, a small `/dev`, and the users that
//! the rendered files name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::command::{LAB_DIR, run_command};
use super::tools::Tools;

/// The directories that lie in memory inside the lab: servers and the lab itself write there.
const IN_MEMORY: [&str; 3] = ["/run", "/var/lib", "/var/log"];

/// The directories in memory that programs expect to exist.
const EXPECTED_DIRS: [&str; 5] =
    ["/run/lock", "/run/netns", "/var/lib/misc", "/var/lib/nginx", "/var/log/nginx"];

/// The device files of the lab's `/dev`.
const DEVICES: [&str; 8] = ["null", "zero", "full", "random", "urandom", "tty", "kvm", "net/tun"];

/// The symbolic links of the lab's `/dev`.
const DEVICE_LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// The directories that no tmpfs may cover, since they contain programs.
const PROGRAM_DIRS: [&str; 9] = ["/", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix", "/boot", "/etc"];

/// The users that the rendered files name, with their ids.
const USERS: [(&str, u32); 2] = [("www-data", 33), ("tftp", 110)];

/// Refuses a `path` of the user's that the lab's own mounts would hide.
///
/// # Errors
/// When the path lies in a directory that is in memory inside the lab.
pub(super) fn check_visible(path: &Path) -> Result<()> {
    let hiding = IN_MEMORY.iter().find(|dir| path.starts_with(dir));
    ensure!(
        hiding.is_none(),
        "{} lies in {}, which the lab replaces by an empty directory: copy the file or directory elsewhere",
        path.display(),
        hiding.unwrap_or(&"")
    );
    Ok(())
}

/// Mounts memory over the directories that servers write to and over the parent of `web_root`, and makes a `/dev` in
/// which the lab can listen to syslog. With `keep`, the files of the lab lie in that directory instead.
///
/// # Errors
/// When a mount fails, or when `web_root` does not exist and cannot be made in memory.
pub(super) fn mount_file_systems(tools: &Tools, web_root: &Path, keep: Option<&Path>) -> Result<()> {
    let is_mounted = |dir: &str| fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(is_mounted("/proc/self"), "/proc is not mounted");
    for dir in IN_MEMORY {
        mount_tmpfs(tools, Path::new(dir))?;
    }
    for dir in EXPECTED_DIRS.iter().chain(&[LAB_DIR]) {
        fs::create_dir_all(dir).with_context(|| format!("could not make {dir}"))?;
    }
    if let Some(keep) = keep {
        mount_bind(tools, keep, Path::new(LAB_DIR))?;
    }
    mount_dev(tools)?;
    make_web_root(tools, web_root)?;
    add_users(tools)
}

fn mount_tmpfs(tools: &Tools, dir: &Path) -> Result<()> {
    run_command(Command::new(&tools.mount).args(["-t", "tmpfs", "-o", "mode=0755", "lab"]).arg(dir))
}

/// Mounts the file or directory `from` on `to`.
///
/// # Errors
/// When the mount fails.
pub(super) fn mount_bind(tools: &Tools, from: &Path, to: &Path) -> Result<()> {
    run_command(Command::new(&tools.mount).arg("--bind").arg(from).arg(to))
}

/// Makes the web root in memory.
fn make_web_root(tools: &Tools, web_root: &Path) -> Result<()> {
    let existing = web_root.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/"));
    if !IN_MEMORY.iter().any(|dir| existing.starts_with(dir)) {
        ensure!(
            !PROGRAM_DIRS.iter().any(|dir| existing == Path::new(dir)),
            "the web root {} does not exist, and the lab cannot make it: {} contains programs, so nothing may be mounted \
             over it; make an empty directory {}",
            web_root.display(),
            existing.display(),
            web_root.display()
        );
        mount_tmpfs(tools, existing)?;
    }
    fs::create_dir_all(web_root).with_context(|| format!("could not make {}", web_root.display()))
}

/// Makes a `/dev` with the devices that programs need, and without the machine's other devices.
fn mount_dev(tools: &Tools) -> Result<()> {
    let new = Path::new(LAB_DIR).join("dev");
    fs::create_dir_all(&new).context("could not make a /dev")?;
    mount_tmpfs(tools, &new)?;
    let devices = DEVICES.iter().filter(|name| Path::new("/dev").join(name).exists());
    let fill = || {
        fs::create_dir(new.join("net"))?;
        fs::create_dir(new.join("shm"))?;
        for (name, target) in DEVICE_LINKS {
            symlink(target, new.join(name))?;
        }
        devices.clone().try_for_each(|name| fs::write(new.join(name), ""))
    };
    fill().context("could not make a /dev")?;
    for name in devices {
        mount_bind(tools, &Path::new("/dev").join(name), &new.join(name))?;
    }
    let mount = |how: &str| run_command(Command::new(&tools.mount).arg(how).arg(&new).arg("/dev"));
    mount("--move").or_else(|_| mount("--rbind"))
}

/// Adds the users that the rendered files name, if the machine lacks them.
fn add_users(tools: &Tools) -> Result<()> {
    for (file, line) in [
        (
            "/etc/passwd",
            (|name, id| format!("{name}:x:{id}:{id}::/:/bin/false\n")) as fn(&str, u32) -> String,
        ),
        ("/etc/group", |name, id| format!("{name}:x:{id}:\n")),
    ] {
        let mut text = fs::read_to_string(file).with_context(|| format!("could not read {file}"))?;
        let is_missing = |name: &str| !text.lines().any(|line| line.starts_with(&format!("{name}:")));
        let missing: Vec<_> = USERS.iter().filter(|(name, _)| is_missing(name)).collect();
        if missing.is_empty() {
            continue;
        }
        for (name, id) in missing {
            text.push_str(&line(name, *id));
        }
        let copy = Path::new(LAB_DIR).join(file.replace('/', "_"));
        fs::write(&copy, text).with_context(|| format!("could not write {}", copy.display()))?;
        mount_bind(tools, &copy, Path::new(file))?;
    }
    Ok(())
}
