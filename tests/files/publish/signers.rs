//! Signatures that ssh-keygen makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plasmagen::publish::{
    FaultKind, PublicationTerms, PublishRequest, Signers, SigningKey, VerifyRequirements, WebRootLock,
    publish, verify,
};

use test_kit::{Version, run};

use crate::publish::kit::{MADE, NOW, faults, holding, request, terms};

const UNSIGNED_MANIFEST: &str = "its manifest is not signed: run plasmagen sign BUNDLE --ssh-key KEY";

/// A key pair of that kind; its public half as one line.
pub(crate) fn key(dir: &Path, kind: &str, bits: &str) -> (PathBuf, String) {
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

pub(crate) fn unsigned(path: &Path, signers: &Signers) -> Vec<String> {
    let terms =
        VerifyRequirements { now: NOW, least: &[], signers: Some(signers), boot_signer: None, cluster: None };
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
        assert_eq!(unsigned(dir.path(), &signers), [UNSIGNED_MANIFEST]);
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
    put_signed(root.path(), dir.path(), &private);
    let signers = Signers::of_keys([public.as_str()].into_iter()).unwrap();
    assert_eq!(unsigned(root.path(), &signers), [""; 0]);
    assert_eq!(faults(root.path()), []);
    // As ssh-keygen itself says.
    let allowed = keys.path().join("allowed");
    fs::write(&allowed, format!("ops@example.com namespaces=\"plasmagen\" {public}\n")).unwrap();
    let current = root.path().join("nixos/worker/current");
    for name in ["manifest.json", "publication.json"] {
        assert!(is_verified(&allowed, &current.join(name)), "{name}");
    }
    let signers = Signers::parse(&fs::read_to_string(&allowed).unwrap()).unwrap();
    assert_eq!(unsigned(root.path(), &signers), [""; 0]);
    // The publication vouches for the manifest, whose own signature may be missing, but not wrong.
    fs::remove_file(dir.path().join("manifest.json.sig")).unwrap();
    put_signed(root.path(), dir.path(), &private);
    assert!(!current.join("manifest.json.sig").exists());
    assert_eq!(unsigned(root.path(), &signers), [""; 0]);
    let (stranger, _) = key(keys.path(), "ed25519", "256");
    sign(&stranger, "plasmagen", &dir.path().join("manifest.json"));
    put_signed(root.path(), dir.path(), &private);
    let found = unsigned(root.path(), &signers);
    assert!(found.len() == 1 && found[0].contains("who is no signer"), "{found:?}");
}

/// Publishes the bundle in `dir`, with a publication that is signed by `key`.
fn put_signed(root: &Path, dir: &Path, key: &Path) {
    let (bundles, key) = ([dir.to_owned()], SigningKey::open(key).unwrap());
    let terms = PublicationTerms { signing_key: Some(&key), ..terms(NOW) };
    let request = PublishRequest { bundles: &bundles, terms, ..request(NOW) };
    publish(&WebRootLock::acquire(root).unwrap(), &request, &|_| {}).unwrap();
}

/// Whether ssh-keygen verifies the signature beside `file` by the file of signers `allowed`.
fn is_verified(allowed: &Path, file: &Path) -> bool {
    let script = "exec ssh-keygen -Y verify -n plasmagen -I ops@example.com -f \"$1\" -s \"$2.sig\" <\"$2\"";
    run("openssh-client", Command::new("sh").args(["-c", script, "sh"]).arg(allowed).arg(file))
        .status
        .success()
}

#[test]
fn a_file_of_signers_means_what_it_says_or_is_refused() {
    let keys = tempfile::tempdir().unwrap();
    let (_, public) = key(keys.path(), "ed25519", "");
    for (text, word) in [
        (String::new(), "names none"),
        (format!("ops namespaces=\"git\" {public}"), "names none"),
        (public.clone(), "a public key without principals, as in a .pub file: write the name of its owner"),
        ("ops ssh-ed25519 AAAA".to_owned(), "its public key can't be read"),
        ("ops".to_owned(), "it has no key"),
        (format!("# a comment\n\nops namespaces=\"*\" {public}\nops cert-authority {public}"), "line 4"),
    ] {
        let error = format!("{:#}", Signers::parse(&text).unwrap_err());
        assert!(error.contains(word), "{text}: {error}");
    }
}

/// The result of plasmagen for a line of signers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    /// The line's key may sign.
    Signer,
    /// The line's key may not sign.
    Stranger,
    /// The line is refused, and the message has this word.
    Refused(&'static str),
}
use Judged::{Refused, Signer, Stranger};

/// Lines of signers, without their key: what stands before it, and the result.
const LINES: [(&str, Judged); 47] = [
    ("ops@example.com", Signer),
    ("ops@example.com\t ", Signer),
    ("*@example.com", Signer),
    ("\"ops@example.com\"", Signer),
    ("file,ops@example.com", Signer),
    ("!root@example.com,*@example.com", Refused("asks for no principal")),
    ("!ops@example.com,*", Refused("asks for no principal")),
    ("\"ops@example.com", Refused("quotation does not end")),
    ("ops@example.com namespaces=\"plasmagen\"", Signer),
    ("ops@example.com NAMESPACES=\"plasmagen\"", Signer),
    ("ops@example.com namespaces=\"file,plasmagen\"", Signer),
    ("ops@example.com namespaces=\"plasma*\"", Signer),
    ("ops@example.com namespaces=\"pl?smage?\"", Signer),
    ("ops@example.com namespaces=\"*\"", Signer),
    ("ops@example.com namespaces=\"!file,*\"", Signer),
    ("ops@example.com namespaces=\"!plasmagen,*\"", Stranger),
    ("ops@example.com namespaces=\"*,!plasmagen\"", Stranger),
    ("ops@example.com namespaces=\"plasmagen,!plasma*\"", Stranger),
    ("ops@example.com namespaces=\"!file\"", Stranger),
    ("ops@example.com namespaces=\"file\"", Stranger),
    ("ops@example.com namespaces=\"Plasmagen\"", Stranger),
    ("ops@example.com namespaces=\" plasmagen\"", Stranger),
    ("ops@example.com namespaces=\"plasmagen \"", Stranger),
    ("ops@example.com namespaces=\"\"", Stranger),
    ("ops@example.com namespaces=\"a\\\"b,plasmagen\"", Signer),
    ("ops@example.com namespaces=\"a b,plasmagen\"", Signer),
    ("ops@example.com namespaces=plasmagen", Refused("quotation marks")),
    ("ops@example.com namespaces=\"plasmagen", Refused("quotation does not end")),
    ("ops@example.com namespaces", Refused("has no value")),
    ("ops@example.com namespaces=\"plasmagen\",namespaces=\"plasmagen\"", Refused("twice")),
    ("ops@example.com namespaces=\"plasmagen\"x", Refused("no comma")),
    ("ops@example.com namespaces=\"plasmagen\",", Refused("the option ,")),
    ("ops@example.com valid-before=\"20200101Z\"", Stranger),
    ("ops@example.com valid-before=\"29990101Z\"", Signer),
    ("ops@example.com valid-after=\"20200101Z\"", Signer),
    ("ops@example.com valid-after=\"29990101Z\"", Stranger),
    ("ops@example.com valid-after=\"20200101utc\",valid-before=\"299901011200Z\"", Signer),
    ("ops@example.com valid-after=\"20200101120000Z\",namespaces=\"!plasmagen,*\"", Stranger),
    ("ops@example.com Valid-Before=\"20200101120000z\"", Stranger),
    // The zone of the machine that verifies.
    ("ops@example.com valid-before=\"29990101\"", Refused("unknown time zone: write 29990101Z")),
    ("ops@example.com valid-before=\"2999Z\"", Refused("instead of a time")),
    ("ops@example.com valid-before=\"29991301Z\"", Refused("which is no time")),
    ("ops@example.com valid-before=\"tomorrowZ\"", Refused("instead of a time")),
    ("ops@example.com valid-after=\"19700101Z\"", Refused("before 1970")),
    // A certificate's CA signs nothing by itself.
    ("ops@example.com cert-authority", Refused("the option cert-authority")),
    ("ops@example.com no-touch-required", Refused("the option no-touch-required")),
    ("ops@example.com verify-required,namespaces=\"plasmagen\"", Refused("the option verify-required")),
];

/// ssh-keygen's verdict is plasmagen's. Where plasmagen refuses a line, nobody signs by it.
#[test]
fn a_line_of_signers_means_what_it_means_to_ssh_keygen() {
    let dir = tempfile::tempdir().unwrap();
    let (private, public) = key(dir.path(), "ed25519", "");
    let message = dir.path().join("message.json");
    fs::write(&message, "a message").unwrap();
    sign(&private, "plasmagen", &message);
    let signature = fs::read(dir.path().join("message.json.sig")).unwrap();
    let allowed = dir.path().join("allowed");
    // The key of a second line keeps a file without a signer of this name from being refused.
    let (_, other) = key(dir.path(), "ecdsa", "256");
    for (line, judged) in LINES {
        let text = format!("{line} {public}\n");
        fs::write(&allowed, &text).unwrap();
        let found = match Signers::parse(&(text + "else " + &other)) {
            Ok(signers) => {
                let now = time::OffsetDateTime::now_utc();
                if signers.verify(b"a message", &signature, now).is_ok() { Signer } else { Stranger }
            }
            Err(error) => match judged {
                Refused(word) if format!("{error:#}").contains(word) => judged,
                _ => panic!("{line}: {error:#}"),
            },
        };
        assert_eq!(found, judged, "{line}");
        if !matches!(judged, Refused(_)) {
            assert_eq!(is_verified(&allowed, &message), judged == Signer, "{line}");
        }
    }
}

proptest::proptest! {
    /// Nothing that somebody writes stops the program.
    #[test]
    fn any_text_of_signers_is_parsed_or_refused(
        text in "(ops |\"|\\\\|,|=|!|\\*|Z|20270101|valid-before|namespaces|ssh-ed25519 AAAA|[ -~é\u{0}\t]){0,12}"
    ) {
        let _ = Signers::parse(&text);
        let _ = Signers::parse(&format!("ops {text} {KEY}"));
        let _ = Signers::parse(&format!("{text}{KEY}"));
    }
}

/// Somebody's public key.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaGDGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y";
