//! CMS signatures of what machines boot: OpenSSL accepts plasmagen's, plasmagen accepts OpenSSL's, and neither anything else.

use std::fs;
use std::path::Path;
use std::process::Command;

use plasmagen::fs::Sha256Sum;
use plasmagen::sign::{CmsSigner, SignerCertificate, SignerKey, verify_by_any_ca};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

/// The commands that make the keys of the CA and the signer, each for another algorithm.
const KEYS: [(&str, &str); 3] = [
    ("P-256", "openssl ecparam -name prime256v1 -genkey -noout"),
    ("P-384", "openssl ecparam -name secp384r1 -genkey"),
    ("RSA", "openssl genrsa -traditional 3072"),
];

const FILE: &[u8] = b"#!ipxe\necho signed\n";

/// Runs a script of the shell in `dir`; it must succeed.
#[track_caller]
fn shell(dir: &Path, script: &str) {
    let output = Command::new("bash").args(["-ec", script]).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The commands that issue the certificate `NAME.pem` of a signer with these extensions by the CA of docs/bundles.md.
fn issue(name: &str, extensions: &str) -> String {
    format!(
        "openssl req -new -key signer.key -subj '/CN=boot signer' -out signer.csr\n\
         printf '{extensions}' > signer.ext\n\
         openssl x509 -req -in signer.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3 -extfile signer.ext -out {name}.pem\n"
    )
}

const USAGES: &str = "keyUsage=digitalSignature\\nextendedKeyUsage=codeSigning\\n";

/// A directory with a CA, a signer and a file, made by OpenSSL as docs/bundles.md says.
fn signer(key: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), FILE).unwrap();
    let script = format!(
        "{key} > ca.key; {key} > signer.key\n\
         openssl req -x509 -new -key ca.key -days 3 -subj '/CN=boot CA' -addext keyUsage=critical,keyCertSign -out ca.pem\n"
    );
    shell(dir.path(), &(script + &issue("signer", USAGES)));
    dir
}

fn read(dir: &TempDir, name: &str) -> String {
    fs::read_to_string(dir.path().join(name)).unwrap()
}

fn certificate(dir: &TempDir) -> SignerCertificate {
    SignerCertificate::from_pem(&read(dir, "signer.pem"), Some(&read(dir, "ca.pem"))).unwrap()
}

fn key(dir: &TempDir) -> SignerKey {
    SignerKey::from_pem(&read(dir, "signer.key")).unwrap()
}

/// Signs the file with OpenSSL and these options; returns the message.
fn sign_with_openssl(dir: &TempDir, options: &str) -> Vec<u8> {
    shell(dir.path(), &format!("openssl cms -sign -binary -in file -outform DER -out file.sig {options}"));
    fs::read(dir.path().join("file.sig")).unwrap()
}

const OPTIONS: &str = "-signer signer.pem -inkey signer.key -certfile ca.pem -md sha256";

#[test]
fn openssl_and_plasmagen_accept_the_signatures_of_each_other() {
    for (algorithm, command) in KEYS {
        let dir = signer(command);
        let signer = CmsSigner::new(certificate(&dir), key(&dir)).unwrap();
        let digest = Sha256Sum::of(FILE);
        let message = signer.sign(digest).unwrap();
        assert_eq!(message, signer.sign(digest).unwrap(), "{algorithm}: another signature of the same file");
        fs::write(dir.path().join("ours.sig"), &message).unwrap();
        let verify = "openssl cms -verify -binary -inform DER -in ours.sig -content file -purpose any -CAfile ca.pem -out \
                      verified && cmp file verified";
        shell(dir.path(), verify);
        signer.certificate().verify(digest, &sign_with_openssl(&dir, &format!("{OPTIONS} -noattr"))).unwrap();
        // Each form of a key file.
        for form in
            ["openssl pkcs8 -topk8 -nocrypt -in signer.key", "openssl pkey -traditional -in signer.key"]
        {
            shell(dir.path(), &format!("{form} > other.key"));
            let key = SignerKey::from_pem(&read(&dir, "other.key")).unwrap();
            assert_eq!(
                CmsSigner::new(certificate(&dir), key).unwrap().sign(digest).unwrap(),
                message,
                "{form}"
            );
        }
    }
}

