//! Read back by `nft -j list ruleset`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::firewalls::model::{self, Firewall, Refusal, Rule};
use crate::firewalls::{in_namespace, trees};

/// What every chain of input begins with.
fn general() -> Value {
    let matches =
        |left: Value, op: &str, right: Value| json!({ "match": { "op": op, "left": left, "right": right } });
    json!([
        [matches(json!({ "ct": { "key": "state" } }), "==", json!({ "set": ["established", "related"] })), { "accept": null }],
        [matches(json!({ "meta": { "key": "iifname" } }), "==", json!("lo")), { "accept": null }],
        [
            matches(json!({ "meta": { "key": "l4proto" } }), "==", json!({ "set": ["icmp", "ipv6-icmp"] })),
            { "accept": null }
        ],
        [matches(json!({ "ct": { "key": "state" } }), "in", json!("invalid")), { "drop": null }],
    ])
}

/// The rule of a gateway for IPv6.
const IPV6_PASSES: &str =
    r#"[{"match":{"left":{"meta":{"key":"nfproto"}},"op":"==","right":"ipv6"}},{"accept":null}]"#;

/// What the kernel has after it has taken the file at `path` twice.
pub(crate) fn loaded(path: &Path) -> Firewall {
    let listed = in_namespace("nftables", "nft -f \"$1\" && nft -f \"$1\" && nft -j list ruleset", &[path]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let items = listed["nftables"].as_array().unwrap();
    let tables: Vec<_> = items.iter().filter_map(|item| item.get("table")).collect();
    assert!(matches!(tables[..], [table] if table["family"] == "inet"), "one table for both families");
    let chain =
        |name: &str| items.iter().filter_map(|item| item.get("chain")).find(|chain| chain["name"] == name);
    let rules = |chain: &str| -> Vec<&Value> {
        items.iter().filter_map(|item| item.get("rule")).filter(|rule| rule["chain"] == chain).collect()
    };

    let input = chain("input").unwrap();
    assert_eq!((&input["hook"], &input["policy"]), (&json!("input"), &json!("drop")));
    let input = rules("input");
    let (first, opened) = input.split_at(4);
    assert_eq!(
        first.iter().map(|rule| &rule["expr"]).collect::<Vec<_>>(),
        general().as_array().unwrap().iter().collect::<Vec<_>>()
    );

    let routed = rules("forward");
    let is_gateway = chain("forward").is_some_and(|chain| chain["policy"] == "drop") && !routed.is_empty();
    // A gateway first says by which addresses its networks reach it.
    let inside =
        if is_gateway { opened.iter().take_while(|rule| rule.get("comment").is_none()).count() } else { 0 };
    let (inside, opened) = opened.split_at(inside);
    let routing = is_gateway.then(|| {
        let general = general();
        assert_eq!(routed[0]["expr"].to_string(), IPV6_PASSES);
        assert_eq!(routed[1]["expr"], general[0]);
        let masqueraded = rules("postrouting");
        let nat = chain("postrouting").map(|chain| (&chain["type"], &chain["hook"], &chain["policy"]));
        assert!(nat.is_none_or(|nat| nat == (&json!("nat"), &json!("postrouting"), &json!("accept"))));
        let forwarded = routed[2..].iter().map(|rule| {
            if rule["expr"] == general[3] { model::INVALID.to_owned() } else { routed_words(rule) }
        });
        let inside = inside.iter().map(|rule| reached(rule));
        inside.chain(forwarded).chain(masqueraded.iter().map(|rule| nat_words(rule))).collect()
    });
    let forward = chain("forward").is_none_or(|chain| chain["policy"] == "accept").then(|| {
        let rules = rules("forward");
        rules.iter().skip(1).map(|rule| dropped(rule)).collect()
    });
    Firewall { input: opened.iter().map(|rule| opens(rule)).collect::<BTreeSet<_>>(), forward, routing }
}

/// Whether a comparison is with a set of addresses.
fn is_set(part: &Value) -> bool {
    part["match"]["right"].get("set").is_some()
}

/// The addresses of the gateway that machines reach through an interface, in the words of the model.
fn reached(rule: &Value) -> String {
    let (parts, verdict) = parts(rule);
    assert_eq!((parts.len(), verdict), (2, &json!({ "drop": null })), "{rule}");
    let addresses = parts["daddr"]["set"].as_array().unwrap();
    model::reached_words(parts["iifname"].as_str().unwrap(), addresses.iter().map(subnet))
}

/// The comparisons of a rule and its verdict, by what is compared: `iifname`, `saddr` and so on.
fn parts(rule: &Value) -> (BTreeMap<&str, &Value>, &Value) {
    let expressions = rule["expr"].as_array().unwrap();
    let (verdict, matches) = expressions.split_last().unwrap();
    let name = |left: &'_ Value| {
        left["meta"]["key"].as_str().or(left["payload"]["field"].as_str()).unwrap().to_owned()
    };
    let parts = matches.iter().map(|part| {
        let name = name(&part["match"]["left"]);
        let known = ["iifname", "oifname", "saddr", "daddr", "dport", "l4proto", "nfproto"];
        let known = known.into_iter().find(|known| *known == name).unwrap_or_else(|| panic!("{rule}"));
        assert_eq!(
            part["match"]["op"],
            if verdict.get("masquerade").is_some() && known == "oifname" || is_set(part) {
                "!="
            } else {
                "=="
            }
        );
        (known, &part["match"]["right"])
    });
    (parts.collect(), verdict)
}

