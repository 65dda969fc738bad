//! Signers whose certificates are renewed, incomplete or unknown, and places where nothing may be signed.

use std::fs;

use crate::boot_signatures::{PUBLISH, SIGN, UNKNOWN, make_signer, site};
use crate::kit::Site;
use crate::publish::{at_root, bundle};

/// Issues another certificate for the same key by the same CA, which is valid for a number of days.
fn renew(site: &Site, days: u32) {
    let script = format!(
        "openssl req -new -key signer.key -subj '/CN=boot signer' -out request && openssl x509 -req -in request -CA ca.pem \
         -CAkey ca.key -CAcreateserial -days {days} -extfile extensions -out signer.pem && cat ca.pem >> signer.pem"
    );
    site.shell(&script).ends(0, &[]);
}

#[test]
fn a_renewed_certificate_keeps_nobody_from_rolling_back() {
    let site = site();
    site.run(&SIGN).ends(0, &[]);
    at_root(&site, &PUBLISH).ends(0, &[]);
    bundle(&site, "newer", "two");
    let newer = ["sign", "newer", "--no-site", "--key", "signer.key"];
    site.run(&newer).ends(0, &[]);
    at_root(&site, &["publish", "newer", "--no-site", "-i", "inventory.toml"]).ends(0, &["generation 2"]);
    renew(&site, 400);
    let back = ["publish", "--rollback", "control-plane", "-i", "inventory.toml"];
    at_root(&site, &back).ends(0, &["control-plane: generation 3"]);
    let verified = site.run(&["verify", "root", "--boot-signer", "signer.pem"]);
    verified.ends(0, &["is as it was published"]);
    // What is signed from now on has the new certificate.
    site.run(&newer).ends(0, &["newer: 3 signed, 0 kept"]);
    make_signer(&site, "ca", "signer");
    at_root(&site, &back)
        .ends(1, &["bzImage.sig: it is by CN=boot signer", "not issued by the CA CN=boot CA"]);
    let run = site.run(&["verify", "root", "--boot-signer", "signer.pem"]);
    assert!(run.ends(1, &[]).stdout.contains("not issued by the CA CN=boot CA"), "{}", run.stdout);
}

/// Machines that are installed after the signer's certificate has ended would not boot, although nothing else has changed.
#[test]
fn a_certificate_that_ends_before_the_publication_is_announced() {
    let site = site();
    let verify = ["verify", "root", "--boot-signer", "signer.pem"];
    let (soon, short) = (
        "warning: machines accept these signatures until 20",
        "warning: machines accept the signatures until 20",
    );
    for (days, is_soon, is_fault) in
        [(100, false, false), (80, true, false), (10, true, true), (100, false, false)]
    {
        renew(&site, days);
        let run = site.run(&SIGN);
        assert_eq!(run.ends(0, &["3 signed"]).stderr.contains(soon), is_soon, "{days}: {}", run.stderr);
        let run = at_root(&site, &PUBLISH);
        assert_eq!(run.ends(0, &[]).stderr.contains(short), is_soon, "{days}: {}", run.stderr);
        let run = site.run(&verify);
        assert_eq!(
            run.ends(u8::from(is_fault).into(), &[]).stdout.contains("when a certificate ends"),
            is_fault
        );
    }
    // A publication that ends before the certificate does: --expires-in is the other way out.
    renew(&site, 20);
    site.run(&SIGN).ends(0, &[soon]);
    let run = at_root(&site, &[&PUBLISH[..], &["--expires-in", "15d"]].concat());
    assert!(!run.ends(0, &[]).stderr.contains(short), "{}", run.stderr);
}

