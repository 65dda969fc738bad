//! CAs that may not be trusted, and the vault that tells them from the cluster's.

use plasmagen::pki::VaultView;
use rcgen::{CertificateParams, CustomExtension, DnType, GeneralSubtree, KeyPair};

use crate::certificates::kit::{Ca, Case, Site, case, subnet};

/// The finding that the second CA may vouch for more than plasmagen permits.
macro_rules! wide {
    ($what:literal) => {
        concat!(
            "E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 2`, which may vouch for ",
            $what,
            ": neither the cluster's domain, nor its networks, nor private addresses"
        )
    };
}

/// The warning that the second CA may vouch for subnets that no network has.
macro_rules! unused {
    ($what:literal) => {
        concat!(
            "W PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 2`, which may vouch for ",
            $what,
            ": neither the cluster's networks, nor private addresses"
        )
    };
}

/// A second CA of the cluster, with `change`.
fn second(change: impl FnOnce(&mut CertificateParams)) -> Ca {
    Ca::new(|params| {
        params.distinguished_name.push(DnType::CommonName, "lab CA 2");
        change(params);
    })
}

/// A second CA that may also vouch for `more`.
fn permits(more: GeneralSubtree) -> Ca {
    permits_all([more])
}

/// A second CA that may also vouch for each of `more`.
fn permits_all(more: impl IntoIterator<Item = GeneralSubtree>) -> Ca {
    second(|params| params.name_constraints.as_mut().unwrap().permitted_subtrees.extend(more))
}

