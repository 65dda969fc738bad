//! The table of nodes beside the inventory: it means what `[node.NAME]` tables mean, faults have their places in it, and it
//! is edited as the inventory is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use plasmagen::check::{Checked, check};
use plasmagen::diag::{Diagnostic, Report};
use plasmagen::edit::{
    NewHardware, NewNode, RemoveRequest, add_nodes, expand_names, list_nodes, remove_nodes, replace_node,
};
use plasmagen::inventory::{Sources, find_node_table, node_table_offset, parse, split_column};
use plasmagen::model::{DiskId, HostName, MacAddr, SerialNumber, Word};
use plasmagen::outputs;
use proptest::prelude::*;
use test_kit::{case_dirs, plan, repository};

const FROM: &str = "[nodes]\nfrom = \"nodes.csv\"\n";

/// An inventory without nodes, which are in a table.
fn inventory() -> String {
    let text = fs::read_to_string(repository().join("tests/tables/ipv6/inventory.toml")).unwrap();
    text.replace("racks/nodes.csv", "nodes.csv")
}

/// The table of that inventory, without byte order mark, with commas.
fn table() -> String {
    let text = fs::read_to_string(repository().join("tests/tables/ipv6/racks/nodes.csv")).unwrap();
    text.replace(['\u{feff}', '\r', '"'], "").replace(';', ",")
}

fn sources<'s>(inventory: &'s str, table: &'s str) -> Sources<'s> {
    Sources { inventory: inventory.as_bytes(), nodes: Some(Ok(table.as_bytes())) }
}

fn check_both(inventory: &str, table: &str) -> Checked {
    check(sources(inventory, table)).unwrap()
}

/// The keys of a table of TOML, as columns.
fn leaves(table: &toml::Table, before: &str, found: &mut BTreeSet<String>) {
    for (key, value) in table {
        let path = format!("{before}{key}");
        match value.as_table() {
            Some(inner) => leaves(inner, &format!("{path}."), found),
            None => drop(found.insert(path)),
        }
    }
}

/// The inventory `text` with the nodes in a table whose keys are columns, and that table.
fn to_table(text: &str) -> (String, String) {
    let values: toml::Table = text.parse().unwrap();
    let list = list_nodes(&parse(text, &mut Report::default()), |_| true);
    let is_row = |name: &str| {
        let mut keys = BTreeSet::new();
        leaves(values["node"][name].as_table().unwrap(), "", &mut keys);
        text.contains(&format!("\n[node.{name}]\n")) && keys.iter().all(|key| split_column(key).is_some())
    };
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut csv = list.columns.join(",") + "\n";
    for row in list.rows.iter().filter(|row| is_row(&row[0][0])) {
        let cells: Vec<_> = row.iter().map(|values| cell(&values.join(";"))).collect();
        csv += &(cells.join(",") + "\n");
    }
    let (mut left, mut is_left) = (String::new(), true);
    for line in text.lines() {
        if line.starts_with('[') {
            let name = line.strip_prefix("[node.").and_then(|rest| rest.split([']', '.']).next());
            is_left = !name.is_some_and(is_row);
        }
        if is_left {
            left += &format!("{line}\n");
        }
    }
    (left + FROM, csv)
}

/// The same site, written both ways, renders the same bytes.
#[test]
fn a_table_means_what_tables_of_nodes_mean() {
    let mut rows = 0;
    for case in case_dirs() {
        let dir = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(&case).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
        let text = fs::read_to_string(case.join("inventory.toml")).unwrap();
        let (inventory, table) = to_table(&text);
        rows += table.lines().count() - 1;
        fs::write(dir.path().join("inventory.toml"), inventory).unwrap();
        fs::write(dir.path().join("nodes.csv"), table).unwrap();
        let (one, other) =
            (outputs::render(&plan(&case)).unwrap(), outputs::render(&plan(dir.path())).unwrap());
        assert_eq!(one, other, "{}", case.display());
    }
    assert!(rows >= 10, "{rows} rows only");
}