/// A rule of a gateway, in the words of the model.
fn routed_words(rule: &Value) -> String {
    let (parts, verdict) = parts(rule);
    let names: Vec<_> = parts.keys().copied().collect();
    let device = |name: &str| parts[name].as_str().unwrap().to_owned();
    match (names.as_slice(), verdict.get("accept").is_some()) {
        (["daddr"], false) => format!("not to {}", subnet(parts["daddr"])),
        (["iifname", "saddr"], true) => format!("from {} by {}", subnet(parts["saddr"]), device("iifname")),
        (["iifname", "oifname", "saddr"], true) if rule.get("comment").is_none() => {
            assert_eq!(parts["iifname"], parts["oifname"]);
            format!("from {} within {}", subnet(parts["saddr"]), device("iifname"))
        }
        (_, accepted) => {
            assert!(accepted, "{rule}");
            model::inward_words(&opens(rule), subnet(parts["daddr"]), &device("oifname"))
        }
    }
}

/// A rule of masquerading, in the words of the model.
fn nat_words(rule: &Value) -> String {
    let (parts, verdict) = parts(rule);
    let from = subnet(parts["saddr"]);
    if verdict.get("masquerade").is_some() {
        return format!("{from} is masqueraded but by {}", parts["oifname"].as_str().unwrap());
    }
    assert_eq!(verdict, &json!({ "accept": null }));
    match parts.get("daddr") {
        Some(to) => format!("{from} is itself to {}", subnet(to)),
        None => format!("{from} is itself"),
    }
}

/// A subnet as nft lists it: the length of a single host is left out.
fn subnet(listed: &Value) -> IpNet {
    let prefix = &listed["prefix"];
    match prefix["addr"].as_str() {
        Some(address) => format!("{address}/{}", prefix["len"]).parse().unwrap(),
        None => IpNet::from(listed.as_str().unwrap().parse::<std::net::IpAddr>().unwrap()),
    }
}

/// Reads the packets that a rule lets in.
fn opens(rule: &Value) -> Rule {
    let comment = rule["comment"].as_str().unwrap().to_owned();
    let expressions = rule["expr"].as_array().unwrap();
    assert_eq!(expressions.last().unwrap(), &json!({ "accept": null }));
    let (mut device, mut source, mut traffic) = (None, None, "any".to_owned());
    let mut is_forwarded = false;
    for comparison in expressions.iter().filter_map(|expression| expression.get("match")) {
        let (left, right) = (&comparison["left"], &comparison["right"]);
        let payload = &left["payload"];
        if left["meta"]["key"] == "iifname" {
            device = right.as_str().map(str::to_owned);
        } else if left["meta"]["key"] == "nfproto" {
            source = Some(if right == "ipv4" { "0.0.0.0/0" } else { "::/0" }.parse().unwrap());
        } else if payload["field"] == "saddr" {
            source = Some(subnet(right));
        } else if payload["field"] == "daddr" || left["meta"]["key"] == "oifname" {
            assert_eq!(rule["chain"], "forward");
            is_forwarded = true;
        } else {
            traffic = packets(left, right).unwrap_or_else(|| panic!("{rule}"));
        }
    }
    // Of a rule that compares an address of the receiver, nft does not list the family again.
    let source = source.or_else(|| is_forwarded.then(|| "0.0.0.0/0".parse().unwrap()));
    Rule { traffic, source: source.unwrap(), device, comment }
}

/// Ports, or another protocol, in the words of the model.
fn packets(left: &Value, right: &Value) -> Option<String> {
    if left["meta"]["key"] == "l4proto" {
        return Some(right.as_str().map_or_else(|| right.to_string(), model::protocol_number));
    }
    let payload = &left["payload"];
    let ports = match right["range"].as_array() {
        Some(range) => format!("{}-{}", range[0], range[1]),
        None => right.as_u64()?.to_string(),
    };
    (payload["field"] == "dport").then(|| format!("{} {ports}", payload["protocol"].as_str().unwrap()))
}

/// Reads the packets that a rule keeps from being forwarded.
fn dropped(rule: &Value) -> Refusal {
    let expressions = rule["expr"].as_array().unwrap();
    let (verdict, matches) = expressions.split_last().unwrap();
    assert_eq!(verdict, &json!({ "drop": null }));
    let (to, port) = matches.split_first().unwrap();
    assert_eq!(to["match"]["left"]["payload"]["field"], "daddr");
    let port = port.first().map(|port| {
        assert_eq!(matches.len(), 2, "{rule}");
        let words = packets(&port["match"]["left"], &port["match"]["right"]);
        (words.unwrap_or_else(|| panic!("{rule}")), rule["comment"].as_str().unwrap().to_owned())
    });
    Refusal { subnet: subnet(&to["match"]["right"]), port }
}

#[test]
fn opens_the_ports_of_the_model_and_no_other() {
    for (cluster, tree) in trees() {
        for node in &cluster.nodes {
            let path = tree.join(format!("nodes/{}/firewall.nft", node.fqdn));
            assert_eq!(loaded(&path), model::of(&cluster, node), "{}", path.display());
        }
    }
}

#[test]
fn loads_as_one_for_both_families() {
    // The last line of the second file is refused by the kernel, after all that stands before it.
    let script = "nft -f \"$1\" && nft -j list ruleset > before && ! nft -f \"$2\" 2>/dev/null && \
                  nft -j list ruleset > after && cmp before after";
    for (cluster, tree) in trees() {
        let path = tree.join(format!("nodes/{}/firewall.nft", cluster.nodes[0].fqdn));
        let text = fs::read_to_string(&path).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let other = dir.path().join("other.nft");
        fs::write(
            &other,
            text.replace("policy drop", "policy accept") + "add rule inet plasmagen nowhere accept\n",
        )
        .unwrap();
        in_namespace("nftables", &format!("cd \"$3\" && {script}"), &[&path, &other, dir.path()]);
    }
}
