//! BMCs with IPMI: pyghmi's, whose boot flags are those of the specification, and OpenIPMI's simulator.

use test_kit::repository;

use crate::bench::{Bench, PASSWORD, as_it_is, find};

/// The words that start pyghmi's BMC of `node`.
fn pyghmi(bench: &mut Bench, node: &str, manners: &str) {
    let (address, _) = find(node);
    let fake = repository().join("tests/bmc/fakes/ipmi.py");
    bench.shell(&format!(
        "mkdir -p {node}; env {manners} $bmc/python3 {} {address} admin vault/bmc/{node} {node} 2>{node}/errors & {node}=$!",
        fake.display()
    ));
    wait(bench, node);
}

/// Starts OpenIPMI's simulator as the BMC of `node`; `console` is a line for its console.
fn simulator(bench: &mut Bench, node: &str, console: &str) {
    let (address, _) = find(node);
    let chassis = repository().join("tests/bmc/fakes/chassis");
    bench.shell(&format!(
        r#"
mkdir -p {node}/state
cat >{node}/lan.conf <<END
name "{node}"
set_working_mc 0x20
  startlan 1
    addr {address} 623
    priv_limit admin
    allowed_auths_admin md5
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{} $PWD/{node} 0x20"
  {console}
  user 2 true "admin" "{PASSWORD}" admin 10 md5
END
cat >{node}/node.emu <<END
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
END
ipmi_sim -c {node}/lan.conf -f {node}/node.emu -s {node}/state -n >{node}/simulator 2>&1 & {node}=$!
"#,
        chassis.display()
    ));
    wait(bench, node);
}

/// Waits until the BMC of `node` answers.
fn wait(bench: &mut Bench, node: &str) {
    let (address, _) = find(node);
    bench.shell(&format!(
        "for _ in $(seq 50); do if ipmitool -I lanplus -H {address} -U admin -f vault/bmc/{node} -C 3 -N 1 -R 1 chassis power \
         status </dev/null >/dev/null 2>&1; then break; fi; sleep 0.1; done"
    ));
}