/// Found at the desk, and not by the rollback at night.
#[test]
fn check_warns_of_a_signer_without_whom_nothing_is_published() {
    let site = site();
    // Of a network in which nothing was signed.
    site.edit("allow = [\"PG-F21\"]", "#");
    site.run(&["check", "--deny-warnings"]).ends(0, &["0 warnings"]);
    let warning = "warning[PG-F22]: ";
    fs::remove_file(site.root().join("signer.pem")).unwrap();
    let run = site.run(&["check"]);
    run.ends(
        0,
        &[warning, "could not read the certificate ./signer.pem", "signer = \"signer.pem\"", "1 warning"],
    );
    site.run(&["check", "--deny-warnings"]).ends(1, &["1 warning, which --deny-warnings denies"]);
    fs::copy(site.root().join("ca.pem"), site.root().join("signer.pem")).unwrap();
    site.run(&["check"]).ends(0, &[warning, "lacks the key usage digitalSignature", "docs/bundles.md"]);
    // Machines that verify no signatures need no signer, and that is another warning.
    site.edit("verify = \"signature\"", "verify = \"none\"");
    let run = site.run(&["check"]);
    assert!(
        !run.ends(0, &["machines verify no signatures"]).stderr.contains("digitalSignature"),
        "{}",
        run.stderr
    );
}

/// Machines boot nothing that is signed once either certificate has ended.
#[test]
fn certs_status_lists_the_signer_and_its_ca() {
    let site = site();
    let run = site.run(&["certs", "status"]);
    let said = &run.ends(0, &[]).stdout;
    for (owner, subject) in [("(boot signer)", "boot signer"), ("(boot CA)", "boot CA")] {
        let row = said.lines().find(|line| line.starts_with(owner)).unwrap();
        let words: Vec<_> = row.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
        assert_eq!((words[1], words[2], words.last()), (subject, "boot CA", Some(&"ok")), "{row}");
    }
    for (time, words) in
        [("380d", "3 certificates end within 380 days"), ("500d", "5 certificates end within 500 days")]
    {
        site.run(&["certs", "status", "--fail-within", time]).ends(1, &[words]);
    }
    let json = site.run(&["certs", "status", "--format", "json"]).stdout;
    assert!(json.contains("\"(boot signer)\"") && json.contains("\"(boot CA)\""), "{json}");
    // What is due has a step.
    let old = "openssl req -new -key signer.key -subj '/CN=boot signer' -out request && openssl x509 -req -in request \
               -CA ca.pem -CAkey ca.key -CAcreateserial -days -1 \
               -extfile extensions -out signer.pem && cat ca.pem >> signer.pem";
    site.shell(old).ends(0, &[]);
    let run = site.run(&["certs", "status"]);
    let said = &run.stdout;
    assert!(said.contains("expired  issue another certificate for the signer: docs/bundles.md"), "{said}");
    fs::write(site.root().join("signer.pem"), "junk").unwrap();
    let run = site.run(&["certs", "status"]);
    run.ends(0, &["the signer of what machines boot has no row", "signer.pem"]);
    assert!(run.stdout.contains("node01") && !run.stdout.contains("boot"), "{}", run.stdout);
}

#[test]
fn signatures_by_anybody_are_published_with_a_warning_and_others_are_not() {
    let site = site();
    site.run(&SIGN).ends(0, &[]);
    at_root(&site, &PUBLISH).ends(0, &[]);
    let without = ["publish", "bundle", "--site", "site", "--signatures", "signatures", "--ipxe", "nowhere"];
    at_root(&site, &without).ends(0, &[UNKNOWN]);
    at_root(&site, &["publish", "bundle", "--no-site"]).ends(0, &[UNKNOWN]);
    let known = [&without[..], &["--boot-signer", "signer.pem"]].concat();
    let run = at_root(&site, &known);
    assert!(!run.ends(0, &[]).stderr.contains(UNKNOWN), "{}", run.stderr);
    make_signer(&site, "other-ca", "other");
    at_root(&site, &[&without[..], &["--boot-signer", "other.pem"]].concat())
        .ends(1, &["it is by CN=boot signer"]);
    fs::write(site.root().join("signatures/ipxe/boot.ipxe.sig"), "junk").unwrap();
    at_root(&site, &without).ends(1, &["ipxe/boot.ipxe.sig: it is no CMS signature", "nothing was changed"]);
    // A signature of another file is sound, and not of this one.
    fs::copy(site.root().join("bundle/initrd.sig"), site.root().join("bundle/bzImage.sig")).unwrap();
    at_root(&site, &["publish", "bundle", "--no-site"]).ends(1, &["bzImage.sig: it does not fit the file"]);
}

