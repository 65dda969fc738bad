//! One DHCP server for two clusters: the inventory of the one has the reservations of the other.

use std::fs;
use std::path::PathBuf;

use crate::kit::Site;

/// The inventory of the second cluster: names that sort behind, other cards and other addresses.
fn second(inventory: &str) -> String {
    let renamed = inventory.replace("my-cluster", "zed").replace("node0", "zed0");
    let renamed = renamed.replace("3c:ec:ef:00:00", "3c:ec:ef:00:99").replace("10.0.100.5", "10.0.100.6");
    let renamed = renamed.replace("DISK_0000", "DISK_0009").replace("SERIAL000", "SERIAL009");
    let renamed = renamed.replace("address = \"10.0.10.5", "address = \"10.0.10.6");
    // The range of the nodes in that network ends at 19.
    [(12, 17), (11, 16), (10, 15)].into_iter().fold(renamed, |text, (from, to)| {
        let address = |last: u8| format!("address.production = \"10.0.200.{last}\"");
        text.replace(&address(from), &address(to))
    })
}

/// Lets `site`, whose inventory is `first`, serve the second cluster, too. Returns the path of the copied reservations.
fn serve_both(site: &Site, first: &str) -> PathBuf {
    let other = site.root().join("zed");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("inventory.toml"), second(first)).unwrap();
    site.run(&["render", "zed/inventory.toml"]).ends(0, &[]);
    let address = "address = \"10.0.100.10\"";
    site.edit(address, &format!("{address}\nreservations = [\"zed.json\"]"));
    let path = site.root().join("zed.json");
    site.run(&["check"]).ends(1, &[]);
    fs::copy(other.join("site/pxe/reservations.json"), &path).unwrap();
    site.run(&["render"]).ends(0, &[]);
    path
}

/// A machine of the other cluster needs a loader that no machine of this one does.
#[test]
fn nixos_has_the_loaders_of_both_clusters() {
    let site = Site::new();
    let first = site.read("inventory.toml");
    let path = serve_both(&site, &first);
    let module = || site.read("site/pxe/pxe-server.nix");
    assert!(!module().contains("systems = "), "{}", module());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("x86_64-linux", "aarch64-linux", 1)).unwrap();
    site.run(&["render"]).ends(0, &[]);
    let lines: Vec<_> =
        module().split_once("systems = ").unwrap().1.lines().take(4).map(str::to_owned).collect();
    assert!(
        lines.concat().contains("\"x86_64-linux\"") && lines.concat().contains("\"aarch64-linux\""),
        "{lines:?}"
    );
}

/// The servers' files of two clusters are those of one cluster that has the nodes of both.
#[test]
fn one_server_has_the_reservations_of_two_clusters() {
    let (site, whole) = (Site::new(), Site::new());
    let first = site.read("inventory.toml");
    let path = serve_both(&site, &first);
    site.run(&["render", "--check"]).ends(0, &[]);

    let nodes = first.find("[node.node01]").unwrap();
    let all = first.clone() + &second(&first[nodes..]);
    fs::write(whole.root().join("inventory.toml"), all).unwrap();
    whole.run(&["render"]).ends(0, &[]);
    for file in ["kea-dhcp4.json", "dhcpd.conf", "dnsmasq.conf"] {
        let read = |site: &Site| site.read(&format!("site/pxe/{file}"));
        assert!(
            read(&site).contains("10.0.100.62") && read(&site) == read(&whole),
            "{file}: {}",
            read(&site)
        );
    }
    // Its own nodes are all that a cluster tells the others.
    assert!(!site.read("site/pxe/reservations.json").contains("zed"));

    let sound = fs::read_to_string(&path).unwrap();
    for (from, to, words) in [
        ("zed02", "node02", "the name node02 is that of the node node02 and of node02 of the cluster zed"),
        (
            "3c:ec:ef:00:99:02",
            "3c:ec:ef:00:00:03",
            "the MAC address 3c:ec:ef:00:00:03 is that of the node node03",
        ),
        ("10.0.100.61", "10.0.100.50", "the address 10.0.100.50 is that of the node node01 and of zed02"),
        ("10.0.100.61", "10.0.100.10", "the address 10.0.100.10 is that of the provisioner"),
        (
            "10.0.100.61",
            "192.0.2.1",
            "zed02 of the cluster zed has 192.0.2.1, which is in no provisioning network",
        ),
        (
            "\"cluster\": \"zed\"",
            "\"cluster\": \"my-cluster\"",
            "the cluster my-cluster has its reservations already",
        ),
        ("\"schema\": 1", "\"schema\": 2", "it was written by a later plasmagen (schema 2)"),
        ("{", "", "it is no file of reservations: copy site/pxe/reservations.json of the other cluster"),
    ] {
        assert!(sound.contains(from), "{from}");
        fs::write(&path, sound.replacen(from, to, 1)).unwrap();
        for command in ["check", "render"] {
            let run = site.untouched(|| site.run(&[command]));
            run.ends(1, &["PG-A17", words]);
        }
    }
    // Nothing is said of a file that is not there but that.
    fs::remove_file(&path).unwrap();
    let run = site.run(&["check"]);
    run.ends(1, &["there is no file `zed.json` below the inventory's directory", "1 error"]);
}
