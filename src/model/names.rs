//! Names of hosts, domains, interfaces and the entries of the inventory's tables.

use super::label_form::{check_label, check_other_meanings, suggest_domain, suggest_label};
use super::word::{Form, Invalid, Word, check_identifier, has_only, word};

word! {
    /// A host name: one label of RFC 1123 section 2.1 in lower case, at most 63 bytes, which is also a legal
    /// `networking.hostName`.
    HostName;
    /// A domain name of at least one label, at most 253 bytes (RFC 1035 section 3.1), in lower case.
    DomainName;
    /// The name of a cluster, network, profile, service or hardware: a label of `[a-z0-9-]`, at most 63 bytes.
    Label;
    /// A network interface: at most 15 bytes (`IFNAMSIZ` of linux/if.h) of `[A-Za-z0-9._-]`.
    IfName;
}

/// Names that are taken: by the site's servers, DOS devices, directories of the web root.
const RESERVED: [&str; 13] = [
    "localhost",
    "ns",
    "gateway",
    "boot",
    "current",
    "armed",
    "ipxe",
    "tftp",
    "con",
    "nul",
    "prn",
    "aux",
    "broadcasthost",
];

/// Whether dnsmasq reads `text` as a lease time or a keyword where the name of a host stands (`dhcp-host` in dnsmasq(8)), as
/// it reads `45m`.
fn is_lease(text: &str) -> bool {
    let number = text.strip_suffix(['s', 'm', 'h', 'd', 'w']);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
        || ["infinite", "ignore"].contains(&text)
}

/// Whether `text` is a DOS port such as `com1` or `lpt1`: no directory on Windows can have that name.
fn is_dos_port(text: &str) -> bool {
    let number = text.strip_prefix("com").or_else(|| text.strip_prefix("lpt"));
    number.is_some_and(|number| number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit()))
}

impl Word for HostName {
    const FORM: Form = Form::new(
        "a host name in lower case (RFC 1123)",
        "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        &["node01"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.parse::<std::net::IpAddr>().is_ok() {
            return Err(Invalid::new(
                "PG-B02",
                format!("`{text}` is an address, not a host name"),
                "give it a name",
            ));
        }
        if let Some((label, _)) = text.split_once('.').filter(|_| text.is_ascii()) {
            let message = format!("`{text}` is not a host name: it has a domain behind it");
            let help =
                "write the name without the domain: the domain of all nodes is `domain` in `[cluster]`";
            return Err(Invalid { instead: suggest_label(label), ..Invalid::new("PG-B01", message, help) });
        }
        check_label(text, "a host name")?;
        check_other_meanings(text)?;
        if RESERVED.contains(&text) || is_dos_port(text) {
            let message = format!("`{text}` is a reserved name: a host of that name would shadow it");
            return Err(Invalid::new("PG-B04", message, format!("choose another, such as `{text}-1`")));
        }
        if is_lease(text) {
            let message =
                format!("`{text}` is a lease time or a keyword to dnsmasq, which so loses the name");
            return Err(Invalid::new("PG-B04", message, format!("choose another, such as `n{text}`")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl HostName {
    /// The fully qualified name in `domain`.
    ///
    /// # Errors
    /// Under rule B03 when the whole has more than 64 bytes, the kernel's limit for a host name
    /// (`__NEW_UTS_LEN` of linux/utsname.h), which is under DNS's 253.
    pub fn in_domain(&self, domain: &DomainName) -> Result<DomainName, Invalid> {
        let fqdn = format!("{self}.{domain}");
        if fqdn.len() > 64 {
            let message =
                format!("`{fqdn}` has {} bytes, and the kernel keeps 64 of a host name", fqdn.len());
            return Err(Invalid::new("PG-B03", message, "shorten the name or the domain"));
        }
        Ok(DomainName(fqdn))
    }
}

impl Word for DomainName {
    const FORM: Form = Form::new(
        "a domain name in lower case, without the final dot",
        r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
        &["cluster.example.com"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        check_identifier(text)?;
        if text.ends_with('.') {
            let invalid = Invalid::new("PG-B01", "a domain is written without the final dot here", "");
            return Err(invalid.instead(text.trim_end_matches('.')));
        }
        for part in text.split('.') {
            if part.is_empty() {
                return Err(Invalid::new(
                    "PG-B01",
                    format!("`{text}` has an empty label"),
                    "write one dot between labels",
                ));
            }
            check_label(part, "a label of a domain").map_err(|invalid| match suggest_domain(text) {
                Some(domain) if invalid.instead.is_some() => invalid.instead(domain),
                _ => invalid,
            })?;
        }
        if text.len() > 253 {
            let message = format!("this domain has {} bytes, and DNS carries 253", text.len());
            return Err(Invalid::new("PG-B03", message, "shorten it"));
        }
        if text.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit())) {
            return Err(Invalid::new(
                "PG-B02",
                format!("`{text}` ends in digits: it reads as an address"),
                "write a domain such as `cluster.example.com`",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Word for Label {
    const FORM: Form = Form::new(
        "a name of at most 63 letters a-z, digits and inner hyphens",
        "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        &["control-plane"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        check_label(text, "a name")?;
        Ok(Self(text.to_owned()))
    }
}

impl Word for IfName {
    const FORM: Form = Form::new("a network interface", "^[A-Za-z0-9._][A-Za-z0-9._-]{0,14}$", &["eth0"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        check_identifier(text)?;
        let legal = has_only(text, |b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) && text.len() <= 15;
        if !legal || [".", "..", "lo", "all", "default"].contains(&text) || text.starts_with('-') {
            let message = format!("`{text}` is not the name of a network interface");
            return Err(Invalid::new(
                "PG-B01",
                message,
                "write at most 15 letters, digits, `.`, `_` or `-`, such as `eth0`",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names() {
        assert_eq!(HostName::parse("node-01").unwrap().as_str(), "node-01");
        for (text, code) in [
            ("", "PG-A07"),
            ("node1 ", "PG-A07"),
            ("n\u{f6}de", "PG-A08"),
            ("Node1", "PG-B01"),
            ("a_b", "PG-B01"),
            ("-a", "PG-B01"),
            ("0123", "PG-B02"),
            ("::1", "PG-B02"),
            ("xn--a", "PG-B02"),
            ("current", "PG-B04"),
            ("45m", "PG-B04"),
            ("infinite", "PG-B04"),
        ] {
            assert_eq!(HostName::parse(text).unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(HostName::parse(&"a".repeat(64)).unwrap_err().code, "PG-B02");
    }

    #[test]
    fn fully_qualified_names_fit_the_kernel() {
        let domain = DomainName::parse(&format!("{}.example.com", "d".repeat(50))).unwrap();
        assert!(HostName::parse("a").unwrap().in_domain(&domain).is_ok());
        assert_eq!(HostName::parse("abc").unwrap().in_domain(&domain).unwrap_err().code, "PG-B03");
    }

    #[test]
    fn domains() {
        assert!(DomainName::parse("prov.example.com").is_ok());
        for bad in ["example.com.", "a..b", ".a", "a_b.c", "10.0.0.1"] {
            assert!(DomainName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn interfaces() {
        assert!(IfName::parse("eth0.200").is_ok());
        for bad in ["lo", "..", "a b", "eth0/1", "an-interface-too-long", "-x"] {
            assert!(IfName::parse(bad).is_err(), "{bad}");
        }
    }
}
