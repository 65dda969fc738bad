//! Nodes from files that an operator already has.
//!
//! Files only: nothing is asked of a network, and passwords are not read. Every fault is listed with its file, line and
//! column, and where there is one, nothing is imported.

mod candidate;
mod csv;
mod facts;
mod merge;
mod table;

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::diag::Report;
use crate::inventory::{self, Inventory, Sources};
use crate::model::{HostName, KNOWN_HARDWARE, Label, MacAddr, Word};
use crate::resolve::{Draft, resolve};

use super::new_node::{NewBmc, NewNode};
use super::proof::read_texts;
use candidate::{Candidate, Written};

pub use candidate::{FilePlace, ImportFault};

/// The form of an imported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportForm {
    /// Comma-separated values.
    Csv,
    /// The facts that the installer prints.
    Facts,
}

/// A file to import.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// The name, for messages.
    pub name: String,
    /// The form of the text.
    pub form: ImportForm,
    /// The content.
    pub text: String,
}

/// How files are imported.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The profile of machines for which no file says one.
    pub profile: Option<String>,
    /// The profiles that words of the files stand for.
    pub profile_map: Vec<(String, String)>,
    /// The name of the only machine, where the file has none.
    pub name: Option<HostName>,
}

/// The result of [`import`].
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The nodes, in the order of the files.
    pub nodes: Vec<NewNode>,
    /// What was not read, and which machines the inventory has already, a sentence each.
    pub notes: BTreeSet<String>,
    /// All faults; where there is one, the nodes are not all there.
    pub faults: Vec<ImportFault>,
}

/// Reads the nodes of `files` that are not in the inventory `sources`.
///
/// # Errors
/// When the inventory is no text.
pub fn import<'s>(
    sources: impl Into<Sources<'s>>,
    files: &[ImportFile],
    options: &ImportOptions,
) -> anyhow::Result<Import> {
    let inventory = inventory::parse(read_texts(sources.into())?, &mut Report::default());
    let draft = resolve(&inventory);
    let mut import = Import::default();
    let mut candidates = Vec::new();
    for ImportFile { name, form, text } in files {
        let read = match form {
            ImportForm::Csv => csv::read_csv,
            ImportForm::Facts => facts::read_facts,
        };
        candidates.extend(read(name, text, &mut import.faults, &mut import.notes));
    }
    let mut candidates = merge::merge(candidates, &mut import.faults);
    if let (Some(name), [candidate]) = (&options.name, &mut candidates[..]) {
        let place = candidate.place.clone();
        candidate.values.remove("name");
        candidate.add("name", name.as_str(), &place);
    }
    for candidate in &candidates {
        if let Some(node) = find_known(&inventory, candidate) {
            import.notes.insert(format!(
                "{}: the machine is `{node}` in the inventory, which stays as it is: plasmagen node replace \
                 {node} writes other facts",
                candidate.place
            ));
            continue;
        }
        let mut reader = NodeReader { draft: &draft, options, import: &mut import };
        let node = reader.read(candidate);
        import.nodes.push(node);
    }
    import.faults.sort();
    Ok(import)
}

/// The node of the inventory that has the MAC address, the serial number or the name of `candidate`.
fn find_known<'i>(inventory: &'i Inventory, candidate: &Candidate) -> Option<&'i str> {
    let text = |key: &str| candidate.get(key).map(|value| value.text.as_str());
    let has = |node: &&inventory::Entry<HostName, inventory::NodeTable>| {
        let mac = node.value.mac.as_ref().map(|mac| mac.value.to_string());
        let serial = inventory::known(&node.value.serial).map(ToString::to_string);
        let is_same = |known: Option<&str>, key: &str| known.is_some() && known == text(key);
        is_same(mac.as_deref(), "mac")
            || is_same(serial.as_deref(), "serial")
            || is_same(Some(&node.key), "name")
    };
    inventory.nodes.iter().find(has).map(|node| node.key.as_str())
}

/// Reads the values of a candidate as words of the inventory.
struct NodeReader<'r, 'd> {
    draft: &'r Draft<'d>,
    options: &'r ImportOptions,
    import: &'r mut Import,
}

