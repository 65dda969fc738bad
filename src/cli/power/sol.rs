//! `plasmagen power sol`.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::targets::{BmcSource, find_target};
use crate::bmc::show_console;
use crate::cli::printer::Printer;
use crate::cli::{DONE, REFUSED, complete};
use crate::model::BmcProtocol;

/// Show the serial console of a machine (serial over LAN), by ipmitool
///
/// `~.` at the beginning of a line ends the session, and `~?` lists what else there is. The BMC must speak IPMI, also where the
/// inventory says Redfish, and take the same user and password. A machine can be switched while you look.
#[derive(Debug, Args)]
pub(super) struct SolArgs {
    /// The node
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: String,
    /// End the session that somebody else has, or that was left over
    #[arg(long)]
    take_over: bool,
    #[command(flatten)]
    source: BmcSource,
}

impl SolArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(opened) = self.source.open(printer)? else { return Ok(REFUSED) };
        let target = find_target(&opened.cluster, &self.node)?;
        let access = opened.access_by(&target, BmcProtocol::Ipmi)?;
        let name = &target.node.name;
        printer.say(&format!("the console of {name}: ~. at the beginning of a line ends the session"));
        if show_console(&access, self.take_over)? {
            return Ok(DONE);
        }
        Printer::warn(&format!(
            "ipmitool ended with an error. Where another session has the console: plasmagen power sol {name} --take-over"
        ));
        Ok(REFUSED)
    }
}
