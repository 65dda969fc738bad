//! `plasmagen keys make`.

use anyhow::Context;
use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::cli::printer::Printer;
use crate::cli::{DONE, complete, named};
use crate::pki::cluster::HostKeyRequest;

use super::site_options::{SiteOptions, tell_of_encrypted};

/// Make SSH host keys for nodes that will be installed, or installed again
///
/// The private key goes into the vault, from where `plasmagen secrets stage` brings it onto the node; the public half goes
/// into nodes/ and site/known_hosts. A host key that the vault has already is replaced, and kept in .retired of the vault.
/// The site is rendered, as by `plasmagen render`. `plasmagen render` itself makes the host keys of new nodes.
#[derive(Debug, Args)]
pub(super) struct MakeArgs {
    /// The nodes
    #[arg(value_name = "NODE", required = true, add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    #[command(flatten)]
    options: SiteOptions,
}

impl MakeArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let status = self.options.render(printer, |cluster| {
            let names = self.nodes.iter().map(|name| Ok(named::find_node(cluster, name)?.name.clone()));
            let made = names.collect::<anyhow::Result<_>>().context("no key was made")?;
            Ok(HostKeyRequest { made, ..HostKeyRequest::default() })
        })?;
        if status == DONE {
            printer.say(
                "until a node is installed with its new host key, ssh refuses the node's old one: plasmagen secrets stage \
                 brings the key onto the node",
            );
            tell_of_encrypted(printer);
        }
        Ok(status)
    }
}
