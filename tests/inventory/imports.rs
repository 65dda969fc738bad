//! Nodes from files: columns and facts become nodes, machines are known again, and faults have their places.

use plasmagen::edit::RemoveRequest;
use plasmagen::edit::{
    Import, ImportFile, ImportForm, ImportOptions, add_nodes, import, list_nodes, remove_nodes,
};
use plasmagen::inventory::parse;
use plasmagen::model::{HostName, Word};

const REFERENCE: &str = include_str!("../../inventory.toml");

fn csv(text: &str) -> ImportFile {
    ImportFile { name: "n.csv".to_owned(), form: ImportForm::Csv, text: text.to_owned() }
}

fn facts(text: &str) -> ImportFile {
    ImportFile { name: "f.toml".to_owned(), form: ImportForm::Facts, text: text.to_owned() }
}

fn read(files: &[ImportFile], options: &ImportOptions) -> Import {
    import(REFERENCE.as_bytes(), files, options).unwrap()
}

fn block(files: &[ImportFile], options: &ImportOptions) -> String {
    let imported = read(files, options);
    assert!(imported.faults.is_empty(), "{:#?}", imported.faults);
    add_nodes(REFERENCE.as_bytes(), &imported.nodes).unwrap().block
}

fn faults(files: &[ImportFile]) -> Vec<String> {
    let faults = read(files, &ImportOptions::default()).faults;
    faults.iter().map(|fault| format!("{}: {}", fault.place, fault.message)).collect()
}

/// The list of nodes as CSV, as the command prints it.
fn as_csv(text: &str) -> String {
    let list = list_nodes(&parse(text, &mut plasmagen::diag::Report::default()), |_| true);
    let rows =
        list.rows.iter().map(|row| row.iter().map(|cell| cell.join(";")).collect::<Vec<_>>().join(","));
    list.columns.join(",") + "\n" + &rows.map(|row| row + "\n").collect::<String>()
}

#[test]
fn the_list_of_nodes_is_read_back() {
    let table = as_csv(REFERENCE);
    let names = vec![HostName::parse("node04").unwrap(), HostName::parse("node05").unwrap()];
    let request = RemoveRequest { names, voters: false, never_installed: true };
    let smaller = remove_nodes(REFERENCE.as_bytes(), &request).unwrap().text;
    // What the list does not have, such as a layout of one node, is not read back.
    let smaller = smaller.replace("disk.raid1 = {}", "disk.lvm = {}");
    let imported = import(smaller.as_bytes(), &[csv(&table)], &ImportOptions::default()).unwrap();
    assert!(imported.faults.is_empty(), "{:#?}", imported.faults);
    // The other three are there.
    assert_eq!((imported.nodes.len(), imported.notes.len()), (2, 3), "{:#?}", imported.notes);
    let added = add_nodes(smaller.as_bytes(), &imported.nodes).unwrap();
    assert_eq!(as_csv(&added.text), table);
}

