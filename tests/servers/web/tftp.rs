//! TFTP servers that are started as Debian starts them, with the reference's `/etc/default`.

use std::path::PathBuf;

use test_kit::process::is_root;

use crate::web::kit::{Machine, reference};

/// What every TFTP server starts from. Each gives up being root, which takes a second user.
const TREE: &str = r"
mkdir -p $root/tftp
chmod 755 $root $root/tftp
head -c 70001 /dev/urandom >undionly.kpxe
install -m 644 undionly.kpxe $root/tftp/undionly.kpxe
echo secret >/var/lib/secret && echo secret >$root/secret && chmod 644 /var/lib/secret $root/secret
echo new >new
";

/// What a server that runs already delivers and what it refuses.
fn serves(mut machine: Machine) {
    assert!(is_root(), "a TFTP server changes its user: run this test as root");
    machine.tftp("undionly.kpxe", "");
    machine.tftp("undionly.kpxe", "--tftp-blksize 1468");
    machine.tftp("undionly.kpxe", "--tftp-no-options");
    let refused = [
        ("../../etc/passwd", ""),
        ("..%2f..%2fetc/passwd", ""),
        ("../secret", ""),
        ("/../secret", ""),
        ("/etc/passwd", ""),
        ("/var/lib/secret", ""),
        ("missing", ""),
        ("undionly.kpxe", "-T new"),
        ("new", "-T new"),
    ];
    for (path, options) in refused {
        machine.tftp(path, options);
    }
    machine.run("cmp undionly.kpxe $root/tftp/undionly.kpxe && test ! -e $root/tftp/new");
    // Only at the provisioner's address.
    machine.run("! curl -sS --max-time 3 -o other tftp://127.0.0.1/undionly.kpxe");
    let dir = machine.dir.clone();
    let replies = machine.go();
    let loader = std::fs::read(dir.join("undionly.kpxe")).unwrap();
    for reply in &replies[..3] {
        assert!(reply.status == 200 && reply.body == loader, "{} bytes came", reply.body.len());
    }
    for ((path, options), reply) in refused.iter().zip(&replies[3..]) {
        assert_eq!((reply.status, reply.text().as_str()), (404, ""), "{path} {options}");
    }
}

#[test]
fn tftpd_hpa_delivers_loaders_and_nothing_else() {
    let (plan, files) = reference();
    let mut machine = Machine::new(&plan, files.path());
    machine.run(TREE);
    machine.run(". ./tftpd-hpa.default");
    machine
        .run("in.tftpd --listen --user $TFTP_USERNAME --address $TFTP_ADDRESS $TFTP_OPTIONS $TFTP_DIRECTORY");
    serves(machine);
}

/// Debian's atftpd and tftpd-hpa exclude each other: one of them is only unpacked.
#[test]
fn atftpd_delivers_loaders_and_nothing_else() {
    let bin = std::env::var_os("PLASMAGEN_ATFTPD_BIN").map(PathBuf::from).unwrap_or_default();
    assert!(
        bin.join("atftpd").is_file(),
        "atftpd: unpack its Debian package (dpkg -x), and name the program's directory in PLASMAGEN_ATFTPD_BIN"
    );
    let (plan, files) = reference();
    let mut machine = Machine::new(&plan, files.path());
    machine.run(TREE);
    machine.run(". ./atftpd.default; test $USE_INETD = false");
    machine.run(&format!("'{}/atftpd' --daemon $OPTIONS", bin.display()));
    serves(machine);
}
