//! Signatures that ssh-keygen makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plasmagen::publish::{FaultKind, Signers, VerifyRequirements, verify};

use test_kit::{Version, run};

use crate::publish::kit::{MADE, NOW, faults, holding, put};

/// A key pair of that kind; its public half as one line.
fn key(dir: &Path, kind: &str, bits: &str) -> (PathBuf, String) {
    let path = dir.join(format!("{kind}-{bits}"));
    let mut args = vec!["-q", "-t", kind, "-N", "", "-C", "ops@example.com", "-f", path.to_str().unwrap()];
    if !bits.is_empty() {
        args.extend(["-b", bits]);
    }
    assert!(run("openssh-client", Command::new("ssh-keygen").args(args)).status.success());
    let public = fs::read_to_string(path.with_extension("pub")).unwrap();
    (path, public.trim().to_owned())
}

fn sign(key: &Path, namespace: &str, file: &Path) {
    let _ = fs::remove_file(file.with_extension("json.sig"));
    let args = ["-Y", "sign", "-q", "-n", namespace, "-f", key.to_str().unwrap(), file.to_str().unwrap()];
    let output = run("openssh-client", Command::new("ssh-keygen").args(args));
    assert!(output.status.success(), "{output:?}");
}

fn unsigned(path: &Path, signers: &Signers) -> Vec<String> {
    let terms = VerifyRequirements { now: NOW, least: &[], signers: Some(signers) };
    let faults = verify(path, &terms, &|_| {}).unwrap().faults;
    assert!(faults.iter().all(|fault| fault.kind == FaultKind::Unsigned), "{faults:?}");
    faults.into_iter().map(|fault| fault.message).collect()
}

fn copy(to: &Path) {
    for name in ["bzImage", "initrd", "boot.ipxe", "manifest.json", "SHA256SUMS"] {
        fs::copy(MADE.bundle("worker", Version::New).join(name), to.join(name)).unwrap();
    }
}

#[test]
fn keys_of_every_usual_kind_are_understood() {
    let (keys, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy(dir.path());
    let manifest = dir.path().join("manifest.json");
    for (kind, bits) in [("ed25519", ""), ("rsa", "3072"), ("ecdsa", "256"), ("ecdsa", "384")] {
        let (private, public) = key(keys.path(), kind, bits);
        let signers = Signers::of_keys([public.as_str()].into_iter()).unwrap();
        let _ = fs::remove_file(dir.path().join("manifest.json.sig"));
        assert_eq!(unsigned(dir.path(), &signers), ["its manifest is not signed"]);
        // Often enough that numbers of ECDSA with leading zeros are among them.
        for _ in 0..if kind == "ecdsa" { 20 } else { 1 } {
            sign(&private, "plasmagen", &manifest);
            assert_eq!(unsigned(dir.path(), &signers), [""; 0], "{kind} {bits}");
        }
        // Of something else: the signature is good, and not for this.
        sign(&private, "file", &manifest);
        assert!(unsigned(dir.path(), &signers)[0].contains("not for plasmagen"));
        let other = keys.path().join("other.json");
        fs::write(&other, "{}").unwrap();
        sign(&private, "plasmagen", &other);
        fs::copy(keys.path().join("other.json.sig"), dir.path().join("manifest.json.sig")).unwrap();
        assert!(unsigned(dir.path(), &signers)[0].contains("does not fit"), "{kind} {bits}");
        // By somebody else.
        let (stranger, _) = key(keys.path(), "ed25519", "256");
        sign(&stranger, "plasmagen", &manifest);
        assert!(unsigned(dir.path(), &signers)[0].contains("who is no signer"));
        fs::remove_file(&stranger).unwrap();
    }
    fs::write(dir.path().join("manifest.json.sig"), "-----BEGIN SSH SIGNATURE-----\n").unwrap();
    let (_, public) = key(keys.path(), "ed25519", "1");
    let signers = Signers::of_keys([public.as_str()].into_iter()).unwrap();
    assert!(unsigned(dir.path(), &signers)[0].contains("no SSH signature"));
}

#[test]
fn a_signature_is_published_with_its_bundle() {
    let (keys, dir, root) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), holding(Version::None));
    copy(dir.path());
    let (private, public) = key(keys.path(), "ed25519", "");
    sign(&private, "plasmagen", &dir.path().join("manifest.json"));
    put(root.path(), &[dir.path().to_owned()], None, NOW).unwrap();
    let signers = Signers::of_keys([public.as_str()].into_iter()).unwrap();
    assert_eq!(unsigned(root.path(), &signers), [""; 0]);
    assert_eq!(faults(root.path()), []);
    // As ssh-keygen itself says.
    let allowed = keys.path().join("allowed");
    fs::write(&allowed, format!("ops@example.com namespaces=\"plasmagen\" {public}\n")).unwrap();
    let current = root.path().join("nixos/worker/current");
    let script = format!(
        "ssh-keygen -Y verify -n plasmagen -I ops@example.com -f {} -s {}/manifest.json.sig < {}/manifest.json",
        allowed.display(),
        current.display(),
        current.display()
    );
    assert!(run("openssh-client", Command::new("sh").args(["-c", &script])).status.success());
    let signers = Signers::parse(&fs::read_to_string(&allowed).unwrap()).unwrap();
    assert_eq!(unsigned(root.path(), &signers), [""; 0]);
    // A bundle that was signed later is published anew.
    fs::remove_file(dir.path().join("manifest.json.sig")).unwrap();
    put(root.path(), &[dir.path().to_owned()], None, NOW).unwrap();
    assert_eq!(unsigned(root.path(), &signers), ["its manifest is not signed"]);
}

#[test]
fn a_file_of_signers_means_what_it_says_or_is_refused() {
    let keys = tempfile::tempdir().unwrap();
    let (_, public) = key(keys.path(), "ed25519", "");
    let good = [
        format!("ops {public}"),
        format!(
            "# a comment\n\n*@example.com namespaces=\"file,plasmagen\" {public}\nops namespaces=\"git\" {public}\n"
        ),
        format!("\"a b\" {public}"),
    ];
    for text in good {
        assert!(Signers::parse(&text).is_ok(), "{text}");
    }
    for (text, word) in [
        (String::new(), "names none"),
        (format!("ops namespaces=\"git\" {public}"), "names none"),
        (format!("ops valid-before=\"20200101\" {public}"), "valid-before"),
        (format!("ops cert-authority {public}"), "cert-authority"),
        (public.clone(), "line 1"),
        ("ops ssh-ed25519 AAAA".to_owned(), "line 1"),
    ] {
        let error = format!("{:#}", Signers::parse(&text).unwrap_err());
        assert!(error.contains(word), "{text}: {error}");
    }
}