/// A table as a spreadsheet writes it: byte order mark, semicolons, CRLF, quotes.
#[test]
fn a_table_of_a_spreadsheet_renders_the_golden_tree() {
    let expected = repository().join("tests/golden/ipv6/expected");
    let artifacts = outputs::render(&plan(&repository().join("tests/tables/ipv6"))).unwrap();
    assert!(artifacts.iter().count() > 30);
    for artifact in artifacts.iter() {
        let path = artifact.path.to_string();
        assert_eq!(artifact.body, fs::read(expected.join(&path)).unwrap(), "{path}");
    }
}

/// The code of each fault, the text at its place in the table, and its message.
fn faults(inventory: &str, table: &str) -> Vec<(String, String, String)> {
    let offset = node_table_offset(inventory.len());
    let text = |found: &Diagnostic| match found.span.start.checked_sub(offset) {
        Some(start) => table[start..found.span.end - offset].to_owned(),
        None => format!("inventory: {}", &inventory[found.span.clone()]),
    };
    let found = check_both(inventory, table).diagnostics;
    assert!(found.iter().all(|found| found.span.start < offset || found.edit.is_none()), "{found:#?}");
    found.iter().map(|found| (found.code.to_owned(), text(found), found.message.clone())).collect()
}

#[test]
fn every_fault_has_its_place_in_the_table() {
    let (inventory, table) = (inventory(), table());
    assert!(check_both(&inventory, &table).diagnostics.is_empty());
    let mut wrong = Vec::new();
    for (old, new, code, place, words) in [
        ("3c:ec:ef:00:00:02", "3c:ec:ef:00:00", "PG-D01", "3c:ec:ef:00:00", "MAC"),
        ("3c:ec:ef:00:00:02", "3c:ec:ef:00:00:01", "PG-D05", "3c:ec:ef:00:00:01", "already has"),
        ("3c:ec:ef:00:00:02", "", "PG-A04", "a2", "`mac` is missing"),
        ("10.0.100.51", "10.0.100.50", "PG-C06", "10.0.100.50", "10.0.100.50"),
        ("ata-EXAMPLE_2", "ata-EXAMPLE_2;/dev/sdb", "PG-F01", "/dev/sdb", "/dev/sdb"),
        (",address.boot", ",adress.boot", "PG-A03", "adress.boot", "unknown column"),
        (",serial", ",bmc_password", "PG-E03", "bmc_password", "passwords stand in"),
        (",serial", ",mac", "PG-A02", "mac", "two columns `mac`"),
        ("a2,", "a1,", "PG-A02", "a1", "two nodes `a1`"),
        ("\na2,", "\n,", "PG-A18", "", "the row has no name"),
        ("a2,control-plane,", "a2,", "PG-A18", "", "7 cells, and the first line 8"),
        ("a2,control-plane", "\"a2\"x,control-plane", "PG-A18", "", "behind a cell in quotes"),
        ("name,", "nam,", "PG-A18", "nam", "no column `name`"),
        ("a2,control", "a2,contro", "PG-A11", "contro-plane", ""),
    ] {
        assert!(table.contains(old), "{old}");
        let found = faults(&inventory, &table.replacen(old, new, 1));
        let is_meant = |(found, at, message): &(String, String, String)| {
            found == code && (place.is_empty() || at == place) && message.contains(words)
        };
        if !found.iter().any(is_meant) {
            wrong.push((new, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_table_that_cannot_be_read_is_one_fault() {
    let inventory = inventory();
    let words = |nodes| {
        let found = check(Sources { inventory: inventory.as_bytes(), nodes }).unwrap().diagnostics;
        let [fault] = &found[..] else { panic!("{found:#?}") };
        assert_eq!((fault.code, &inventory[fault.span.clone()]), ("PG-A18", "\"nodes.csv\""));
        fault.message.clone()
    };
    assert!(words(None).contains("nothing lies beside"));
    assert!(words(Some(Err("no such file"))).contains("no such file"));
    assert!(words(Some(Ok(b"name\n\xff"))).contains("see line 2"));
    assert!(words(Some(Ok(b"\n"))).contains("no line with the names of columns"));
    for path in ["../nodes.csv", "/etc/passwd", "a/../../b"] {
        let escaping = inventory.replace("nodes.csv", path);
        assert_eq!(find_node_table(escaping.as_bytes()), None, "{path}");
        assert!(faults(&escaping, "").iter().any(|(code, ..)| code == "PG-A15"), "{path}");
    }
}

#[test]
fn a_name_in_both_files_names_both_places() {
    let (inventory, table) = (inventory(), table());
    let both = format!("{inventory}\n[node.a2]\nprofile = \"control-plane\"\n");
    let found = check_both(&both, &table).diagnostics;
    let twice = found.iter().find(|found| found.code == "PG-A02").unwrap();
    assert_eq!(&both[twice.related[0].span.clone()], "a2");
    assert!(twice.span.start > both.len());
}

#[test]
fn passwords_and_keys_are_not_quoted() {
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----";
    let found = faults(&inventory(), &table().replace("S2", key));
    assert!(found.iter().all(|(.., message)| !message.contains(key)), "{found:#?}");
    assert!(!found.is_empty());
}

fn new_node(name: &str) -> NewNode {
    NewNode {
        name: Some(HostName::parse(name).unwrap()),
        profile: "control-plane".to_owned(),
        mac: Some(MacAddr::parse("3c:ec:ef:99:99:01").unwrap()),
        serial: Some(SerialNumber::parse("S9").unwrap()),
        disks: vec![DiskId::parse("/dev/disk/by-id/ata-NEW_1").unwrap()],
        addresses: ["10.0.100.60", "fd00:100::60", "fd00:200::60"]
            .into_iter()
            .map(|address| {
                let network = if address.starts_with("fd00:200") { "core" } else { "boot" };
                (network.to_owned(), address.parse().unwrap())
            })
            .collect(),
        ..NewNode::default()
    }
}

fn remove(sources: Sources<'_>, name: &str, never_installed: bool) -> (String, Option<String>) {
    let names = expand_names(name).unwrap();
    let removed = remove_nodes(sources, &RemoveRequest { names, never_installed, voters: false }).unwrap();
    (removed.text, removed.table)
}

#[test]
fn a_row_is_added_replaced_and_removed() {
    let (inventory, table) = (inventory(), table());
    let added = add_nodes(sources(&inventory, &table), &[new_node("a4")]).unwrap();
    let row = "a4,control-plane,3c:ec:ef:99:99:01,S9,/dev/disk/by-id/ata-NEW_1,10.0.100.60,fd00:100::60,fd00:200::60\n";
    assert_eq!((&added.text, added.block.as_str()), (&inventory, row));
    let longer = added.table.unwrap();
    assert_eq!(longer, table.clone() + row);
    let facts = NewHardware {
        mac: MacAddr::parse("3c:ec:ef:99:99:02").unwrap(),
        serial: Some(SerialNumber::parse("S10").unwrap()),
        disks: ["a", "b"].map(|disk| DiskId::parse(&format!("/dev/disk/by-id/ata-{disk}")).unwrap()).to_vec(),
        interface_macs: Vec::new(),
        bmc_mac: None,
    };
    let name = HostName::parse("a2").unwrap();
    let replaced = replace_node(
        sources(&inventory, &table),
        &name,
        &NewHardware { disks: facts.disks[..1].to_vec(), ..facts },
    );
    let replaced = replaced.unwrap();
    assert_eq!(replaced.text, inventory);
    let line = "a2,control-plane,3c:ec:ef:99:99:02,S10,/dev/disk/by-id/ata-a,";
    assert!(replaced.table.unwrap().contains(line));
    let (text, shorter) = remove(sources(&inventory, &longer), "a4", false);
    assert_eq!(shorter.as_ref(), Some(&table));
    assert_eq!(text.replacen("removed = [\"a4\"]\n", "", 1), inventory);
    // A run that ended between the two files is made whole by the next one.
    let (again, shorter) = remove(sources(&text, &longer), "a4", false);
    assert_eq!((again, shorter), (text, Some(table)));
}

#[test]
fn an_edit_that_breaks_a_rule_or_cannot_see_the_table_writes_nothing() {
    let (inventory, table) = (inventory(), table());
    let mut taken = new_node("a4");
    taken.mac = Some(MacAddr::parse("3c:ec:ef:00:00:01").unwrap());
    assert!(add_nodes(sources(&inventory, &table), &[taken]).is_err());
    let error = add_nodes(&inventory, &[new_node("a4")]).unwrap_err().to_string();
    assert!(error.contains("nothing is edited without it"), "{error}");
    let unreadable = Sources { nodes: Some(Err("there is no file")), ..sources(&inventory, "") };
    assert!(add_nodes(unreadable, &[new_node("a4")]).unwrap_err().to_string().contains("there is no file"));
    let broken = table.replacen("a2,control-plane,", "a2,", 1);
    assert!(add_nodes(sources(&inventory, &broken), &[new_node("a4")]).is_err());
}

#[test]
fn a_node_stands_in_the_table_or_in_the_inventory() {
    let (inventory, table) = (inventory(), table());
    let row = table.lines().nth(3).unwrap().to_owned() + "\n";
    let cells: Vec<&str> = row.trim().split(',').collect();
    let block = format!(
        "\n[node.a3]\nprofile = \"control-plane\"\nmac = \"{}\"\nserial = \"{}\"\ndisks = [\"{}\"]\naddress.boot = \"{}\"\n\
         address6.boot = \"{}\"\naddress6.core = \"{}\"\nfirmware = \"uefi\"\n",
        cells[2], cells[3], cells[4], cells[5], cells[6], cells[7]
    );
    let (inventory, table) = (inventory + &block, table.replace(&row, ""));
    assert!(check_both(&inventory, &table).cluster.is_some());
    let added = add_nodes(sources(&inventory, &table), &[new_node("a4")]).unwrap();
    assert_eq!(added.text, inventory);
    let request = RemoveRequest { names: expand_names("a3").unwrap(), never_installed: true, voters: true };
    let error = remove_nodes(sources(&inventory, &table), &request).unwrap_err().to_string();
    assert!(error.contains("must be odd"), "{error}");
    let list = list_nodes(&parse(&inventory, &mut Report::default()), |_| true);
    assert_eq!(list.rows.len(), 1);
}

proptest! {
    /// Add and remove give the original bytes, whatever separates cells and lines.
    #[test]
    fn what_was_added_is_removed_without_a_trace(
        separator in prop::sample::select(vec![',', ';', '\t']),
        line_end in prop::sample::select(vec!["\n", "\r\n"]),
        has_mark: bool,
        has_end: bool,
        quoted in prop::collection::vec(any::<bool>(), 8),
        blank in 0_usize..5,
        count in 1_usize..4,
    ) {
        let inventory = inventory();
        let mut lines: Vec<String> = table().lines().map(|line| {
            let cells = line.split(',').zip(&quoted);
            let cells: Vec<_> =
                cells.map(|(cell, quoted)| if *quoted { format!("\"{cell}\"") } else { cell.to_owned() }).collect();
            cells.join(&separator.to_string())
        }).collect();
        if (1..4).contains(&blank) {
            lines.insert(blank, separator.to_string().repeat(7));
        }
        let mark = if has_mark { "\u{feff}" } else { "" };
        let end = if has_end { line_end } else { "" };
        let table = format!("{mark}{}{end}", lines.join(line_end));
        prop_assert!(check_both(&inventory, &table).cluster.is_some());
        let nodes: Vec<NewNode> = (0..count).map(|number| {
            let mut node = new_node(&format!("b{number}"));
            node.mac = Some(MacAddr::parse(&format!("3c:ec:ef:99:99:{number:02x}")).unwrap());
            node.serial = Some(SerialNumber::parse(&format!("N{number}")).unwrap());
            node.disks = vec![DiskId::parse(&format!("/dev/disk/by-id/ata-N_{number}")).unwrap()];
            for (_, address) in &mut node.addresses {
                *address = address.to_string().replace("60", &format!("6{number}")).parse().unwrap();
            }
            node
        }).collect();
        let added = add_nodes(sources(&inventory, &table), &nodes).unwrap();
        let longer = added.table.unwrap();
        prop_assert_ne!(&longer, &table);
        prop_assert!(check_both(&inventory, &longer).cluster.is_some());
        let names = format!("b[0-{}]", count - 1);
        prop_assert_eq!(remove(sources(&inventory, &longer), &names, true), (inventory, Some(table)));
    }
}

#[test]
fn the_committed_table_is_found() {
    let dir = Path::new("tests/tables/ipv6");
    let bytes = fs::read(dir.join("inventory.toml")).unwrap();
    assert_eq!(find_node_table(&bytes).as_deref(), Some("racks/nodes.csv"));
    assert!(dir.join("racks/nodes.csv").is_file() && inventory().ends_with(FROM));
}
