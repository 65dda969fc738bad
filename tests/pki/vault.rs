//! The vault: private from the first moment, never half written, never overwritten.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plasmagen::pki::vault::staged::{self, StagedSecrets};
use plasmagen::pki::{KeyAlgorithm, NewNodeKeys, PublicCert, SecretKey, Vault};

use test_kit::process::{printed, run};

use crate::support::{FQDN, NOW, ca, node, node_request};

fn empty() -> (tempfile::TempDir, Vault) {
    let root = tempfile::tempdir().unwrap();
    let vault = Vault::open_or_new(&root.path().join("share/plasmagen/prod"), &[]).unwrap();
    (root, vault)
}

/// The text that identifies the machine of a key.
const MACHINE: &str = "mac 3c:ec:ef:00:00:01\n";

/// The keys of the node `fqdn`, without an SSH host key.
fn keys<'a>(fqdn: &'a str, key: &'a SecretKey) -> NewNodeKeys<'a> {
    NewNodeKeys { fqdn, key, host_key: None, passphrase: None, machine: MACHINE }
}

fn key() -> SecretKey {
    SecretKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every path below `dir`, sorted.
fn tree(dir: &Path) -> Vec<PathBuf> {
    let paths = walkdir::WalkDir::new(dir).min_depth(1).sort_by_file_name().into_iter();
    paths.map(|entry| entry.unwrap().into_path().strip_prefix(dir).unwrap().to_owned()).collect()
}

#[test]
fn keys_come_back_as_they_went_in() {
    let (_root, vault) = empty();
    assert!(vault.newest_ca().unwrap().is_none());
    assert!(vault.key(FQDN).unwrap().is_none());

    let (first, second) = (ca(), ca());
    vault.store_ca(1, &first).unwrap();
    let leaf = node(&first);
    vault.store(&[keys(FQDN, &leaf.key), keys("node02.example.com", &key())]).unwrap();

    let again = Vault::open(vault.dir(), &[]).unwrap();
    let (generation, loaded) = again.newest_ca().unwrap().unwrap();
    assert_eq!((generation, loaded.cert_pem()), (1, first.cert_pem()));
    let cert = PublicCert::from_pem(&leaf.cert_pem).unwrap();
    assert!(again.key(FQDN).unwrap().unwrap().belongs_to(&cert).unwrap());
    assert!(!again.key("node02.example.com").unwrap().unwrap().belongs_to(&cert).unwrap());
    loaded.sign_leaf(&node_request(FQDN), NOW, again.key(FQDN).unwrap().as_ref()).unwrap();

    again.store_ca(10, &second).unwrap();
    assert_eq!(again.newest_ca().unwrap().unwrap().0, 10);
    let expected = [
        ".lock",
        "ca-1",
        "ca-1/ca-cert.pem",
        "ca-1/ca-key.pem",
        "ca-10",
        "ca-10/ca-cert.pem",
        "ca-10/ca-key.pem",
        FQDN,
        "node01.example.com/machine",
        "node01.example.com/node01-key.pem",
        "node02.example.com",
        "node02.example.com/machine",
        "node02.example.com/node02-key.pem",
    ];
    assert_eq!(tree(vault.dir()), expected.map(PathBuf::from));
    assert_eq!(again.machine(FQDN).unwrap().unwrap(), MACHINE);
}

#[test]
fn nothing_is_ever_overwritten() {
    let (_root, vault) = empty();
    let ca = ca();
    vault.store_ca(1, &ca).unwrap();
    vault.store(&[keys(FQDN, &key())]).unwrap();
    let before = fs::read(vault.dir().join("node01.example.com/node01-key.pem")).unwrap();
    for message in [
        vault.store(&[keys("node02.example.com", &key()), keys(FQDN, &key())]).unwrap_err().to_string(),
        vault.store_ca(1, &ca).unwrap_err().to_string(),
    ] {
        assert!(message.contains("never overwrites"), "{message}");
    }
    assert_eq!(fs::read(vault.dir().join("node01.example.com/node01-key.pem")).unwrap(), before);
    assert!(vault.key("node02.example.com").unwrap().is_none(), "all or nothing");
    assert!(vault.store(&[keys("../node03.example.com", &key())]).is_err());
    assert!(vault.key("../../etc").is_err());
}

#[test]
fn a_large_batch_is_stored_whole() {
    let (_root, vault) = empty();
    let names: Vec<String> = (0..100).map(|n| format!("node{n:02}.example.com")).collect();
    let made: Vec<(&str, SecretKey)> = names.iter().map(|name| (name.as_str(), key())).collect();
    vault.store(&made.iter().map(|(name, key)| keys(name, key)).collect::<Vec<_>>()).unwrap();
    for name in &names {
        assert!(vault.key(name).unwrap().is_some(), "{name}");
    }
    assert_eq!(tree(vault.dir()).len(), 301);
}

#[test]
fn what_others_can_read_is_not_used() {
    let (_root, vault) = empty();
    vault.store_ca(1, &ca()).unwrap();
    vault.store(&[keys(FQDN, &key())]).unwrap();
    let chmod = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let (node, ca) = (vault.dir().join(FQDN).join("node01-key.pem"), vault.dir().join("ca-1/ca-key.pem"));
    for bad in [0o640, 0o604, 0o660] {
        chmod(&node, bad);
        chmod(&ca, bad);
        for (path, message) in [
            (&node, format!("{:#}", vault.key(FQDN).unwrap_err())),
            (&ca, format!("{:#}", vault.newest_ca().unwrap_err())),
        ] {
            assert!(message.contains(&format!("chmod 600 {}", path.display())), "{message}");
        }
    }
    chmod(&node, 0o400);
    assert!(vault.key(FQDN).unwrap().is_some());
    for bad in [0o750, 0o701, 0o755] {
        chmod(vault.dir(), bad);
        let message = Vault::open(vault.dir(), &[]).unwrap_err().to_string();
        assert!(message.contains(&format!("chmod 700 {}", vault.dir().display())), "{message}");
    }
}

#[test]
fn half_a_ca_and_a_foreign_key_are_refused() {
    let (_root, vault) = empty();
    vault.store_ca(1, &ca()).unwrap();
    vault.store_ca(2, &ca()).unwrap();
    let (one, two) = (vault.dir().join("ca-1"), vault.dir().join("ca-2"));
    fs::copy(one.join("ca-key.pem"), two.join("ca-key.pem")).unwrap();
    let message = format!("{:#}", vault.newest_ca().unwrap_err());
    assert!(message.contains("ca-2") && message.contains("not that of the CA certificate"), "{message}");
    fs::remove_file(two.join("ca-key.pem")).unwrap();
    let message = format!("{:#}", vault.newest_ca().unwrap_err());
    assert!(message.contains("half a CA") && message.contains("ca-2"), "{message}");
    fs::write(vault.dir().join("ca-1/ca-key.pem"), "junk").unwrap();
    fs::remove_dir_all(two).unwrap();
    assert!(format!("{:#}", vault.newest_ca().unwrap_err()).contains("openssl pkcs8"));
}

#[test]
fn there_must_be_a_vault_to_open() {
    let (root, _) = empty();
    let message = Vault::open(&root.path().join("nowhere"), &[]).unwrap_err().to_string();
    assert!(message.contains("there is no vault at"), "{message}");
}

#[test]
fn a_staged_key_is_the_vaults() {
    let (root, vault) = empty();
    vault.store(&[keys(FQDN, &key())]).unwrap();
    let to = root.path().join("new/out");
    let key = vault.key(FQDN).unwrap().unwrap();
    let secrets = StagedSecrets { key: &key, host_key: None, passphrase: None };
    let stage = |fqdn| staged::stage(fqdn, secrets, &to, &[]);
    assert!(stage(FQDN).unwrap() && !stage(FQDN).unwrap(), "only the first run has something to do");
    let file = to.join("etc/nixos/secrets/node01-key.pem");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(
        fs::read(&file).unwrap(),
        fs::read(vault.dir().join("node01.example.com/node01-key.pem")).unwrap()
    );
    assert!(stage("node02.example.com").is_err(), "what is there is not replaced");
    assert!(stage("node02").unwrap_err().to_string().contains("is a short name"));
    assert!(vault.key("node02.example.com").unwrap().is_none());
}

/// Not a test: the process that the tests below run under umasks and kill. It fills the vault that it is told.
#[test]
#[ignore = "the body of a child process"]
fn child() {
    let Some(dir) = std::env::var_os("PLASMAGEN_TEST_VAULT") else { return };
    let vault = Vault::open_or_new(Path::new(&dir), &[]).unwrap();
    if vault.newest_ca().unwrap().is_none() {
        vault.store_ca(1, &ca()).unwrap();
    }
    let (_, ca) = vault.newest_ca().unwrap().unwrap();
    for fqdn in [FQDN, "node02.example.com"] {
        if vault.key(fqdn).unwrap().is_none() {
            vault.store(&[keys(fqdn, &ca.sign_leaf(&node_request(fqdn), NOW, None).unwrap().key)]).unwrap();
        }
    }
}

/// Runs [`child`] on the vault `dir` behind the words of `wrapper`.
fn run_child(dir: &Path, wrapper: &[&str], package: &str) -> Output {
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(std::env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", "vault::child", "--test-threads=1"])
        .env("PLASMAGEN_TEST_VAULT", dir);
    run(package, &mut command)
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "077"] {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("new/vault");
        let shell = format!("umask {umask}; exec \"$@\"");
        let output = run_child(&dir, &["sh", "-c", &shell, "sh"], "dash");
        assert!(output.status.success(), "{}", printed(&output));
        assert_eq!((mode(&dir), mode(&root.path().join("new"))), (0o700, 0o700), "umask {umask}");
        let paths = tree(&dir);
        assert_eq!(paths.len(), 10, "{paths:?}");
        for path in paths {
            let path = dir.join(path);
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), expected, "umask {umask}: {}", path.display());
        }
    }
}

