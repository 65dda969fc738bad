//! What is refused, and what is told: other machines, wrong passwords, BMCs that do not answer, runs that meet each other.

use crate::bench::{Bench, PASSWORD, all_redfish, as_it_is, formed};

#[test]
fn the_bmc_of_another_machine_is_not_told_to_switch() {
    let mut bench = Bench::new(all_redfish);
    bench.redfish("node01", "SERIAL=CN7475139H0099").trust("node01");
    // Dell: the number of the board, and the service tag; a blade: the number of the chassis; no number at all.
    bench.redfish("node02", "SERIAL=CNBOARD0001 SKU=CN7475139H0024").trust("node02");
    bench.redfish("node03", "SERIAL=0123456789 CHASSIS=CN7475139H0025").trust("node03");
    bench.redfish("node04", "SERIAL=").trust("node04").redfish("node05", "SYSTEMS=several").trust("node05");
    bench
        .power("status node01")
        .power("on node01 node02 node03 node04 node05")
        .power("on node01 --any-serial");
    let played = bench.play();
    played.runs[0].ends(0, &["other: CN7475139H0099"]);
    played.runs[1].ends(
        1,
        &[
            "node01  10.0.10.50  failed: the BMC is that of another machine",
            "CN7475139H0099, and the inventory says CN7475139H0023",
            "node04: the BMC reports no serial number",
        ],
    );
    played.runs[2].ends(0, &["node01: the BMC is that of another machine", "switched on"]);
    for node in ["node01", "node02", "node03", "node04", "node05"] {
        assert_eq!(played.boots(node).len(), 1, "{node}");
    }
}

#[test]
fn a_refused_login_is_told_and_not_repeated() {
    let mut bench = Bench::new(as_it_is);
    bench.redfish("node01", "").trust("node01").redfish("node02", "").trust("node02");
    bench.shell("printf 'wrong-password' >vault/bmc/node01");
    bench.power("on node01 node02 --format json");
    let played = bench.play();
    let run = played.runs[0].ends(1, &["refuses the user `admin` with this password (HTTP 401)"]);
    run.lacks(&["wrong-password"]);
    // The root, and one try: BMCs lock users out.
    assert_eq!(played.log("node01").len(), 2);
    assert_eq!(played.boots("node02").len(), 1);
}

#[test]
fn files_of_passwords_are_checked() {
    let mut bench = Bench::new(as_it_is);
    bench.redfish("node01", "").trust("node01");
    for (text, mode) in
        [("", "600"), ("\\n", "600"), ("secret\\r\\n", "600"), ("one\\ntwo\\n", "600"), ("secret", "644")]
    {
        bench
            .shell(&format!("printf '{text}' >vault/bmc/node01; chmod {mode} vault/bmc/node01"))
            .power("on node01");
    }
    bench.shell("rm vault/bmc/node01").power("on node01");
    let played = bench.play();
    let words = [
        "vault/bmc/node01 is empty",
        "vault/bmc/node01 is empty",
        "carriage returns (CR)",
        "more than the password as one line",
        "has mode 0644",
        "there is no password in",
    ];
    for (run, word) in played.runs.iter().zip(words) {
        run.ends(1, &[word]).lacks(&["secret"]);
    }
    assert!(played.log("node01").iter().all(|line| line["login"] != true), "{:#?}", played.log("node01"));
}

/// A BMC that does not answer, one that hangs, and ones that answer nonsense.
#[test]
fn bmcs_without_a_usable_answer_come_to_an_end() {
    let mut bench = Bench::new(all_redfish);
    for (node, manners) in
        [("node02", ""), ("node03", "BODY=huge"), ("node04", "BODY=broken"), ("node05", "BODY=elsewhere")]
    {
        bench.redfish(node, manners).trust(node);
    }
    bench.redfish("node01", "").trust("node01").shell("kill -9 $node01; sleep 0.2; kill -STOP $node02");
    bench.power("status node01 node02 node03 node04 node05");
    let played = bench.play();
    played.runs[0].ends(
        1,
        &[
            "node01  10.0.10.50  failed: nothing answers HTTPS at 10.0.10.50",
            "node02  10.0.10.51  failed: the BMC at 10.0.10.51 does not answer in time",
            "more than 1048576 bytes",
            "/redfish/v1 has no `Systems`",
            "(HTTP 308), which is not followed",
        ],
    );
    assert!(played.log("node05").len() == 1 && played.log("node04").len() == 1);
}

