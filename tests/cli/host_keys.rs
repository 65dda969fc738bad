//! SSH host keys of nodes: who gets one from `render`, what `site/known_hosts` says, and `plasmagen keys make` and `adopt`.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use test_kit::{run, target};

use crate::kit::{NODE04, Run, Site};
use crate::sealing;

const PUBLIC: &str = "ssh_host_ed25519_key.pub";

/// The full name of the node `name`.
pub(crate) fn full(name: &str) -> String {
    format!("{name}.cluster.example.com")
}

/// The public host key of `node` in nodes/: type and key.
pub(crate) fn public(site: &Site, node: &str) -> String {
    let text = site.read(&format!("nodes/{}/{PUBLIC}", full(node)));
    let text = text.strip_suffix('\n').unwrap();
    let text = text.strip_suffix(" adopted").unwrap_or(text);
    text.strip_suffix(&format!(" {}", full(node))).unwrap().to_owned()
}

/// The private host key of `node` in the vault.
pub(crate) fn private(site: &Site, node: &str) -> PathBuf {
    site.vault().join(full(node)).join("ssh_host_ed25519_key")
}

/// The key that `ssh-keygen` finds in site/known_hosts for `name`; none where there is none.
pub(crate) fn find(site: &Site, name: &str) -> Option<String> {
    let found = site.tool("ssh-keygen", "openssh-client", &["-F", name, "-f", "site/known_hosts"]);
    let lines: Vec<_> = found.stdout.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() <= 1, "{name}: {lines:?}");
    lines.first().map(|line| line.split_once(' ').unwrap().1.to_owned())
}

/// Makes the site one of an earlier version, which made no host keys.
fn forget_host_keys(site: &Site) {
    let forget = "rm nodes/*/ssh_host_ed25519_key.pub; find ../home -name ssh_host_ed25519_key -delete";
    site.shell(forget).ends(0, &[]);
    site.run(&["render", "--discard-edits"]).ends(0, &["0 added"]);
}

pub(crate) fn keys(site: &Site, args: &[&str]) -> Run {
    site.run(&[&["keys"], args].concat())
}

#[test]
fn every_name_and_address_of_a_node_leads_to_its_key_in_the_vault() {
    let site = Site::new();
    site.run(&["render"]).ends(0, &["issued 3 certificates\n", "made 3 SSH host keys\n"]);
    let inventory: Value = serde_json::from_str(&site.read("site/inventory.json")).unwrap();
    for node in inventory["nodes"].as_array().unwrap() {
        let name = node["name"].as_str().unwrap();
        let public = public(&site, name);
        let path = private(&site, name);
        let made = site.tool("ssh-keygen", "openssh-client", &["-y", "-f", path.to_str().unwrap()]);
        assert_eq!(made.stdout, format!("{public} {}\n", full(name)));
        let addresses = node["interfaces"].as_array().unwrap().iter().flat_map(|interface| {
            interface["addresses"].as_array().unwrap().iter().map(|net| net.as_str().unwrap())
        });
        let addresses: Vec<_> = addresses.map(|net| net.split('/').next().unwrap()).collect();
        assert_eq!(addresses.len(), 2);
        for name in [&[name, &full(name)], &addresses[..]].concat() {
            assert_eq!(find(&site, name).as_ref(), Some(&public), "{name}");
        }
        // The names of zones, and of hosts(5): each leads to an address of the node.
        for line in site.read("site/dns/hosts").lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            if addresses.contains(&words.next().unwrap_or_default()) {
                words.for_each(|name| assert_eq!(find(&site, name).as_ref(), Some(&public), "{name}"));
            }
        }
    }
    for other in ["node04", "10.0.100.10", "example.com"] {
        assert_eq!(find(&site, other), None, "{other}");
    }
    // The comparison needs no vault.
    fs::rename(site.vault(), site.path().join("away")).unwrap();
    site.run(&["render", "--check"]).ends(0, &["what the inventory says"]);
}

