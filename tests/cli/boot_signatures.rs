//! `sign`, and `publish` and `verify` where the inventory names the signer.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use test_kit::tree::{Entry, entries};

use crate::kit::Site;
use crate::publish::{at_root, bundle};

/// Makes the CA `ca` and the signer `signer`, each a key and a certificate beside the inventory.
pub(crate) fn make_signer(site: &Site, ca: &str, signer: &str) {
    let script = format!(
        "set -e\n\
         for name in {ca} {signer}; do openssl ecparam -name prime256v1 -genkey -noout -out $name.key; done\n\
         openssl req -x509 -new -key {ca}.key -days 400 -subj '/CN=boot CA' -out {ca}.pem\n\
         openssl req -new -key {signer}.key -subj '/CN=boot signer' -out request\n\
         printf 'keyUsage=digitalSignature\\nextendedKeyUsage=codeSigning\\n' > extensions\n\
         openssl x509 -req -in request -CA {ca}.pem -CAkey {ca}.key -CAcreateserial -days 400 -extfile extensions -out {signer}.pem\n\
         cat {ca}.pem >> {signer}.pem"
    );
    site.shell(&script).ends(0, &[]);
}

/// A rendered site whose machines verify signatures, with a signer and a bundle beside the inventory.
pub(crate) fn site() -> Site {
    let site = Site::new();
    site.append("\n[boot]\nverify = \"signature\"\nsigner = \"signer.pem\"\n");
    site.run(&["render"]).ends(0, &[]);
    make_signer(&site, "ca", "signer");
    bundle(&site, "bundle", "one");
    site
}

fn signatures(site: &Site) -> BTreeMap<PathBuf, Entry> {
    let dirs = ["bundle", "signatures"].map(|dir| entries(&site.root().join(dir)));
    let is_signature = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sig");
    dirs.into_iter().flatten().filter(|(path, _)| is_signature(path)).collect()
}

pub(crate) const SIGN: [&str; 4] = ["sign", "bundle", "--key", "signer.key"];

pub(crate) const PUBLISH: [&str; 6] =
    ["publish", "bundle", "--ipxe", "nowhere", "--signatures", "signatures"];

/// The warning where nobody has said whose signatures machines accept.
pub(crate) const UNKNOWN: &str = "warning: who made the signatures that machines ask for is not verified";

/// The number of signatures that differ from those `before` in content, inode or time, or are new.
fn count_new(site: &Site, before: &BTreeMap<PathBuf, Entry>) -> usize {
    signatures(site).iter().filter(|(path, entry)| before.get(*path) != Some(entry)).count()
}

#[test]
fn only_what_changed_is_signed_again_and_published_when_it_is() {
    let site = site();
    site.run(&SIGN).ends(0, &["bundle: 3 signed, 0 kept", "signatures: 7 signed, 0 kept"]);
    let run = at_root(&site, &PUBLISH);
    run.ends(0, &["root/site: generation 1"]);
    assert!(!run.stderr.contains(UNKNOWN), "{}", run.stderr);
    let first = signatures(&site);
    site.run(&SIGN).ends(0, &["bundle: 0 signed, 3 kept", "signatures: 0 signed, 7 kept"]);
    assert_eq!(count_new(&site, &first), 0);

    site.edit("mac = \"3c:ec:ef:00:00:01\"", "mac = \"3c:ec:ef:00:00:09\"");
    site.run(&SIGN).ends(1, &["stale: ", "run plasmagen render"]);
    site.run(&["render"]).ends(0, &[]);
    at_root(&site, &PUBLISH).ends(1, &["the site has no such file to sign"]);
    site.run(&SIGN).ends(0, &["bundle: 0 signed, 3 kept", "signatures: 2 signed, 5 kept, 2 removed"]);
    assert_eq!(count_new(&site, &first), 2, "files that were kept were touched");
    assert_eq!(signatures(&site).len(), 10);

    // A node with another overlay of the same name.
    site.edit("serial = \"SERIAL0002\"", "serial = \"SERIAL0022\"");
    site.run(&["render"]).ends(0, &[]);
    let refused = "site/ipxe/node/3c-ec-ef-00-00-02.ipxe.sig: it does not fit the file, which has changed since, or the signature \
                   has: sign with plasmagen sign";
    at_root(&site, &PUBLISH)
        .ends(1, &[refused, "overlay/3c-ec-ef-00-00-02.cpio.gz.sig", "nothing was changed"]);
    site.run(&SIGN).ends(0, &["signatures: 2 signed, 5 kept"]);
    at_root(&site, &PUBLISH).ends(0, &["root/site: generation 2"]);

    let verify = ["verify", "root", "-i", "inventory.toml"];
    let unsigned_publication = "its publication is not signed";
    let faults = site.run(&verify).ends(1, &[]).stdout.clone();
    assert!(
        faults.lines().filter(|line| line.contains(".sig: ")).all(|line| line.contains(unsigned_publication)),
        "{faults}"
    );
    // The same names and another key; nobody could tell by looking.
    make_signer(&site, "ca", "signer");
    let run = site.run(&verify);
    let by_other = "bzImage.sig: it is by CN=boot signer (serial number ";
    assert!(run.ends(1, &[]).stdout.contains(by_other), "{}", run.stdout);
    at_root(&site, &PUBLISH)
        .ends(1, &["control-plane/bzImage.sig: it is by CN=boot signer", "initrd.sig", "overlay/"]);
    at_root(&site, &["publish", "--rollback", "site", "-i", "inventory.toml"])
        .ends(1, &["it is by CN=boot signer"]);
    site.run(&SIGN).ends(0, &["bundle: 3 signed, 0 kept", "signatures: 7 signed, 0 kept"]);
    at_root(&site, &PUBLISH).ends(0, &["root/site: generation 3"]);
    site.edit("signer = \"signer.pem\"\n", "");
    at_root(&site, &PUBLISH).ends(0, &[UNKNOWN, "[boot]", "--boot-signer"]);
}

