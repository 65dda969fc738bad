//! The entries of `[tls] permit`.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::names::DomainName;
use super::word::{Form, Invalid, Word, deserialize_word};

/// A subnet or a domain that a CA may vouch for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// The addresses of a subnet.
    Subnet(IpNet),
    /// A domain, with all names below.
    Domain(DomainName),
}

impl Permit {
    /// The subnet, if the entry is one.
    #[must_use]
    pub fn subnet(&self) -> Option<IpNet> {
        if let Self::Subnet(subnet) = self { Some(*subnet) } else { None }
    }

    /// The domain, if the entry is one.
    #[must_use]
    pub fn domain(&self) -> Option<&DomainName> {
        if let Self::Domain(domain) = self { Some(domain) } else { None }
    }
}

impl Word for Permit {
    const FORM: Form = Form::new(
        "a subnet of either family, or a domain",
        r"^([0-9A-Fa-f:.]+/[0-9]{1,3}|[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)$",
        &["10.0.0.0/16", "fd00:10::/32", "example.net"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.contains(['/', ':']) || text.parse::<IpAddr>().is_ok() {
            IpNet::parse(text).map(Self::Subnet)
        } else {
            DomainName::parse(text).map(Self::Domain)
        }
    }
}

impl fmt::Display for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subnet(subnet) => subnet.fmt(f),
            Self::Domain(domain) => domain.fmt(f),
        }
    }
}

impl Serialize for Permit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

deserialize_word!(Permit);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_and_domains() {
        for text in ["10.0.0.0/16", "fd00:10::/32", "example.net", "10.example.net", "lab"] {
            let permit = Permit::parse(text).unwrap();
            assert_eq!(permit.to_string(), text);
            assert_eq!(permit.subnet().is_some(), text.contains('/'), "{text}");
            assert_eq!(permit.domain().is_some(), !text.contains('/'), "{text}");
        }
        for (text, code) in [
            ("10.0.0.1/16", "PG-C08"),
            ("10.0.0.0", "PG-A04"),
            ("fd00::", "PG-A04"),
            ("10.0.0.0/33", "PG-A04"),
            ("Example.net", "PG-B01"),
            ("*.example.net", "PG-B01"),
            (".example.net", "PG-B01"),
            ("", "PG-A07"),
        ] {
            assert_eq!(Permit::parse(text).unwrap_err().code, code, "{text:?}");
        }
    }
}
