//! Words about machines and servers: those of firmware, BMCs, kernels and zones.

use super::names::DomainName;
use super::net::refuse_zone;
use super::word::{Form, Invalid, Word, check_identifier, has_only, invalid, word};

word! {
    /// The serial number that a machine's firmware reports (SMBIOS type 1).
    SerialNumber;
    /// A user of a BMC.
    UserName;
    /// A kernel module (modprobe(8)), such as `megaraid_sas`.
    KernelModule;
    /// A serial console as the kernel's `console=` wants it, such as `ttyS0,115200`.
    Console;
    /// The mailbox of a zone's contact, such as `hostmaster@example.com`.
    Mailbox;
    /// A server of NTP, DNS or log messages: a domain name or an address.
    Server;
}

impl Word for SerialNumber {
    const FORM: Form = Form::new(
        "a serial number as /sys/class/dmi/id/product_serial shows it",
        "^[A-Za-z0-9._/ -]{1,64}$",
        &["CN7475139H0023"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        check_identifier(text)?;
        if has_only(text, |b| b.is_ascii_alphanumeric() || b"._/ -".contains(&b)) && text.len() <= 64 {
            Ok(Self(text.to_owned()))
        } else {
            // profiles/netboot/facts.sh leaves out the same characters.
            let kept: String =
                text.chars().filter(|c| c.is_ascii_alphanumeric() || "._/ -".contains(*c)).take(64).collect();
            let kept = kept.trim();
            let help = if kept.is_empty() {
                "write it as `cat /sys/class/dmi/id/product_serial` prints it".to_owned()
            } else {
                format!("write `{kept}`: the installer leaves out other characters, too")
            };
            let invalid = Invalid::new("PG-A04", format!("`{text}` is not a serial number"), help);
            Err(Invalid { instead: (!kept.is_empty()).then(|| kept.to_owned()), ..invalid })
        }
    }
}

impl SerialNumber {
    /// The numbers, in lower case, that firmware shows where nobody has written one. profiles/wipe-guard has the list as well.
    pub const PLACEHOLDERS: [&str; 30] = [
        "0123456789",
        "1234567890",
        "123456789",
        "none",
        "null",
        "n/a",
        "na",
        "unknown",
        "default",
        "default string",
        "oem",
        "o.e.m.",
        "to be filled by o.e.m.",
        "to be filled by oem",
        "system serial number",
        "chassis serial number",
        "base board serial number",
        "serial number",
        "not specified",
        "not applicable",
        "not available",
        "not provided",
        "invalid",
        "empty",
        "empty string",
        "type1 - serial number",
        "not set",
        "not present",
        "no serial",
        "no enclosure",
    ];

    /// Whether firmware shows the number on machines that have none of their own: a known text, or one character alone.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        let number = self.0.to_ascii_lowercase();
        Self::PLACEHOLDERS.contains(&number.as_str()) || number.bytes().all(|b| b == number.as_bytes()[0])
    }

    /// Whether the number is a placeholder that somebody was meant to replace, such as the `EXAMPLE0001` of
    /// `plasmagen init`.
    #[must_use]
    pub fn is_example(&self) -> bool {
        let number = self.0.to_ascii_uppercase();
        ["EXAMPLE", "PLACEHOLDER", "CHANGEME", "CHANGE-ME", "CHANGE_ME", "REPLACE", "TODO", "FIXME", "XXXX"]
            .iter()
            .any(|word| number.starts_with(word))
    }
}

