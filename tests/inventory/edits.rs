//! Helps lead on: a change that a diagnostic proposes, made by machine, gives a sound inventory or another diagnostic,
//! never the same one at the same place.

use std::fs;

use plasmagen::check::check;
use plasmagen::diag::{Diagnostic, Edit};

const REFERENCE: &str = include_str!("../../inventory.toml");

/// Inventories with faults, by name.
fn fixtures() -> Vec<(String, String)> {
    let rejects = fs::read_dir("tests/rejects").unwrap().map(|entry| entry.unwrap().path());
    let others = ["faults.toml", "pasted.toml", "disk-names.toml"]
        .map(|name| format!("tests/inventory/{name}").into());
    let more = [std::path::PathBuf::from("tests/cli/formats/faulty.toml")];
    let paths =
        rejects.filter(|path| path.extension().is_some_and(|end| end == "toml")).chain(others).chain(more);
    paths.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect()
}

fn found(text: &str) -> Vec<Diagnostic> {
    check(text.as_bytes()).unwrap().diagnostics
}

fn apply(text: &str, edit: &Edit) -> String {
    [&text[..edit.span.start], &edit.text, &text[edit.span.end..]].concat()
}

/// How many changes an operator makes one after the other.
const STEPS: usize = 6;

/// Whether `fault` is found in `text`, too.
fn is_found(fault: &Diagnostic, text: &str) -> bool {
    let of = |fault: &Diagnostic| (fault.code, fault.message.clone(), fault.span.start);
    found(text).iter().any(|other| of(other) == of(fault))
}

/// The change of a diagnostic of `text` that leads in a circle, if there is such a change: afterwards the diagnostic is
/// there again, or further changes, each that of the first diagnostic which proposes one, lead back to an earlier text.
fn find_circle(text: &str) -> Option<String> {
    for fault in found(text) {
        let Some(edit) = &fault.edit else { continue };
        let mut current = apply(text, edit);
        if is_found(&fault, &current) {
            return Some(format!("{fault:#?}"));
        }
        let mut seen = vec![text.to_owned()];
        while seen.len() < STEPS {
            if seen.contains(&current) {
                return Some(format!("after {} changes: {fault:#?}", seen.len()));
            }
            let Some(edit) = found(&current).into_iter().find_map(|fault| fault.edit) else { break };
            let next = apply(&current, &edit);
            seen.push(std::mem::replace(&mut current, next));
        }
    }
    None
}

#[test]
fn no_help_leads_in_a_circle() {
    let mut edits = 0;
    for (name, text) in fixtures() {
        edits += found(&text).iter().filter(|fault| fault.edit.is_some()).count();
        assert_eq!(find_circle(&text), None, "{name}");
    }
    assert!(edits > 50, "{edits}");
}

/// A help that is one text to write, in words.
fn is_one_text(help: &str) -> bool {
    let text = help.strip_prefix("write `").or_else(|| help.strip_prefix("did you mean `"));
    text.and_then(|text| text.split_once('`')).is_some_and(|(text, rest)| {
        let is_example = ["=", "…", "{", "[", "/dev/"].iter().any(|sign| text.contains(sign));
        !is_example && ["", "?"].contains(&rest)
    })
}

#[test]
fn a_help_that_is_one_text_is_a_change_that_a_program_can_make() {
    let mut without = Vec::new();
    for (name, text) in fixtures() {
        for fault in found(&text) {
            let help = fault.help.as_deref().unwrap_or_default();
            if is_one_text(help) && fault.edit.is_none() {
                without.push(format!("{name}: {}: {help}", fault.message));
            }
        }
    }
    assert!(without.is_empty(), "{}", without.join("\n"));
}

