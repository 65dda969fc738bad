//! BIND serves the rendered zones: every name leads to its address, and every address back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;

use ipnet::IpNet;
use plasmagen::model::Cluster;

use crate::live::lab::{Lab, Port};
use test_kit::{plan, repository};

/// Starts BIND with the rendered file; the options around it are an operator's.
pub(crate) fn start(lab: &mut Lab) {
    let directory = lab.file("site/dns");
    let options = format!(
        "options {{ directory \"{0}\"; listen-on {{ {1}; }}; listen-on-v6 {{ none; }}; recursion no; \
         dnssec-validation no; pid-file \"/run/named.pid\"; session-keyfile \"/run/session.key\"; }};\n\
         controls {{ }};\ninclude \"{0}/named.conf\";\n",
        directory.display(),
        lab.cluster.provisioner.home.address
    );
    let path = lab.file("options.conf");
    fs::write(&path, options).unwrap();
    let mut command = lab.on_provisioner("named");
    command.args(["-g", "-n", "1", "-c"]).arg(path);
    lab.start("bind9", Port("udp", 53), &mut command);
}

/// What is asked: a name and a type of records.
pub(crate) type Query = (String, &'static str);

/// The answers of the name server to each of `queries`: only authoritative ones count.
pub(crate) fn dig(lab: &Lab, queries: &BTreeSet<Query>) -> BTreeMap<Query, BTreeSet<String>> {
    let mut batch = String::new();
    for (name, kind) in queries {
        writeln!(batch, "{name} {kind}").unwrap();
    }
    let path = lab.file("queries");
    fs::write(&path, batch).unwrap();
    let mut command = lab.on_client("dig");
    command.arg(format!("@{}", lab.cluster.provisioner.home.address));
    command.args(["+norecurse", "+aaonly", "+noall", "+answer", "-f"]).arg(path);
    let output = lab.done("bind9-dnsutils", &mut command);
    let mut answers: BTreeMap<Query, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [name, _, _, kind, data] = words[..] else { continue };
        let query = queries.iter().find(|(owner, asked)| *asked == kind && *owner == name);
        let query = query.unwrap_or_else(|| panic!("{}: nobody asked for {line}", lab.name));
        answers.entry(query.clone()).or_default().insert(data.to_owned());
    }
    answers
}

fn forward(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "A" } else { "AAAA" }
}

/// The name of an address in the tree of reverse names (RFC 1035 section 3.5, RFC 3596 section 2.5).
fn reverse(address: IpAddr) -> Query {
    let (parts, tree): (Vec<String>, _) = match address {
        IpAddr::V4(v4) => (v4.octets().iter().rev().map(ToString::to_string).collect(), "in-addr"),
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().iter().flat_map(|byte| [byte >> 4, byte & 15]).collect::<Vec<_>>();
            (nibbles.iter().rev().map(|nibble| format!("{nibble:x}")).collect(), "ip6")
        }
    };
    (format!("{}.{tree}.arpa.", parts.join(".")), "PTR")
}

/// The names of virtual addresses, BMCs and nodes: of each node the full name, where it is reached.
fn names(cluster: &Cluster) -> Vec<(String, IpAddr)> {
    let vips = cluster.vips.iter().map(|vip| (format!("{}.{}.", vip.name, cluster.domain), vip.address));
    let bmc = |node: &plasmagen::model::Node| {
        let bmc = node.bmc.as_ref()?;
        Some((format!("{}-bmc.{}.", node.name, cluster.domain), bmc.address))
    };
    let mut names: Vec<_> = vips.chain(cluster.nodes.iter().filter_map(bmc)).collect();
    for node in &cluster.nodes {
        let addresses = node.home_interface().into_iter().flat_map(|home| &home.addresses);
        names.extend(addresses.map(|net| (format!("{}.", node.fqdn), net.addr())));
    }
    names
}

fn leads_there_and_back(dir: &str) {
    let mut lab = Lab::new(dir, &plan(&repository().join(dir)));
    start(&mut lab);
    let names = names(&lab.cluster);
    let others =
        lab.cluster.nodes.iter().flat_map(|node| &node.interfaces).flat_map(|interface| &interface.addresses);
    let addresses: BTreeSet<IpAddr> =
        names.iter().map(|(_, address)| *address).chain(others.map(IpNet::addr)).collect();
    let mut queries: BTreeSet<Query> = addresses.iter().map(|address| reverse(*address)).collect();
    queries.extend(names.iter().map(|(name, address)| (name.clone(), forward(*address))));
    let answers = dig(&lab, &queries);

    let nothing = BTreeSet::new();
    for (name, address) in &names {
        let all = names.iter().filter(|(owner, other)| owner == name && forward(*other) == forward(*address));
        let expected: BTreeSet<String> = all.map(|(_, address)| address.to_string()).collect();
        let got = answers.get(&(name.clone(), forward(*address))).unwrap_or(&nothing);
        assert_eq!(*got, expected, "{dir}: {name}\n{}", lab.logs());
        let got = answers.get(&reverse(*address)).unwrap_or(&nothing);
        assert_eq!(*got, BTreeSet::from([name.clone()]), "{dir}: {address}\n{}", lab.logs());
    }
    // The addresses of nodes where they are not reached have names too, which lead back to them.
    let back = |address: &IpAddr| {
        let names = answers.get(&reverse(*address)).unwrap_or(&nothing);
        assert_eq!(names.len(), 1, "{dir}: {address} leads back to {names:?}\n{}", lab.logs());
        (names.first().unwrap().clone(), forward(*address))
    };
    let queries: BTreeMap<IpAddr, Query> =
        addresses.iter().map(|address| (*address, back(address))).collect();
    let answers = dig(&lab, &queries.values().cloned().collect());
    for (address, query) in queries {
        let got = answers.get(&query).unwrap_or(&nothing);
        assert!(got.contains(&address.to_string()), "{dir}: {address} is {query:?}, which is {got:?}");
    }
}

#[test]
fn names_lead_to_addresses_and_back() {
    for dir in [".", "tests/golden/ipv6", "tests/golden/bonds-and-vlans"] {
        leads_there_and_back(dir);
    }
}
