//! No byte of a key leaves the vault: not into a file, not into a message.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

use test_kit::tree::entries;

use crate::kit::{NODE04, Site};

/// The secret number of each key in the vault, in every form that it could be printed in.
pub(crate) fn secrets(site: &Site) -> Vec<Vec<Vec<u8>>> {
    let keys = entries(&site.vault()).into_keys().filter(|path| path.to_string_lossy().ends_with("-key.pem"));
    keys.map(|path| forms(&path)).collect()
}

fn forms(path: &Path) -> Vec<Vec<u8>> {
    let key = PrivatePkcs8KeyDer::from_pem_file(path).unwrap();
    // ECPrivateKey (RFC 5915): version 1, then the number as an octet string. The rest of the file is public.
    let start = [0x02, 0x01, 0x01, 0x04, 0x20];
    let der = key.secret_pkcs8_der();
    let at = der.windows(start.len()).position(|window| window == start).unwrap() + start.len();
    let number = &der[at..at + 32];
    let hex: String = number.iter().map(|byte| format!("{byte:02x}")).collect();
    let octets: Vec<_> = number.iter().map(ToString::to_string).collect();
    // Within other data the number may begin at any third of four characters.
    let base64 = (0..3).map(|skip| STANDARD_NO_PAD.encode(&number[skip..skip + 24]).into_bytes());
    let mut forms: Vec<_> = base64.collect();
    forms.extend([number.to_vec(), hex.to_uppercase().into(), hex.into(), octets.join(", ").into()]);
    forms
}

/// Whether `text` holds a secret, line breaks aside.
pub(crate) fn leaks(text: &[u8], secrets: &[Vec<Vec<u8>>]) -> bool {
    let joined: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\n').collect();
    let holds = |form: &Vec<u8>| {
        [text, &joined].iter().any(|text| text.windows(form.len()).any(|window| window == form))
    };
    secrets.iter().flatten().any(holds)
}

#[test]
fn no_byte_of_a_key_leaves_the_vault() {
    let site = Site::new();
    let mut said = Vec::new();
    let mut run = |args: &[&str]| {
        let run = site.run(args);
        said.push(run.stdout + &run.stderr);
    };
    run(&["render"]);
    for args in [
        &["render"][..],
        &["render", "--check"],
        &["check"],
        &["certs", "status", "--format", "json"],
        &["secrets", "stage", "node01", "--to", "../out"],
        &["secrets", "encrypt", "--to", "keys"],
    ] {
        run(args);
    }
    let secrets = secrets(&site);
    assert_eq!(secrets.len(), 4, "the CA's and three nodes'");
    // A key that was cut short, one of another node, and a certificate that is to be issued for each.
    site.append(NODE04);
    let key = |node: &str| site.vault().join(format!("{node}.cluster.example.com/{node}-key.pem"));
    let whole = fs::read_to_string(key("node01")).unwrap();
    fs::write(key("node01"), &whole[..whole.len() / 2]).unwrap();
    fs::remove_file(site.root().join("nodes/node01.cluster.example.com/node01-cert.pem")).unwrap();
    run(&["render"]);
    run(&["secrets", "stage", "node01", "--to", "../new"]);
    fs::write(key("node01"), &whole).unwrap();
    fs::copy(key("node02"), site.vault().join("ca-1/ca-key.pem")).unwrap();
    run(&["render"]);

    for text in &said {
        assert!(!text.is_empty() && !leaks(text.as_bytes(), &secrets), "{text}");
    }
    for (path, entry) in entries(&site.root()) {
        assert!(!leaks(&entry.body, &secrets), "{}", path.display());
    }
    // In the vault they are, so they would have been found.
    let kept = entries(&site.vault()).into_values().filter(|entry| leaks(&entry.body, &secrets));
    assert_eq!(kept.count(), 4);
}
