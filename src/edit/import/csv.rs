//! Nodes from comma-separated values: with the keys of the inventory as columns, or in the form of EKS Anywhere and
//! Tinkerbell.

use std::collections::BTreeSet;

use crate::inventory::split_column;

use super::candidate::{Candidate, FilePlace, ImportFault, normal_mac};
use super::table::{Cell, read_rows};

/// The columns of EKS Anywhere's hardware.csv, with the keys that they become. An address gets its network later.
const EKS: [(&str, &str); 6] = [
    ("hostname", "name"),
    ("mac", "mac"),
    ("ip_address", "ip"),
    ("bmc_ip", "bmc.address"),
    ("bmc_username", "bmc.user"),
    ("disk", "disks"),
];

/// Reads the nodes of the table `text`.
pub(super) fn read_csv(
    file: &str,
    text: &str,
    faults: &mut Vec<ImportFault>,
    notes: &mut BTreeSet<String>,
) -> Vec<Candidate> {
    let mut rows = read_rows(file, text, faults).into_iter();
    let start = FilePlace { file: file.to_owned(), line: 1, column: 1 };
    let Some(header) = rows.next() else {
        faults.push(ImportFault::new(&start, "the table is empty"));
        return Vec::new();
    };
    let names: Vec<String> = header.iter().map(|cell| cell.text.trim().to_ascii_lowercase()).collect();
    let is_eks = names.iter().any(|name| name == "hostname") && names.iter().any(|name| name == "bmc_ip");
    if !is_eks && !names.iter().any(|name| ["name", "mac"].contains(&name.as_str())) {
        let known = "write the names of columns into the first line, such as name,profile,mac,serial,disks";
        faults
            .push(ImportFault::new(&start, format!("the first line has no column `name` or `mac`: {known}")));
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    for (cell, name) in header.iter().zip(&names).filter(|(_, name)| !name.is_empty()) {
        if !seen.insert(name) {
            faults.push(ImportFault::new(&cell.place, format!("there are two columns `{name}`")));
        }
    }
    let keys: Vec<Option<String>> = names.iter().map(|name| find_key(name, is_eks)).collect();
    for (name, _) in names.iter().zip(&keys).filter(|(name, key)| key.is_none() && !name.is_empty()) {
        notes.insert(if is_secret(name) {
            format!(
                "{file}: the column `{name}` was not read: passwords stand in files of the vault, bmc/NODE"
            )
        } else {
            format!("{file}: the column `{name}` was not read")
        });
    }
    let mut candidates = Vec::new();
    for row in rows {
        if row.len() != keys.len() {
            let message = format!("the row has {} cells, and the first line {}", row.len(), keys.len());
            faults.push(ImportFault::new(&row[0].place, message));
            continue;
        }
        candidates.push(read_row(&row, &keys, &names, is_eks));
    }
    candidates
}

fn is_secret(name: &str) -> bool {
    ["password", "passwd", "secret", "token"].iter().any(|word| name.contains(word))
        && name != "bmc.password_file"
}

/// The key that the column `name` becomes.
fn find_key(name: &str, is_eks: bool) -> Option<String> {
    if is_eks {
        let known = EKS.iter().find(|(column, _)| *column == name).map(|(_, key)| (*key).to_owned());
        return known.or_else(|| (name == "labels").then(|| "labels".to_owned()));
    }
    split_column(name).map(|_| name.to_owned())
}

fn read_row(row: &[Cell], keys: &[Option<String>], names: &[String], is_eks: bool) -> Candidate {
    let mut candidate = Candidate::new(row[0].place.clone());
    for ((cell, key), name) in row.iter().zip(keys).zip(names) {
        let place = &cell.place;
        match key.as_deref() {
            Some("disks") => {
                let separator = if is_eks { '|' } else { ';' };
                cell.text.split(separator).for_each(|disk| candidate.add("disks", disk, place));
            }
            // `type=worker|rack=r1`
            Some("labels") => {
                let labels = cell.text.split('|').filter_map(|label| label.split_once('='));
                for (label, value) in labels.filter(|(label, _)| ["type", "rack"].contains(label)) {
                    candidate.add(if label == "type" { "profile" } else { "rack" }, value, place);
                }
            }
            Some(key) if key == "mac" || key.ends_with(".mac") => {
                candidate.add(key, &normal_mac(&cell.text), place);
            }
            Some(key) => candidate.add(key, &cell.text, place),
            None if is_secret(name) && !cell.text.trim().is_empty() => {
                let node =
                    row.iter().zip(names).find(|(_, name)| ["name", "hostname"].contains(&name.as_str()));
                if let Some((node, _)) = node {
                    candidate.add("bmc.password_file", &format!("bmc/{}", node.text.trim()), place);
                }
            }
            None => {}
        }
    }
    candidate
}
