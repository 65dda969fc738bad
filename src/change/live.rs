//! Drift: what a node runs beside what was rendered for it. The node's answer is hostile until it is parsed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use ipnet::IpNet;
use serde_json::json;

use crate::model::{Cluster, HostName, Node, Word};

use super::difference::{Difference, Place};

/// The script that asks a node, for `sh`. It reads and changes nothing.
pub const QUESTION: &str = include_str!("live.sh");

/// The most lines of an answer.
const MOST_LINES: usize = 10_000;

/// The digits of a digest that are shown.
const SHOWN: usize = 12;

/// The facts of a running node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveNode {
    /// The name that the kernel has.
    host_name: String,
    /// The parts of the booted system that are not those of the present configuration, such as `kernel`.
    stale: BTreeSet<String>,
    /// The SHA-256 digests of the public files in /etc/nixos/secrets, by name, in hexadecimal digits.
    files: BTreeMap<String, String>,
    /// The addresses that somebody has set, by device.
    addresses: BTreeSet<(String, IpNet)>,
}

impl LiveNode {
    /// Parses the answer to [`QUESTION`].
    ///
    /// # Errors
    /// When `answer` is not as the script prints it, or was cut off.
    pub fn parse(answer: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(answer).context("the answer is not UTF-8")?;
        let mut lines = text.lines().take(MOST_LINES);
        ensure!(lines.next() == Some("plasmagen-live 1"), "the answer does not begin as one");
        let mut found = Self::default();
        for line in lines {
            ensure!(
                line.len() <= 512 && line.bytes().all(|byte| matches!(byte, b' '..=b'~')),
                "a line of the answer is too long, or has control characters"
            );
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["host-name", name] => name.clone_into(&mut found.host_name),
                ["stale", part] => drop(found.stale.insert(part.to_owned())),
                ["file", name, digest] if is_digest(digest) => {
                    found.files.insert(name.to_owned(), digest.to_owned());
                }
                ["address", device, net] => {
                    let net = net.parse().ok().context("an address of the answer is none")?;
                    found.addresses.insert((device.to_owned(), net));
                }
                ["end"] => return Ok(found),
                _ => bail!("a line of the answer is not known"),
            }
        }
        bail!("the answer was cut off")
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The digests of files that were rendered for a node, by the name in /etc/nixos/secrets.
pub type RenderedFiles = BTreeMap<String, String>;

/// Lists how `live` differs from what was rendered for `node`: the old values are those of the machine.
pub(super) fn list_drift(
    cluster: &Cluster,
    node: &Node,
    live: &LiveNode,
    rendered: &RenderedFiles,
) -> Vec<Difference> {
    let place = Place::entry("nodes", node.name.as_str()).key("(drift)");
    let mut found = Vec::new();
    if live.host_name != node.name.as_str() {
        let old = HostName::parse(&live.host_name).map_or_else(|_| json!("no host name"), |name| json!(name));
        found.push(place.key("host_name").differs(Some(old), Some(json!(node.name))));
    }
    if !live.stale.is_empty() {
        let [old, new] = [json!(live.stale), json!([])];
        found.push(place.key("booted").differs(Some(old), Some(new)));
    }
    let names: BTreeSet<&String> = live.files.keys().chain(rendered.keys()).collect();
    for name in names {
        let (old, new) = (live.files.get(name), rendered.get(name));
        if old != new {
            let shown = |digest: &String| json!(digest.get(..SHOWN));
            found.push(place.key("files").named(name).differs(old.map(shown), new.map(shown)));
        }
    }
    let expected: BTreeSet<(String, IpNet)> = node
        .interfaces
        .iter()
        .flat_map(|interface| interface.addresses.iter().map(|net| (interface.device.to_string(), *net)))
        .collect();
    let is_ours = |device: &str| node.interfaces.iter().any(|interface| interface.device.as_str() == device);
    // A virtual address moves between nodes, and tenants' devices are not the inventory's.
    let is_virtual = |net: &IpNet| cluster.vips.iter().any(|vip| vip.address == net.addr());
    let set: BTreeSet<_> =
        live.addresses.iter().filter(|(device, net)| is_ours(device) && !is_virtual(net)).cloned().collect();
    if set != expected {
        let [old, new] = [set, expected].map(|side| {
            json!(side.iter().map(|(device, net)| format!("{device} {net}")).collect::<Vec<_>>())
        });
        found.push(place.key("addresses").differs(Some(old), Some(new)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_parsed_whole_or_refused() {
        let digest = "a".repeat(64);
        let good = format!(
            "plasmagen-live 1\nhost-name n1\nstale kernel\nfile ca-cert.pem {digest}\naddress eth0 10.0.0.1/24\nend\n"
        );
        let live = LiveNode::parse(good.as_bytes()).unwrap();
        assert_eq!((live.host_name.as_str(), live.files["ca-cert.pem"].as_str()), ("n1", digest.as_str()));
        assert_eq!((live.addresses.len(), live.stale.len()), (1, 1));
        for (from, to) in [
            ("plasmagen-live 1\n", ""),
            ("end\n", ""),
            ("n1", "n1\u{1b}[2J"),
            ("n1", "n1 n2"),
            ("stale", "stole"),
            ("aaaa", "zzzz"),
            ("10.0.0.1/24", "10.0.0.1"),
            ("10.0.0.1/24", "10.0.0.1/99"),
        ] {
            assert!(good.contains(from));
            assert!(LiveNode::parse(good.replacen(from, to, 1).as_bytes()).is_err(), "{from:?} {to:?}");
        }
        assert!(LiveNode::parse(b"\xff").is_err());
        assert!(LiveNode::parse(good.replace("n1", &"n".repeat(600)).as_bytes()).is_err());
    }
}
