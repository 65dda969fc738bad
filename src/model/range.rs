//! Ranges of addresses of both families.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::net::{Family, parse_address};
use super::word::{Form, Invalid, Word};

/// A range of addresses, first and last included, written `10.0.100.100-10.0.100.200`. Rule C12 checks their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range<A> {
    /// The first address.
    pub first: A,
    /// The last address.
    pub last: A,
}

impl<A: Ord> Range<A> {
    /// Whether the range holds `address`.
    pub fn contains(&self, address: &A) -> bool {
        self.first <= *address && *address <= self.last
    }
}

impl<A: fmt::Display> fmt::Display for Range<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl<A: fmt::Display> Serialize for Range<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, A: Family> Deserialize<'de> for Range<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(|invalid| de::Error::custom(invalid.message))
    }
}

impl<A: Family> Word for Range<A> {
    const FORM: Form = Form::new("the first and the last address", A::RANGE, &[A::EXAMPLE_RANGE]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        let Some((first, last)) = text.split_once('-') else {
            let message = format!("`{text}` is not a range of addresses");
            return Err(Invalid::new(
                "PG-A04",
                message,
                format!("write `first-last`, such as `{}`", A::EXAMPLE_RANGE),
            ));
        };
        Ok(Self { first: parse_address(first, A::EXAMPLE)?, last: parse_address(last, A::EXAMPLE)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn ranges_hold_both_ends() {
        let range = Range::<Ipv4Addr>::parse("10.0.0.5-10.0.0.9").unwrap();
        assert!(range.contains(&"10.0.0.5".parse().unwrap()) && range.contains(&"10.0.0.9".parse().unwrap()));
        assert!(!range.contains(&"10.0.0.10".parse().unwrap()));
        assert!(Range::<Ipv4Addr>::parse("10.0.0.5").is_err());
    }
}