#[test]
fn a_table_and_facts_describe_one_machine() {
    let table = csv(
        "name;profile;mac;rack;address.provisioning;owner\nnode06;worker;3C-EC-EF-00-00-06;r2;10.0.100.90;me\n",
    );
    let printed = facts(
        "\n# plasmagen: for the inventory\n[node.NAME]\nmac = \"3c:ec:ef:00:00:06\" # eth0, ixgbe, linked\n# mac = \"3c:ec:ef:00:00:07\"\nserial = \"SN0006\"\nhardware = \"dell-r650\"\ndisks = [\n  \"/dev/disk/by-id/wwn-0x1\", # sda, 960 GB\n  \"/dev/disk/by-id/wwn-0x2\", # sdb, 960 GB\n]\n\n[hardware.dell-r650]\ncpu = \"intel\"\n",
    );
    let files = [table, printed];
    let expected = "\
[node.node06]
profile = \"worker\"
hardware = \"dell-r650\"
mac = \"3c:ec:ef:00:00:06\"
address.provisioning = \"10.0.100.90\"
address.production = \"10.0.200.22\"
disks = [\"/dev/disk/by-id/wwn-0x1\", \"/dev/disk/by-id/wwn-0x2\"]
serial = \"SN0006\"
rack = \"r2\"
";
    assert_eq!(block(&files, &ImportOptions::default()), expected);
    let notes = read(&files, &ImportOptions::default()).notes;
    assert!(notes.iter().any(|note| note.contains("column `owner` was not read")), "{notes:?}");
    let alone = ImportOptions {
        profile: Some("worker".to_owned()),
        name: Some(HostName::parse("node09").unwrap()),
        ..ImportOptions::default()
    };
    assert!(block(&files[1..], &alone).starts_with("[node.node09]\n"));
    let unnamed = ImportOptions { name: None, ..alone };
    assert!(block(&files[1..], &unnamed).starts_with("[node.node06]\n"));
}

#[test]
fn the_table_of_eks_anywhere_is_read_without_its_passwords() {
    let table = csv(
        "hostname,bmc_ip,bmc_username,bmc_password,mac,ip_address,netmask,gateway,nameservers,labels,disk\nnode06,10.0.10.56,ops,hunter2,AA:BB:CC:00:06:01,10.0.100.90,255.255.255.0,10.0.100.1,10.0.100.1|8.8.8.8,type=compute|rack=r2,/dev/disk/by-id/wwn-0x1|/dev/disk/by-id/wwn-0x2\n",
    );
    let options = ImportOptions {
        profile_map: vec![("compute".to_owned(), "worker".to_owned())],
        ..ImportOptions::default()
    };
    let printed = block(std::slice::from_ref(&table), &options);
    assert!(printed.contains("bmc = { address = \"10.0.10.56\", user = \"ops\", password_file = \"bmc/node06\", protocol = \"ipmi\" }\n"), "{printed}");
    assert!(
        printed.contains("rack = \"r2\"") && printed.contains("address.provisioning = \"10.0.100.90\""),
        "{printed}"
    );
    let imported = read(&[table], &options);
    assert!(!format!("{imported:?}{printed}").contains("hunter2"));
    assert!(
        imported.notes.iter().any(|note| note.contains("`bmc_password` was not read")),
        "{:?}",
        imported.notes
    );
}

#[test]
fn all_faults_are_listed_with_their_places() {
    let table = "name,profile,mac,address.production,address.nowhere\n\
                 node06,worker,3c:ec:ef:00:00,10.0.200.30,\n\
                 Node07,wrker,,x,\n\
                 node08,worker\n\
                 node09,worker,,,10.7.7.7\n\
                 node10,\"worker\n";
    let found = faults(&[csv(table)]);
    let starts = [
        "n.csv:2:15: ",
        "n.csv:3:1: ",
        "n.csv:3:8: there is no profile `wrker`",
        "n.csv:3:15: ",
        "n.csv:4:1: the row has 2 cells",
        "n.csv:5:17: no network",
        "n.csv:6:8: this quote",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    assert!(found.iter().zip(starts).all(|(fault, start)| fault.starts_with(start)), "{found:#?}");
    let contradiction = [
        csv("name,profile,mac,serial\nnode06,worker,3c:ec:ef:00:00:06,A1\n"),
        facts("[node.node06]\nmac = \"3c:ec:ef:00:00:06\"\nserial = \"B2\"\n"),
    ];
    assert_eq!(
        faults(&contradiction),
        ["f.toml:3:10: `serial` is `B2` here, and `A1` at n.csv:2:33 for the same machine"]
    );
    for (file, words) in [
        (csv(""), "n.csv:1:1: the table is empty"),
        (csv("a,b\n1,2\n"), "n.csv:1:1: the first line has no column `name` or `mac`"),
        (csv("name,name\nx,y\n"), "n.csv:1:6: there are two columns `name`"),
        (csv("name\nnode06\n"), "n.csv:2:1: nothing says which profile"),
        (facts("[node.x]\nmac = \n"), "f.toml:2:"),
        (facts("a = 1\n"), "f.toml:1:1: there is no [node.…] table"),
    ] {
        let found = faults(&[file]);
        assert!(found[0].starts_with(words), "{found:#?}");
    }
}
