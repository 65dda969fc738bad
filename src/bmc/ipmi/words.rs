//! The words of `ipmitool`: why a command failed, the state of the machine, its boot flags and its numbers.
//!
//! A wrong password, an unknown user and a BMC that is not there end in the same line; the lines before, which `-v` prints, tell
//! them apart.

use std::fmt;
use std::net::IpAddr;

use crate::bmc::reading::{BootOverride, Power, shorten};

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The BMC does not know the cipher suite.
    Cipher,
    Password,
    User,
    Privilege,
    NoAnswer,
    /// The BMC can't do it right now.
    Busy,
    /// Another session has the console, or the BMC refuses for a reason of its own.
    Refused(String),
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cipher => "cipher suites 17 and 3 are refused",
            Self::Password => "RAKP 2 HMAC is invalid",
            Self::User => "unauthorized name",
            Self::Privilege => "insufficient privilege level",
            Self::NoAnswer => "no answer",
            Self::Busy => "busy",
            Self::Refused(said) => said,
        })
    }
}

/// The words for each fault. Those that a command prints in passing, too, count in its last line only.
const ANYWHERE: [(&str, Fault); 10] = [
    // As in "Authentication algorithm 0x01 is not what we requested 0x03", at BMCs that propose another suite.
    ("is not what we requested", Fault::Cipher),
    ("invalid authentication algorithm", Fault::Cipher),
    ("invalid integrity algorithm", Fault::Cipher),
    ("invalid confidentiality algorithm", Fault::Cipher),
    ("no matching cipher suite", Fault::Cipher),
    ("invalid role", Fault::Cipher),
    ("RAKP 2 HMAC is invalid", Fault::Password),
    ("unauthorized name", Fault::User),
    ("unauthorized role", Fault::Privilege),
    ("Get Auth Capabilities error", Fault::NoAnswer),
];
const AT_THE_END: [(&str, Fault); 6] = [
    ("Insufficient privilege level", Fault::Privilege),
    ("Node busy", Fault::Busy),
    ("Timeout", Fault::Busy),
    ("Out of space", Fault::Busy),
    ("nsufficient resources", Fault::Busy),
    ("Get Channel Authentication Capabilities", Fault::NoAnswer),
];

impl Fault {
    /// Finds the fault in what a command that failed has printed.
    pub(super) fn find(stdout: &str, stderr: &str) -> Self {
        let last = |text: &str| text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned);
        let end = last(stderr).or_else(|| last(stdout)).unwrap_or_default();
        let found = |words: &[(&str, Self)], text: &str| {
            words.iter().find(|(words, _)| text.contains(words)).map(|(_, fault)| fault.clone())
        };
        found(&ANYWHERE, stderr).or_else(|| found(&AT_THE_END, &end)).unwrap_or_else(|| {
            Self::Refused(if end.is_empty() { "ipmitool failed".to_owned() } else { shorten(&end) })
        })
    }
}

/// Says what the operator can do about `fault` of the BMC at `address`.
pub(super) fn explain(fault: &Fault, address: IpAddr, user: &str) -> String {
    match fault {
        Fault::Cipher => {
            format!("the BMC at {address} speaks IPMI 2.0 by neither of the cipher suites 17 and 3")
        }
        Fault::Password => format!("the BMC refuses the password of the user `{user}`"),
        Fault::User => format!("the BMC knows no user `{user}`, or the user may not log in over the network"),
        Fault::Privilege => {
            format!("the user `{user}` may not do this: give the user the level OPERATOR at the BMC")
        }
        Fault::NoAnswer => {
            format!("nothing answers IPMI at {address} (623/udp): is IPMI over LAN enabled at the BMC?")
        }
        Fault::Busy => "the BMC is busy".to_owned(),
        Fault::Refused(_) => "the BMC refuses".to_owned(),
    }
}

/// Reads the answer to `chassis power status`.
pub(super) fn read_power(text: &str) -> Power {
    match text.lines().find_map(|line| line.trim().strip_prefix("Chassis Power is ")) {
        Some("on") => Power::On,
        Some("off") => Power::Off,
        _ => Power::Changing,
    }
}

/// The flags of a boot override (IPMI 2.0 section 28.12, parameter 5, data 1).
const VALID: u8 = 0x80;
const LASTING: u8 = 0x40;
const EFI: u8 = 0x20;

/// The devices of boot overrides (parameter 5, data 2, bits 5 to 2).
const DEVICES: [(u8, &str); 5] = [(1, "Pxe"), (2, "Hdd"), (3, "Hdd"), (5, "Cd"), (6, "BiosSetup")];