/// The reason for which a message is refused.
#[track_caller]
fn refusal(certificate: &SignerCertificate, message: &[u8]) -> String {
    format!("{:#}", certificate.verify(Sha256Sum::of(FILE), message).unwrap_err())
}

#[test]
fn messages_that_machines_would_refuse_are_refused() {
    let dir = signer(KEYS[0].1);
    let certificate = certificate(&dir);
    let good = CmsSigner::new(certificate.clone(), key(&dir)).unwrap().sign(Sha256Sum::of(FILE)).unwrap();
    certificate.verify(Sha256Sum::of(FILE), &good).unwrap();
    let changed = certificate.verify(Sha256Sum::of(b"another file"), &good).unwrap_err().to_string();
    assert!(changed.contains("it does not fit the file"), "{changed}");
    for at in 0..good.len() {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        assert!(certificate.verify(Sha256Sum::of(FILE), &flipped).is_err(), "byte {at}");
        refusal(&certificate, &good[..at]);
    }
    assert!(refusal(&certificate, &[&good[..], b"x"].concat()).contains("it is no CMS signature in DER"));
    assert!(refusal(&certificate, &vec![0x30; 1 << 17]).contains("more than any signature"));
    // A length of 4 GiB costs nothing.
    refusal(&certificate, b"\x30\x84\xff\xff\xff\xff\x06\x01\x01");
    for (options, words) in [
        (OPTIONS, "it has signed attributes, which iPXE does not read"),
        (&format!("{OPTIONS} -noattr -nodetach"), "it contains a file of its own"),
        (&format!("{} -noattr", OPTIONS.replace("sha256", "sha384")), "its digest is not SHA-256"),
        (&format!("{OPTIONS} -noattr -keyid"), "it names the signer by a key id"),
        (&format!("{OPTIONS} -noattr -nocerts"), "it lacks the certificate"),
        (
            &format!("{} -noattr", OPTIONS.replace("-certfile ca.pem", "")),
            "it lacks the certificate of the CA CN=boot CA",
        ),
        (
            "-signer signer.pem -inkey signer.key -md sha256 -noattr -signer ca.pem -inkey ca.key",
            "it has 2 signers instead of one",
        ),
    ] {
        let words_found = refusal(&certificate, &sign_with_openssl(&dir, options));
        assert!(words_found.contains(words), "{options}: {words_found}");
    }
    // Another CA, and another signer of the same names.
    let other = signer(KEYS[0].1);
    let by_other = sign_with_openssl(&other, &format!("{OPTIONS} -noattr"));
    assert!(refusal(&certificate, &by_other).contains("it is by CN=boot signer (serial number"));
    // The right certificates over another key's signature.
    fs::copy(other.path().join("signer.key"), dir.path().join("other.key")).unwrap();
    let error =
        CmsSigner::new(certificate, SignerKey::from_pem(&read(&dir, "other.key")).unwrap()).unwrap_err();
    assert!(format!("{error:#}").contains("the key is not that of the signer CN=boot signer"), "{error:#}");
}