#[test]
fn the_certificate_of_the_ca_is_asked_for_and_the_command_that_is_named_issues_both() {
    let site = site();
    let alone = "openssl x509 -in signer.pem -out alone.pem && cat ca.pem signer.pem > swapped.pem";
    site.shell(alone).ends(0, &[]);
    site.run(&SIGN).ends(0, &[]);
    site.edit("signer = \"signer.pem\"", "signer = \"alone.pem\"");
    at_root(&site, &PUBLISH)
        .ends(2, &["the certificate of the CA is missing", "cat boot-ca.pem >> signer.pem"]);
    site.run(&["verify", "bundle", "-i", "inventory.toml"])
        .ends(2, &["the certificate of the CA is missing"]);
    site.run(&[&SIGN[..], &["--ca", "ca.pem"]].concat()).ends(0, &["0 signed, 3 kept"]);

    // The command of the message, with the names of docs/bundles.md, in the directory of the keys.
    let useless = "mkdir keys && cp ca.key keys/boot-ca.key && cp ca.pem keys/boot-ca.pem && cp request keys/signer.csr && \
                   cp extensions keys/signer.ext && openssl x509 -req -in request -CA ca.pem -CAkey ca.key -days 3 -out alone.pem";
    site.shell(useless).ends(0, &[]);
    let run = site.run(&SIGN);
    run.ends(2, &["lacks the key usage digitalSignature"]);
    let command =
        run.stderr.split("beside the keys: ").nth(1).unwrap().split(" (docs/bundles.md").next().unwrap();
    site.shell(&format!("set -e; cd keys; {command}; cp signer.pem ../alone.pem")).ends(0, &[]);
    site.run(&SIGN).ends(0, &["bundle: 3 signed, 0 kept"]);
    at_root(&site, &PUBLISH).ends(0, &["root/site: generation 1"]);
}

#[test]
fn nothing_is_signed_where_machines_boot_from() {
    let site = site();
    site.run(&SIGN).ends(0, &[]);
    at_root(&site, &PUBLISH).ends(0, &[]);
    site.shell("mkdir elsewhere && cp -r root/nixos/control-plane/current/ elsewhere/moved").ends(0, &[]);
    for (bundle, to, words) in [
        ("bundle", "root/site/current", "is in the web root"),
        ("bundle", "root", "is in the web root"),
        ("bundle", "root/new/deeper", "is in the web root"),
        ("root/nixos/control-plane/current", "signatures", "is in the web root"),
        ("elsewhere/moved", "signatures", "a published generation (publication.json)"),
        ("bundle", "nowhere/../site/www", "write the path without `..`"),
    ] {
        let run = site.run(&["sign", bundle, "--key", "signer.key", "--to", to]);
        run.ends(2, &[words]);
        site.run(&["verify", "root"]).ends(0, &["is as it was published"]);
    }
    let moved = site.run(&["sign", "elsewhere/moved", "--ssh-key", "nowhere"]);
    moved.ends(2, &["a published generation"]);
    assert!(!site.root().join("nowhere").exists());
}

#[test]
fn an_interrupted_run_and_a_failing_one_say_what_there_is() {
    let site = site();
    site.run(&SIGN).ends(0, &["warning: the key signer.key is in the inventory's directory"]);
    fs::write(site.root().join("bundle/bzImage.sig.new"), "").unwrap();
    let interrupted =
        "bzImage.sig.new: plasmagen sign left it when it was interrupted: sign again, which removes it";
    at_root(&site, &PUBLISH).ends(1, &[interrupted]);
    site.run(&SIGN).ends(0, &["bundle: 0 signed, 3 kept"]);
    at_root(&site, &PUBLISH).ends(0, &[]);
    // The site is signed when a bundle fails.
    fs::remove_dir_all(site.root().join("signatures")).unwrap();
    site.run(&["sign", "bundle", "missing", "--key", "signer.key"])
        .ends(2, &["signatures: 7 signed, 0 kept", "bundle: 0 signed, 3 kept", "could not open missing"]);
}