/// Every file system call of a run is, in turn, its last, or fails; the next run then finds all or nothing of each
/// entry, and completes the vault.
#[test]
fn a_run_that_dies_leaves_no_half_written_key() {
    let kill = ["mkdir", "mkdirat", "openat", "write", "fsync", "renameat", "flock", "unlinkat"]
        .map(|call| (call, "signal=KILL"));
    let fail = ["mkdir", "mkdirat", "write", "fsync", "renameat"].map(|call| (call, "error=ENOSPC"));
    for (call, fault) in kill.into_iter().chain(fail) {
        let mut deaths = 0;
        for nth in 1.. {
            let root = tempfile::tempdir().unwrap();
            let dir = root.path().join("vault");
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{fault}:when={nth}"));
            let strace = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            let output = run_child(&dir, &strace, "strace");
            if output.status.success() {
                break;
            }
            deaths += 1;
            if let Ok(vault) = Vault::open(&dir, &[]) {
                vault.newest_ca().unwrap_or_else(|error| panic!("{call} {fault} {nth}: {error:#}"));
                for fqdn in [FQDN, "node02.example.com"] {
                    vault.key(fqdn).unwrap_or_else(|error| panic!("{call} {fault} {nth}: {error:#}"));
                }
            }
            let next = run_child(&dir, &["env"], "coreutils");
            assert!(next.status.success(), "{call} {fault} {nth}: {}", printed(&next));
            let mut paths = tree(&dir);
            // Empty: it goes when something is stored again.
            paths.retain(|path| path != Path::new(".staging"));
            assert_eq!(paths.len(), 10, "{call} {fault} {nth}: {paths:?}");
        }
        assert!(deaths > 0, "{call} was never called: the test has grown stale");
    }
}
