//! `site/dns/`: the names of the site. There is a zone file (RFC 1035) for the cluster's domain, for each network's domain
//! that is not inside the cluster's domain, and for every subnet; `named.conf` for BIND, which serves the zones
//! (named.conf(5)); and `hosts` with the same names (hosts(5)).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;

use anyhow::Context as _;
use rayon::prelude::*;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::dns::{SiteNames, Zone};
use crate::model::{Cluster, DomainName, Invalid};
use crate::plan::{Plan, ZONE_DIR};
use crate::render::{Renderer, Template, template};

use super::{Emit, Output};

const ZONE_TEMPLATE: Template = template!("zone.zone.j2");
const NAMED_TEMPLATE: Template = template!("named.named.j2");

pub(super) const OUTPUT: Output =
    Output { name: "site/dns", templates: &[ZONE_TEMPLATE, NAMED_TEMPLATE], emit: Emit::Site(emit) };

/// The times of a secondary server in seconds, by RFC 1912 section 2.2: the server asks for changes each hour (1,200 to
/// 43,200 seconds are usual), asks sooner after a failure, and gives up after two weeks without an answer (two to four
/// weeks are usual).
const REFRESH: u32 = 3_600;
const RETRY: u32 = 900;
const EXPIRE: u32 = 1_209_600;

/// The time for which resolvers remember that a name does not exist, in seconds: one to three hours work well (RFC 2308
/// section 5).
const MINIMUM: u32 = 3_600;

#[derive(Serialize)]
struct ZoneContext<'a> {
    zone: &'a str,
    ttl: u32,
    servers: &'a [DomainName],
    contact: &'a str,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
    delegations: &'a [DomainName],
    addresses: Vec<AddressRecord<'a>>,
    pointers: &'a [(String, DomainName)],
}

/// An A or AAAA record.
#[derive(Serialize)]
struct AddressRecord<'a> {
    name: &'a DomainName,
    v6: bool,
    address: IpAddr,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let bug = |invalid: Invalid| anyhow::anyhow!("a bug in plasmagen: {}", invalid.message);
    let names = cluster.names().map_err(bug)?;
    let zones = cluster.zones(&names);
    let mut artifacts = emit_zones(plan, renderer, &names, &zones)?;
    artifacts.push(emit_named(&zones, renderer)?);
    artifacts.push(emit_hosts(&names, &cluster.domain)?);
    Ok(artifacts)
}

/// The file name of a zone. The names of delegated zones hold `/`, and no name holds `+`.
fn file_name(zone: &str) -> String {
    format!("{}.zone", zone.replace('/', "+"))
}

fn emit_zones(
    plan: &Plan,
    renderer: &Renderer,
    names: &SiteNames,
    zones: &BTreeMap<String, Zone>,
) -> anyhow::Result<Vec<Artifact>> {
    let emit = |(name, zone): (&String, &Zone)| {
        let path = format!("{ZONE_DIR}/{}", file_name(name));
        let published = plan.zones.0.get(&file_name(name));
        let text = number_zone(published.map(String::as_str), &path, |serial| {
            render_zone(&plan.cluster, renderer, names, name, zone, serial)
        })?;
        Artifact::new(path, text)
    };
    zones.par_iter().map(emit).collect()
}

fn render_zone(
    cluster: &Cluster,
    renderer: &Renderer,
    names: &SiteNames,
    zone: &str,
    records: &Zone,
    serial: u32,
) -> anyhow::Result<String> {
    let default = format!("hostmaster@{}", cluster.domain);
    let context = ZoneContext {
        zone,
        ttl: cluster.dns.ttl.get(),
        servers: &names.servers,
        contact: cluster.dns.contact.as_ref().map_or(&default, |contact| contact.as_str()),
        serial,
        refresh: REFRESH,
        retry: RETRY,
        expire: EXPIRE,
        minimum: MINIMUM,
        delegations: &records.delegations,
        addresses: records
            .addresses
            .iter()
            .map(|(name, address)| AddressRecord { name, v6: address.is_ipv6(), address: *address })
            .collect(),
        pointers: &records.pointers,
    };
    renderer.render(ZONE_TEMPLATE.name, &context)
}

/// Renders the zone with the serial number of the zone that was `published` last. If the zone has changed since, it gets
/// the next serial number. The first serial number is 1.
fn number_zone(
    published: Option<&str>,
    path: &str,
    render: impl Fn(u32) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let Some(published) = published else { return render(1) };
    let last = read_serial(published).with_context(|| {
        format!(
            "could not read the serial number of {path}, which was published last: restore the file from git, or \
             remove it if no secondary server has the zone, and numbers start at 1 again"
        )
    })?;
    let same = render(last)?;
    if same == published { Ok(same) } else { render(next_serial(last)) }
}

/// Reads the serial number of a zone as the template writes it.
fn read_serial(zone: &str) -> Option<u32> {
    let mut numbers = zone.lines().filter_map(|line| {
        let (number, comment) = line.trim().split_once(" ; ")?;
        comment.starts_with("serial").then_some(number)
    });
    let number = numbers.next().filter(|number| number.bytes().all(|b| b.is_ascii_digit()))?;
    if numbers.next().is_some() { None } else { number.parse().ok() }
}

/// The number after `last` in the arithmetic of RFC 1982, without 0, which some servers take for no number.
fn next_serial(last: u32) -> u32 {
    last.wrapping_add(1).max(1)
}

#[derive(Serialize)]
struct NamedContext<'a> {
    zones: Vec<ZoneStatement<'a>>,
}

/// A `zone` statement of named.conf.
#[derive(Serialize)]
struct ZoneStatement<'a> {
    name: &'a str,
    file: String,
}

fn emit_named(zones: &BTreeMap<String, Zone>, renderer: &Renderer) -> anyhow::Result<Artifact> {
    let zones = zones.keys().map(|name| ZoneStatement { name, file: file_name(name) }).collect();
    let text = renderer.render(NAMED_TEMPLATE.name, NamedContext { zones })?;
    Artifact::new(format!("{ZONE_DIR}/named.conf"), text)
}

/// Writes one line for each address. Names in `domain` have their first label as an alias.
fn emit_hosts(names: &SiteNames, domain: &DomainName) -> anyhow::Result<Artifact> {
    let mut text = "# The names of the site: hosts(5).\n".to_owned();
    let below = format!(".{domain}");
    for (name, addresses) in &names.hosts {
        let short = name.as_str().strip_suffix(&below).filter(|label| !label.contains('.'));
        let alias = short.map(|label| format!(" {label}")).unwrap_or_default();
        for address in addresses {
            writeln!(text, "{address} {name}{alias}")?;
        }
    }
    Artifact::new(format!("{ZONE_DIR}/hosts"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_go_round_and_leave_out_zero() {
        assert_eq!([1, 41, u32::MAX - 1, u32::MAX].map(next_serial), [2, 42, u32::MAX, 1]);
    }

    #[test]
    fn a_serial_number_is_read_as_it_is_written() {
        assert_eq!(read_serial("@ IN SOA a. b. (\n  7 ; serial: x\n  8 ; refresh\n"), Some(7));
        for bad in ["", "  ; serial", "  +7 ; serial", "  4294967296 ; serial", "1 ; serial\n2 ; serial"] {
            assert_eq!(read_serial(bad), None, "{bad:?}");
        }
    }
}
