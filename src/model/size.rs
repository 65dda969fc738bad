//! Sizes and durations, which are written with their unit (rule A09).

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize, Serializer};

use super::word::{Form, Invalid, Word, deserialize_word};

/// A size in bytes, written with a binary unit: `512M`, `1G`, `2T` (powers of 1024, as disko and sgdisk read them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

/// A duration, written with its unit: `30s`, `10m`, `12h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Seconds(u32);

const UNITS: [(char, u32); 3] = [('T', 40), ('G', 30), ('M', 20)];

/// Splits `text` into its number and its unit.
fn split(text: &str) -> Option<(NonZeroU64, char)> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if plain { Some((digits.parse().ok()?, unit)) } else { None }
}

/// Splits `text` into the digits that it begins with, and the word behind them.
fn split_unit(text: &str) -> (&str, &str) {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (&text[..text.len() - unit.len()], unit.trim())
}

impl Word for Size {
    const FORM: Form =
        Form::new("a size with a binary unit: M, G or T", "^[1-9][0-9]*[MGT]$", &["512M", "1G", "2T"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        let bytes = split(text).and_then(|(number, unit)| {
            let (_, shift) = UNITS.iter().find(|(name, _)| *name == unit)?;
            number.get().checked_mul(1 << shift)
        });
        bytes.filter(|bytes| *bytes < 1 << 60).map(Self).ok_or_else(|| {
            let message = format!("`{text}` is not a size: it needs a whole number and a unit");
            let help = "write mebi-, gibi- or tebibytes: `512M`, `1G`, `2T`";
            let invalid = Invalid::new("PG-A09", message, help);
            // `1GiB`, `1 GB`, `512m`
            let (number, unit) = split_unit(text);
            let letter = unit.to_ascii_uppercase();
            let letter = letter.strip_suffix("IB").or(letter.strip_suffix('B')).unwrap_or(&letter);
            match letter {
                "T" | "G" | "M" if !number.starts_with('0') && !number.is_empty() => {
                    invalid.instead(format!("{number}{letter}"))
                }
                _ => invalid,
            }
        })
    }
}

impl Size {
    /// `n` GiB.
    #[must_use]
    pub const fn gib(n: u64) -> Self {
        Self(n << 30)
    }

    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// `n` MiB.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fit = UNITS.iter().find(|(_, shift)| self.0.is_multiple_of(1 << shift));
        let (unit, shift) = fit.unwrap_or(&('M', 20));
        write!(f, "{}{unit}", self.0 >> shift)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

deserialize_word!(Size);

impl Word for Seconds {
    const FORM: Form =
        Form::new("a time with its unit: s, m, h or d", "^[1-9][0-9]*[smhd]$", &["30s", "10m", "12h", "7d"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        let seconds = split(text).and_then(|(number, unit)| {
            let factor = match unit {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86_400,
                _ => return None,
            };
            u32::try_from(number.get()).ok()?.checked_mul(factor)
        });
        seconds.map(Self).ok_or_else(|| {
            let message = format!("`{text}` is not a time: it needs a whole number and a unit");
            let help = "write seconds, minutes, hours or days: `30s`, `10m`, `12h`, `7d`";
            let invalid = Invalid::new("PG-A09", message, help);
            let (number, unit) = split_unit(text);
            let letter = match unit.to_ascii_lowercase().as_str() {
                "sec" | "secs" | "second" | "seconds" => "s",
                "min" | "mins" | "minute" | "minutes" => "m",
                "h" | "hour" | "hours" => "h",
                "d" | "day" | "days" => "d",
                _ => return invalid,
            };
            if number.is_empty() || number.starts_with('0') || format!("{number}{letter}") == text {
                return invalid;
            }
            invalid.instead(format!("{number}{letter}"))
        })
    }
}

impl Seconds {
    /// `n` seconds.
    #[must_use]
    pub const fn new(n: u32) -> Self {
        Self(n)
    }

    /// The number of seconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_need_units() {
        assert_eq!(Size::parse("1024M").unwrap(), Size::gib(1));
        assert_eq!(Size::gib(1).to_string(), "1G");
        assert_eq!(Size::parse("2T").unwrap().to_string(), "2T");
        for bad in ["16", "1.5G", "0G", "-1G", "1 G", "G", "1KiB", "99999999999T", "é"] {
            assert_eq!(Size::parse(bad).unwrap_err().code, "PG-A09", "{bad}");
        }
    }

    #[test]
    fn times_need_units() {
        assert_eq!(Seconds::parse("10m").unwrap().get(), 600);
        for bad in ["10", "0s", "1w", "99999999h"] {
            assert!(Seconds::parse(bad).is_err(), "{bad}");
        }
    }
}