/// The flags outlast 60 seconds (here: 3), which pass between commands; then the machine boots from its disk again.
#[test]
fn a_machine_boots_from_the_network_once() {
    let mut bench =
        Bench::new(|text| text.replace("disk.single = {}", "disk.single = {}\nfirmware = \"bios\""));
    pyghmi(&mut bench, "node04", "WINDOW=3");
    pyghmi(&mut bench, "node05", "BUSY=1");
    bench.power("pxe node04 node05").power("cycle node04");
    let played = bench.play();
    played.runs[0].ends(
        0,
        &["node04  10.0.10.54  on     boot order", "booting from the network", "reports no serial number"],
    );
    played.runs[1].ends(0, &["switched off and on"]);
    let boots = |boots: &[&str], mode: &str| {
        boots.iter().map(|boots| ((*boots).to_owned(), mode.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(played.boots("node04")[..1], boots(&["network"], "UEFI"));
    assert_eq!(played.boots("node04")[1].0, "disk");
    assert_eq!(played.boots("node05"), boots(&["network"], "Legacy"));
    let flags: Vec<_> = played.log("node04").into_iter().filter(|line| line["number"] == 5).collect();
    assert_eq!(flags.len(), 1);
    assert_eq!(flags[0]["data"], serde_json::json!([0xa0, 4, 0, 0, 0]));
    // The BMC rests between two commands.
    let times: Vec<_> = played.log("node04").iter().map(|line| line["time"].as_f64().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] > 4.5), "{times:?}");
}

/// A BMC that says yes and does something else is found out by reading back; the machine stays off.
#[test]
fn flags_are_read_back() {
    let mut bench = Bench::new(as_it_is);
    pyghmi(&mut bench, "node04", "FLAGS=lasting");
    pyghmi(&mut bench, "node05", "FLAGS=forgotten");
    bench.power("pxe node04 node05");
    let played = bench.play();
    played.runs[0]
        .ends(1, &["says that this lasts", "does not name them when asked", "no boot override is set"]);
    for node in ["node04", "node05"] {
        assert!(played.boots(node).is_empty());
        let last = played.log(node).pop().unwrap();
        assert_eq!(
            (&last["number"], &last["data"]),
            (&serde_json::json!(5), &serde_json::json!([0, 0, 0, 0, 0])),
            "{node}"
        );
    }
}

/// Firmware that ignores the EFI bit is a warning.
#[test]
fn a_lost_efi_bit_is_told() {
    let mut bench = Bench::new(as_it_is);
    pyghmi(&mut bench, "node04", "FLAGS=legacy");
    bench.power("pxe node04");
    let played = bench.play();
    played.runs[0].ends(
        0,
        &[
            "booting from the network",
            "node04: the BMC does not say that the machine boots from the network by UEFI",
        ],
    );
}

/// OpenIPMI's simulator knows cipher suite 3 only, and forgets that flags are valid.
#[test]
fn the_simulator_is_switched_and_its_flags_are_not_believed() {
    let mut bench = Bench::new(as_it_is);
    simulator(&mut bench, "node04", "");
    bench.power("on node04").power("status node04 --format json").power("pxe node04").power("status node04");
    let played = bench.play();
    played.runs[0].ends(0, &["node04  10.0.10.54  on     boot order  unknown  switched on"]);
    let json = played.runs[1].ends(0, &[]).json();
    assert_eq!((json["power"].as_str(), json["protocol"].as_str()), (Some("on"), Some("ipmi")));
    played.runs[2].ends(1, &["the BMC took the boot flags, and does not name them when asked"]);
    played.runs[3].ends(0, &["node04  10.0.10.54  off"]);
}

#[test]
fn passwords_users_rights_and_silence_are_told_apart() {
    let mut bench = Bench::new(as_it_is);
    pyghmi(&mut bench, "node04", "DENIED=yes");
    simulator(&mut bench, "node05", "");
    bench.shell("printf wrong >vault/bmc/node05").power("on node04 node05");
    bench.shell(&format!("printf {PASSWORD} >vault/bmc/node05; sed -i 's/\"admin\", password_file = \"bmc.node05/\"nobody\", password_file = \"bmc\\/node05/' inventory.toml"));
    bench.power("on node05").shell("printf 'twenty-one-bytes-long' >vault/bmc/node05").power("on node05");
    bench
        .shell(&format!("printf {PASSWORD} >vault/bmc/node05; kill -STOP $node04; kill -9 $node05"))
        .power("status node04 node05");
    bench.shell("mkdir empty").power_in("env PATH=$PWD/empty", "status node04", "");
    let played = bench.play();
    played.runs[0].ends(1, &["the level OPERATOR at the BMC", "refuses the password of the user `admin`"]);
    played.runs[1].ends(1, &["knows no user `nobody`"]);
    played.runs[2].ends(1, &["has 21 bytes, and IPMI allows 20"]).lacks(&["twenty-one"]);
    played.runs[3].ends(
        1,
        &["nothing answers IPMI at 10.0.10.54 (623/udp)", "nothing answers IPMI at 10.0.10.55 (623/udp)"],
    );
    played.runs[4].ends(1, &["IPMI needs the program ipmitool, which is not in PATH"]);
}

/// ipmitool reads the password from the file: neither an argument nor a variable has the password.
#[test]
fn the_password_is_in_no_argument_and_no_environment() {
    let mut bench = Bench::new(as_it_is);
    pyghmi(&mut bench, "node04", "");
    bench.power_in("strace -f -v -s 4096 -e trace=execve -o trace", "pxe node04", "");
    let played = bench.play();
    played.runs[0].ends(0, &["booting from the network"]);
    let trace = played.read("trace");
    assert!(trace.contains("ipmitool") && trace.contains("\"-f\"") && !trace.contains(PASSWORD), "{trace}");
}

/// The terminal is handed to the console, and comes back.
#[test]
fn the_console_is_shown_on_the_terminal() {
    let mut bench = Bench::new(as_it_is);
    // What the machine writes on its serial port, again and again.
    bench.shell(
        "python3 -c 'import socket, time
s = socket.create_server((\"127.0.0.1\", 9003))
c = s.accept()[0]
while True: c.sendall(b\"login of node04:\\r\\n\"); time.sleep(0.5)' &
wait_tcp_later() { sleep 0.5; }; wait_tcp_later",
    );
    simulator(&mut bench, "node04", "sol \"tcp:127.0.0.1:9003\" 115200");
    bench.shell(
        "(sleep 16; printf '\\r~.\\r') | script -qec \"$plasmagen power sol node04 --vault vault\" /dev/null >console || true",
    );
    bench.power("sol node09").power("status node04");
    let played = bench.play();
    let console = played.read("console");
    assert!(console.contains("the console of node04") && console.contains("login of node04:"), "{console}");
    played.runs[0].ends(2, &["there is no node `node09`"]);
    played.runs[1].ends(0, &["node04  10.0.10.54  off"]);
}