#[test]
fn a_signer_whose_signatures_no_machine_accepts_signs_nothing() {
    let site = site();
    make_signer(&site, "other-ca", "other");
    let refuses = |args: &[&str], code, words: &[&str]| {
        site.run(&[&["sign", "bundle"], args].concat()).ends(code, words);
        assert!(signatures(&site).is_empty() && !site.root().join("signatures").exists());
    };
    refuses(&["--key", "other.key"], 2, &["the key is not that of the signer CN=boot signer"]);
    refuses(
        &["--key", "signer.key", "--ca", "other-ca.pem"],
        2,
        &["was issued by CN=boot CA, and not by the CA"],
    );
    refuses(&["--key", "signer.key", "--to", "site/signatures"], 2, &["plasmagen render replaces all of"]);
    refuses(&["--key", "signer.key", "--signer", "ca.pem"], 2, &["lacks the key usage digitalSignature"]);
    refuses(&["--key", "nowhere"], 2, &["could not read the key nowhere"]);
    refuses(&["--key", "signer.pem"], 2, &["chmod 600 signer.pem"]);
    fs::set_permissions(site.root().join("signer.key"), fs::Permissions::from_mode(0o640)).unwrap();
    refuses(&["--key", "signer.key"], 2, &["signer.key has mode 0640", "chmod 600 signer.key"]);
    // A pipe belongs to the caller alone.
    site.shell("$P sign bundle --no-site --key <(cat signer.key)").ends(0, &["bundle: 3 signed"]);
    fs::write(site.root().join("bundle/initrd"), "changed").unwrap();
    fs::remove_file(site.root().join("bundle/initrd.sig")).unwrap();
    let sign = "chmod 600 signer.key; $P sign bundle --no-site --key signer.key";
    site.shell(sign).ends(1, &["could not sign the bundle bundle", "initrd: it has 7 bytes"]);
    site.edit("signer = \"signer.pem\"\n", "");
    site.run(&SIGN).ends(2, &["name the certificate of the signer with --signer", "into [boot]"]);
}

#[test]
fn a_manifest_is_signed_once_with_an_ssh_key() {
    let site = Site::rendered();
    bundle(&site, "bundle", "one");
    site.shell("ssh-keygen -q -t ed25519 -N '' -f ssh && echo \"ops $(cat ssh.pub)\" > allowed").ends(0, &[]);
    let verify = ["verify", "bundle", "--signers", "allowed"];
    let run = site.run(&verify);
    let way_out = "its manifest is not signed: run plasmagen sign BUNDLE --ssh-key KEY";
    assert!(run.ends(1, &[]).stdout.contains(way_out), "{}", run.stdout);
    let sign = ["sign", "bundle", "--ssh-key", "ssh"];
    site.run(&sign).ends(0, &["bundle/manifest.json: 1 signed, 0 kept"]);
    site.run(&verify).ends(0, &["is as it was published"]);
    site.run(&sign).ends(0, &["bundle/manifest.json: 0 signed, 1 kept"]);
    fs::write(site.root().join("bundle/manifest.json.sig"), "damaged").unwrap();
    site.run(&sign).ends(0, &["1 signed"]);
    site.run(&verify).ends(0, &["is as it was published"]);
    // By another key, as after the rotation of the keys: the message names the command, which replaces that signature.
    site.shell("ssh-keygen -q -t ed25519 -N '' -f other && $P sign bundle --ssh-key other")
        .ends(0, &["1 signed"]);
    let run = site.run(&verify);
    let stranger = "who is no signer: where the bundle is sound, run plasmagen sign BUNDLE --ssh-key KEY";
    assert!(run.ends(1, &[]).stdout.contains(stranger), "{}", run.stdout);
    site.run(&sign).ends(0, &["bundle/manifest.json: 1 signed, 0 kept"]);
    site.run(&verify).ends(0, &["is as it was published"]);
}