#[test]
fn certificates_that_ipxe_does_not_accept_are_refused() {
    let dir = signer(KEYS[0].1);
    let other = signer(KEYS[0].1);
    let read_with =
        |signer: &str, ca: &str| format!("{:#}", SignerCertificate::from_pem(signer, Some(ca)).unwrap_err());
    let (good, ca) = (read(&dir, "signer.pem"), read(&dir, "ca.pem"));
    assert!(
        read_with(&good, &read(&other, "ca.pem"))
            .contains("was issued by CN=boot CA, and not by the CA CN=boot CA")
    );
    assert!(read_with(&good, &good).contains("is no CA's"));
    assert!(read_with(&read(&dir, "signer.key"), &ca).contains("where only certificates may stand"));
    for (extensions, words) in [
        ("extendedKeyUsage=codeSigning\\n", "lacks the key usage digitalSignature"),
        ("keyUsage=digitalSignature\\n", "lacks the extended key usage codeSigning"),
        ("keyUsage=keyAgreement\\nextendedKeyUsage=codeSigning\\n", "lacks the key usage digitalSignature"),
        (
            &format!("{USAGES}nameConstraints=critical,permitted;DNS:example.com\\n"),
            "a critical extension that iPXE does not know",
        ),
    ] {
        shell(dir.path(), &issue("bad", extensions));
        let found = read_with(&read(&dir, "bad.pem"), &ca);
        assert!(found.contains(words), "{extensions}: {found}");
    }
    shell(
        dir.path(),
        "openssl req -x509 -new -key ca.key -days 3 -subj '/CN=boot CA' -addext keyUsage=digitalSignature -out useless.pem",
    );
    assert!(read_with(&good, &read(&dir, "useless.pem")).contains("keyUsage lacks keyCertSign"));
    // iPXE knows the fingerprint of the CA only, so that each signature needs the CA's certificate.
    let alone = SignerCertificate::from_pem(&good, None).unwrap_err();
    assert!(format!("{alone:#}").contains("cat boot-ca.pem >> signer.pem"), "{alone:#}");
    let swapped = SignerCertificate::from_pem(&(ca.clone() + &good), None).unwrap_err();
    assert!(format!("{swapped:#}").contains("put the signer's first"), "{swapped:#}");
    SignerCertificate::from_pem(&(good + &ca), None).unwrap();
}

/// iPXE verifies RSA with the padding of PKCS #1 v1.5 only, and no signature of SHA-512 by a key on P-256 is verified here.
#[test]
fn certificates_with_signatures_that_nobody_verifies_are_refused() {
    for (command, option, words) in [
        (
            KEYS[2].1,
            "-sigopt rsa_padding_mode:pss",
            "the CA signed it with an algorithm (1.2.840.113549.1.1.10)",
        ),
        (KEYS[0].1, "-sha512", "the CA signed it with an algorithm (1.2.840.10045.4.3.4)"),
    ] {
        let dir = signer(command);
        shell(dir.path(), &issue("signer", USAGES).replace("x509 -req", &format!("x509 -req {option}")));
        let error =
            SignerCertificate::from_pem(&read(&dir, "signer.pem"), Some(&read(&dir, "ca.pem"))).unwrap_err();
        assert!(format!("{error:#}").contains(words), "{option}: {error:#}");
    }
    let dir = signer(KEYS[2].1);
    let make = "openssl req -x509 -new -key ca.key -days 3 -subj '/CN=boot CA' -sigopt rsa_padding_mode:pss -out ca.pem";
    shell(dir.path(), make);
    let error =
        SignerCertificate::from_pem(&read(&dir, "signer.pem"), Some(&read(&dir, "ca.pem"))).unwrap_err();
    assert!(
        format!("{error:#}").contains("an algorithm (1.2.840.113549.1.1.10) that iPXE does not know"),
        "{error:#}"
    );
}