impl NodeReader<'_, '_> {
    fn read(&mut self, candidate: &Candidate) -> NewNode {
        let list = |key: &str| candidate.values.get(key).map_or(&[][..], |values| values);
        let disks = list("disks").iter().filter_map(|disk| self.word(Some(disk))).collect();
        NewNode {
            name: self.word(candidate.get("name")),
            profile: self.read_profile(candidate),
            mac: self.word(candidate.get("mac")),
            interface_macs: self.read_cards(candidate),
            serial: self.word(candidate.get("serial")),
            disks,
            hardware: self.read_hardware(candidate.get("hardware")),
            rack: self.word(candidate.get("rack")),
            bmc: NewBmc {
                address: self.word(candidate.get("bmc.address")),
                user: self
                    .word(candidate.get("bmc.user"))
                    .map(|user: crate::model::UserName| user.to_string()),
                password_file: self
                    .word(candidate.get("bmc.password_file"))
                    .map(|file: crate::model::VaultFile| file.to_string()),
                protocol: self.word(candidate.get("bmc.protocol")),
                mac: self.word(candidate.get("bmc.mac")),
            },
            addresses: self.read_addresses(candidate),
        }
    }

    /// Reads a value as a word; a fault is listed.
    fn word<T: Word>(&mut self, written: Option<&Written>) -> Option<T> {
        let written = written?;
        let fault = |invalid: crate::model::Invalid| {
            ImportFault::new(&written.place, format!("{} ({})", invalid.message, invalid.help))
        };
        T::parse(&written.text).map_err(|invalid| self.import.faults.push(fault(invalid))).ok()
    }

    fn read_profile(&mut self, candidate: &Candidate) -> String {
        let Some(written) = candidate.get("profile") else {
            if self.options.profile.is_none() {
                let message = "nothing says which profile the machine has: name one with --profile";
                self.import.faults.push(ImportFault::new(&candidate.place, message));
            }
            return self.options.profile.clone().unwrap_or_default();
        };
        let mapped = self.options.profile_map.iter().find(|(word, _)| *word == written.text);
        let profile = mapped.map_or(&written.text, |(_, profile)| profile);
        if !self.draft.profiles.contains_key(profile.as_str()) {
            let message = format!(
                "there is no profile `{profile}`: --profile-map {profile}=PROFILE says which profile is meant"
            );
            self.import.faults.push(ImportFault::new(&written.place, message));
        }
        profile.clone()
    }

    /// A model of machine that the inventory knows; another name is left out.
    fn read_hardware(&mut self, written: Option<&Written>) -> Option<Label> {
        let written = written?;
        let is_known = KNOWN_HARDWARE.contains(&written.text.as_str())
            || self.draft.inventory.hardware.iter().any(|model| model.key == written.text);
        if is_known {
            return self.word(Some(written));
        }
        self.import.notes.insert(format!(
            "{}: the inventory has no model `{}`, which was left out: add [hardware.{}] for its drivers",
            written.place, written.text, written.text
        ));
        None
    }

    fn read_cards(&mut self, candidate: &Candidate) -> Vec<(String, MacAddr)> {
        let mut cards = Vec::new();
        for (key, values) in &candidate.values {
            let name = key.strip_prefix("interface.").and_then(|rest| rest.strip_suffix(".mac"));
            let Some(name) = name else { continue };
            cards.extend(self.word(values.first()).map(|mac| (name.to_owned(), mac)));
        }
        cards
    }

    fn read_addresses(&mut self, candidate: &Candidate) -> Vec<(String, IpAddr)> {
        let mut addresses = Vec::new();
        for (key, values) in &candidate.values {
            let network = key.strip_prefix("address.").or_else(|| key.strip_prefix("address6."));
            let (Some(written), true) = (values.first(), network.is_some() || key == "ip") else { continue };
            let Some(address) = self.word::<IpAddr>(Some(written)) else { continue };
            let holding = self.draft.networks.values().find(|entry| {
                entry.value.subnet_for(address).is_some_and(|subnet| subnet.contains(&address))
            });
            let network = match network {
                Some(name) => self.draft.networks.get(name).map(|_| name.to_owned()),
                None => holding.map(|entry| entry.key.clone()),
            };
            match network {
                Some(network) => addresses.push((network, address)),
                None => {
                    let message = format!("no network of the inventory has {address} (`{key}`)");
                    self.import.faults.push(ImportFault::new(&written.place, message));
                }
            }
        }
        addresses
    }
}