#[test]
fn two_runs_do_not_meet_at_one_bmc() {
    let mut bench = Bench::new(as_it_is);
    bench.redfish("node01", "").trust("node01").redfish("node02", "").trust("node02");
    bench.shell(
        "kill -STOP $node01; $plasmagen power on node01 --vault vault >/dev/null 2>&1 & first=$!; sleep 1",
    );
    bench.power("off node02 node01").power("on node02");
    bench.shell("kill -CONT $node01; wait $first").power("status node01");
    let played = bench.play();
    played.runs[0].ends(3, &["the BMC of node01: another plasmagen (process", "is at work on this BMC"]);
    played.runs[1].ends(0, &["switched on"]);
    played.runs[2].ends(0, &["node01  10.0.10.50  on"]);
}

#[test]
fn nodes_of_a_formed_cluster_are_switched_off_by_people_who_mean_it() {
    let mut bench = Bench::new(formed);
    bench.redfish("node01", "").trust("node01").power("on node01");
    for action in ["off", "cycle", "pxe"] {
        bench.power(&format!("{action} node01"));
    }
    for answer in ["n", "yes"] {
        bench.shell(&format!("echo {answer} | script -qec \"$plasmagen power off node01 --vault vault\" /dev/null >said-{answer} || true"));
    }
    bench.power("status node01").power("cycle node01 --yes");
    let played = bench.play();
    for run in &played.runs[1..4] {
        run.ends(1, &["this switches off 1 node of the formed cluster prod-cluster", "say --yes"]);
    }
    assert!(played.read("said-n").contains("nothing was done"), "{}", played.read("said-n"));
    assert!(played.read("said-yes").contains("switched off"), "{}", played.read("said-yes"));
    played.runs[4].ends(0, &["node01  10.0.10.50  off"]);
    played.runs[5].ends(0, &["switched on: it was off"]);
}

#[test]
fn nodes_are_named_and_have_a_bmc() {
    let mut bench = Bench::new(|text| {
        let line = text
            .lines()
            .find(|line| line.starts_with("bmc = ") && line.contains("node02"))
            .unwrap()
            .to_owned();
        text.replace(&line, "")
            .replace(", password_file = \"bmc/node03\"", "")
            .replace("user = \"admin\", protocol", "user = \"ops\", protocol")
    });
    bench
        .power("off")
        .power("off --yes --all")
        .power("on node09")
        .power("on node02")
        .power("on node03")
        .power("on node01 --parallel 0");
    let played = bench.play();
    played.runs[0].ends(2, &["<NODE>..."]);
    played.runs[1].ends(2, &["--all"]);
    played.runs[2].ends(2, &["there is no node `node09`"]);
    played.runs[3].ends(2, &["node02 has no `bmc` in the inventory"]);
    played.runs[4].ends(1, &["`bmc` of node03 has no `password_file`"]);
    played.runs[5].ends(2, &["--parallel"]);
}

/// Neither an argument nor a variable of a program has the password, and no file but the one in the vault.
#[test]
fn the_password_is_in_no_argument_and_no_environment() {
    let mut bench = Bench::new(as_it_is);
    bench.redfish("node01", "").trust("node01");
    bench.power_in("strace -f -v -s 4096 -e trace=execve -o trace", "pxe node01", "");
    let played = bench.play();
    played.runs[0].ends(0, &["booting from the network"]);
    let trace = played.read("trace");
    assert!(trace.contains("execve(") && !trace.contains(PASSWORD), "{trace}");
}
