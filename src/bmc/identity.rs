//! Whether a BMC is that of the machine in the inventory.
//!
//! Dell's `SerialNumber` is that of the board, and the service tag, which the firmware shows as the machine's number, is the
//! `SKU` (ironic, bug 2146585). So every number that may be the machine's is compared.

use serde::Serialize;

use crate::model::SerialNumber;

/// Whether the serial number in the inventory is among those that a BMC reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// It is.
    Same,
    /// The BMC reports others.
    Other,
    /// The inventory has none, or the BMC reports none.
    Unknown,
}

/// The numbers that firmware shows where nobody has written one.
const PLACEHOLDERS: [&str; 10] = [
    "none",
    "n/a",
    "unknown",
    "0123456789",
    "default string",
    "to be filled by o.e.m.",
    "system serial number",
    "chassis serial number",
    "not specified",
    "not available",
];

/// Whether `number` could be that of any machine: a placeholder, or one character only.
pub(super) fn is_placeholder(number: &str) -> bool {
    let number = number.trim().to_ascii_lowercase();
    let first = number.chars().next();
    first.is_none_or(|first| number.chars().all(|c| c == first)) || PLACEHOLDERS.contains(&number.as_str())
}

/// Compares the serial numbers that a BMC reports with that of the inventory.
pub(super) fn compare_serials(reported: &[String], expected: Option<&SerialNumber>) -> Identity {
    let Some(expected) = expected.filter(|serial| !serial.is_example()) else { return Identity::Unknown };
    let mut reported = reported.iter().filter(|number| !is_placeholder(number)).peekable();
    if reported.peek().is_none() {
        Identity::Unknown
    } else if reported.any(|number| number.trim() == expected.as_str()) {
        Identity::Same
    } else {
        Identity::Other
    }
}

impl Identity {
    /// Says why the machine may be another one; none where it is not.
    pub(super) fn explain(self, reported: &[String], expected: Option<&SerialNumber>) -> Option<String> {
        let numbers = || reported.iter().map(|number| number.trim()).collect::<Vec<_>>().join(", ");
        match (self, expected) {
            (Self::Same, _) => None,
            (Self::Other, Some(expected)) => Some(format!(
                "the BMC is that of another machine: it reports the serial number {}, and the inventory says {expected}",
                numbers()
            )),
            (_, None) => {
                Some("the inventory has no `serial` of the node to compare with the BMC's".to_owned())
            }
            (_, Some(expected)) if expected.is_example() => Some(format!(
                "the `serial` in the inventory is a placeholder, {expected}: it was not compared"
            )),
            _ => Some("the BMC reports no serial number to compare with the inventory's".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Word;

    #[test]
    fn a_number_of_the_machine_is_enough_and_placeholders_are_none() {
        let expected = SerialNumber::parse("SN0001").unwrap();
        let compare = |reported: &[&str]| {
            compare_serials(&reported.iter().map(ToString::to_string).collect::<Vec<_>>(), Some(&expected))
        };
        assert_eq!(compare(&["CN74751", " SN0001 "]), Identity::Same);
        assert_eq!(compare(&["SN0001x"]), Identity::Other);
        assert_eq!(compare(&["sn0001"]), Identity::Other);
        for placeholder in ["", "  ", "0000000", "To be filled by O.E.M.", "N/A"] {
            assert_eq!(compare(&[placeholder]), Identity::Unknown, "{placeholder}");
        }
        assert_eq!(compare(&[]), Identity::Unknown);
        let example = SerialNumber::parse("EXAMPLE0001").unwrap();
        assert_eq!(compare_serials(&["SN0002".to_owned()], Some(&example)), Identity::Unknown);
        assert_eq!(compare_serials(&["SN0002".to_owned()], None), Identity::Unknown);
    }
}
