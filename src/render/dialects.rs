//! The table of all target languages.
//!
//! A further language is one file in `dialects/` with an implementation of [`Dialect`], its `mod` line and its row in
//! [`DIALECTS`].

mod dhcp;
mod dnsmasq;
mod iptables;
mod ipxe;
mod named;
mod nft;
mod nginx;
mod nix;
mod shell;
mod zone;

use super::dialect::Dialect;

/// Every language that templates are written in.
const DIALECTS: &[&dyn Dialect] = &[
    &dhcp::DhcpDialect,
    &dnsmasq::DnsmasqDialect,
    &iptables::IptablesDialect,
    &ipxe::IpxeDialect,
    &named::NamedDialect,
    &nft::NftDialect,
    &nginx::NginxDialect,
    &nix::NixDialect,
    &shell::ShellDialect,
    &zone::ZoneDialect,
];

/// Finds the dialect of a template named `NAME.DIALECT.j2`.
pub(super) fn find_for_template(name: &str) -> anyhow::Result<&'static dyn Dialect> {
    let mut parts = name.rsplitn(3, '.');
    match (parts.next(), parts.next().and_then(find), parts.next()) {
        (Some("j2"), Some(dialect), Some(_)) => Ok(dialect),
        _ => {
            let known: Vec<_> = DIALECTS.iter().map(|dialect| dialect.extension()).collect();
            anyhow::bail!("{name} is not named NAME.DIALECT.j2 with one of the dialects {}", known.join(", "))
        }
    }
}

/// Finds the dialect `extension`.
pub(super) fn find(extension: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.extension() == extension)
}
