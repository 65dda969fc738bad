//! `plasmagen diff --live`: a node that answers over ssh, what it may not answer, and who may not answer in its place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use plasmagen::remote::{Failure, Terms, run_script};
use test_kit::process::is_root;

use crate::host_keys::serve;
use crate::kit::{Run, Site};

/// Stands for ssh: notes its arguments, and runs the script on a tree of files in the place of a machine.
const SSH: &str = r#"#!/bin/sh
printf '%s\n' "$@" >"$TREE/arguments"
sed "s|/run/|$TREE/run/|g; s|/etc/nixos|$TREE/etc/nixos|g; s|/proc/|$TREE/proc/|g" | sh
"#;

/// A rendered site, and a tree with what node01 has after a switch to it.
fn machine() -> Site {
    let site = Site::rendered();
    site.shell(
        "mkdir -p ../bin ../tree/etc/nixos/secrets ../tree/proc/sys/kernel ../tree/run/booted-system ../tree/run/current-system/sw/bin
         cp nodes/node01.*/*.pem nodes/node01.*/cluster-config.json ../tree/etc/nixos/secrets/
         echo the key >../tree/etc/nixos/secrets/node01-key.pem
         echo node01 >../tree/proc/sys/kernel/hostname
         for part in kernel initrd kernel-modules; do
           ln -s /nix/store/1-$part ../tree/run/booted-system/$part; ln -s /nix/store/1-$part ../tree/run/current-system/$part
         done",
    )
    .ends(0, &[]);
    write_program(&site, "bin/ssh", SSH);
    set_addresses(&site, "10.0.200.10/24");
    site
}

fn write_program(site: &Site, path: &str, text: &str) {
    let path = site.path().join(path);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The addresses as `ip -o addr` prints them.
fn set_addresses(site: &Site, core: &str) {
    let line = |number: u8, device: &str, net: &str| {
        format!("echo '{number}: {device}    inet {net} scope global {device}'\n")
    };
    let text = format!(
        "#!/bin/sh\n{}{}{}",
        line(2, "eth0", "10.0.100.50/24"),
        line(3, "eth1", core),
        line(4, "tenant0", "192.0.2.1/24")
    );
    write_program(site, "tree/run/current-system/sw/bin/ip", &text);
}

fn diff(site: &Site, arguments: &str) -> Run {
    site.shell(&format!("PATH=$PWD/../bin:$PATH TREE=$PWD/../tree; export PATH TREE; $P diff {arguments}"))
}

#[test]
fn a_node_that_was_switched_to_what_was_rendered_has_no_drift() {
    let site = machine();
    let run = site.untouched(|| diff(&site, "--live node01"));
    run.ends(0, &[]);
    assert_eq!(run.stdout, "nothing changes\n");
    let arguments = fs::read_to_string(site.path().join("tree/arguments")).unwrap();
    assert!(arguments.ends_with("-l\nroot\n--\n10.0.200.10\nsh -s\n"), "{arguments}");
    assert!(!arguments.contains("node01") && arguments.contains("StrictHostKeyChecking=yes"), "{arguments}");
    // ssh itself understands the options.
    site.shell("xargs -d '\\n' ssh -G <../tree/arguments | grep -qx 'userknownhostsfile known_hosts'")
        .ends(0, &[]);
}

#[test]
fn drift_is_told_with_its_effects() {
    let site = machine();
    set_addresses(&site, "10.0.200.77/24");
    site.shell(
        "cd ../tree; echo old >etc/nixos/secrets/node01-cert.pem; echo '{}' >etc/nixos/secrets/cluster-config.json
         echo stranger >proc/sys/kernel/hostname; ln -sfn /nix/store/2-kernel run/current-system/kernel",
    )
    .ends(0, &[]);
    let run = diff(&site, "--live node01");
    run.ends(0, &[]);
    for words in [
        "reboot",
        "drift.host_name stranger → node01",
        "drift.booted − kernel",
        "drift.files.node01-cert.pem",
        "drift.addresses + eth1 10.0.200.10/24 − eth1 10.0.200.77/24",
        "1 reboot",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert!(!run.stdout.contains("tenant0") && !run.stdout.contains("key.pem"), "{}", run.stdout);
    diff(&site, "--live node01 --fail-on reboot").ends(1, &["reboot or worse: node01"]);
    diff(&site, "--live node01 --format json").ends(0, &[]);
}

#[test]
fn a_node_that_does_not_answer_as_one_is_told() {
    let site = machine();
    for (answer, words) in [
        ("exit 255", "it cannot be reached"),
        (
            "echo 'Host key verification failed.' >&2; exit 255",
            "it does not have the host key of site/known_hosts",
        ),
        ("exit 3", "failed there with the status 3"),
        ("echo hello", "the answer does not begin as one"),
        ("echo plasmagen-live 1", "the answer was cut off"),
        ("printf 'plasmagen-live 1\\nhost-name \\033[2J\\nend\\n'", "control characters"),
        ("exec yes", "it answered more than 1048576 bytes"),
    ] {
        write_program(&site, "bin/ssh", &format!("#!/bin/sh\n{answer}\n"));
        let run = diff(&site, "--live node01");
        run.ends(1, &["node01: ", words]);
        assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
    }
    diff(&site, "--live node77").ends(2, &["there is no node `node77`"]);
    diff(&site, "--live node01 --since HEAD").ends(2, &["cannot be used with"]);
    site.shell("rm site/known_hosts").ends(0, &[]);
    diff(&site, "--live node01").ends(2, &["known_hosts", "run plasmagen render"]);
}

/// The client and the server of OpenSSH. Nobody may log in; who it is that refuses, the client knows by the host key.
#[test]
fn a_machine_with_another_host_key_is_not_asked() {
    let site = Site::rendered();
    let [server, prepare] = serve(&site, "nobody");
    site.shell(&prepare).ends(0, &[]);
    let server = server.replace("$AS", if is_root() { "setpriv --reuid=nobody --clear-groups" } else { "" });
    let ask = |address: [u8; 4]| {
        let options = ["-F", "/dev/null", "-o", "IdentityFile=none", "-o", &format!("ProxyCommand={server}")];
        let terms = Terms {
            options: options.map(str::to_owned).to_vec(),
            deadline: Duration::from_secs(60),
            ..Terms::new(site.root().join("site"))
        };
        run_script(address.into(), "echo hello", &terms).unwrap_err()
    };
    assert!(matches!(ask([10, 0, 200, 10]), Failure::NotAdmitted(_)));
    for other in [[10, 0, 200, 11], [192, 0, 2, 1]] {
        let failure = ask(other);
        assert!(matches!(failure, Failure::HostKey(_)), "{failure:?}");
    }
}
