//! `site/dns/`: a zone for the cluster's domain, for each domain of a network that lies elsewhere, and for every subnet;
//! what BIND includes to serve them; and the same names as hosts(5) has them.

use std::fmt::Write;
use std::net::IpAddr;

use anyhow::Context as _;
use rayon::prelude::*;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::dns::{SiteNames, Zone};
use crate::model::{Cluster, DomainName};
use crate::plan::{Plan, ZONE_DIR};
use crate::render::Renderer;

use super::{Emit, Output, template};

pub(super) const ZONES: Output = Output {
    name: "zones",
    about: "the names of the site and what their addresses lead back to, for DNS servers (RFC 1035)",
    template: Some(template!("zone.zone.j2")),
    emit: Emit::Site(zones),
};

pub(super) const NAMED: Output = Output {
    name: "named.conf",
    about: "which zones BIND is the primary of (named.conf(5))",
    template: Some(template!("named.named.j2")),
    emit: Emit::Site(named),
};

pub(super) const HOSTS: Output = Output {
    name: "hosts",
    about: "the names of the site as hosts(5)",
    template: None,
    emit: Emit::Site(hosts),
};

/// What a secondary server does, in seconds, by RFC 1912 section 2.2: it asks for changes each hour (1,200 to 43,200 are
/// usual), after a failure sooner, and after two weeks without an answer gives up (two to four weeks).
const REFRESH: u32 = 3_600;
const RETRY: u32 = 900;
const EXPIRE: u32 = 1_209_600;

/// How long it is kept that there is no such name: one to three hours work well (RFC 2308 section 5).
const MINIMUM: u32 = 3_600;

#[derive(Serialize)]
struct Context<'a> {
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
    addresses: Vec<Address<'a>>,
    pointers: &'a [(String, DomainName)],
}

#[derive(Serialize)]
struct Address<'a> {
    name: &'a DomainName,
    v6: bool,
    address: IpAddr,
}

/// The file of a zone. `/` stands in the names of delegated zones, and `+` in none.
fn file_name(zone: &str) -> String {
    format!("{}.zone", zone.replace('/', "+"))
}

fn names(cluster: &Cluster) -> anyhow::Result<SiteNames> {
    cluster.names().map_err(|invalid| anyhow::anyhow!("a bug in plasmagen: {}", invalid.message))
}

fn zones(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let names = names(&plan.cluster)?;
    let zones = plan.cluster.zones(&names);
    let emit = |(name, zone): (&String, &Zone)| {
        let path = format!("{ZONE_DIR}/{}", file_name(name));
        let published = plan.zones.0.get(&file_name(name));
        let text = numbered(published.map(String::as_str), &path, |serial| {
            render(&plan.cluster, renderer, &names, name, zone, serial)
        })?;
        Artifact::new(path, text)
    };
    zones.par_iter().map(emit).collect()
}

fn render(
    cluster: &Cluster,
    renderer: &Renderer,
    names: &SiteNames,
    zone: &str,
    records: &Zone,
    serial: u32,
) -> anyhow::Result<String> {
    let default = format!("hostmaster@{}", cluster.domain);
    let context = Context {
        zone,
        ttl: cluster.dns.ttl.get(),
        servers: &names.servers,
        contact: cluster.dns.contact.as_ref().map_or(&default, |own| own.as_str()),
        serial,
        refresh: REFRESH,
        retry: RETRY,
        expire: EXPIRE,
        minimum: MINIMUM,
        delegations: &records.delegations,
        addresses: records
            .addresses
            .iter()
            .map(|(name, address)| Address { name, v6: address.is_ipv6(), address: *address })
            .collect(),
        pointers: &records.pointers,
    };
    renderer.render("zone.zone.j2", &context)
}

/// The zone with the serial number of the one `published` last, or, if it is no more the same, with the next; the first
/// one is 1.
fn numbered(
    published: Option<&str>,
    path: &str,
    render: impl Fn(u32) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let Some(published) = published else { return render(1) };
    let last = serial(published).with_context(|| {
        format!(
            "could not read the serial number of {path}, which was published last: restore the file from git, or \
             remove it if no secondary server has the zone, and numbers start at 1 again"
        )
    })?;
    let same = render(last)?;
    if same == published { Ok(same) } else { render(next(last)) }
}

/// The serial number of a zone as the template writes it.
fn serial(zone: &str) -> Option<u32> {
    let mut numbers = zone.lines().filter_map(|line| {
        let (number, comment) = line.trim().split_once(" ; ")?;
        comment.starts_with("serial").then_some(number)
    });
    let number = numbers.next().filter(|number| number.bytes().all(|b| b.is_ascii_digit()))?;
    if numbers.next().is_some() { None } else { number.parse().ok() }
}

/// The number after `last` in the arithmetic of RFC 1982, but for 0, which some servers take for none.
fn next(last: u32) -> u32 {
    last.wrapping_add(1).max(1)
}

#[derive(Serialize)]
struct Included {
    name: String,
    file: String,
}

fn named(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    #[derive(Serialize)]
    struct Context {
        zones: Vec<Included>,
    }
    let zones = plan.cluster.zones(&names(&plan.cluster)?);
    let zones = zones.into_keys().map(|name| Included { file: file_name(&name), name }).collect();
    Ok(vec![Artifact::new(
        format!("{ZONE_DIR}/named.conf"),
        renderer.render("named.named.j2", Context { zones })?,
    )?])
}

/// A line for each address. SiteNames in the cluster's own domain have their first label as an alias.
fn hosts(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let mut text = "# The names of the site: hosts(5).\n".to_owned();
    let below = format!(".{}", plan.cluster.domain);
    for (name, addresses) in names(&plan.cluster)?.hosts {
        let short = name.as_str().strip_suffix(&below).filter(|label| !label.contains('.'));
        let alias = short.map(|label| format!(" {label}")).unwrap_or_default();
        for address in addresses {
            writeln!(text, "{address} {name}{alias}")?;
        }
    }
    Ok(vec![Artifact::new(format!("{ZONE_DIR}/hosts"), text)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_go_round_and_leave_out_zero() {
        assert_eq!([1, 41, u32::MAX - 1, u32::MAX].map(next), [2, 42, u32::MAX, 1]);
    }

    #[test]
    fn a_serial_number_is_read_as_it_is_written() {
        assert_eq!(serial("@ IN SOA a. b. (\n  7 ; serial: x\n  8 ; refresh\n"), Some(7));
        for bad in ["", "  ; serial", "  +7 ; serial", "  4294967296 ; serial", "1 ; serial\n2 ; serial"] {
            assert_eq!(serial(bad), None, "{bad:?}");
        }
    }
}
