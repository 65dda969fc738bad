//! What a BMC says of its machine, in the same terms for each protocol.

use std::fmt;

use anyhow::Result;
use serde::Serialize;

use crate::model::Firmware;

/// Whether the machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// The machine runs.
    On,
    /// The machine is off.
    Off,
    /// The machine is being switched on or off, or the BMC does not say.
    Changing,
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Changing => "changing",
        })
    }
}

/// From where the machine boots next, other than its boot order says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BootOverride {
    /// The BMC's word for the device: `Pxe`, for the network.
    pub target: String,
    /// Whether the override lasts, instead of ending with the next boot.
    pub is_lasting: bool,
    /// Whether the firmware is to boot as UEFI; none where the BMC does not say.
    pub is_uefi: Option<bool>,
}

impl BootOverride {
    /// Whether the machine boots from the network.
    #[must_use]
    pub fn is_pxe(&self) -> bool {
        self.target.eq_ignore_ascii_case("pxe")
    }
}

impl fmt::Display for BootOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = if self.is_pxe() { "network" } else { self.target.as_str() };
        f.write_str(target)?;
        f.write_str(if self.is_lasting { ", each time" } else { ", once" })
    }
}

/// The state and the identity of a machine, as its BMC says them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether the machine runs.
    pub power: Power,
    /// The serial numbers by which the machine may be known: of the product, the chassis, or the vendor's own number.
    pub serials: Vec<String>,
    /// The boot override; none where the machine boots as its boot order says.
    pub boot: Option<BootOverride>,
}

/// A BMC, in the terms of no protocol. Each method has ended, by success or by an error, after a few minutes at most.
pub trait Controller {
    /// Asks for the state of the machine.
    ///
    /// # Errors
    /// When the BMC does not answer, refuses the user, or gives an answer that can't be read.
    fn read(&mut self) -> Result<Reading>;

    /// Switches the machine on or off, the latter without asking its operating system, and waits until it is.
    ///
    /// # Errors
    /// As for [`read`](Self::read), and when the machine is not `on` after a minute and a half.
    fn switch(&mut self, is_on: bool) -> Result<()>;

    /// Has the machine, which is off, boot from the network once, in the way of `firmware`. Returns what the operator must
    /// know, if there is something.
    ///
    /// # Errors
    /// As for [`read`](Self::read), and when the BMC, asked again, does not say that this is set.
    fn boot_from_network(&mut self, firmware: Firmware) -> Result<Option<String>>;

    /// Takes a boot override back.
    ///
    /// # Errors
    /// As for [`read`](Self::read), and when the BMC, asked again, still names an override.
    fn clear_boot_override(&mut self) -> Result<()>;
}

/// The longest text of a BMC in a message, in characters.
const LONGEST_TEXT: usize = 300;

/// Shortens a text of a BMC, and makes it one line.
pub(super) fn shorten(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= LONGEST_TEXT {
        return words;
    }
    words.chars().take(LONGEST_TEXT).chain(std::iter::once('…')).collect()
}
