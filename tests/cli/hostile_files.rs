//! Files that somebody made to do harm, in the place of every file that a command reads: no command waits for them, fills
//! the memory, prints a key, or takes them for what they should be.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use crate::kit::{KEY, PLASMAGEN, Run, Site};
use test_kit::bzimage::bzimage;
use test_kit::process::is_root;
use test_kit::run;

/// The body of a private key.
const SECRET: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ";

/// A rendered site with a vault, a bundle, a web root with an armed node, and everything else that a command reads.
static PREPARED: LazyLock<Site> = LazyLock::new(|| {
    let site = Site::rendered();
    let at = |path: &str| site.path().join(path);
    for dir in ["tree", "overlay", "ipxe", "signatures/ipxe", "home/.ssh"] {
        fs::create_dir_all(at(dir)).unwrap();
    }
    fs::write(at("kernel"), bzimage()).unwrap();
    fs::write(at("tree/init"), "#!/bin/sh\n").unwrap();
    fs::write(at("overlay/file"), "x").unwrap();
    fs::write(at("signatures/ipxe/boot.ipxe.sig"), "x").unwrap();
    fs::write(at("ipxe/undionly.kpxe"), "x").unwrap();
    fs::write(at("signers"), format!("ops@example.com {KEY}\n")).unwrap();
    fs::write(at("home/.ssh/id_ed25519.pub"), KEY).unwrap();
    fs::write(at("key"), format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n")).unwrap();
    let base = ["bundle", "--base", "control-plane", "--init", "/init", "--kernel", "kernel"];
    let run = |args: &[&str]| site.within(site.path(), args).ends(0, &[]).stdout.clone();
    run(&[&base[..], &["--root", "tree", "--out", "bundle"]].concat());
    fs::copy(at("bundle/initrd"), at("initrd")).unwrap();
    fs::write(at("bundle/manifest.json.sig"), "x").unwrap();
    run(&["publish", "bundle", "--site", "site/site", "--root", "root", "--ipxe", "none"]);
    run(&["arm", "node01", "-i", "site/inventory.toml", "--root", "root"]);
    site
});

/// Commands, each with the files that it must read and so refuse. `@` stands for the directory of the one generation of
/// a channel of the web root.
const REFUSED: &[(&str, &[&str])] = &[
    // Which names the disks have, nobody knows without the file (J05).
    ("check site/inventory.toml", &["site/site/inventory.json"]),
    ("check site/inventory.toml", &["site/inventory.toml", NODE, CA]),
    ("show -i site/inventory.toml node01", &["site/inventory.toml"]),
    ("certs status -i site/inventory.toml", &["site/inventory.toml", NODE, CA]),
    (
        "render site/inventory.toml",
        &["site/inventory.toml", NODE, CA, ZONE, "site/.plasmagen/journal", CONFIG],
    ),
    (
        "render --check site/inventory.toml",
        &["site/inventory.toml", NODE, CA, ZONE, CONFIG, "site/nodes/extra"],
    ),
    ("secrets stage node01 -i site/inventory.toml --to staged", &["site/inventory.toml", NODE, VAULTED]),
    (ENCRYPT, &["site/inventory.toml", NODE, VAULTED]),
    ("init new --admin-key home/.ssh/id_ed25519.pub", &["home/.ssh/id_ed25519.pub"]),
    ("init new", &["home/.ssh/id_ed25519.pub"]),
    ("bundle --base worker --kernel kernel --initrd initrd --out out", &["kernel", "initrd"]),
    (
        "publish bundle -i site/inventory.toml --root root --ipxe none",
        &[
            "bundle/manifest.json",
            "bundle/SHA256SUMS",
            "bundle/bzImage",
            "bundle/initrd",
            "bundle/boot.ipxe",
            "root/.plasmagen/web-root.json",
        ],
    ),
    (
        "publish --site site/site --root root --ipxe none",
        &["site/site/manifest.json", "site/site/www/ipxe/boot.ipxe", "site/site/www/index.html"],
    ),
    (
        "publish --site site/site --root other --ipxe none --signatures signatures",
        &["signatures/ipxe/boot.ipxe.sig"],
    ),
    ("publish --site site/site --root other --ipxe ipxe", &["ipxe/undionly.kpxe"]),
    ("verify bundle", &["bundle/manifest.json", "bundle/initrd"]),
    ("verify bundle --signers signers", &["signers", "bundle/manifest.json.sig"]),
    (
        "verify root",
        &[
            "root/.plasmagen/web-root.json",
            "root/site/@/manifest.json",
            "root/site/@/publication.json",
            "root/nixos/control-plane/@/manifest.json",
            "root/nixos/control-plane/@/publication.json",
            "root/nixos/control-plane/@/initrd",
            "root/armed/3c-ec-ef-00-00-01",
        ],
    ),
    (
        "arm node02 -i site/inventory.toml --root root",
        &["root/nixos/control-plane/@/manifest.json", "root/site/@/ipxe/node/3c-ec-ef-00-00-02.ipxe"],
    ),
];

const NODE: &str = "site/nodes/node01.cluster.example.com/node01-cert.pem";
const CA: &str = "site/nodes/node01.cluster.example.com/ca-cert.pem";
const CONFIG: &str = "site/nodes/node01.cluster.example.com/cluster-config.json";
const VAULTED: &str = "home/data/plasmagen/my-cluster/node01.cluster.example.com/node01-key.pem";
const ENCRYPT: &str = "secrets encrypt node01 -i site/inventory.toml --to keys \
                       --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p \
                       --recipient age1pt4vn7re8rmtk5qhnmtgls03wpkymtknjpcf63jp8akzv2efwqas6ulncy";
const ZONE: &str = "site/site/dns/cluster.example.com.zone";

/// Parts of messages that name the owner of a file instead of the file.
const NAMES: &[&str] = &["of node01", "verify says where", "the published site"];

/// Files whose content no command looks at: to whom they say something, plasmagen does not know.
const OPAQUE: &[&str] = &["signatures/ipxe/boot.ipxe.sig", "ipxe/undionly.kpxe"];

/// Commands, each with files without which it works.
const OPTIONAL: &[(&str, &[&str])] = &[
    ("render --discard-edits site/inventory.toml", &["site/.plasmagen/stat-cache", "site/nodes/extra"]),
    ("publish bundle -i site/inventory.toml --root root --ipxe none", &["root/.plasmagen/tftp.json"]),
    // `check` reads what the cluster was; whether the file is what it should be is for `render` to say.
    ("check site/inventory.toml", &[CONFIG]),
    (ENCRYPT, &["keys/.plasmagen-staging", "keys/.plasmagen-staged"]),
    ("secrets stage node01 -i site/inventory.toml --to staged", &["staged/.plasmagen-staging"]),
];

/// Commands, each with files that become parts of an initrd: pipes and links as what they are.
const PACKED: &[(&str, &[&str])] = &[
    (
        "bundle --base worker --kernel kernel --initrd initrd --overlay overlay --out out",
        &["overlay/file", "overlay/deep/new"],
    ),
    ("bundle --base worker --init /init --kernel kernel --root tree --out out", &["tree/new"]),
];

/// `path` with the one generation of its channel for `@`.
fn resolve(site: &Site, path: &str) -> String {
    let Some((channel, rest)) = path.split_once("/@/") else { return path.to_owned() };
    let current = fs::read_link(site.path().join(channel).join("current")).unwrap();
    format!("{channel}/{}/{rest}", current.display())
}

/// Runs `command` where `harm` has put something in the place of `path`: for a minute at most, and in 3 GiB of addresses.
fn attack(command: &str, path: &str, harm: fn(&Path)) -> Run {
    let site = PREPARED.copy();
    let at = site.path().join(resolve(&site, path));
    if at.is_dir() {
        fs::remove_dir_all(&at).unwrap();
    } else {
        let _ = fs::remove_file(&at);
    }
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    harm(&at);
    let mut bash = site.command("bash");
    // Root reads every file, unless without these capabilities.
    let drop = if is_root() { "setpriv --bounding-set=-dac_override,-dac_read_search" } else { "" };
    bash.args(["-c", &format!("ulimit -v 3145728; exec {drop} timeout --signal=KILL 60 $P $ARGS")]);
    Run::of(&run("bash", bash.env("P", PLASMAGEN).env("ARGS", command)))
}

/// The kind of a hostile file.
#[derive(Clone, Copy)]
struct Kind {
    /// Whether the file is a readable text, which only those refuse who look at the text.
    is_text: bool,
    /// Whether an initrd may hold such a file.
    is_packed: bool,
}

/// Every command refuses every file that it reads where `harm` has been, and names the file; it goes on without a file
/// that is not needed, and with text that it does not look at.
fn attack_all(kind: Kind, harm: fn(&Path)) {
    let mut faults = Vec::new();
    for (table, is_refused) in [(REFUSED, true), (OPTIONAL, false), (PACKED, !kind.is_packed)] {
        for (command, path) in
            table.iter().flat_map(|(command, paths)| paths.iter().map(|path| (*command, *path)))
        {
            let run = attack(command, path, harm);
            let printed = format!("{}{}", run.stdout, run.stderr);
            let is_right = match run.code {
                Some(1 | 2) => {
                    is_refused
                        && NAMES
                            .iter()
                            .chain(&[path.rsplit('/').next().unwrap()])
                            .any(|name| printed.contains(name))
                }
                code => code == Some(0) && (!is_refused || kind.is_text && OPAQUE.contains(&path)),
            };
            if !is_right || printed.contains(SECRET) || printed.contains(['\x1b', '\u{9b}', '\x07']) {
                faults.push(format!("{command}, {path}: {:?} {printed:?}", run.code));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

const TEXT: Kind = Kind { is_text: true, is_packed: true };
const SPECIAL: Kind = Kind { is_text: false, is_packed: true };
const UNREADABLE: Kind = Kind { is_text: false, is_packed: false };

#[test]
fn a_file_that_may_not_be_read_is_refused() {
    attack_all(UNREADABLE, |path| {
        fs::write(path, "x").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    });
}

#[test]
fn a_pipe_that_nobody_writes_to_holds_nobody() {
    attack_all(SPECIAL, |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()));
}

#[test]
fn a_sparse_giant_fills_no_memory() {
    attack_all(UNREADABLE, |path| fs::File::create(path).unwrap().set_len(1 << 38).unwrap());
}

#[test]
fn a_link_to_a_device_without_an_end_is_refused() {
    attack_all(SPECIAL, |path| symlink("/dev/zero", path).unwrap());
}

#[test]
fn a_link_to_a_key_prints_nothing_of_the_key() {
    attack_all(TEXT, |path| {
        let root = path.ancestors().find(|dir| dir.join("key").is_file()).unwrap();
        symlink(root.join("key"), path).unwrap();
    });
}

#[test]
fn a_directory_in_the_place_of_a_file_is_refused() {
    attack_all(SPECIAL, |path| {
        fs::create_dir(path).unwrap();
        fs::write(path.join("x"), "x").unwrap();
    });
}

#[test]
fn what_a_terminal_would_obey_is_not_printed() {
    attack_all(TEXT, |path| fs::write(path, "\x1b]0;title\x07\u{9b}2J = \x1b[31m{\"\x1b").unwrap());
}
