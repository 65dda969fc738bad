//! `plasmagen verify`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueHint};
use serde_json::json;
use time::OffsetDateTime;

use crate::fs::{TEXT_LIMIT, read_input_text};
use crate::model::{AdminKey, quote_for_shell};
use crate::publish::{ClusterNames, Signers, VerifyReport, VerifyRequirements, verify};

use super::boot_signer::BootSignerOption;
use super::command_line::carry_options;
use super::inventory::{read_checked, root_of};
use super::printer::{FormatOption, Printer, plural};
use super::progress::ByteProgress;
use super::publish::size_of;
use super::table::TextTable;
use super::{DONE, JSON_SCHEMA, REFUSED};

/// Compare every byte of a web root, or of a bundle, with what was published
///
/// Prints all faults at once: files that are changed, missing or extra, and generations that were swapped or rolled back
/// or that have expired.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The directory of a web root, or of a bundle
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    path: PathBuf,
    /// The lowest number that the current generation may have: of everything, or of the bundles for one image; may be
    /// given several times
    #[arg(long, value_name = "[IMAGE=]N", value_parser = parse_minimum)]
    min_generation: Vec<(Option<String>, u64)>,
    /// Every bundle and every publication must be signed by one of these: a file of allowed signers, as ssh-keygen reads it. With
    /// --inventory, these may sign beside the admin keys
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    signers: Option<PathBuf>,
    /// Every bundle and every publication must be signed by one of the admin keys of this inventory, and be of its cluster;
    /// where machines verify signatures, those of the current generations must be by its `boot.signer`
    #[arg(long, short, value_name = "INVENTORY", value_hint = ValueHint::FilePath)]
    inventory: Option<PathBuf>,
    #[command(flatten)]
    boot_signer: BootSignerOption,
    #[command(flatten)]
    format: FormatOption,
}

/// Parses `N` or `IMAGE=N`.
fn parse_minimum(text: &str) -> Result<(Option<String>, u64), String> {
    let (image, number) = text.rsplit_once('=').map_or((None, text), |(image, number)| (Some(image), number));
    let number = number.parse().map_err(|_| format!("`{number}` is not the number of a generation"))?;
    Ok((image.map(str::to_owned), number))
}

impl VerifyArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let (mut signers, mut cluster) = (None, None);
        if let Some(path) = &self.signers {
            let text = read_input_text(path, TEXT_LIMIT)
                .with_context(|| format!("could not read {}", path.display()))?;
            signers = Some(Signers::parse(&text)?);
        }
        if let Some(path) = &self.inventory {
            let Some(checked) = read_checked(printer, path)?.cluster else { return Ok(REFUSED) };
            let admins = Signers::of_keys(checked.admin_keys.iter().map(AdminKey::as_str))?;
            signers = Some(match signers {
                Some(others) => admins.and(others),
                None => admins,
            });
            cluster = Some(checked);
        }
        let root = self.inventory.as_deref().map_or(Path::new(""), root_of);
        let boot_signer = self.boot_signer.read(root, cluster.as_ref())?;
        let now = OffsetDateTime::now_utc();
        let terms = VerifyRequirements {
            now,
            least: &self.min_generation,
            signers: signers.as_ref(),
            boot_signer: boot_signer.as_ref(),
            cluster: cluster.as_ref().map(ClusterNames::of),
        };
        let progress = ByteProgress::bytes(printer, "verify", size_of(&self.path));
        let report = verify(&self.path, &terms, &|bytes| progress.add(bytes))?;
        drop(progress);
        let value = json!({ "schema": JSON_SCHEMA, "found": report.generations, "faults": report.faults });
        let root = format!(" --root {}", quote_for_shell(&self.path.display().to_string()));
        self.format.print(&value, || carry_options(&print_tables(&report), &root))?;
        let faults = report.faults.len();
        let result = if faults == 0 { "is as it was published".to_owned() } else { plural(faults, "fault") };
        printer.say(&format!("{}: {result}", self.path.display()));
        Ok(if faults == 0 { DONE } else { REFUSED })
    }
}

/// The number of digits of a SHA-256.
const DIGITS: usize = 64;

/// The number of digits of a SHA-256 that is printed for people.
const SHORT: usize = 12;

/// A table of generations, the current ones marked by `*`, and a table of faults.
fn print_tables(report: &VerifyReport) -> String {
    let mut found = TextTable::new();
    for generation in &report.generations {
        let mark = if generation.is_current { "*" } else { " " };
        let publication = generation.publication.as_ref().map_or_else(String::new, |publication| {
            let (from, to) = (publication.published.date(), publication.expires.date());
            format!("generation {}, {from} to {to}", publication.generation)
        });
        let dir = generation.path.rsplit_once('/').map_or(String::new(), |(dir, _)| format!("{dir}/"));
        found.row([shorten_ids(&format!("{mark} {dir}{}", generation.id)), publication]);
    }
    let mut faults = TextTable::new();
    for fault in &report.faults {
        let text = shorten_ids(&format!("{}: {}", fault.path, fault.message));
        faults.row([fault.kind.as_str().to_owned(), text]);
    }
    found.print() + &faults.print()
}

/// Leaves the first digits of each SHA-256 in `text`, so that lines fit a terminal. JSON has all digits.
fn shorten_ids(text: &str) -> String {
    let words = text.split_inclusive(|char: char| !char.is_ascii_hexdigit());
    let shorten = |word: &str| {
        let digits = word.trim_end_matches(|char: char| !char.is_ascii_hexdigit());
        if digits.len() == DIGITS { word.replacen(digits, &digits[..SHORT], 1) } else { word.to_owned() }
    };
    words.map(shorten).collect()
}