/// Reads the answer to `raw 0x00 0x09 0x05 0x00 0x00`: the version 1, the parameter 5, and five bytes. None where no override
/// is set, and an error in words where the answer is another one.
pub(super) fn read_boot(text: &str) -> Result<Option<BootOverride>, String> {
    let bytes: Option<Vec<u8>> =
        text.split_whitespace().map(|word| u8::from_str_radix(word, 16).ok()).collect();
    let flags = match bytes.as_deref() {
        // Bit 7 of the parameter says that it is invalid or locked.
        Some([_, 0x05, flags @ ..]) if flags.len() == 5 => flags,
        _ => return Err(format!("the BMC's boot flags can't be read: {}", shorten(text))),
    };
    let device = (flags[1] >> 2) & 15;
    if flags[0] & VALID == 0 || device == 0 {
        return Ok(None);
    }
    let target = DEVICES.iter().find(|(number, _)| *number == device);
    let target = target.map_or_else(|| format!("device {device}"), |(_, name)| (*name).to_owned());
    Ok(Some(BootOverride { target, is_lasting: flags[0] & LASTING != 0, is_uefi: Some(flags[0] & EFI != 0) }))
}

/// Reads the numbers of the product and the chassis in the answer to `fru print 0`.
pub(super) fn list_serials(text: &str) -> Vec<String> {
    let number = |line: &str| {
        let (name, number) = line.split_once(':')?;
        let number = number.trim();
        let is_number = ["Product Serial", "Chassis Serial"].contains(&name.trim());
        (is_number && !number.is_empty() && number.len() <= 128).then(|| number.to_owned())
    };
    text.lines().filter_map(number).take(4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outputs of ipmitool 1.8.19 at ipmi_sim and pyghmi.
    #[test]
    fn faults_are_told_apart() {
        let end = "Error: Unable to establish IPMI v2 / RMCP+ session\n";
        let noise =
            "Invalid completion code received: Insufficient privilege level\nDiscovered IPMB address 0x0\n";
        for (stderr, fault) in [
            (format!("> RAKP 2 HMAC is invalid\n{end}"), Fault::Password),
            (format!("RAKP 2 message indicates an error : unauthorized name\n{end}"), Fault::User),
            (
                format!(
                    "Get Auth Capabilities error\nError issuing Get Channel Authentication Capabilities request\n{end}"
                ),
                Fault::NoAnswer,
            ),
            (
                format!("Error in open session response message : invalid authentication algorithm\n\n{end}"),
                Fault::Cipher,
            ),
            (format!("Authentication algorithm 0x01 is not what we requested 0x03\n\n{end}"), Fault::Cipher),
            (
                format!("{noise}Set Chassis Power Control to Up/On failed: Insufficient privilege level\n"),
                Fault::Privilege,
            ),
            (
                format!(
                    "{noise}Unable to send RAW command (channel=0x0 netfn=0x0 lun=0x0 cmd=0x8 rsp=0xc0): Node busy\n"
                ),
                Fault::Busy,
            ),
            (
                format!("{noise}Set Chassis Power Control to Up/On failed: Command not supported\n"),
                Fault::Refused("Set Chassis Power Control to Up/On failed: Command not supported".to_owned()),
            ),
        ] {
            assert_eq!(Fault::find("", &stderr), fault, "{stderr}");
        }
        assert_eq!(Fault::find("", ""), Fault::Refused("ipmitool failed".to_owned()));
    }

    #[test]
    fn boot_flags_are_read_byte_by_byte() {
        let read = |text: &str| read_boot(text).map(|boot| boot.map(|boot| (boot.to_string(), boot.is_uefi)));
        let some = |text: &str, uefi| Ok(Some((text.to_owned(), Some(uefi))));
        assert_eq!(read(" 01 05 a0 04 00 00 00\n"), some("network, once", true));
        assert_eq!(read(" 01 05 80 04 00 00 00\n"), some("network, once", false));
        assert_eq!(read(" 01 05 e0 04 00 00 00\n"), some("network, each time", true));
        assert_eq!(read(" 01 05 80 18 00 00 00\n"), some("BiosSetup, once", false));
        // Neither a device without the valid bit nor the bit without a device is an override (ipmitool#304).
        for none in [" 01 05 00 04 00 00 00", " 01 05 80 00 00 00 00", " 01 05 20 04 00 00 00"] {
            assert_eq!(read(none), Ok(None), "{none}");
        }
        for bad in [
            "",
            "01 05",
            "01 85 a0 04 00 00 00",
            "01 05 a0 04 00 00 00 00",
            "zz",
            "01 05 a0 04 00 00 é0",
            "0105a004",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn power_and_numbers_are_read() {
        assert_eq!(read_power("Chassis Power is on\n"), Power::On);
        assert_eq!(read_power("Chassis Power is off\n"), Power::Off);
        for odd in ["", "Chassis Power is offline", "on"] {
            assert_eq!(read_power(odd), Power::Changing);
        }
        let fru = " Chassis Type          : Rack Mount Chassis\n Chassis Serial        : C1\n Board Serial          : B1\n \
                   Product Serial        : S329745X9B01234\n Product Asset Tag     : x\n";
        assert_eq!(list_serials(fru), ["C1", "S329745X9B01234"]);
        assert!(list_serials(&format!("Product Serial : {}\n:\n::", "x".repeat(999))).is_empty());
    }
}
