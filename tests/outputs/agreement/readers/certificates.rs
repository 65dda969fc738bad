//! Certificates, read by x509-parser, and signed by the CA beside them.

use std::net::IpAddr;

use x509_parser::extensions::GeneralName;
use x509_parser::pem::{Pem, parse_x509_pem};

use super::{SaidOfEach, each};
use crate::agreement::facts::{Facts, Said};
use crate::agreement::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    each(trees, |tree| {
        let mut facts = Facts::default();
        for node in &tree.cluster.nodes {
            let dir = format!("nodes/{}", node.fqdn);
            let [ca, certificate] = [format!("{dir}/ca-cert.pem"), format!("{dir}/{}-cert.pem", node.name)]
                .map(|path| pem(tree.file(&path)));
            let (ca, certificate) = (ca.parse_x509().unwrap(), certificate.parse_x509().unwrap());
            certificate.verify_signature(Some(ca.public_key())).unwrap();
            for name in certificate.subject().iter_common_name() {
                facts.add(&node.name, "full name", name.as_str().unwrap());
            }
            for name in &certificate.subject_alternative_name().unwrap().unwrap().value.general_names {
                facts.add(
                    &node.name,
                    "SAN",
                    match name {
                        GeneralName::DNSName(name) => format!("DNS {name}"),
                        GeneralName::IPAddress(octets) => format!("IP {}", address(octets)),
                        other => other.to_string(),
                    },
                );
            }
        }
        Said { source: "certificates", kinds: &["full name", "SAN"], facts }
    })
}

fn pem(text: &str) -> Pem {
    let (rest, pem) = parse_x509_pem(text.as_bytes()).unwrap();
    assert!(rest.is_empty(), "more than one certificate");
    pem
}

fn address(octets: &[u8]) -> IpAddr {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.unwrap_or_else(|_| IpAddr::from(<[u8; 16]>::try_from(octets).unwrap()))
}
