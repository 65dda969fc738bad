//! `plasmagen keys adopt`.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, ValueHint};
use clap_complete::ArgValueCandidates;

use crate::cli::printer::Printer;
use crate::cli::{DONE, complete, named};
use crate::fs::{TEXT_LIMIT, read_input_text};
use crate::pki::cluster::HostKeyRequest;
use crate::pki::recipient::Recipient;
use crate::plan::HostPublicKey;

use super::site_options::{SiteOptions, tell_of_encrypted};

/// Write the SSH host key that an installed node has into nodes/ and site/known_hosts
///
/// For nodes that were installed before plasmagen made host keys, or without the staged key. The private key stays on
/// the node alone; a host key that the vault has of the node is put aside, in .retired. Take the key from the node's
/// console or over a connection that you trust: /etc/ssh/ssh_host_ed25519_key.pub. The site is rendered, as by
/// `plasmagen render`.
#[derive(Debug, Args)]
pub(super) struct AdoptArgs {
    /// The node
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: String,
    /// The file with the public half of the host key: one line, `ssh-ed25519 AAAA…`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    host_key: PathBuf,
    #[command(flatten)]
    options: SiteOptions,
}

impl AdoptArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let key = self.read_key().with_context(|| format!("could not use {}", self.host_key.display()))?;
        let status = self.options.render(printer, |cluster| {
            let name = named::find_node(cluster, &self.node)?.name.clone();
            Ok(HostKeyRequest { adopted: [(name, key)].into(), ..HostKeyRequest::default() })
        })?;
        if status == DONE {
            tell_of_encrypted(printer);
        }
        Ok(status)
    }

    fn read_key(&self) -> anyhow::Result<HostPublicKey> {
        let key = HostPublicKey::parse(&read_input_text(&self.host_key, TEXT_LIMIT)?)?;
        // The key may become the recipient of a secret.
        Recipient::parse(key.as_str()).map_err(|why| anyhow!("{}: {}", why.message, why.help))?;
        Ok(key)
    }
}
