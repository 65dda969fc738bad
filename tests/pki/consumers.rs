//! Those who must accept our certificates, and those who must refuse what the CA may not sign.

use plasmagen::pki::{CaIssuer, KeyAlgorithm, LeafRequest, Vault};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use time::{Duration, OffsetDateTime};

use crate::support::{
    ADDRESSES, FQDN, NOW, SUBNETS, VIPS, addresses, ca, ca_request, gnutls_verify, node, node_request,
    openssl_verify, pkilint, webpki_verify,
};

/// A name too long for a common name: its certificate has an empty subject.
const LONG: &str = "a-node-whose-name-is-longer-than-the-sixty-four-bytes-of.a-common-name.example.com";

/// CA and leaf of every shape that we make, with the leaf's full name.
fn shapes() -> Vec<(CaIssuer, LeafRequest)> {
    let v4_only = ca_request("example.com", &SUBNETS[..2], KeyAlgorithm::EcdsaP256);
    let blocks = ca_request("example.com", &["10.0.0.0/8", "fc00::/7"], KeyAlgorithm::EcdsaP256);
    let blocks = blocks.with_domains(["example.net"]).unwrap();
    let p384 = ca_request("example.com", &SUBNETS, KeyAlgorithm::EcdsaP384);
    let leaf = |fqdn, addresses_of: &[&str], algorithm| {
        LeafRequest::new(fqdn, VIPS, addresses(addresses_of), algorithm, 365).unwrap()
    };
    vec![
        (ca(), leaf(FQDN, &ADDRESSES, KeyAlgorithm::EcdsaP256)),
        (ca(), leaf(LONG, &ADDRESSES, KeyAlgorithm::EcdsaP256)),
        (CaIssuer::create(&v4_only, NOW).unwrap(), leaf(FQDN, &ADDRESSES[..2], KeyAlgorithm::EcdsaP256)),
        (
            CaIssuer::create(&blocks, NOW).unwrap(),
            leaf("node01.example.net", &ADDRESSES, KeyAlgorithm::EcdsaP256),
        ),
        (CaIssuer::create(&p384, NOW).unwrap(), leaf(FQDN, &ADDRESSES, KeyAlgorithm::EcdsaP384)),
    ]
}

#[test]
fn openssl_and_webpki_accept_every_name_and_address() {
    for (ca, request) in shapes() {
        let leaf = ca.sign_leaf(&request, NOW, None).unwrap().cert_pem;
        openssl_verify(ca.cert_pem(), ca.cert_pem(), 1, &[]).unwrap();
        for purpose in ["sslserver", "sslclient"] {
            openssl_verify(ca.cert_pem(), &leaf, 1, &["-purpose", purpose]).unwrap();
        }
        for name in request.dns_names() {
            openssl_verify(ca.cert_pem(), &leaf, 1, &["-verify_hostname", name]).unwrap();
            webpki_verify(ca.cert_pem(), &leaf, 1, name).unwrap();
        }
        for address in request.addresses() {
            let address = address.to_string();
            openssl_verify(ca.cert_pem(), &leaf, 1, &["-verify_ip", &address]).unwrap();
            webpki_verify(ca.cert_pem(), &leaf, 1, &address).unwrap();
        }
        openssl_verify(ca.cert_pem(), &leaf, 1, &["-verify_hostname", "node01"]).unwrap_err();
        openssl_verify(ca.cert_pem(), &leaf, 1, &["-verify_ip", "10.0.200.11"]).unwrap_err();
        webpki_verify(ca.cert_pem(), &leaf, 1, "node02.example.com").unwrap_err();
    }
}

