//! Chapter B: zones that would answer for names and addresses of somebody else (B13 and B14).

use ipnet::IpNet;

use crate::diag::{Diagnostic, Report, Span, Spanned};
use crate::inventory::known;
use crate::model::dns::is_inside;
use crate::model::{DomainName, reverse};
use crate::resolve::{Draft, NetworkEntry};

use super::names::is_public_suffix;
use super::zones::domain;

/// The networks with their domains, each with whether the domain is outside of the cluster's domain.
fn network_domains<'a>(
    draft: &'a Draft<'_>,
) -> impl Iterator<Item = (&'a NetworkEntry, &'a Spanned<DomainName>, bool)> {
    let cluster = domain(draft);
    draft.networks.values().filter_map(move |network| {
        let domain = network.value.domain.as_ref()?;
        Some((*network, domain, !is_inside(domain.value.as_str(), cluster?.as_str())))
    })
}

/// B13: a network's domain for which a zone is made lies in the cluster's domain. B07 reports a public suffix. An error of another
/// rule may be the cause, such as a `zone` that cannot be read.
pub(super) fn b13(draft: &Draft<'_>, report: &mut Report) {
    if report.has_errors() {
        return;
    }
    for (network, Spanned { value: domain, span }, is_outside) in network_domains(draft) {
        if !is_outside || !network.value.has_zone() || is_public_suffix(domain) {
            continue;
        }
        let message = format!(
            "`{domain}` is not in the cluster's domain, and site/dns/ has a zone for it: a name server with that zone \
             answers that `www.{domain}`, and every other name that is not of this site, does not exist"
        );
        report.push(Diagnostic::warning("PG-B13", span, message).help(format!(
            "write `zone = false`, and DHCP hands the domain out without a zone; or, where all names of `{domain}` are of \
             this site, `allow = [\"PG-B13\"]` in [network.{}]",
            network.key
        )));
    }
}

/// B14: the site has all addresses of the reverse zones that it has. An error of another rule may be the cause.
pub(super) fn b14(draft: &Draft<'_>, report: &mut Report) {
    if report.has_errors() {
        return;
    }
    let networks = || draft.networks.values();
    let all: Vec<IpNet> =
        networks().flat_map(|network| subnets_with_zone(network)).map(|(net, _)| net).collect();
    for network in networks() {
        for (net, span) in subnets_with_zone(network) {
            let Some(block) = reverse::blocks(net).find(|block| !net.contains(block)) else { continue };
            // Subnets do not overlap (C07).
            let size = |net: &IpNet| 1_u128 << (net.max_prefix_len() - net.prefix_len());
            let inside = all.iter().filter(|net| block.contains(*net));
            if inside.map(size).sum::<u128>() >= size(&block) {
                continue;
            }
            let zone = reverse::name(block);
            let message = format!(
                "{net} is a part of {block}, and site/dns/ has the zone of all of it, `{zone}`: a name server with that \
                 zone answers that the other addresses of {block} have no names"
            );
            let other = match net {
                IpNet::V4(_) => {
                    "write the zone that the owner of the /24 has delegated as `reverse_zone`, or \
                     `reverse_zone = \"none\"` for no zone"
                }
                IpNet::V6(_) => "write a prefix length that is divisible by four",
            };
            report.push(Diagnostic::warning("PG-B14", span, message).help(format!(
                "{other}; or, where nobody else uses addresses of {block}, `allow = [\"PG-B14\"]` in [network.{}]",
                network.key
            )));
        }
    }
}

/// The sound subnets of a network that have zones of whole octets or digits, with their places. `reverse_zone` concerns
/// IPv4.
fn subnets_with_zone(network: &NetworkEntry) -> impl Iterator<Item = (IpNet, &Span)> {
    let (v4, v6) = (&network.value.subnet, &network.value.subnet6);
    let v4 = if network.value.reverse_zone.is_none() { v4 } else { &None };
    let v4 = known(v4).map(|net| IpNet::V4(*net)).zip(v4.as_ref().map(|written| &written.span));
    let v6 = known(v6).map(|net| IpNet::V6(*net)).zip(v6.as_ref().map(|written| &written.span));
    v4.into_iter().chain(v6)
}

/// A part of A13: `zone = false` keeps the site from having a zone.
pub(super) fn check_zone_keys(draft: &Draft<'_>, report: &mut Report) {
    for network in draft.networks.values() {
        let Some(zone) = network.value.zone.as_ref().filter(|zone| !zone.value) else { continue };
        let domain = network_domains(draft).find(|(other, ..)| other.key == network.key);
        let fault =
            |why| Diagnostic::warning("PG-A13", &zone.span, format!("`zone = false` has no effect: {why}"));
        report.push_some(match domain {
            Some((_, domain, true)) => find_zone_around(draft, &domain.value).map(|(other, around)| {
                let why = format!(
                    "site/dns/ has the zone of `{}`, and a name server with that zone answers for `{}` as well",
                    around.value, domain.value
                );
                let help = format!("write `zone = false` in [network.{}], too, or remove this one", other.key);
                fault(why).related(&around.span, "this domain").help(help)
            }),
            Some((_, domain, false)) => {
                let why = format!("`{}` lies in the cluster's domain, whose zone holds its names", domain.value);
                Some(fault(why).help("remove `zone`"))
            }
            None => Some(fault(format!("`{}` has no `domain`", network.key)).help("remove `zone`")),
        });
    }
}

/// The network with a zone that holds the names of `domain`, with the domain of that network.
fn find_zone_around<'a>(
    draft: &'a Draft<'_>,
    domain: &DomainName,
) -> Option<(&'a NetworkEntry, &'a Spanned<DomainName>)> {
    let (network, around, _) = network_domains(draft).find(|(network, around, is_outside)| {
        *is_outside && network.value.has_zone() && is_inside(domain.as_str(), around.value.as_str())
    })?;
    Some((network, around))
}
