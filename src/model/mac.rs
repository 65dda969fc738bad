//! Ethernet addresses.

use std::fmt;

use serde::{Serialize, Serializer};

use super::word::{Form, Invalid, Word, deserialize_word};

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

    /// Whether the address is one of documentation and examples rather than of a machine: those of RFC 7042 section
    /// 2.1.2 (`00:00:5e:00:53:…`), words and runs of hexadecimal digits, all octets the same.
    #[must_use]
    pub fn is_example(self) -> bool {
        let words: [&[u8]; 4] = [
            &[0xde, 0xad, 0xbe, 0xef],
            &[0x00, 0xde, 0xad],
            &[0xca, 0xfe, 0xba, 0xbe],
            &[0x00, 0x00, 0x5e, 0x00, 0x53],
        ];
        let counted = |step: u8| self.0.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step);
        let nearly_zero = matches!(self.0, [0x00 | 0x02, 0, 0, 0, 0, _]);
        let runs = [
            [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc],
            [0x00, 0x12, 0x34, 0x56, 0x78, 0x9a],
            [0x00, 0x12, 0x34, 0x56, 0x78, 0x90],
        ];
        nearly_zero
            || [0x00, 0x01, 0x11].into_iter().any(counted)
            || runs.contains(&self.0)
            || words.into_iter().any(|word| self.0.starts_with(word))
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

deserialize_word!(MacAddr);

/// Parses six octets in any of the usual notations.
fn parse_octets(text: &str) -> Option<[u8; 6]> {
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
        let Some(octets) = parse_octets(text) else {
            let message = format!("`{text}` is not a MAC address");
            if text.split([':', '-']).count() == 20 {
                let help = "this is the address of an InfiniBand port: write the MAC address of an Ethernet port, which \
                            the machine boots from";
                return Err(Invalid::new("PG-D01", message, help));
            }
            return Err(Invalid::new("PG-D01", message, "write six octets: `52:54:00:12:34:56`"));
        };
        let mac = Self(octets);
        if mac.to_string() != text {
            let message = format!("`{text}` is not the canonical form, which servers and file names compare");
            return Err(Invalid::new("PG-D01", message, "").instead(mac.to_string()));
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
    fn addresses_of_examples() {
        for text in [
            "00:11:22:33:44:55",
            "aa:bb:cc:dd:ee:ff",
            "de:ad:be:ef:00:01",
            "02:00:00:00:00:01",
            "00:00:5e:00:53:07",
            "22:22:22:22:22:22",
            "12:34:56:78:9a:bc",
            "00:01:02:03:04:05",
        ] {
            assert!(MacAddr::parse(text).unwrap().is_example(), "{text}");
        }
        for text in [
            "3c:ec:ef:00:00:01",
            "52:54:00:12:34:56",
            "00:25:90:00:00:01",
            "b8:ce:f6:11:22:33",
            "02:42:ac:11:00:02",
        ] {
            assert!(!MacAddr::parse(text).unwrap().is_example(), "{text}");
        }
    }

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
