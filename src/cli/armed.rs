//! `plasmagen armed`.

use clap::Args;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::publish::{Armed, ArmedFile, ArmingTimer, WebRoot, list_armed};

use super::command_line::carry_options;
use super::printer::{FormatOption, Printer};
use super::table::TextTable;
use super::web_root::WebRootOptions;
use super::{DONE, JSON_SCHEMA, REFUSED};

/// Print which nodes are armed, and how long they stay armed
#[derive(Debug, Args)]
pub(super) struct ArmedArgs {
    #[command(flatten)]
    pub(super) root: WebRootOptions,
    #[command(flatten)]
    format: FormatOption,
}

impl ArmedArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let mut cluster = None;
        if !self.root.is_named() {
            cluster = self.root.cluster(printer)?;
            if cluster.is_none() {
                return Ok(REFUSED);
            }
        }
        let root = WebRoot::open(&self.root.path(cluster.as_ref())?)?;
        let files = list_armed(&root)?;
        let now = OffsetDateTime::now_utc();
        let endless = ArmingTimer::read(&root, now).explain();
        let left = |file: &ArmedFile| Some((file.armed.as_ref()?.until - now).whole_seconds().max(0));
        let list: Vec<_> = files
            .iter()
            .map(|file| {
                json!({ "file": file.name, "cluster": file.cluster, "armed": file.armed, "boots": file.boots,
                    "seconds_left": left(file), "interrupted": file.is_interrupted })
            })
            .collect();
        let value = json!({ "schema": JSON_SCHEMA, "armed": list, "ends": endless.is_none() });
        let given = self.root.given();
        self.format.print(&value, || carry_options(&print_table(&files, now, endless.is_none()), &given))?;
        match endless {
            _ if files.is_empty() => printer.say("no machine is armed"),
            Some(why) => Printer::warn(&format!("warning: {why}")),
            None => {}
        }
        Ok(DONE)
    }
}

/// Prints a row for each node, with all of its network cards that have the same record; `has_timer` says whether the
/// provisioner's timer ends armings. Where several clusters share the web root, each row names the cluster.
fn print_table(files: &[ArmedFile], now: OffsetDateTime, has_timer: bool) -> String {
    let mut table = TextTable::new();
    for (index, file) in files.iter().enumerate() {
        if files[..index].iter().any(|earlier| is_same_arming(earlier, file)) {
            continue;
        }
        let Some(armed) = &file.armed else {
            let name = file.name.escape_debug().to_string();
            table.short_row([name, "not written by this version of plasmagen arm".to_owned()]);
            continue;
        };
        let state = if file.is_interrupted {
            "by a run that was killed: the next arm or disarm disarms it".to_owned()
        } else if armed.has_ended(now) {
            format!(
                "ended, but the file is there: is pxe-health.timer running? plasmagen disarm {}",
                armed.node
            )
        } else if !has_timer {
            "until somebody disarms it".to_owned()
        } else {
            format!("{}, {} left", print_end(armed), print_left(armed.until - now))
        };
        let boots = file.boots.map_or_else(|| "no bundle".to_owned(), |id| format!("{:.12}", id.to_string()));
        let state = if file.boots == Some(armed.bundle) {
            state
        } else {
            format!("{state}; armed for {:.12}", armed.bundle.to_string())
        };
        let same = files[index..].iter().filter(|other| is_same_arming(file, other));
        let macs: Vec<_> =
            same.filter_map(|other| other.armed.as_ref()).map(|armed| armed.mac.as_str()).collect();
        let node = file
            .cluster
            .as_ref()
            .map_or_else(|| armed.node.clone(), |cluster| format!("{} of {cluster}", armed.node));
        table.row([node, macs.join(" "), armed.image.clone(), boots, state]);
    }
    table.print()
}

/// Whether two files arm the same node by one run of `plasmagen arm`, each for another network card.
fn is_same_arming(one: &ArmedFile, other: &ArmedFile) -> bool {
    let record = |file: &ArmedFile| file.armed.clone().map(|armed| Armed { mac: String::new(), ..armed });
    let record_of_one = record(one);
    record_of_one.is_some() && record_of_one == record(other) && one.is_interrupted == other.is_interrupted
}

/// The end of an arming, as in `until 2026-01-02 07:04 UTC`.
pub(super) fn print_end(armed: &Armed) -> String {
    let (date, (hour, minute, _)) = (armed.until.date(), armed.until.to_hms());
    format!("until {date} {hour:02}:{minute:02} UTC")
}

/// A time as in `3 h 59 min`; less than a minute is `0 h 0 min`.
fn print_left(left: Duration) -> String {
    let minutes = left.whole_minutes();
    format!("{} h {} min", minutes / 60, minutes % 60)
}
