//! `plasmagen network`.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use ipnet::IpNet;

use crate::check::check;
use crate::edit::{NewNetwork, add_network};
use crate::inventory::Sources;
use crate::model::{DomainName, Family, Label, Range, Role, Word};
use crate::pki::PublicCert;
use crate::plan::Certificates;

use super::DONE;
use super::edited::{EditedInventory, parse_word, print_block};
use super::inventory::InventoryOption;
use super::printer::Printer;

/// Add networks to the inventory
#[derive(Debug, Args)]
pub(super) struct NetworkArgs {
    #[command(subcommand)]
    command: NetworkCommand,
}

#[derive(Debug, Subcommand)]
enum NetworkCommand {
    Add(AddArgs),
}

/// Add a network to the inventory
///
/// The table is put behind the last network, and written as that is; everything else in the file stays as it is. The
/// command prints what else the network needs.
#[derive(Debug, Args)]
struct AddArgs {
    /// The name of the network
    #[arg(value_name = "NAME", value_parser = parse_word::<Label>)]
    name: Label,
    /// Purpose of the network: management, provisioning, cluster or client; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = parse_word::<Role>)]
    roles: Vec<Role>,
    /// Subnet in CIDR notation; may be given once for each address family
    #[arg(long = "subnet", value_name = "SUBNET", required = true, value_parser = parse_word::<IpNet>)]
    subnets: Vec<IpNet>,
    /// VLAN ID, 1 to 4094
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u16).range(1..=4094))]
    vlan: Option<u16>,
    /// Address of the router; may be given once for each address family
    #[arg(long = "gateway", value_name = "ADDRESS", value_parser = parse_word::<IpAddr>)]
    gateways: Vec<IpAddr>,
    /// Address of a DNS server; may be given several times
    #[arg(long, value_name = "ADDRESS", value_parser = parse_word::<IpAddr>)]
    dns: Vec<IpAddr>,
    /// DNS domain that DHCP hands out
    #[arg(long, value_name = "DOMAIN", value_parser = parse_word::<DomainName>)]
    domain: Option<DomainName>,
    /// Addresses that DHCP leases to machines without a reservation; may be given once for each address family
    #[arg(long = "pool", value_name = "FIRST-LAST", value_parser = parse_range)]
    pools: Vec<Range<IpAddr>>,
    /// Addresses that the nodes of a profile take; may be given several times
    #[arg(long = "range", value_name = "PROFILE=FIRST-LAST", value_parser = parse_named_range)]
    ranges: Vec<(String, Range<IpAddr>)>,
    /// Write nothing, and print the table
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    inventory: InventoryOption,
}

impl NetworkArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            NetworkCommand::Add(add) => add.run(printer),
        }
    }
}

impl AddArgs {
    fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let network = NewNetwork {
            name: self.name.clone(),
            roles: self.roles.clone(),
            subnets: self.subnets.clone(),
            vlan: self.vlan,
            gateways: self.gateways.clone(),
            dns: self.dns.clone(),
            domain: self.domain.clone(),
            pools: self.pools.clone(),
            ranges: self.ranges.clone(),
        };
        let inventory = EditedInventory::read(&self.inventory)?;
        let added = add_network(inventory.sources(), &network).map_err(print_block)?;
        if self.dry_run {
            Printer::print(&added.block)?;
            printer.say(&format!("{} was not changed", inventory.name()));
        } else {
            inventory.replace(&added.text, None)?;
            printer.say(&format!("added the network {} to {}", self.name, inventory.name()));
        }
        let mut needs = added.needs;
        needs.extend(self.find_rotation(&inventory, &added.text)?);
        if !needs.is_empty() {
            printer.say("what else it needs:");
            needs.iter().for_each(|need| printer.say(&format!("  - {need}")));
        }
        Ok(DONE)
    }

    /// Says that the CA has to be replaced, where the published one may not vouch for addresses of the network.
    fn find_rotation(&self, inventory: &EditedInventory, text: &str) -> anyhow::Result<Option<String>> {
        // The certificates of nodes hold their addresses in these networks.
        if !self.roles.iter().any(|role| [Role::Cluster, Role::Client].contains(role)) {
            return Ok(None);
        }
        let sources = Sources { inventory: text.as_bytes(), ..inventory.sources() };
        let Some(cluster) = check(sources)?.cluster else { return Ok(None) };
        let Some(published) = Certificates::gather(inventory.root(), &cluster)?.ca else { return Ok(None) };
        let authorities = PublicCert::list_from_pem(&published)?;
        let is_permitted = |subnet: &IpNet| {
            let mut permitted = authorities.iter().flat_map(|ca| &ca.constraints.permitted.subnets);
            permitted.any(|net| net.contains(subnet))
        };
        let refused = self.subnets.iter().find(|subnet| !is_permitted(subnet));
        Ok(refused.map(|subnet| {
            format!(
                "the cluster's CA may not vouch for addresses in {subnet}: plasmagen certs rotate begin, before a node \
                 gets an address there"
            )
        }))
    }
}

/// Parses a range of either address family.
fn parse_range(text: &str) -> Result<Range<IpAddr>, String> {
    fn of_family<A: Family>(text: &str) -> Result<Range<IpAddr>, String> {
        let range: Range<A> = parse_word(text)?;
        Ok(Range { first: range.first.into(), last: range.last.into() })
    }
    if text.contains(':') {
        of_family::<std::net::Ipv6Addr>(text)
    } else {
        of_family::<std::net::Ipv4Addr>(text)
    }
}

/// Parses the range of a profile, `PROFILE=FIRST-LAST`.
fn parse_named_range(text: &str) -> Result<(String, Range<IpAddr>), String> {
    let (name, range) =
        text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`: write PROFILE=FIRST-LAST"))?;
    Label::parse(name).map_err(|invalid| invalid.message)?;
    Ok((name.to_owned(), parse_range(range)?))
}