/// What iPXE does: the certificates in the message count, and neither another certificate of the CA nor its dates.
#[test]
fn any_valid_certificate_of_the_ca_signs_what_machines_boot() {
    let dir = signer(KEYS[0].1);
    let (first, digest, now) =
        (certificate(&dir), Sha256Sum::of(FILE), OffsetDateTime::now_utc() + Duration::hours(1));
    let by_first = CmsSigner::new(first.clone(), key(&dir)).unwrap().sign(digest).unwrap();
    // The same key and CA, another serial number; then another key.
    for command in ["true", "openssl ecparam -name secp384r1 -genkey -noout > signer.key"] {
        shell(dir.path(), &format!("{command}; {}", issue("signer", USAGES)));
        let renewed = certificate(&dir);
        assert!(
            renewed.verify(digest, &by_first).unwrap_err().to_string().contains("it is by CN=boot signer")
        );
        renewed.verify_as_ipxe(digest, &by_first, now).unwrap();
    }
    let later = certificate(&dir).verify_as_ipxe(digest, &by_first, now + Duration::days(4)).unwrap_err();
    assert!(later.to_string().contains("has expired"), "{later}");
    let earlier = certificate(&dir).verify_as_ipxe(digest, &by_first, now - Duration::days(1)).unwrap_err();
    assert!(earlier.to_string().contains("is valid from"), "{earlier}");
    let other = certificate(&dir).verify_as_ipxe(Sha256Sum::of(b"other"), &by_first, now).unwrap_err();
    assert!(other.to_string().contains("it does not fit the file"), "{other}");
    // A certificate by the CA that may not sign, as openssl does not ask.
    for usages in ["keyUsage=digitalSignature\\n", "extendedKeyUsage=codeSigning\\n"] {
        shell(dir.path(), &issue("signer", usages));
        let message = sign_with_openssl(&dir, &format!("{OPTIONS} -noattr"));
        let error = format!("{:#}", first.verify_as_ipxe(digest, &message, now).unwrap_err());
        assert!(error.contains("which iPXE asks for"), "{error}");
        verify_by_any_ca(digest, &message, now).unwrap_err();
    }
    // Another CA of the same name, whose signer nobody knows better without the CA.
    let stranger = signer(KEYS[0].1);
    let message = sign_with_openssl(&stranger, &format!("{OPTIONS} -noattr"));
    let error = first.verify_as_ipxe(digest, &message, now).unwrap_err().to_string();
    assert!(
        error.contains("whose certificate was not issued by the CA CN=boot CA (serial number"),
        "{error}"
    );
    verify_by_any_ca(digest, &message, now).unwrap();
    verify_by_any_ca(Sha256Sum::of(b"other"), &message, now).unwrap_err();
    verify_by_any_ca(digest, &message, now + Duration::days(4)).unwrap_err();
    let lone = sign_with_openssl(&stranger, &format!("{} -noattr", OPTIONS.replace("-certfile ca.pem", "")));
    assert!(
        verify_by_any_ca(digest, &lone, now)
            .unwrap_err()
            .to_string()
            .contains("it lacks the certificate of the CA")
    );
}

#[test]
fn keys_that_ipxe_does_not_know_are_refused_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    for (command, words) in [
        (
            "openssl genpkey -algorithm ed25519",
            "no other (not Ed25519): make a key for the signer with: openssl ecparam",
        ),
        ("openssl ecparam -name secp521r1 -genkey -noout", "no ECDSA key on P-256 or P-384"),
        // Without the public key, which would not fit, only the name of the curve tells this key from one on P-256.
        (
            "openssl ecparam -name secp256k1 -genkey -noout | openssl ec -no_public | openssl pkcs8 -topk8 -nocrypt",
            "no ECDSA key on P-256 or P-384",
        ),
        ("openssl genrsa 1024", "its RSA key has 1024 bits: 2048 to 4096 are possible"),
        (
            "openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -passout pass:secret",
            "it is encrypted: name a pipe with --key <(openssl pkcs8 -in FILE)",
        ),
        (
            "openssl ecparam -name prime256v1 -genkey -noout | openssl ec -aes128 -passout pass:secret",
            "it is encrypted",
        ),
        ("ssh-keygen -q -t ed25519 -N '' -f ssh; cat ssh", "it is a key of OpenSSH"),
        ("echo nothing", "it has no private key in PEM"),
        ("openssl ecparam -name prime256v1 -genkey -noout | sed '2s/./!/'", "its PEM is broken"),
    ] {
        shell(dir.path(), &format!("{{ {command}; }} > key.pem 2> /dev/null"));
        let pem = read(&dir, "key.pem");
        let found = format!("{:#}", SignerKey::from_pem(&pem).unwrap_err());
        assert!(found.contains(words), "{command}: {found}");
        let secret = pem.lines().nth(1).unwrap_or("-");
        assert!(secret == "-" || !found.contains(secret), "{found}");
    }
}
