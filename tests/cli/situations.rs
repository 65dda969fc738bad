//! Everything that can be wrong with CA, certificates and vault, made by openssl where it is forged: every command that uses
//! them says so with the same words, and changes nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use plasmagen::pki::PublicCert;
use test_kit::process::is_root;

use crate::kit::Site;
use crate::publish::bundle;

const NODE: &str = "nodes/node01.cluster.example.com";

/// The commands that use certificates. Each takes `--vault`.
pub(crate) const COMMANDS: [&[&str]; 7] = [
    &["check"],
    &["render"],
    &["render", "--check"],
    &["secrets", "stage", "node01", "--to", "../out"],
    &["secrets", "encrypt", "node01", "--to", "../out"],
    &["publish", "bundle", "--root", "../web", "--ipxe", "nowhere"],
    &["certs", "status"],
];

/// Makes a fault in a sound site; returns the vault that commands are told to use, if it is another.
type Prepare = fn(&Site) -> Option<PathBuf>;

/// The situations, each with the words that every command says of it.
#[rustfmt::skip]
const SITUATIONS: [(&str, Prepare, &[&str]); 16] = [
    ("a foreign CA beside the cluster's", |site| append_ca(site, "Corporate Root", ""),
        &["error[PG-H18]", "holds `Corporate Root`, which is no CA of this cluster", "from git"]),
    ("a CA under the cluster's name, with the cluster's constraints", |site| append_ca(site, "my-cluster CA 2", SOUND),
        &["error[PG-H18]", "holds `my-cluster CA 2`, which the vault ", " does not hold"]),
    ("the same without constraints, and no vault", |site| { lose_vault(site); append_ca(site, "my-cluster CA 2", "") },
        &["error[PG-H18]", "do not limit the names"]),
    ("a CA for all of com", |site| { lose_vault(site); append_ca(site, "my-cluster CA 2", &format!("{SOUND},permitted;DNS:com")) },
        &["error[PG-H18]", "`my-cluster CA 2`, which may vouch for `com`: neither the cluster's domain"]),
    ("a CA for the domain above the cluster's", |site| { lose_vault(site); append_ca(site, "my-cluster CA 2", &format!("{SOUND},permitted;DNS:example.com")) },
        &["error[PG-H18]", "which may vouch for `example.com`"]),
    ("a CA for half of the addresses", |site| { lose_vault(site); append_ca(site, "my-cluster CA 2", &format!("{SOUND},permitted;IP:0.0.0.0/128.0.0.0")) },
        &["error[PG-H18]", "which may vouch for `0.0.0.0/1`"]),
    ("constraints that clients may ignore", |site| { lose_vault(site); append_ca(site, "my-cluster CA 2", SOUND.trim_start_matches("critical,")) },
        &["error[PG-H18]", "whose name constraints are not critical"]),
    ("a certificate of a forged CA", |site| forge_leaf(site, true),
        &["error[PG-H12]", "`node01`", "altered or forged", "remove nodes/node01.cluster.example.com/node01-cert.pem"]),
    ("a certificate for another key than the vault's", |site| forge_leaf(site, false),
        &["error[PG-H04]", "the certificate of `node01` is for another key than that of `node01` in the vault"]),
    ("the vault of another cluster", |site| { site.edit("\"my-cluster\"", "\"beta\""); Some(render_elsewhere(site, "beta")) },
        &["error[PG-H18]", "`my-cluster CA 1`, which is the CA of another cluster, `my-cluster`", "`former_names = [\"my-cluster\"]`", "remove nodes/ and site/, and run `plasmagen render`"]),
    ("another vault of the same cluster", |site| Some(render_elsewhere(site, "my-cluster")),
        &["error[PG-H18]", "`my-cluster CA 1`, which the vault ", " does not hold", "with --vault"]),
    ("a CA of another user in the vault", |site| { plant(site, "ca-1"); None },
        &["error[PG-H19]", "the vault cannot be used", "private keys"]),
    ("a vault that others may enter", |site| { set_mode(&site.vault(), 0o750); None },
        &["error[PG-H19]", "the vault cannot be used", "has mode 0750, so others on this machine can read private keys"]),
    ("a key that others may read", |site| { set_mode(&site.vault().join("node01.cluster.example.com/node01-key.pem"), 0o644); None },
        &["error[PG-H19]", "node01-key.pem has mode 0644"]),
    ("a link in the vault", |site| { move_and_link(&site.vault().join("ca-1"), &site.path().join("moved")); None },
        &["error[PG-H19]", "ca-1 is not a directory"]),
    ("no vault at all", |_| Some("/etc".into()),
        &["error[PG-H19]", "the vault cannot be used: there is no vault at /etc, which holds other things", "with --vault"]),
];

/// The constraints of the cluster's own CA, as openssl writes them.
const SOUND: &str = "critical,permitted;DNS:cluster.example.com,permitted;DNS:localhost,permitted;IP:10.0.0.0/255.0.0.0,\
                     permitted;IP:0:0:0:0:0:0:0:1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

/// Makes a certificate by openssl: `request` are the arguments of `openssl req -x509`, `extensions` lines of its
/// configuration. Returns the path of the certificate; the key lies beside.
fn make_certificate(site: &Site, name: &str, request: &str, extensions: &str) -> PathBuf {
    let dir = site.path().join("forged");
    fs::create_dir_all(&dir).unwrap();
    let config = format!("[req]\ndistinguished_name = dn\n[dn]\n[x]\n{extensions}\n");
    fs::write(dir.join(format!("{name}.cnf")), config).unwrap();
    let script = format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config {name}.cnf -extensions x -days 300 \
         -keyout {name}.key -out {name}.pem {request}"
    );
    site.shell(&format!("cd {} && {script}", dir.display())).ends(0, &[]);
    dir.join(format!("{name}.pem"))
}

