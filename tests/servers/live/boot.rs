//! From the lease to the node's script: what DHCP names is there, at exactly that address, and leads on.

use std::fs;

use plasmagen::model::{LOADERS, Node};
use plasmagen::plan::Plan;
use plasmagen::{outputs, write};
use serde_json::{Value, json};

use crate::live::cases::{self, Case, Facts};
use crate::live::lab::{Lab, Port};
use crate::live::servers::{Server, told};
use test_kit::{plan, with_two_interfaces};

/// What stands in for a build of iPXE: longer than a block of TFTP.
fn build(file: &str) -> String {
    format!("{file} is a program\n").repeat(500)
}

/// Publishes what is rendered, and the builds of iPXE, where the inventory has the web root.
fn publish(lab: &Lab, plan: &Plan) {
    let (site, builds) = (lab.file("site-to-publish"), lab.file("builds"));
    fs::create_dir(&builds).unwrap();
    for loader in LOADERS {
        fs::write(builds.join(loader.file), build(loader.file)).unwrap();
    }
    fs::create_dir(&site).unwrap();
    let lock = write::SiteLock::acquire(&site).unwrap();
    write::commit(&lock, &outputs::render(plan).unwrap(), write::CommitOptions::default(), || Ok(()))
        .unwrap();
    let root = lab.cluster.provisioner.web_root.as_str();
    // The set-up has made it for dnsmasq, which wants it when it starts.
    lab.done("coreutils", lab.on_provisioner("rmdir").arg(format!("{root}/tftp")));
    let mut publish = lab.on_provisioner(env!("CARGO_BIN_EXE_plasmagen"));
    publish.args(["publish", "--root", root, "--site"]).arg(site.join("site"));
    lab.done("util-linux", &mut publish);
    let tftp = format!("{root}/tftp");
    lab.done(
        "coreutils",
        lab.on_provisioner("cp").args(["-rT", "--remove-destination"]).arg(&builds).arg(tftp),
    );
}

fn start_nginx(lab: &mut Lab) {
    let mut command = lab.on_provisioner("nginx");
    command.args(["-g", "daemon off;", "-c"]).arg(lab.file("site/pxe/nginx.conf"));
    lab.start("nginx-light", Port("tcp", lab.cluster.provisioner.http_port), &mut command);
}

/// As Debian's script starts it, from the settings.
fn start_tftpd(lab: &mut Lab) {
    let script = r#". "$1"
        exec in.tftpd --foreground --user "$TFTP_USERNAME" --address "$TFTP_ADDRESS" $TFTP_OPTIONS "$TFTP_DIRECTORY""#;
    let mut command = lab.on_provisioner("sh");
    command.args(["-c", script, "sh"]).arg(lab.file("site/pxe/tftpd-hpa.default"));
    lab.start("tftpd-hpa", Port("udp", 69), &mut command);
}

/// What is at each of `places`.
fn fetch(lab: &Lab, places: &[String]) -> Vec<Value> {
    lab.script("fetch.py", &[], &json!(places)).as_array().unwrap().clone()
}

/// Where machines look for the file that they are told: a URL as it is, another name at the next server by TFTP.
fn places(lab: &Lab, cases: &[Case]) -> Vec<String> {
    let place = |told: &Facts| match &told["file"] {
        url if url.contains("://") => url.clone(),
        file => format!("tftp://{}/{file}", told["next server"]),
    };
    told(lab, cases).iter().map(place).collect()
}

fn every_machine_finds_its_way(server: Server) {
    let dir = with_two_interfaces();
    let plan = plan(dir.path());
    let mut lab = Lab::new(&format!("{server:?}"), &plan);
    publish(&lab, &plan);
    server.start(&mut lab);
    start_nginx(&mut lab);
    if server != Server::Dnsmasq {
        start_tftpd(&mut lab);
    }

    let (ipxe, firmware): (Vec<_>, Vec<_>) = cases::all(&lab.cluster, server)
        .into_iter()
        .filter(|case| case.at_home)
        .partition(|case| case.is_ipxe);
    let places = self::places(&lab, &firmware);
    for ((case, place), file) in firmware.iter().zip(&places).zip(fetch(&lab, &places)) {
        let name = place.rsplit('/').next().unwrap();
        assert_eq!(file, build(name), "{}: {}: {place}\n{}", lab.name, case.name, lab.logs());
    }
    for loader in LOADERS {
        assert!(places.iter().any(|place| place.ends_with(loader.file)), "nobody fetches {}", loader.file);
    }

    // Machines of both networks with an interface of the provisioner are among them.
    let addresses = lab.cluster.provisioner.interfaces().map(|interface| interface.address.to_string());
    let is_asked = |address: &String| places.iter().any(|place| place.contains(address));
    assert_eq!(addresses.filter(is_asked).count(), 2);

    let places = self::places(&lab, &ipxe);
    let boot = fs::read_to_string(lab.file("site/www/ipxe/boot.ipxe")).unwrap();
    for (place, file) in places.iter().zip(fetch(&lab, &places)) {
        assert_eq!(file, boot, "{}: {place}\n{}", lab.name, lab.logs());
    }

    let cards =
        || lab.cluster.nodes.iter().flat_map(|node| node.boot_macs().into_iter().map(move |mac| (node, mac)));
    // The script is one file, and leads on from the address that it was loaded from.
    let loaded_from = |node: &Node| {
        let network = node.reservation().unwrap().network;
        let address = lab.cluster.provisioner.interface_for(network).address;
        places.iter().find(|place| place.contains(&address.to_string())).unwrap()
    };
    let scripts: Vec<_> =
        cards().map(|(node, mac)| next(&boot, loaded_from(node), &mac.to_string())).collect();
    for ((node, _), (place, file)) in cards().zip(scripts.iter().zip(fetch(&lab, &scripts))) {
        let text = file.as_str().unwrap_or_else(|| panic!("{}: {place}: {file}\n{}", lab.name, lab.logs()));
        assert!(text.starts_with("#!ipxe\n"), "{place}: {text}");
        assert!(text.lines().any(|line| line == format!("set node {}", node.name)), "{place}: {text}");
    }
    let stranger = next(&boot, &places[0], "02:00:00:00:00:01");
    assert_eq!(fetch(&lab, &[stranger])[0]["error"], "HTTP Error 404: Not Found");
}

/// Where `boot.ipxe`, loaded from `url`, leads the machine `mac` to: its first `chain`, as iPXE reads it. The relative base
/// `..` is taken from the directory of the script.
fn next(boot: &str, url: &str, mac: &str) -> String {
    let base = boot.lines().find_map(|line| line.strip_prefix("set base ")).unwrap();
    let base = if base == ".." { url.strip_suffix("/ipxe/boot.ipxe").unwrap() } else { base };
    let chain = boot.lines().find(|line| line.starts_with("chain ")).unwrap();
    let place =
        chain.split_whitespace().find(|word| word.contains("://") || word.starts_with("${base}")).unwrap();
    place.replace("${base}", base).replace("${netX/mac:hexhyp}", &mac.replace(':', "-"))
}

#[test]
fn every_machine_finds_its_way_with_dhcpd() {
    every_machine_finds_its_way(Server::Dhcpd);
}

#[test]
fn every_machine_finds_its_way_with_kea() {
    every_machine_finds_its_way(Server::Kea);
}

#[test]
fn every_machine_finds_its_way_with_dnsmasq() {
    every_machine_finds_its_way(Server::Dnsmasq);
}
