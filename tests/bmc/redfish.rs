//! BMCs with Redfish: power, and a boot from the network, whatever the manners of the BMC.

use crate::bench::{Bench, all_redfish, as_it_is};

#[test]
fn a_machine_is_switched_on_and_off() {
    let mut bench = Bench::new(as_it_is);
    bench.redfish("node01", "").trust("node01");
    for words in [
        "status node01",
        "on node01",
        "on node01",
        "cycle node01",
        "off node01",
        "off node01",
        "cycle node01",
    ] {
        bench.power(words);
    }
    bench.power("status node01 --format json");
    let played = bench.play();
    let words = [
        "node01  10.0.10.50  off    boot order  same",
        "on     boot order  same    switched on",
        "was on already",
        "switched off and on",
        "off    boot order  same    switched off",
        "was off already",
        "switched on: it was off",
    ];
    for (run, word) in played.runs.iter().zip(words) {
        run.ends(0, &[word]);
    }
    let json = played.runs[7].ends(0, &[]).json();
    assert_eq!((json["power"].as_str(), json["identity"].as_str()), (Some("on"), Some("same")), "{json:#}");
    let events: Vec<_> = played
        .log("node01")
        .into_iter()
        .filter_map(|line| line["event"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(events, ["on", "off", "on", "off", "on"]);
    assert!(played.boots("node01").iter().all(|(boots, _)| boots == "disk"));
    // A reset is sent once.
    assert_eq!(played.requests("node01", "POST").len(), 5);
}

/// Each BMC wants something else, and all machines boot from the network once.
#[test]
fn a_machine_boots_from_the_network_once_whatever_the_bmc_wants() {
    let mut bench = Bench::new(|inventory| {
        let text = all_redfish(inventory);
        // The hardware of node05 boots by BIOS.
        text.replace("disk.single = {}", "disk.single = {}\nfirmware = \"bios\"")
    });
    let manners = [
        ("node01", "ETAG=none"),
        ("node02", "ETAG=weak BUSY=2"),
        ("node03", "ETAG=required LOST=1"),
        ("node04", "SETTINGS=only ETAG=required"),
        ("node05", "ETAG=none RESETS=ForceOn,ForceOff,On"),
    ];
    for (node, manners) in manners {
        bench.redfish(node, manners).trust(node);
    }
    let nodes = manners.map(|(node, _)| node).join(" ");
    bench.power(&format!("pxe {nodes} --yes")).power(&format!("cycle {nodes} --yes"));
    let played = bench.play();
    played.runs[0].ends(0, &["booting from the network"]).lacks(&["failed"]);
    for (node, _) in manners {
        let mode = if node == "node05" { "Legacy" } else { "UEFI" };
        let expected =
            [("network", mode), ("disk", mode)].map(|(boots, mode)| (boots.to_owned(), mode.to_owned()));
        assert_eq!(played.boots(node), expected, "{node}: {:#?}", played.runs);
        let writes = played.requests(node, "PATCH");
        assert!(writes.len() <= 3, "{node}: {writes:#?}");
    }
    // A machine that went on without an answer was looked at, and not told again.
    assert_eq!(played.requests("node03", "POST").len(), 3);
    assert_eq!(played.requests("node02", "PATCH")[0]["if_match"], "W/\"1\"");
    assert_eq!(played.requests("node02", "PATCH")[1]["if_match"], "\"1\"");
}

/// A BMC that never takes what it asks for comes to an end, and its machine stays off.
#[test]
fn what_no_request_can_set_is_refused_in_the_end() {
    let mut bench = Bench::new(all_redfish);
    for (node, manners) in [
        ("node01", "ETAG=moving"),
        ("node02", "ONCE=lasting ETAG=none"),
        ("node03", "RESETS=On,GracefulShutdown"),
    ] {
        bench.redfish(node, manners).trust(node);
    }
    bench.power("pxe node01 node02 --yes").power("on node03").power("off node03 --yes");
    let played = bench.play();
    played.runs[0].ends(
        1,
        &[
            "node01  10.0.10.50  failed: ",
            "in every form: HTTP 428, If-Match is missing",
            "says that this lasts",
            "no boot override is set",
        ],
    );
    played.runs[1].ends(0, &["switched on"]);
    played.runs[2].ends(1, &["no reset ForceOff: it knows On, GracefulShutdown"]);
    for node in ["node01", "node02"] {
        assert!(played.boots(node).is_empty());
        assert!(played.requests(node, "PATCH").len() < 10);
    }
    let cleared = played.requests("node02", "PATCH").pop().unwrap();
    assert_eq!(cleared["body"]["Boot"]["BootSourceOverrideEnabled"], "Disabled");
}

/// A boot override that stays after the boot would install the machine again: it is told, and taken back.
#[test]
fn an_override_that_stays_is_told_and_taken_back() {
    let mut bench = Bench::new(as_it_is);
    bench.redfish("node01", "ONCE=ignored").trust("node01");
    bench.power("pxe node01").power("status node01").power("cycle node01").power("status node01");
    let played = bench.play();
    played.runs[0].ends(0, &["network, once"]);
    played.runs[1].ends(0, &["on     network, once"]);
    played.runs[2]
        .ends(0, &["node01: the machine was still to boot from the network, once: that was taken back"]);
    played.runs[3].ends(0, &["on     boot order"]);
    let boots: Vec<_> = played.boots("node01").into_iter().map(|(boots, _)| boots).collect();
    assert_eq!(boots, ["network", "disk"]);
}

/// Firmware in its self-test refuses settings; the machine is off by then, and settings of one that was just started are not tried.
#[test]
fn a_machine_in_its_self_test_is_switched_off_first() {
    let mut bench = Bench::new(as_it_is);
    bench.redfish("node01", "POST=60 ETAG=none").trust("node01");
    bench.power("on node01").power("pxe node01");
    let played = bench.play();
    played.runs[1].ends(0, &["booting from the network"]);
    assert_eq!(played.requests("node01", "PATCH").len(), 1);
}

/// A BMC that is slow or busy is waited for.
#[test]
fn a_slow_bmc_is_waited_for() {
    let mut bench = Bench::new(as_it_is);
    bench
        .redfish("node01", "SLOW=8")
        .redfish("node02", "BUSY=3")
        .trust("node02")
        .shell("sleep 1")
        .trust("node01");
    bench.power("status node01 node02");
    let played = bench.play();
    played.runs[0].ends(0, &["node01  10.0.10.50  off", "node02  10.0.10.51  off"]);
}