impl Word for UserName {
    const FORM: Form =
        Form::new("a user of a BMC, at most 16 bytes", "^[A-Za-z0-9._@][A-Za-z0-9._@-]{0,15}$", &["admin"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.contains(':') {
            let help = "write the user alone, and `password_file = \"bmc/…\"`; this password is known now: change it";
            return Err(Invalid::new("PG-E03", "a password stands beside the user", help).secret());
        }
        check_identifier(text)?;
        // IPMI 2.0 section 22.28: 16 bytes.
        if has_only(text, |b| b.is_ascii_alphanumeric() || b"._@-".contains(&b))
            && text.len() <= 16
            && !text.starts_with('-')
        {
            Ok(Self(text.to_owned()))
        } else {
            invalid(
                "PG-A04",
                format!("`{text}` is not a BMC user"),
                "write at most 16 letters, digits, `.`, `_`, `@` or `-`",
            )
        }
    }
}

impl Word for KernelModule {
    const FORM: Form = Form::new("a kernel module", "^[A-Za-z0-9_][A-Za-z0-9_-]*$", &["megaraid_sas"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        if has_only(text, |b| b.is_ascii_alphanumeric() || b"_-".contains(&b)) && !text.starts_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            invalid(
                "PG-A04",
                format!("`{text}` is not a kernel module"),
                "write a name that modprobe knows, such as `megaraid_sas`",
            )
        }
    }
}

impl Word for Console {
    const FORM: Form =
        Form::new("a serial device and its speed", "^tty[A-Za-z0-9]+(,[A-Za-z0-9]*)?$", &["ttyS0,115200"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        let (device, rest) = text.split_once(',').unwrap_or((text, ""));
        let device = device.strip_prefix("tty").unwrap_or("");
        let legal = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric());
        if !device.is_empty() && legal(device) && legal(rest) {
            Ok(Self(text.to_owned()))
        } else {
            invalid(
                "PG-A04",
                format!("`{text}` is not a serial console"),
                "write a device and a speed: `ttyS0,115200`",
            )
        }
    }
}

impl Word for Mailbox {
    const FORM: Form =
        Form::new("a mailbox", "^[A-Za-z0-9_][A-Za-z0-9._+-]*@[a-z0-9.-]+$", &["hostmaster@example.com"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        // In a zone the user is one label (RFC 1035 section 8), and the whole a name. Name servers read a label that
        // begins with another character as part of the syntax.
        let is_part =
            |part: &str| part.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
        let legal = text.split_once('@').is_some_and(|(user, domain)| {
            has_only(user, |b| b.is_ascii_alphanumeric() || b"._+-".contains(&b))
                && user.split('.').all(is_part)
                && user.len() <= 63
                && text.len() <= 253
                && DomainName::parse(domain).is_ok()
        });
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            invalid(
                "PG-B10",
                format!("`{text}` is not a mailbox"),
                "write one such as `hostmaster@example.com`",
            )
        }
    }
}

impl Word for Server {
    const FORM: Form =
        Form::new("a domain name or an address", "^([a-z0-9.-]+|[0-9A-Fa-f:.]+)$", &["ntp.example.com"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        if let Some(zoned) = refuse_zone(text) {
            return Err(zoned);
        }
        if text.parse::<std::net::IpAddr>().is_ok() || DomainName::parse(text).is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            invalid(
                "PG-A04",
                format!("`{text}` is neither a domain name nor an address"),
                "write a name such as `ntp.example.com`",
            )
        }
    }
}

impl Server {
    /// The address, where the server is not written as a name.
    #[must_use]
    pub fn address(&self) -> Option<std::net::IpAddr> {
        self.as_str().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words() {
        assert!(Console::parse("ttyS0,115200n8").is_ok() && Console::parse("ttyS0 x").is_err());
        for (text, is_example) in [
            ("EXAMPLE0001", true),
            ("example-1", true),
            ("changeme", true),
            ("XXXXXXXX", true),
            ("CN7475139H0023", false),
            ("XX7475139H", false),
            ("S-EXAMPLE", false),
        ] {
            assert_eq!(SerialNumber::parse(text).unwrap().is_example(), is_example, "{text}");
        }
        for (text, is_placeholder) in [
            ("To Be Filled By O.E.M.", true),
            ("To be filled by O.E.M.", true),
            ("Default string", true),
            ("System Serial Number", true),
            ("Not Specified", true),
            ("N/A", true),
            ("None", true),
            ("0", true),
            ("00000000", true),
            ("0123456789", true),
            ("123456789", true),
            ("...", true),
            ("EXAMPLE0001", false),
            ("12", false),
            ("12345678901", false),
            ("S1", false),
            ("NA0001", false),
            ("CN7475139H0023", false),
        ] {
            assert_eq!(SerialNumber::parse(text).unwrap().is_placeholder(), is_placeholder, "{text}");
        }
        assert!(SerialNumber::parse("CN7475139H0023").is_ok() && SerialNumber::parse("a\"b").is_err());
        assert!(Mailbox::parse("host.master@example.com").is_ok() && Mailbox::parse("ops").is_err());
        for bad in [
            ".a@example.com".to_owned(),
            "a..b@example.com".to_owned(),
            "-a@example.com".to_owned(),
            "a.+b@example.com".to_owned(),
            format!("{}@example.com", "a".repeat(64)),
        ] {
            assert!(Mailbox::parse(&bad).is_err(), "{bad}");
        }
        assert!(Server::parse("10.0.0.1").is_ok() && Server::parse("a b").is_err());
    }
}
