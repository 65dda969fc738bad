//! The DHCP servers, each with exactly the rendered file.

use std::fs;
use std::net::Ipv4Addr;

use serde_json::Value;

use crate::live::cases::{Case, Facts, LEASE_SECONDS, in_pool};
use crate::live::lab::{Lab, Port};

/// A server that plasmagen configures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Dhcpd,
    Kea,
    Dnsmasq,
}

impl Server {
    /// The rendered file that it reads.
    pub(crate) fn configuration(self) -> &'static str {
        match self {
            Self::Dhcpd => "site/pxe/dhcpd.conf",
            Self::Kea => "site/pxe/kea-dhcp4.json",
            Self::Dnsmasq => "site/pxe/dnsmasq.conf",
        }
    }

    /// Starts it on the provisioner of `lab`. Only what is not of the file's business stands on the command line:
    /// where state lies, whose user runs it, that it stays in the foreground.
    pub(crate) fn start(self, lab: &mut Lab) {
        const DHCP: Port = Port("udp", 67);
        let configuration = lab.file(self.configuration());
        match self {
            Self::Dhcpd => {
                let leases = lab.file("dhcpd.leases");
                fs::write(&leases, "").unwrap();
                let mut command = lab.on_provisioner("dhcpd");
                command.args(["-4", "-d", "-pf", "/run/dhcpd.pid", "-lf"]).arg(leases);
                command.arg("-cf").arg(configuration);
                command.args(lab.cluster.provisioner.interfaces().map(|interface| interface.name.as_str()));
                lab.start("isc-dhcp-server", DHCP, &mut command);
            }
            Self::Kea => {
                let mut command = lab.on_provisioner("kea-dhcp4");
                command.arg("-c").arg(configuration);
                command.env("KEA_PIDFILE_DIR", "/run/kea").env("KEA_LOCKFILE_DIR", "/run/kea");
                lab.start("kea-dhcp4-server", DHCP, &mut command);
            }
            Self::Dnsmasq => {
                let mut command = lab.on_provisioner("dnsmasq");
                // It would ping an address that it is about to lease, and do nothing else for three seconds.
                command.args([
                    "--keep-in-foreground",
                    "--log-facility=-",
                    "--user=root",
                    "--group=root",
                    "--no-ping",
                    "--pid-file",
                ]);
                command.arg(format!("--conf-file={}", configuration.display()));
                lab.start("dnsmasq-base", DHCP, &mut command);
            }
        }
    }
}

/// What is answered over the wire of `lab`, as `dhcp_client.py` says it.
fn answers(lab: &Lab, cases: &[Case]) -> Vec<Value> {
    let questions: Vec<_> = cases.iter().map(|case| &case.question).collect();
    let answers = lab.script("dhcp_client.py", &[], &serde_json::to_value(questions).unwrap());
    let answers = answers.as_array().unwrap().clone();
    assert_eq!(answers.len(), cases.len());
    answers
}

/// How long a machine waits for its lease, in milliseconds.
pub(crate) fn milliseconds(lab: &Lab, case: &[Case]) -> f64 {
    answers(lab, case)[0]["seconds"].as_f64().unwrap() * 1000.0
}

/// What each case is told; all of them must be told something.
pub(crate) fn told(lab: &Lab, cases: &[Case]) -> Vec<Facts> {
    let told = |(case, answer): (&Case, Value)| {
        let facts = facts(&answer["ack"], case.expected.as_ref().unwrap());
        facts.unwrap_or_else(|| panic!("{}: {} gets no answer\n{}", lab.name, case.name, lab.logs()))
    };
    cases.iter().zip(answers(lab, cases)).map(told).collect()
}

/// Asks each question over the wire of `lab`: what does not come out as expected, in words.
pub(crate) fn ask(lab: &Lab, cases: &[Case]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(answers(lab, cases)) {
        let mut note = |what: &str, expected: &str, got: &str| {
            wrong.push(format!("{}: {what}: expected {expected}, got {got}", case.name));
        };
        let Some(expected) = &case.expected else {
            if !answer.is_null() {
                note("answer", "silence", &answer.to_string());
            }
            continue;
        };
        for message in ["offer", "ack"] {
            let Some(got) = facts(&answer[message], expected) else {
                note(message, "an answer", &answer[message].to_string());
                continue;
            };
            let mut names: Vec<_> = expected.keys().chain(got.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names.into_iter().filter(|name| expected.get(*name) != got.get(*name)) {
                let say = |facts: &Facts| {
                    facts.get(name).map_or_else(|| "none".to_owned(), |value| format!("`{value}`"))
                };
                note(&format!("{name} in the {message}"), &say(expected), &say(&got));
            }
        }
        if answer["offer"]["yiaddr"] != answer["ack"]["yiaddr"] {
            note("address", "that of the offer", &answer["ack"]["yiaddr"].to_string());
        }
    }
    wrong
}

/// What a server's message says.
fn facts(message: &Value, expected: &Facts) -> Option<Facts> {
    let mut facts = Facts::new();
    let address: Ipv4Addr = message["yiaddr"].as_str()?.parse().unwrap();
    let within = expected["address"].strip_prefix("one of ").and_then(|range| range.split_once('-'));
    let within = within.map(|(first, last)| (first.parse().unwrap(), last.parse().unwrap()));
    let pool = within.filter(|(first, last)| (*first..=*last).contains(&address));
    facts.insert(
        "address".into(),
        pool.map_or_else(|| address.to_string(), |(first, last)| in_pool(first, last)),
    );
    facts.insert("next server".into(), message["siaddr"].as_str()?.to_owned());
    let file = bytes(&message["file"]);
    if !file.is_empty() {
        facts.insert("file".into(), text(&file));
    }
    for (code, data) in message["options"].as_object()? {
        let data = bytes(data);
        let (name, value) = match code.parse::<u8>().unwrap() {
            1 => ("subnet mask", addresses(&data)),
            3 => ("routers", addresses(&data)),
            6 => ("resolvers", addresses(&data)),
            12 => ("host name", text(&data)),
            15 => ("domain", text(&data)),
            28 => ("broadcast", addresses(&data)),
            51 => ("lease time", lease(u32::from_be_bytes(data.try_into().unwrap()))),
            60 => ("vendor class", text(&data)),
            67 => ("file", text(&data)),
            // Some servers end the options inside of it (RFC 2132 section 8.4).
            175 => ("iPXE", hex(data.strip_suffix(&[255]).unwrap_or(&data))),
            // The exchange itself: type, server, renewal times, the client's identifier.
            53 | 54 | 58 | 59 | 61 => continue,
            other => (&*format!("option {other}"), hex(&data)),
        };
        if let Some(before) = facts.insert(name.to_owned(), value.clone())
            && before != value
        {
            facts.insert(name.to_owned(), format!("{before}, and elsewhere {value}"));
        }
    }
    Some(facts)
}

/// dhcpd tells what is left of a lease that it has given just before (`dhcp-cache-threshold`).
fn lease(seconds: u32) -> String {
    let whole = LEASE_SECONDS;
    if (whole - 60..=whole).contains(&seconds) { whole.to_string() } else { seconds.to_string() }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.as_array().unwrap().iter().map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect()
}

/// Some servers end a text with a zero.
fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).trim_end_matches('\0').to_owned()
}

fn addresses(data: &[u8]) -> String {
    let words: Vec<_> =
        data.chunks(4).map(|bytes| Ipv4Addr::from(<[u8; 4]>::try_from(bytes).unwrap()).to_string()).collect();
    words.join(" ")
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