/// What an operator writes in the reference, and what the help must say.
#[rustfmt::skip]
const ASTRAY: &[(&str, &str, &str, &str)] = &[
    ("password_file = \"bmc/node01\"", "password_file = \"/etc/bmc\"", "PG-A15", "put the file into the vault"),
    ("[node.node01]", "[node.\"node01.example.net\"]", "PG-B01", "without the domain"),
    ("\"node01\", \"node02\"", "\"node01.cluster.example.com\", \"node02\"", "PG-A11", "did you mean `node01`?"),
    ("formed = false", "formed = \"no\"", "PG-A04", "write `false`"),
    ("vlan = 100", "vlan = \"100\"", "PG-A04", "write `100`"),
    ("vlan = 100", "vlan = \"hundred\"", "PG-A04", "without quotes and without a unit"),
    ("[node.node01]", "[tls]\nnode_days = \"90d\"\n[node.node01]", "PG-A04", "write `90`"),
    ("[node.node01]", "[tls]\nnode_days = \"3m\"\n[node.node01]", "PG-A04", "number of days"),
    ("[node.node01]", "[boot]\npause = \"1 min\"\n[node.node01]", "PG-A09", "write `1m`"),
    ("mac = \"52:54:00:12:34:56\"", "mac = \"80:00:02:08:fe:80:00:00:00:00:00:00:e4:1d:2d:03:00:f8:f0:0c\"", "PG-D01", "InfiniBand"),
    ("mac = \"52:54:00:12:34:56\"", "mac = [\"52:54:00:12:34:56\"]", "PG-A04", "write `\"52:54:00:12:34:56\"`"),
];

#[test]
fn helps_lead_to_what_is_meant() {
    let mut wrong = Vec::new();
    for (sound, written, code, help) in ASTRAY {
        assert!(REFERENCE.contains(sound), "{sound}");
        let faults = found(&REFERENCE.replacen(sound, written, 1));
        let is_right = |fault: &&Diagnostic| fault.help.as_ref().is_some_and(|said| said.contains(help));
        if faults.len() != 1 || faults.iter().find(is_right).is_none_or(|fault| fault.code != *code) {
            wrong.push(format!("{written}: {faults:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_node_with_the_addresses_of_another_profile_has_the_wrong_profile() {
    // node05 has an address in `storage`, as the nodes of `store` have, and not those of `worker`.
    let store = "[network.storage]\nroles = [\"client\"]\nsubnet = \"10.0.60.0/24\"\n\n[profile.store]\n\
                 base = \"worker\"\nallow = [\"PG-D12\"]\nservices = [\"chainfire\", \"flaredb\"]\n\
                 interface.eth0 = { network = \"provisioning\" }\ninterface.eth1 = { network = \"production\" }\n\
                 interface.eth2 = { network = \"storage\" }\ndisk.raid1 = {}\n\n[service.";
    let address = "address.production = \"10.0.200.21\"";
    let text = REFERENCE.replacen("[service.", store, 1).replacen(
        address,
        &format!("{address}\naddress.storage = \"10.0.60.21\""),
        1,
    );
    let faults: Vec<_> = found(&text).into_iter().filter(|fault| fault.code == "PG-A11").collect();
    let [fault] = &faults[..] else { panic!("{faults:#?}") };
    assert_eq!(&text[fault.span.clone()], "storage");
    let help = fault.help.as_deref().unwrap();
    assert!(help.starts_with("did you mean `profile = \"store\"`"), "{help}");
    let edit = fault.edit.as_ref().unwrap();
    let node05 = text.find("[node.node05]").unwrap();
    assert_eq!(edit.span.start, node05 + text[node05..].find("\"worker\"").unwrap());
    let mended = apply(&text, edit);
    assert!(found(&mended).iter().all(|fault| fault.code != "PG-A11"), "{:#?}", found(&mended));
}

#[test]
fn names_of_multipath_devices_lead_to_the_disk() {
    let text = include_str!("disk-names.toml");
    let helps: Vec<String> = found(text).into_iter().filter_map(|fault| fault.help).collect();
    assert!(helps.iter().all(|help| help.contains("wwn-")), "{helps:#?}");
    assert!(helps.iter().any(|help| help.contains("wwn-0x6001405aaaabbbbccccdddd11112222")), "{helps:#?}");
}
