//! No SAN that is not a host's name or address ever gets as far as rcgen.

use std::net::IpAddr;

use plasmagen::pki::{CaRequest, KeyAlgorithm, LeafRequest};
use proptest::prelude::*;

use crate::support::{ADDRESSES, FQDN, VIPS, addresses, node_request};

fn request(fqdn: &str, vips: &[&str], addresses: &[IpAddr]) -> anyhow::Result<LeafRequest> {
    LeafRequest::new(fqdn, vips, addresses.iter().copied(), KeyAlgorithm::EcdsaP256, 365)
}

#[test]
fn the_sans_are_exactly_these() {
    let request = node_request(FQDN);
    assert_eq!(request.fqdn(), FQDN);
    assert_eq!(request.dns_names(), [FQDN, "chainfire.example.com", "iam.example.com", "localhost"]);
    let expected = ["10.0.100.50", "10.0.200.10", "127.0.0.1", "::1", "fd00:200::10"];
    assert_eq!(request.addresses(), addresses(&expected));
}

#[test]
fn order_case_and_repetition_do_not_matter() {
    let vips = ["chainfire.example.com", "IAM.example.com", "iam.example.com", FQDN];
    let mut reversed = addresses(&ADDRESSES);
    reversed.reverse();
    reversed.extend(addresses(&["127.0.0.1", "10.0.200.10", "::1"]));
    assert_eq!(request("Node01.Example.COM", &vips, &reversed).unwrap(), node_request(FQDN));
}

#[test]
fn what_is_no_full_host_name_is_refused_and_named() {
    let long_label = format!("{}.example.com", "a".repeat(64));
    let long_name = format!("{}example.com", "a.".repeat(122));
    let bad = [
        ("", "not a host name"),
        ("a b.example.com", "not a host name"),
        ("x\ny.example.com", "not a host name"),
        ("*.example.com", "not a host name"),
        ("node01.example.com.", "not a host name"),
        (".example.com", "not a host name"),
        ("node01..example.com", "not a host name"),
        ("-node.example.com", "not a host name"),
        ("node-.example.com", "not a host name"),
        ("node_01.example.com", "not a host name"),
        ("bücher.example.com", "not a host name"),
        ("node01.example.com\0", "not a host name"),
        (&long_label, "not a host name"),
        (&long_name, "not a host name"),
        ("10.0.200.10", "ends in a number"),
        ("fd00::1", "not a host name"),
        ("node01", "short name"),
        ("localhost", "short name"),
    ];
    for (name, why) in bad {
        for refused in [request(name, &VIPS, &[]), request(FQDN, &["iam.example.com", name], &[])] {
            let message = refused.unwrap_err().to_string();
            assert!(message.contains(why) && message.contains(&format!("{name:?}")), "{name:?}: {message}");
        }
    }
}

#[test]
fn addresses_that_no_host_has_are_refused() {
    for bad in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:10.0.0.1"] {
        let message = request(FQDN, &[], &addresses(&[bad])).unwrap_err().to_string();
        assert!(message.contains(bad), "{message}");
    }
}

#[test]
fn a_ca_needs_a_domain_a_name_that_fits_and_a_life() {
    let ca = |cluster, domain, days| CaRequest::new(cluster, 1, domain, &[], KeyAlgorithm::EcdsaP256, days);
    ca("prod-cluster", "example.com", 1).unwrap();
    ca("prod-cluster", "lab", 1).unwrap();
    for (cluster, domain, days, why) in [
        ("prod-cluster", "", 1, "not a host name"),
        ("prod-cluster", "*.example.com", 1, "not a host name"),
        ("", "example.com", 1, "printable ASCII"),
        ("prod\ncluster", "example.com", 1, "printable ASCII"),
        (&"c".repeat(60), "example.com", 1, "at most 64"),
        ("prod-cluster", "example.com", 0, "0 days"),
    ] {
        let message = ca(cluster, domain, days).unwrap_err().to_string();
        assert!(message.contains(why), "{cluster:?} {domain:?}: {message}");
    }
}

/// Anything, with a bias towards what nearly is a host name.
fn almost_a_name() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "[a-zA-Z0-9.-]{0,70}",
        "[a-z0-9-]{1,64}(\\.[A-Za-z0-9-]{1,64}){0,5}",
        "[ -~]{0,20}\\.example\\.com"
    ]
}

proptest! {
    #[test]
    fn whatever_is_asked_the_sans_are_valid(
        fqdn in prop_oneof![almost_a_name(), "[a-z][a-z0-9]{0,8}\\.example\\.com"],
        vips in prop::collection::vec(prop_oneof![almost_a_name(), "[a-z]{1,9}\\.[a-z]{2,3}"], 0..3),
        addresses in prop::collection::vec(any::<IpAddr>(), 0..4),
    ) {
        let asked = LeafRequest::new(&fqdn, &vips, addresses.iter().copied(), KeyAlgorithm::EcdsaP256, 1);
        if let Ok(request) = asked {
            prop_assert_eq!(request.fqdn(), fqdn.to_ascii_lowercase());
            for (index, name) in request.dns_names().iter().enumerate() {
                // An oracle of other hands: rustls' parser, which allows underscores, upper case and a final dot.
                prop_assert!(rustls_pki_types::DnsName::try_from(name.as_str()).is_ok(), "{:?}", name);
                prop_assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-')), "{:?}", name);
                prop_assert!(!name.ends_with('.') && name.parse::<IpAddr>().is_err(), "{:?}", name);
                prop_assert!(name == "localhost" || name.contains('.'), "{:?}", name);
                prop_assert!(!request.dns_names()[..index].contains(name), "{:?} twice", name);
            }
            prop_assert!(request.addresses().is_sorted());
            for address in &addresses {
                prop_assert!(request.addresses().contains(address));
            }
        }
    }
}
