//! From the lease to the node's script: what DHCP names is there, at exactly that address, and leads on.

use std::fs;

use plasmagen::model::LOADERS;
use serde_json::{Value, json};

use crate::cases::{self, Case, Facts};
use crate::common::{plan, repository};
use crate::lab::{Lab, Port};
use crate::servers::{Server, told};

/// What stands in for a build of iPXE: longer than a block of TFTP.
fn build(file: &str) -> String {
    format!("{file} is a program\n").repeat(500)
}

/// Puts the web root where the inventory has it: what is rendered, and the builds of iPXE.
fn publish(lab: &Lab) {
    let tftp = lab.file("site/www/tftp");
    fs::create_dir(&tftp).unwrap();
    for loader in LOADERS {
        fs::write(tftp.join(loader.file), build(loader.file)).unwrap();
    }
    let root = lab.cluster.provisioner.web_root.as_str();
    lab.done("coreutils", lab.on_provisioner("cp").args(["-rT"]).arg(lab.file("site/www")).arg(root));
    lab.done("coreutils", lab.on_provisioner("chmod").args(["-R", "a+rX", root]));
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
    let mut lab = Lab::new(&format!("{server:?}"), &plan(repository()));
    publish(&lab);
    server.start(&mut lab);
    start_nginx(&mut lab);
    if server != Server::Dnsmasq {
        start_tftpd(&mut lab);
    }

    let (ipxe, firmware): (Vec<_>, Vec<_>) =
        cases::all(&lab.cluster).into_iter().filter(|own| own.at_home).partition(|own| own.is_ipxe);
    let places = self::places(&lab, &firmware);
    for ((case, place), file) in firmware.iter().zip(&places).zip(fetch(&lab, &places)) {
        let name = place.rsplit('/').next().unwrap();
        assert_eq!(file, build(name), "{}: {}: {place}\n{}", lab.name, case.name, lab.logs());
    }
    for loader in LOADERS {
        assert!(places.iter().any(|place| place.ends_with(loader.file)), "nobody fetches {}", loader.file);
    }

    let places = self::places(&lab, &ipxe);
    let boot = fs::read_to_string(lab.file("site/www/ipxe/boot.ipxe")).unwrap();
    for (place, file) in places.iter().zip(fetch(&lab, &places)) {
        assert_eq!(file, boot, "{}: {place}\n{}", lab.name, lab.logs());
    }

    let scripts: Vec<_> = lab.cluster.nodes.iter().map(|node| next(&boot, &node.mac.to_string())).collect();
    for (node, (place, file)) in lab.cluster.nodes.iter().zip(scripts.iter().zip(fetch(&lab, &scripts))) {
        let text = file.as_str().unwrap_or_else(|| panic!("{}: {place}: {file}\n{}", lab.name, lab.logs()));
        assert!(text.starts_with("#!ipxe\n"), "{place}: {text}");
        assert!(text.lines().any(|line| line == format!("set node {}", node.name)), "{place}: {text}");
    }
    let stranger = next(&boot, "02:00:00:00:00:01");
    assert_eq!(fetch(&lab, &[stranger])[0]["error"], "HTTP Error 404: Not Found");
}

/// Where `boot.ipxe` leads the machine `mac` to: its first `chain`, as iPXE reads it.
fn next(boot: &str, mac: &str) -> String {
    let base = boot.lines().find_map(|line| line.strip_prefix("set base ")).unwrap();
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
