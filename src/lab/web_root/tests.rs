//! The signed publication of the lab, without machines: no distribution has a build of iPXE that verifies signatures.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::*;
use crate::artifact::Artifact;
use crate::model::{AbsPath, Word, read_resolved};
use crate::publish::WebRoot;
use crate::sign::{SignerFiles, SignerTexts, verify_by_any_ca};

/// A certificate with this name, and the key.
fn make_certificate(
    name: &str,
    issuer: Option<&Issuer<'_, KeyPair>>,
) -> (CertificateParams, KeyPair, String) {
    let (mut params, key) = (CertificateParams::default(), KeyPair::generate().unwrap());
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = if let Some(issuer) = issuer {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.signed_by(&key, issuer).unwrap()
    } else {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.self_signed(&key).unwrap()
    };
    (params, key, certificate.pem())
}

/// The files of a signer in the directory `dir`.
fn write_signer(dir: &Path) -> SignerFiles {
    let (params, ca_key, ca) = make_certificate("CA", None);
    let (_, key, signer) = make_certificate("signer", Some(&Issuer::new(params, ca_key)));
    let files = SignerFiles { signer: dir.join("signer.pem"), ca: None, key: dir.join("signer.key") };
    fs::write(&files.signer, signer + &ca).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).unwrap();
    files
}

#[test]
fn the_lab_signs_and_publishes_what_machines_fetch() {
    let dir = tempfile::tempdir().unwrap();
    let resolved = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/minimal/expected/site/inventory.json");
    let mut cluster = read_resolved(&fs::read(resolved).unwrap()).unwrap();
    let root = dir.path().join("root");
    cluster.provisioner.web_root = AbsPath::parse(root.to_str().unwrap()).unwrap();
    let mut artifacts = ArtifactSet::default();
    let script = "#!ipxe\nset verify signature\n";
    for (path, text) in [
        ("site/inventory.json", "{\"name\": \"lab\"}"),
        ("site/www/ipxe/boot.ipxe", script),
        ("site/www/index.html", "x"),
    ] {
        artifacts.insert(Artifact::new(path, text).unwrap()).unwrap();
    }
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    // The key goes to the lab by its configuration, which shows it nowhere else.
    let texts = write_signer(dir.path()).read().unwrap();
    assert_eq!(format!("{texts:?}"), "SignerTexts(redacted)");
    let line = serde_json::to_string(&texts).unwrap();
    let signer = serde_json::from_str::<SignerTexts>(&line).unwrap().open(now).unwrap();
    let sources = LabSources { bundles: &[], ipxe: Some(dir.path()), signer: Some(&signer) };
    let rendered = dir.path().join("rendered");
    fs::create_dir(&rendered).unwrap();
    LabWebRoot::publish(&cluster, &artifacts, &rendered, sources, now).unwrap();
    let signature = fs::read(root.join("ipxe/boot.ipxe.sig")).unwrap();
    verify_by_any_ca(Sha256Sum::of(script.as_bytes()), &signature, now).unwrap();
    assert!(WebRoot::is_at(&root) && !root.join("index.html.sig").exists());
    // Without a signer, machines would boot nothing.
    let unsigned = LabSources { signer: None, ..sources };
    let error = LabWebRoot::publish(&cluster, &artifacts, &rendered, unsigned, now).unwrap_err();
    assert!(format!("{error:#}").contains("ipxe/boot.ipxe.sig: it is missing"), "{error:#}");
}
