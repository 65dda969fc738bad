//! `plasmagen verify`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueHint};
use serde_json::json;
use time::OffsetDateTime;

use crate::publish::{Report, Signers, Terms, verify};

use super::output::{DataFormat, Output, plural};
use super::progress::Progress;
use super::publish::size_of;
use super::{DONE, REFUSED};

/// The version of the JSON form; it rises when a key changes its meaning or goes away.
const FORM: u32 = 1;

/// Compare every byte of a web root, or of a bundle, with what it should be
///
/// What was changed, is missing, is extra, was swapped or rolled back, or has expired is named, all at once.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A web root, or a bundle
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    path: PathBuf,
    /// The least generation that may be current: of everything, or of one profile; may be given several times
    #[arg(long, value_name = "[PROFILE=]N", value_parser = least)]
    min_generation: Vec<(Option<String>, u64)>,
    /// Whose signature every bundle must have: a file of allowed signers as ssh-keygen reads it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "inventory")]
    signers: Option<PathBuf>,
    /// Whose signature every bundle must have: one of the admin keys of this inventory
    #[arg(long, short, value_name = "INVENTORY", value_hint = ValueHint::FilePath)]
    inventory: Option<PathBuf>,
    /// As a table, or as JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DataFormat,
}

fn least(text: &str) -> Result<(Option<String>, u64), String> {
    let (profile, number) = text.rsplit_once('=').map_or((None, text), |(own, number)| (Some(own), number));
    let number = number.parse().map_err(|_| format!("`{number}` is no number of a generation"))?;
    Ok((profile.map(str::to_owned), number))
}

impl Verify {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let mut signers = None;
        if let Some(path) = &self.signers {
            let text =
                fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
            signers = Some(Signers::parse(&text)?);
        } else if let Some(path) = &self.inventory {
            let Some(cluster) = output.checked(path)?.cluster else { return Ok(REFUSED) };
            signers = Some(Signers::of_keys(cluster.admin_keys.iter().map(|key| key.as_str()))?);
        }
        let now = OffsetDateTime::now_utc();
        let terms = Terms { now, least: &self.min_generation, signers: signers.as_ref() };
        let progress = Progress::bytes(output, "verify", size_of(&self.path));
        let report = verify(&self.path, &terms, &|bytes| progress.add(bytes))?;
        drop(progress);
        let text = match self.format {
            DataFormat::Human => table(&report),
            DataFormat::Json => {
                let form = json!({ "schema": FORM, "found": report.found, "faults": report.faults });
                serde_json::to_string_pretty(&form)? + "\n"
            }
        };
        Output::print(&text)?;
        let faults = report.faults.len();
        let what = if faults == 0 { "is what it should be".to_owned() } else { plural(faults, "fault") };
        output.say(&format!("{}: {what}", self.path.display()));
        Ok(if faults == 0 { DONE } else { REFUSED })
    }
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    for own in &report.found {
        let mark = if own.current { "* " } else { "  " };
        let what = own.publication.map_or_else(String::new, |own| {
            format!("  generation {}, {} to {}", own.generation, own.published.date(), own.expires.date())
        });
        let path = own.path.rsplit_once('/').map_or(String::new(), |(line, _)| format!("{line}/"));
        text += &format!("{mark}{path}{}{what}\n", own.id);
    }
    for own in &report.faults {
        text += &format!("{:<12} {}: {}\n", own.kind.as_str(), own.path, own.message);
    }
    text
}