/// Appends a new CA to every ca-cert.pem.
pub(crate) fn append_ca(site: &Site, name: &str, constraints: &str) -> Option<PathBuf> {
    let mut extensions =
        "basicConstraints = critical,CA:TRUE,pathlen:0\nkeyUsage = critical,keyCertSign,cRLSign\n\
                          subjectKeyIdentifier = hash\n"
            .to_owned();
    if !constraints.is_empty() {
        extensions += &format!("nameConstraints = {constraints}\n");
    }
    let ca = make_certificate(site, "ca", &format!("-subj '/CN={name}'"), &extensions);
    site.shell(&format!("for ca in nodes/*/ca-cert.pem; do cat {} >>$ca; done", ca.display())).ends(0, &[]);
    None
}

/// Replaces the certificate of node01 by one for another key, with the same names: signed by a forger's CA that bears the
/// name and the key identifier of the cluster's, or by the cluster's CA.
fn forge_leaf(site: &Site, is_forged: bool) -> Option<PathBuf> {
    let read = |file: &str| PublicCert::from_pem(&site.read(&format!("{NODE}/{file}"))).unwrap();
    let (ca, leaf) = (read("ca-cert.pem"), read("node01-cert.pem"));
    let id =
        ca.subject_key_id.unwrap().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
    let mut signer = site.vault().join("ca-1/ca-cert.pem");
    let mut key = site.vault().join("ca-1/ca-key.pem");
    if is_forged {
        let extensions =
            format!("basicConstraints = critical,CA:TRUE,pathlen:0\nsubjectKeyIdentifier = {id}\n");
        signer = make_certificate(site, "ca", "-subj '/CN=my-cluster CA 1'", &extensions);
        key = signer.with_extension("key");
    }
    let names = leaf.dns_names.iter().map(|name| format!("DNS:{name}"));
    let names: Vec<_> = names.chain(leaf.addresses.iter().map(|address| format!("IP:{address}"))).collect();
    let extensions = format!(
        "basicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = serverAuth,clientAuth\n\
         subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\nsubjectAltName = {}\n",
        names.join(",")
    );
    let request = format!("-subj '/CN={}' -CA {} -CAkey {}", leaf.name(), signer.display(), key.display());
    let forged = make_certificate(site, "leaf", &request, &extensions);
    let read = PublicCert::from_pem(&fs::read_to_string(&forged).unwrap()).unwrap();
    assert_eq!(read.authority_key_id, leaf.authority_key_id);
    fs::copy(forged, site.root().join(NODE).join("node01-cert.pem")).unwrap();
    None
}

pub(crate) fn lose_vault(site: &Site) {
    fs::remove_dir_all(site.vault()).unwrap();
}

/// Renders a site of the cluster `name` elsewhere, and returns its vault.
fn render_elsewhere(site: &Site, name: &str) -> PathBuf {
    let vault = site.path().join("other-vault");
    site.within(site.path(), &["init", "elsewhere", "--admin-key", crate::kit::KEY]).ends(0, &[]);
    let inventory = site.path().join("elsewhere/inventory.toml");
    let text = fs::read_to_string(&inventory).unwrap().replace("\"my-cluster\"", &format!("{name:?}"));
    fs::write(&inventory, text).unwrap();
    let args = ["render", inventory.to_str().unwrap(), "--vault", vault.to_str().unwrap()];
    site.run(&args).ends(0, &[]);
    vault
}

/// Gives `path` in the vault to another user. Only root can do that; anybody else lets others into the vault.
pub(crate) fn plant(site: &Site, path: &str) {
    if is_root() {
        chown(site.vault().join(path), Some(65534), None).unwrap();
    } else {
        set_mode(&site.vault(), 0o755);
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn move_and_link(path: &Path, to: &Path) {
    fs::rename(path, to).unwrap();
    symlink(to, path).unwrap();
}

/// A rendered site with a bundle.
pub(crate) fn sound() -> Site {
    let site = Site::rendered();
    bundle(&site, "bundle", "one");
    site
}

/// Runs `command` with the vault `vault`, if that is one.
fn run(site: &Site, command: &[&str], vault: Option<&Path>) -> crate::kit::Run {
    let vault = vault.map(|vault| vault.to_str().unwrap());
    let option: Vec<_> = vault.map_or_else(Vec::new, |vault| vec!["--vault", vault]);
    site.run(&[command, &option[..]].concat())
}

#[test]
fn every_command_refuses_every_situation_with_the_same_words() {
    let sound = sound();
    for (what, prepare, words) in SITUATIONS {
        let site = sound.copy();
        let vault = prepare(&site);
        for command in COMMANDS {
            let run = site.untouched(|| run(&site, command, vault.as_deref()));
            assert_eq!(run.code, Some(1), "{what}: {command:?}: {}", run.stderr);
            for word in words {
                assert!(run.stderr.contains(word), "{what}: {command:?}: {word} is not in {}", run.stderr);
            }
            let made = ["out", "web"].map(|name| site.path().join(name).exists());
            assert_eq!(made, [false, false], "{what}: {command:?} wrote something");
        }
    }
}

/// The same commands accept the site as it was rendered: the situations alone make them refuse.
#[test]
fn every_command_accepts_a_sound_site() {
    for command in COMMANDS {
        let site = sound();
        let command = if command[1..].contains(&"encrypt") { &["check"][..] } else { command };
        let run = run(&site, command, None);
        run.ends(0, &[]);
        assert!(!run.stderr.contains("PG-H"), "{command:?}: {}", run.stderr);
    }
}