#[test]
fn gnutls_accepts_what_is_valid_today() {
    let ca_request = ca_request("example.com", &SUBNETS, KeyAlgorithm::EcdsaP256);
    let ca = CaIssuer::create(&ca_request, OffsetDateTime::now_utc()).unwrap();
    for fqdn in [FQDN, LONG] {
        let leaf = ca.sign_leaf(&node_request(fqdn), OffsetDateTime::now_utc(), None).unwrap();
        for name in [fqdn, VIPS[0], "localhost"] {
            gnutls_verify(ca.cert_pem(), &leaf.cert_pem, &["--verify-hostname", name]).unwrap();
        }
        gnutls_verify(ca.cert_pem(), &leaf.cert_pem, &["--verify-hostname", "node02.example.com"])
            .unwrap_err();
    }
    let foreign = rogue(&ca, &["node01.example.org"], OffsetDateTime::now_utc());
    gnutls_verify(ca.cert_pem(), &foreign, &[]).unwrap_err();
    gnutls_verify(ca.cert_pem(), &rogue(&ca, &["10.9.9.9"], OffsetDateTime::now_utc()), &[]).unwrap_err();
    gnutls_verify(ca.cert_pem(), &rogue(&ca, &[FQDN], OffsetDateTime::now_utc()), &[]).unwrap();
}

/// pkilint has one complaint, and it is mistaken: it holds that a dNSName needs a dot, so it refuses the `localhost`
/// that the design asks for. RFC 1034 section 3.5, which RFC 5280 points to, allows a single label.
#[test]
fn pkilint_finds_nothing_but_a_mistake_of_its_own() {
    for (ca, request) in shapes() {
        let leaf = ca.sign_leaf(&request, NOW, None).unwrap().cert_pem;
        for pem in [ca.cert_pem(), &leaf] {
            let findings = pkilint("lint_pkix_cert", &[], pem);
            let [finding] = &findings[..] else { panic!("{findings:#?}") };
            assert_eq!(
                finding,
                "pkix.invalid_domain_name_syntax (ERROR): Invalid domain name syntax: \"localhost\""
            );
        }
    }
}

/// A leaf for `names` signed with the CA's key behind the back of our refusal; the key is taken from a vault.
fn rogue(ca: &CaIssuer, names: &[&str], now: OffsetDateTime) -> String {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open_or_new(&dir.path().join("vault"), &[]).unwrap();
    vault.store_ca(1, ca).unwrap();
    let key = std::fs::read_to_string(vault.dir().join("ca-1/ca-key.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(ca.cert_pem(), KeyPair::from_pem(&key).unwrap()).unwrap();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = now - Duration::minutes(1);
    params.not_after = now + Duration::days(30);
    params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem()
}

#[test]
fn clients_refuse_what_lies_outside_the_constraints() {
    let ca = ca();
    for name in
        ["node01.example.org", "example.com.evil.net", "notexample.com", "10.9.9.9", "fd00:201::1", "::2"]
    {
        let leaf = rogue(&ca, &[name], NOW);
        let openssl = openssl_verify(ca.cert_pem(), &leaf, 1, &[]).unwrap_err();
        assert!(openssl.contains("permitted subtree violation"), "{name}: {openssl}");
        assert_eq!(
            webpki_verify(ca.cert_pem(), &leaf, 1, name),
            Err(webpki::Error::NameConstraintViolation),
            "{name}"
        );
    }
    for name in
        [FQDN, "deep.below.example.com", "localhost", "10.0.200.77", "fd00:200::77", "127.0.0.53", "::1"]
    {
        let leaf = rogue(&ca, &[name], NOW);
        openssl_verify(ca.cert_pem(), &leaf, 1, &[]).unwrap();
        webpki_verify(ca.cert_pem(), &leaf, 1, name).unwrap();
    }
}

#[test]
fn clients_refuse_another_ca_and_other_times() {
    let (ca, other) = (ca(), ca());
    let leaf = node(&ca).cert_pem;
    openssl_verify(other.cert_pem(), &leaf, 1, &[]).unwrap_err();
    webpki_verify(other.cert_pem(), &leaf, 1, FQDN).unwrap_err();

    let late = openssl_verify(ca.cert_pem(), &leaf, 365, &[]).unwrap_err();
    assert!(late.contains("certificate has expired"), "{late}");
    assert!(matches!(webpki_verify(ca.cert_pem(), &leaf, 365, FQDN), Err(webpki::Error::CertExpired { .. })));
    let early = openssl_verify(ca.cert_pem(), &leaf, -1, &[]).unwrap_err();
    assert!(early.contains("not yet valid"), "{early}");
    assert!(matches!(
        webpki_verify(ca.cert_pem(), &leaf, -1, FQDN),
        Err(webpki::Error::CertNotValidYet { .. })
    ));
}
