//! Ethernet addresses.

use std::fmt;

use serde::{Serialize, Serializer};

use super::word::{Form, Invalid, Word};

/// A unicast EUI-48 address (IEEE 802), written `52:54:00:12:34:56`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// Whether the address is locally administered (the U/L bit): such addresses belong to virtual machines, bonds
    /// and operating systems that randomise, seldom to the ROM that boots.
    #[must_use]
    pub fn is_local(self) -> bool {
        self.0[0] & 2 != 0
    }

    /// `52-54-00-12-34-56`, as iPXE's `${netX/mac:hexhyp}` prints it.
    #[must_use]
    pub fn hyphens(self) -> String {
        self.joined("-")
    }

    fn joined(self, separator: &str) -> String {
        self.0.map(|octet| format!("{octet:02x}")).join(separator)
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.joined(":"))
    }
}

impl Serialize for MacAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The six octets, where `text` has them in any of the usual notations.
fn octets(text: &str) -> Option<[u8; 6]> {
    let digits: String = text.chars().filter(|c| !":-.".contains(*c)).collect();
    if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let value = u64::from_str_radix(&digits, 16).ok()?;
    let [_, _, octets @ ..] = value.to_be_bytes();
    Some(octets)
}

impl Word for MacAddr {
    const FORM: Form = Form::new(
        "a MAC address of one machine, in lower case and with colons",
        "^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$",
        &["52:54:00:12:34:56"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        let Some(octets) = octets(text) else {
            let message = format!("`{text}` is not a MAC address");
            return Err(Invalid::new("PG-D01", message, "write six octets: `52:54:00:12:34:56`"));
        };
        let mac = Self(octets);
        if mac.to_string() != text {
            let message = format!("`{text}` is not the canonical form, which servers and file names compare");
            return Err(Invalid::new("PG-D01", message, format!("write `{mac}`")));
        }
        if octets == [0; 6] || octets == [0xff; 6] {
            let message = format!("`{text}` is no machine's address: it means none, or all");
            return Err(Invalid::new("PG-D03", message, "read it off the machine's label or its BMC"));
        }
        if octets[0] & 1 == 1 {
            let message = format!("`{text}` is a multicast address: no machine sends from it");
            return Err(Invalid::new(
                "PG-D02",
                message,
                "read it off the machine's label or its BMC: its first octet is even",
            ));
        }
        Ok(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_unicast_addresses() {
        let mac = MacAddr::parse("52:54:00:12:34:56").unwrap();
        assert_eq!(mac.hyphens(), "52-54-00-12-34-56");
        assert!(mac.is_local());
        assert!(!MacAddr::parse("3c:ec:ef:00:00:01").unwrap().is_local());
        for (text, code) in [
            ("52:54:00:12:34", "PG-D01"),
            ("52:54:00:12:34:5g", "PG-D01"),
            ("52-54-00-12-34-56", "PG-D01"),
            ("52:54:00:AB:CD:EF", "PG-D01"),
            ("01:00:5e:00:00:01", "PG-D02"),
            ("00:00:00:00:00:00", "PG-D03"),
            ("ff:ff:ff:ff:ff:ff", "PG-D03"),
        ] {
            assert_eq!(MacAddr::parse(text).unwrap_err().code, code, "{text}");
        }
        assert!(MacAddr::parse("5254.00AB.CDEF").unwrap_err().help.contains("52:54:00:ab:cd:ef"));
    }
}
