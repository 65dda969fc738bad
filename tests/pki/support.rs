//! What the tests of this theme share: a fixed clock, a CA, a node, and the tools.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;

use plasmagen::pki::{CaIssuer, CaRequest, IssuedCertificate, KeyAlgorithm, LeafRequest};
use test_kit::process::{printed, run};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// The clock of every test, in seconds and a bit: certificates know no fractions.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-01 12:00:00.75 UTC);

pub(crate) const FQDN: &str = "node01.example.com";
pub(crate) const VIPS: [&str; 2] = ["iam.example.com", "chainfire.example.com"];
pub(crate) const SUBNETS: [&str; 3] = ["10.0.100.0/24", "10.0.200.0/24", "fd00:200::/64"];
pub(crate) const ADDRESSES: [&str; 3] = ["10.0.200.10", "10.0.100.50", "fd00:200::10"];

pub(crate) fn ca_request(domain: &str, subnets: &[&str], algorithm: KeyAlgorithm) -> CaRequest {
    let subnets: Vec<_> = subnets.iter().map(|subnet| subnet.parse().unwrap()).collect();
    CaRequest::new("prod-cluster", 1, domain, &subnets, algorithm, 3650).unwrap()
}

pub(crate) fn ca() -> CaIssuer {
    CaIssuer::create(&ca_request("example.com", &SUBNETS, KeyAlgorithm::EcdsaP256), NOW).unwrap()
}

pub(crate) fn addresses(text: &[&str]) -> Vec<IpAddr> {
    text.iter().map(|address| address.parse().unwrap()).collect()
}

pub(crate) fn node_request(fqdn: &str) -> LeafRequest {
    LeafRequest::new(fqdn, VIPS, addresses(&ADDRESSES), KeyAlgorithm::EcdsaP256, 365).unwrap()
}

/// The request of a certificate without any VIP or address.
pub(crate) fn short_request(fqdn: &str) -> LeafRequest {
    LeafRequest::new(fqdn, [""; 0], [], KeyAlgorithm::EcdsaP256, 365).unwrap()
}

pub(crate) fn node(ca: &CaIssuer) -> IssuedCertificate {
    ca.sign_leaf(&node_request(FQDN), NOW, None).unwrap()
}

/// Files with the given contents, in a directory that lives as long as the first value.
pub(crate) fn files<const N: usize>(contents: [&str; N]) -> (tempfile::TempDir, [PathBuf; N]) {
    let dir = tempfile::tempdir().unwrap();
    let mut index = 0;
    let paths = contents.map(|content| {
        let path = dir.path().join(format!("{index}.pem"));
        index += 1;
        std::fs::write(&path, content).unwrap();
        path
    });
    (dir, paths)
}

/// `openssl verify` by the strict rules of RFC 5280, some days after [`NOW`].
pub(crate) fn openssl_verify(ca_pem: &str, leaf_pem: &str, days: i64, extra: &[&str]) -> Result<(), String> {
    let (_dir, [ca, leaf]) = files([ca_pem, leaf_pem]);
    let time = (NOW + Duration::days(days)).unix_timestamp().to_string();
    let mut args = vec!["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-attime", &time, "-CAfile"];
    args.push(ca.to_str().unwrap());
    args.extend(extra);
    args.push(leaf.to_str().unwrap());
    let output = run("openssl", Command::new("openssl").args(args));
    if output.status.success() { Ok(()) } else { Err(printed(&output)) }
}

/// rustls' webpki, which trusts every CA in `ca_pem`: the chain for both ends of TLS, and that `name` is one of the leaf's.
pub(crate) fn webpki_verify(
    ca_pem: &str,
    leaf_pem: &str,
    days: i64,
    name: &str,
) -> Result<(), webpki::Error> {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
    let authorities: Vec<_> = CertificateDer::pem_slice_iter(ca_pem.as_bytes()).map(Result::unwrap).collect();
    let leaf = CertificateDer::from_pem_slice(leaf_pem.as_bytes()).unwrap();
    let anchors = authorities.iter().map(webpki::anchor_from_trusted_cert).collect::<Result<Vec<_>, _>>()?;
    let leaf = webpki::EndEntityCert::try_from(&leaf)?;
    let seconds = (NOW + Duration::days(days)).unix_timestamp();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.try_into().unwrap()));
    for usage in [webpki::KeyUsage::server_auth(), webpki::KeyUsage::client_auth()] {
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        leaf.verify_for_usage(algorithms, &anchors, &[], time, usage, None, None)?;
    }
    leaf.verify_is_valid_for_subject_name(&ServerName::try_from(name).unwrap())
}

/// GnuTLS's verdict. `certtool` takes no date, so this is for certificates that are valid today.
pub(crate) fn gnutls_verify(ca_pem: &str, leaf_pem: &str, extra: &[&str]) -> Result<(), String> {
    let (_dir, [ca, leaf]) = files([ca_pem, leaf_pem]);
    let mut args = vec!["--verify", "--load-ca-certificate", ca.to_str().unwrap()];
    args.extend(["--infile", leaf.to_str().unwrap()]);
    args.extend(extra);
    let output = run("gnutls-bin", Command::new("certtool").args(args));
    if output.status.success() { Ok(()) } else { Err(printed(&output)) }
}

/// The findings of pkilint's program `linter`, of severity WARNING or above; the program is on PATH or in the directory `PLASMAGEN_PKILINT_BIN`.
pub(crate) fn pkilint(linter: &str, options: &[&str], pem: &str) -> Vec<String> {
    let bin = std::env::var_os("PLASMAGEN_PKILINT_BIN").map(PathBuf::from).unwrap_or_default();
    let (_dir, [file]) = files([pem]);
    let args = ["--severity", "WARNING", file.to_str().unwrap()];
    let output = Command::new(bin.join(linter)).arg("lint").args(options).args(args).output().unwrap_or_else(
        |error| panic!("{linter} does not run ({error}): install pkilint from PyPI, as tests/run does"),
    );
    let findings: Vec<_> =
        printed(&output).lines().filter_map(|line| line.strip_prefix("    ").map(str::to_owned)).collect();
    // It exits with the number of findings: so none is missed by the way that it prints them.
    assert_eq!(output.status.code(), i32::try_from(findings.len()).ok(), "{}", printed(&output));
    findings
}
