//! What the tests share: a site with a home and a vault of its own, runs of the program, snapshots, and the tools.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plasmagen::check::check;
use plasmagen::model::Cluster;
use plasmagen::pki::Vault;
use plasmagen::pki::cluster::IssueOrder;
use plasmagen::write::CommitOptions;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use test_kit::tree::{Entry, entries};
use test_kit::{memory, run, tree};

/// Somebody's public key.
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaGDGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y ops@example.com";

/// A node more than `init` writes.
pub(crate) const NODE04: &str = r#"
[node.node04]
profile = "control-plane"
mac = "3c:ec:ef:00:00:04"
address.provisioning = "10.0.100.53"
address.production = "10.0.200.14"
disks = ["/dev/disk/by-id/nvme-EXAMPLE_DISK_00000004_1"]
bmc = { address = "10.0.10.53", user = "admin", password_file = "bmc/node04", protocol = "redfish" }
serial = "SERIAL0004"
"#;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; none when it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let run =
            Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
        assert!(!run.stderr.contains("panicked"), "{run:?}");
        run
    }

    /// It ended with `code` and said all of `words` on standard error.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in: {}", self.stderr);
        }
        self
    }
}

/// A directory with a site, a home and so a vault: all that the program can reach by its defaults.
pub(crate) struct Site {
    dir: TempDir,
}

impl Site {
    /// A home, and no site yet.
    pub(crate) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Another user must be able to come in.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let home = dir.path().join("home");
        fs::create_dir(&home).unwrap();
        // No vault lies below a directory that others may write, whatever the umask.
        fs::set_permissions(home, fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    /// The inventory of `init`, three nodes, with the serial numbers of machines.
    pub(crate) fn new() -> Self {
        let site = Self::started();
        site.replace_placeholders();
        site
    }

    /// The inventory as `init` leaves it, with placeholders for serial numbers.
    pub(crate) fn started() -> Self {
        let site = Self::empty();
        site.within(site.path(), &["init", "site", "--admin-key", KEY]).ends(0, &[]);
        site
    }

    /// Gives each node a serial number: `SERIAL0001` for `EXAMPLE0001`. Without one, every run would warn (PG-F23).
    pub(crate) fn replace_placeholders(&self) {
        let text = fs::read_to_string(self.inventory()).unwrap();
        fs::write(self.inventory(), text.replace("serial = \"EXAMPLE", "serial = \"SERIAL")).unwrap();
    }

    /// The same, rendered.
    pub(crate) fn rendered() -> Self {
        let site = Self::new();
        site.run(&["render"]).ends(0, &[]);
        site
    }

    /// The same, rendered some days ago.
    pub(crate) fn rendered_ago(days: i64) -> Self {
        let site = Self::new();
        let then = OffsetDateTime::now_utc() - Duration::days(days);
        let cluster = check(&fs::read(site.inventory()).unwrap()).unwrap().cluster.unwrap();
        let open = |_: &Cluster| {
            let root = site.root().canonicalize().unwrap();
            Ok(Vault::open_or_new(&site.vault(), &[])?.used_by(root, false))
        };
        let (options, order) = (CommitOptions::default(), IssueOrder::default());
        plasmagen::site::render(&site.root(), cluster, options, then, &order, open).unwrap();
        site
    }

    /// A copy, times and inodes aside; of the program's own state nothing: as after `git clone`.
    pub(crate) fn copy(&self) -> Self {
        let site = Self { dir: memory::tempdir() };
        tree::copy(self.path(), site.path());
        let _ = fs::remove_dir_all(site.root().join(".plasmagen"));
        site
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path().join("site")
    }

    pub(crate) fn inventory(&self) -> PathBuf {
        self.root().join("inventory.toml")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.home().join("data/plasmagen/my-cluster")
    }

    /// `program`, which sees nothing of the environment but this home.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).current_dir(self.path());
        command.env("HOME", self.home()).env("XDG_DATA_HOME", self.home().join("data"));
        command
    }

    /// Runs the program in the site.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.within(&self.root(), args)
    }

    /// Runs the program in `dir`.
    pub(crate) fn within(&self, dir: &Path, args: &[&str]) -> Run {
        let mut command = assert_cmd::Command::from_std(self.command(PLASMAGEN));
        Run::of(&command.current_dir(dir).args(args).output().unwrap())
    }

    /// Runs `program`, from the Debian package `package`, in the site.
    pub(crate) fn tool(&self, program: &str, package: &str, args: &[&str]) -> Run {
        Run::of(&run(package, self.command(program).current_dir(self.root()).args(args)))
    }

    /// Runs a script of the shell, with the program as `$P`.
    pub(crate) fn shell(&self, script: &str) -> Run {
        let mut bash = self.command("bash");
        Run::of(&run("bash", bash.current_dir(self.root()).env("P", PLASMAGEN).args(["-c", script])))
    }

    /// Replaces what stands once, or more often, in the inventory.
    pub(crate) fn edit(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.inventory()).unwrap();
        assert!(text.contains(old), "{old}");
        fs::write(self.inventory(), text.replace(old, new)).unwrap();
    }

    /// Puts `text` at the end of the inventory.
    pub(crate) fn append(&self, text: &str) {
        let inventory = fs::read_to_string(self.inventory()).unwrap();
        fs::write(self.inventory(), inventory + text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Everything in nodes/, site/ and the home: changes when anything is touched.
    pub(crate) fn snapshot(&self) -> BTreeMap<PathBuf, Entry> {
        let places = [self.root().join("nodes"), self.root().join("site"), self.home()];
        places.iter().flat_map(|place| entries(place)).collect()
    }

    /// `act` changes not a byte, mode, inode or time.
    #[track_caller]
    pub(crate) fn untouched<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = self.snapshot();
        let done = act();
        let after = self.snapshot();
        let changed =
            after.iter().filter(|(path, entry)| before.get(*path) != Some(entry)).collect::<Vec<_>>();
        assert!(changed.is_empty(), "changed: {changed:#?}");
        assert_eq!(before.len(), after.len(), "removed");
        done
    }
}

/// The program.
pub(crate) const PLASMAGEN: &str = env!("CARGO_BIN_EXE_plasmagen");
