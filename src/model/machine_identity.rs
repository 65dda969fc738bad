//! The facts by which one machine is told from another, as text for the vault and back.

use std::fmt;

use super::mac::MacAddr;
use super::machine::SerialNumber;
use super::node::Node;
use super::word::Word;

/// The serial number of a machine and the MAC address of the card that it boots from, as far as they are facts of a
/// machine: placeholders are left out.
///
/// The text form has a line for each fact, `serial CN7475139H0023` and `mac 3c:ec:ef:00:00:01`, placeholders included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineIdentity {
    serial: Option<SerialNumber>,
    mac: Option<MacAddr>,
}

impl MachineIdentity {
    /// The identity of the machine of `node`.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        Self::new(node.serial.clone(), Some(node.mac))
    }

    fn new(serial: Option<SerialNumber>, mac: Option<MacAddr>) -> Self {
        let serial = serial.filter(|serial| !serial.is_placeholder() && !serial.is_example());
        Self { serial, mac: mac.filter(|mac| !mac.is_example()) }
    }

    /// Reads the text form. Lines that state no such fact are left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let find = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        let serial = find("serial").and_then(|text| SerialNumber::parse(text).ok());
        Self::new(serial, find("mac").and_then(|text| MacAddr::parse(text).ok()))
    }

    /// Whether the facts say that both are one machine: the serial numbers are equal, or the MAC addresses. One of the
    /// two outlives a repair, or the correction of a typing error.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let is_equal = self.serial.is_some() && self.serial == other.serial;
        is_equal || self.mac.is_some() && self.mac == other.mac
    }

    /// Whether the facts say that the two are different machines: no fact that both have is equal. Where there is no
    /// such fact, nothing is said.
    #[must_use]
    pub fn is_other(&self, other: &Self) -> bool {
        let has_serials = self.serial.is_some() && other.serial.is_some();
        let has_macs = self.mac.is_some() && other.mac.is_some();
        (has_serials || has_macs) && !self.is_same(other)
    }
}

/// Prints the facts for a message: `serial number CN7475139H0023, MAC address 3c:ec:ef:00:00:01`.
impl fmt::Display for MachineIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.serial, &self.mac) {
            (Some(serial), Some(mac)) => write!(f, "serial number {serial}, MAC address {mac}"),
            (Some(serial), None) => write!(f, "serial number {serial}"),
            (None, Some(mac)) => write!(f, "MAC address {mac}"),
            (None, None) => f.write_str("no serial number and no MAC address of a machine"),
        }
    }
}

/// Describes the machine of `node` in the text form of [`MachineIdentity`], one fact a line.
#[must_use]
pub fn describe_machine(node: &Node) -> String {
    let serial = node.serial.as_ref().map(|serial| format!("serial {serial}\n"));
    format!("{}mac {}\n", serial.unwrap_or_default(), node.mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A placeholder is no fact: two machines that show it are not one, and nothing tells them apart by it.
    #[test]
    fn machines_are_told_apart_by_facts_alone() {
        let [a, b] = ["mac 3c:ec:ef:00:00:01", "mac 3c:ec:ef:00:00:02"];
        for (one, two, is_same, is_other) in [
            (format!("serial S1\n{a}\n"), format!("serial S1\n{b}\n"), true, false),
            (format!("serial S1\n{a}\n"), format!("serial S2\n{a}\n"), true, false),
            (format!("serial S1\n{a}\n"), format!("serial S2\n{b}\n"), false, true),
            (
                format!("serial To Be Filled By O.E.M.\n{a}\n"),
                format!("serial To Be Filled By O.E.M.\n{b}\n"),
                false,
                true,
            ),
            (format!("serial Default string\n{a}\n"), format!("{a}\n"), true, false),
            (
                "serial EXAMPLE0001\nmac 00:00:5e:00:53:01\n".to_owned(),
                format!("serial S1\n{a}\n"),
                false,
                false,
            ),
            (String::new(), format!("{a}\n"), false, false),
            ("serial S1\n".to_owned(), format!("{a}\n"), false, false),
        ] {
            for [one, two] in [[&one, &two], [&two, &one]] {
                let [one, two] = [one, two].map(|text| MachineIdentity::parse(text));
                assert_eq!((one.is_same(&two), one.is_other(&two)), (is_same, is_other), "{one:?} {two:?}");
            }
        }
        assert_eq!(
            MachineIdentity::parse("junk\nserial \nmac x").to_string(),
            MachineIdentity::default().to_string()
        );
    }
}