/// A machine that an earlier version rendered may have been installed, and has made its own key.
#[test]
fn no_key_is_made_for_a_machine_that_may_have_one() {
    let site = Site::rendered();
    forget_host_keys(&site);
    assert_eq!(find(&site, "node01"), None);
    site.untouched(|| site.run(&["render"]).ends(0, &["nothing was touched"]).code);
    site.append(NODE04);
    site.run(&["render"]).ends(0, &["issued 1 certificate\n", "made 1 SSH host key\n"]);
    assert_eq!(find(&site, "node04"), Some(public(&site, "node04")));
    assert_eq!(find(&site, "node03"), None);
    // Another name for a machine that is there already.
    site.edit("[node.node03]", "[node.node05]");
    site.edit("\"node03\"", "\"node05\"");
    site.run(&["render", "--install-anew", "node05"])
        .ends(0, &["no SSH host key was made for node05: the machine was rendered before"]);
    assert_eq!(find(&site, "node05"), None);
    let run = site.run(&["secrets", "stage", "node05", "--to", "../out"]);
    run.ends(0, &["staged the key of node05", "no SSH host key of node05: a new installation makes one;"]);
    assert!(!site.path().join("out/etc/ssh").exists());
}

#[test]
fn a_key_is_adopted_or_made_for_a_node_that_was_rendered_before() {
    let site = Site::rendered();
    forget_host_keys(&site);
    site.shell("ssh-keygen -q -t ed25519 -N '' -C root@node01 -f ../host").ends(0, &[]);
    keys(&site, &["adopt", "node01", "--host-key", "../host.pub"]).ends(0, &["1 added, "]);
    let host = fs::read_to_string(site.path().join("host.pub")).unwrap();
    assert_eq!(public(&site, "node01"), host.strip_suffix(" root@node01\n").unwrap());
    assert_eq!(find(&site, "node01"), Some(public(&site, "node01")));
    let staged = site.run(&["secrets", "stage", "node01", "--to", "../out"]);
    staged.ends(0, &["node01 has an SSH host key of its own", "only before a new installation"]);

    keys(&site, &["make", "node02", "node01"]).ends(0, &["made 2 SSH host keys", "plasmagen secrets stage"]);
    for node in ["node01", "node02"] {
        let path = private(&site, node);
        assert!(fs::read_to_string(&path).unwrap().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert_eq!(find(&site, node), Some(public(&site, node)));
    }
    assert_ne!(find(&site, "node01").unwrap(), host.trim_end());
    assert_eq!(find(&site, "node03"), None);
    site.shell("rm -r ../out").ends(0, &[]);
    site.run(&["secrets", "stage", "node01", "--to", "../out"]).ends(0, &["the SSH host key of node01"]);

    // Once more: the old key is put aside.
    let old = fs::read(private(&site, "node02")).unwrap();
    keys(&site, &["make", "node02"]).ends(0, &["made 1 SSH host key\n"]);
    assert_ne!(fs::read(private(&site, "node02")).unwrap(), old);
    let aside = site.vault().join(".retired").join(full("node02") + ".ssh.1/ssh_host_ed25519_key");
    assert_eq!(fs::read(aside).unwrap(), old);
}

/// As after a run of `keys make` that was killed between the vault and nodes/.
#[test]
fn a_key_of_the_vault_that_is_not_published_is_published_and_not_staged() {
    let site = Site::rendered();
    let nodes = site.path().join("nodes");
    site.shell("cp -a nodes ../nodes").ends(0, &[]);
    keys(&site, &["make", "node01"]).ends(0, &[]);
    let made = fs::read(private(&site, "node01")).unwrap();
    let new = public(&site, "node01");
    for part in ["nodes", "site"] {
        fs::remove_dir_all(site.root().join(part)).unwrap();
    }
    fs::rename(nodes, site.root().join("nodes")).unwrap();
    site.run(&["render"]).ends(0, &[]);
    let old = public(&site, "node01");
    assert_ne!(old, new);
    let stage = ["secrets", "stage", "node01", "--to", "../out"];
    site.run(&stage).ends(2, &["is not that of nodes/node01.", "plasmagen keys make node01 publishes"]);
    keys(&site, &["make", "node01"]).ends(0, &["made 1 SSH host key\n"]);
    assert_eq!([public(&site, "node01"), find(&site, "node01").unwrap()], [new.clone(), new]);
    assert_eq!(fs::read(private(&site, "node01")).unwrap(), made, "no third key");
    site.run(&stage).ends(0, &[]);
}

#[test]
fn lost_files_come_back_and_a_name_of_another_machine_gets_another_key() {
    let site = Site::rendered();
    let old = public(&site, "node03");
    site.shell("rm -r nodes").ends(0, &[]);
    site.run(&["render"]).ends(0, &["issued 3 certificates"]);
    assert_eq!(public(&site, "node03"), old);
    site.shell("rm -r nodes/node03.*").ends(0, &[]);
    site.run(&["render"]).ends(0, &["issued 1 certificate\n"]);
    assert_eq!(public(&site, "node03"), old);

    // Another key for the certificate leaves the machine its host key.
    let key = fs::read(private(&site, "node03")).unwrap();
    site.run(&["certs", "renew", "node03", "--new-key"]).ends(0, &[]);
    assert_eq!(fs::read(private(&site, "node03")).unwrap(), key);
    assert_eq!(public(&site, "node03"), old);

    site.append(NODE04);
    site.run(&["render"]).ends(0, &[]);
    let old = public(&site, "node04");
    let text = site.read("inventory.toml");
    fs::write(site.inventory(), text.replace(NODE04, "")).unwrap();
    site.run(&["render"]).ends(0, &["node04.cluster.example.com was removed"]);
    assert_eq!(find(&site, "node04"), None);
    let other = NODE04.replace("3c:ec:ef:00:00:04", "3c:ec:ef:00:00:99").replace("SERIAL0004", "SERIAL0099");
    site.append(&other);
    site.run(&["render"]).ends(0, &["has a new key", "made 1 SSH host key"]);
    assert_ne!(public(&site, "node04"), old);
    assert_eq!(find(&site, "node04"), Some(public(&site, "node04")));
}

#[test]
fn what_is_no_host_key_is_refused() {
    let site = Site::rendered();
    let made = "cd ..; for type in rsa ecdsa ed25519; do ssh-keygen -q -t $type -N '' -f $type; done
                echo hello >text; cp site/nodes/node02.*/*.pub node02; mkfifo fifo; : >empty";
    site.shell(made).ends(0, &[]);
    let low = format!("ssh-ed25519 {}{}\n", "AAAAC3NzaC1lZDI1NTE5AAAAIA", "A".repeat(42));
    fs::write(site.path().join("weak"), low).unwrap();
    for (file, word) in [
        ("ed25519", "this is a private key"),
        ("rsa.pub", "a key of type ssh-rsa"),
        ("ecdsa.pub", "a key of type ecdsa-sha2-nistp256"),
        ("text", "no line of a .pub file"),
        ("empty", "no line of a .pub file"),
        ("weak", "anybody could decrypt"),
        ("node02", "have one SSH host key"),
        ("fifo", "it is a pipe"),
        ("nothing", "No such file"),
    ] {
        let file = format!("../{file}");
        site.untouched(|| keys(&site, &["adopt", "node01", "--host-key", &file]).ends(2, &[word]).code);
    }
    site.untouched(|| keys(&site, &["adopt", "node09", "--host-key", "../ed25519.pub"]).ends(2, &[]).code);
    site.untouched(|| keys(&site, &["make", "node01", "node09"]).ends(2, &["no node `node09`"]).code);
    // A file that is wrong in nodes/ is no key that is missing.
    site.shell("echo ssh-ed25519 AAAA >nodes/node01.cluster.example.com/*.pub").ends(0, &[]);
    let words =
        ["could not use nodes/node01.cluster.example.com/ssh_host_ed25519_key.pub", "keys adopt node01"];
    site.untouched(|| site.run(&["render", "--check"]).ends(2, &words).code);
}

#[test]
fn a_damaged_host_key_is_told_and_not_quoted() {
    let site = Site::rendered();
    let path = private(&site, "node01");
    let text = fs::read_to_string(&path).unwrap();
    let cut = &text[..text.len() / 2];
    fs::write(&path, cut).unwrap();
    for args in [&["vault", "verify"][..], &["secrets", "stage", "node01", "--to", "../out"]] {
        let run = site.run(args);
        let said = run.stdout.clone() + &run.stderr;
        assert!(run.code != Some(0) && said.contains("not an SSH host key that plasmagen can use"), "{said}");
        assert!(cut.lines().skip(1).all(|line| !said.contains(line)), "{said}");
    }
    assert!(!site.path().join("out/etc").exists());
}

/// The node decrypts its own file with the key that it is installed with, and no other node's.
#[test]
fn a_staged_host_key_decrypts_the_nodes_own_file_alone() {
    let site = sealing::site();
    sealing::encrypt(&site, &[]).ends(0, &["encrypted 3 keys to 2 recipients and the host key of each node"]);
    let decrypt = |node: &str, host: &str| {
        let (file, key) = (format!("keys/{node}-key.pem.age"), private(&site, host));
        site.tool("age", "age", &["--decrypt", "-i", key.to_str().unwrap(), &file])
    };
    let vault = |node: &str| site.vault().join(full(node)).join(format!("{node}-key.pem"));
    for node in ["node01", "node02"] {
        assert!(decrypt(node, node).ends(0, &[]).stdout == fs::read_to_string(vault(node)).unwrap());
    }
    decrypt("node02", "node01").ends(1, &["no identity matched"]);
}

/// The command of an SSH server with node01's key in the vault of `site`, to be run by `$AS`, and a line of bash that
/// sets `AS`: where the tests are root's, to run the server as `user`.
pub(crate) fn serve(site: &Site, user: &str) -> [String; 2] {
    let unpacked =
        std::env::var_os("PLASMAGEN_OPENSSH").map_or_else(|| target().join("openssh"), PathBuf::from);
    let sshd = unpacked.join("usr/sbin/sshd");
    assert!(
        sshd.is_file(),
        "Debian's openssh-server is missing in {}: tests/run unpacks it",
        unpacked.display()
    );
    // Root's sshd would need a user that is made when the package is installed. So it is another one's, who may read
    // this copy.
    site.shell("cp ../home/data/plasmagen/my-cluster/node01.*/ssh_host_ed25519_key ../host").ends(0, &[]);
    let host = site.path().join("host").display().to_string();
    let server = format!(
        "env LD_LIBRARY_PATH={}/usr/lib/x86_64-linux-gnu $AS {} -i -e -f /dev/null -h {host} -o UsePAM=no \
         -o PasswordAuthentication=no",
        unpacked.display(),
        sshd.display(),
    );
    let prepare = format!(
        "if ((EUID == 0)); then chown {user} {host}; AS='setpriv --reuid={user} --clear-groups'; fi; export AS"
    );
    [server, prepare]
}

/// An SSH server with the key in the vault, and a client that asks nobody.
#[test]
fn ssh_knows_the_server_by_each_name_and_no_other() {
    let site = Site::rendered();
    let serve = serve(&site, "nobody");
    let other = site.path().join("other");
    fs::write(
        &other,
        site.read("site/known_hosts").replace(&public(&site, "node01"), &public(&site, "node02")),
    )
    .unwrap();
    let (known, other) = (site.root().join("site/known_hosts"), other.as_path());
    let connect = |name: &str, known: &std::path::Path| {
        let [server, prepare] = &serve;
        let script = format!(
            "{prepare}; exec ssh -F /dev/null -o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null \
               -o StrictHostKeyChecking=yes -o BatchMode=yes -o IdentityFile=none \
               -o ProxyCommand='{server}' nobody@{name} true",
            known = known.display(),
        );
        Run::of(&run("bash", site.command("bash").args(["-c", &script])))
    };
    // Nobody may log in; whom it is that refuses, ssh knows.
    for name in ["node01", "node01.cluster.example.com", "10.0.100.50", "10.0.200.10"] {
        connect(name, &known).ends(255, &["Permission denied (publickey"]);
    }
    connect("node02", &known).ends(255, &["REMOTE HOST IDENTIFICATION HAS CHANGED"]);
    connect("node01", other).ends(255, &["Host key verification failed"]);
    connect("node09", &known).ends(255, &["No ED25519 host key is known for node09"]);
}