/// CAs that are none of the cluster's, or not limited.
#[rustfmt::skip]
pub(crate) fn faults() -> Vec<Case> {
    let ca = Ca::new(|_| {});
    let named = |name: &str| Ca::new(|params| params.distinguished_name.push(DnType::CommonName, name));
    let both = |other: &Ca| ca.site().ca(format!("{}{}", ca.pem, other.pem));
    let limits = |keep: fn(&GeneralSubtree) -> bool| {
        second(|params| params.name_constraints.as_mut().unwrap().permitted_subtrees.retain(keep))
    };
    let unconstrained = second(|params| params.name_constraints = None);
    let ignored = second(|params| {
        params.name_constraints = None;
        // permitted: lab.example.com, 10.0.0.0/8
        let content = b"\x30\x21\xa0\x1f\x30\x11\x82\x0flab.example.com\x30\x0a\x87\x08\x0a\0\0\0\xff\0\0\0".to_vec();
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 30], content));
    });
    let altered = ca.altered();
    let stranger = named("Corporate Root");
    vec![
        case(both(&stranger), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `Corporate Root`, which is no CA of this cluster"]),
        case(both(&stranger).leaf("node02", stranger.leaf("node02", |_| {})), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `Corporate Root`, which is no CA of this cluster"]),
        case(both(&named("beta CA 1")), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `beta CA 1`, which is the CA of another cluster, `beta`"]),
        case(both(&named("\u{1b}[2J")), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `\\u{1b}[2J`, which is no CA of this cluster"]),
        case(both(&unconstrained), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 2`, whose name constraints do not limit the names that it may vouch for"]),
        case(both(&limits(|subtree| matches!(subtree, GeneralSubtree::IpAddress(_)))), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 2`, whose name constraints do not limit the names that it may vouch for"]),
        case(both(&limits(|subtree| matches!(subtree, GeneralSubtree::DnsName(_)))), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 2`, whose name constraints do not limit the addresses that it may vouch for"]),
        case(both(&ignored), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 2`, whose name constraints are not critical: clients that do not know them let it vouch for everything"]),
        case(both(&named("beta CA 1")).edit("name = \"lab\"", "name = \"lab\"\nformer_names = [\"beta\"]"), &[]),
        case(ca.site().ca(altered), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 1`, whose own signature does not verify: the certificate was altered or forged"]),
    ]
}

/// CAs that may vouch for more than the cluster's, and for as much.
#[rustfmt::skip]
pub(crate) fn widths() -> Vec<Case> {
    let ca = Ca::new(|_| {});
    let both = |other: &Ca| ca.site().ca(format!("{}{}", ca.pem, other.pem));
    let stale = permits(subnet("8.8.8.0", 24));
    vec![
        case(both(&permits(GeneralSubtree::DnsName("com".into()))), &[wide!("`com`")]),
        case(both(&permits(GeneralSubtree::DnsName("example.com".into()))), &[wide!("`example.com`")]),
        case(both(&permits(GeneralSubtree::DnsName("ample.com".into()))), &[wide!("`ample.com`")]),
        case(both(&permits(GeneralSubtree::DnsName("".into()))), &[wide!("``")]),
        case(both(&permits(GeneralSubtree::DnsName("\u{1b}[2J.com".into()))), &[wide!("`\\u{1b}[2j.com`")]),
        case(both(&permits(subnet("0.0.0.0", 1))), &[wide!("`0.0.0.0/1`")]),
        case(both(&permits(subnet("0.0.0.0", 0))), &[wide!("`0.0.0.0/0`")]),
        case(both(&permits(subnet("8.0.0.0", 6))), &[wide!("`8.0.0.0/6`")]),
        case(both(&permits(subnet("8.0.0.0", 7))), &[wide!("`8.0.0.0/7`")]),
        case(both(&permits_all((1..=7).map(|byte| subnet(&format!("{byte}.0.0.0"), 8)))), &[wide!("`1.0.0.0/8`, `2.0.0.0/8`, `3.0.0.0/8`, `4.0.0.0/8`, `5.0.0.0/8` and 2 more")]),
        case(both(&permits(subnet("2000::", 15))), &[wide!("`2000::/15`")]),
        case(both(&permits(subnet("::", 0))), &[wide!("`::/0`")]),
        case(both(&permits_all([subnet("8.8.8.0", 24), GeneralSubtree::DnsName("com".into())])), &[wide!("`com`, `8.8.8.0/24`")]),
        // A network may have been removed or narrowed since the CA was made.
        case(both(&permits(subnet("8.8.8.0", 24))), &[unused!("`8.8.8.0/24`")]),
        case(both(&permits(subnet("8.0.0.0", 8))), &[unused!("`8.0.0.0/8`")]),
        case(both(&permits(subnet("2000::", 16))), &[unused!("`2000::/16`")]),
        case(both(&permits_all([subnet("8.8.8.0", 24), subnet("2001:db8::", 32)])), &[unused!("`8.8.8.0/24`, `2001:db8::/32`")]),
        case(both(&permits(subnet("8.8.8.0", 24))).edit("name = \"lab\"", "name = \"lab\"\nallow = [\"PG-H18\"]"), &[]),
        case(both(&permits(subnet("8.0.0.0", 7))).edit("name = \"lab\"", "name = \"lab\"\nallow = [\"PG-H18\"]"), &[wide!("`8.0.0.0/7`")]),
        // What plasmagen permits, and will permit.
        case(both(&permits(GeneralSubtree::DnsName("rack1.lab.example.com".into()))), &[]),
        case(both(&permits(subnet("10.0.0.0", 8))), &[]),
        case(both(&permits(subnet("172.16.0.0", 12))), &[]),
        case(both(&permits(subnet("100.64.0.0", 10))), &[]),
        case(both(&permits(subnet("fd00::", 8))), &[]),
        // The vault's own, whatever the inventory has become.
        case(both(&permits(subnet("8.8.8.0", 24))).vault(&[&ca, &permits(subnet("8.8.8.0", 24))]), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 2`, which the vault /vault does not hold"]),
        case(both(&stale).vault(&[&ca, &stale]), &[]),
    ]
}

/// Vaults that are not at hand, that must not be used, and that hold other keys.
#[rustfmt::skip]
pub(crate) fn vaults() -> Vec<Case> {
    let (ca, other) = (Ca::new(|_| {}), second(|_| {}));
    let beta = Ca::new(|params| params.distinguished_name.push(DnType::CommonName, "beta CA 1"));
    let both = |other: &Ca| ca.site().ca(format!("{}{}", ca.pem, other.pem));
    let found = |vault: VaultView| Site { vault: Some(vault), ..ca.site() };
    let known = KeyPair::generate().unwrap();
    vec![
        case(ca.site().vault(&[&ca]).leaf("node02", ca.leaf_for("node02", &known, |_| {})).key("node02", &known), &[]),
        case(ca.site().vault(&[&ca]).key("node02", &known), &["E PG-H04 node02: the certificate of `node02` is for another key than that of `node02` in the vault /vault"]),
        case(found(VaultView::NotAtHand("there is no vault at /vault".to_owned())), &["W PG-H19 \"lab\": the vault of the CA in nodes/ is not at hand: there is no vault at /vault"]),
        case(found(VaultView::Unusable("/vault is not a directory".to_owned())), &["E PG-H19 \"lab\": the vault cannot be used: /vault is not a directory"]),
        case(found(VaultView::NotAtHand(String::new())).edit("name = \"lab\"", "name = \"lab\"\nallow = [\"PG-H19\"]"), &[]),
        case(found(VaultView::NotAtHand("it is gone".to_owned())).edit("schema = 1", "schema = 1\nvault.path = \"/vault\""), &["W PG-H19 \"/vault\": the vault of the CA in nodes/ is not at hand: it is gone"]),
        case(found(VaultView::NotAtHand(String::new())).edit("schema = 1", "schema = 1\nvault = { path = \"/vault\", allow = [\"PG-H19\"] }"), &[]),
        case(both(&other).vault(&[&ca]), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 2`, which the vault /vault does not hold"]),
        case(ca.site().vault(&[&beta]), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 1`, and /vault is the vault of cluster `beta`"]),
    ]
}
