//! BMCs that speak IPMI 2.0: the commands, in the order in which they are sent. Each change is read back, since BMCs say yes to
//! what they do not do, and `ipmitool chassis bootdev` succeeds where the BMC refused.

mod program;
mod words;

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};

use super::access::Access;
use super::reading::{BootOverride, Controller, Power, Reading};
use crate::model::Firmware;
use program::Ipmitool;
use words::{Fault, list_serials, read_boot, read_power};

/// How long a machine may take to go on or off.
const SWITCH_TIME: Duration = Duration::from_secs(90);
/// How often a command is sent to a BMC that is busy.
const TRIES: u32 = 3;

/// Set System Boot Options, parameter 5 (boot flags): valid, for one boot, from the network; UEFI or BIOS. Bit 6 would make it last.
const PXE_UEFI: [&str; 8] = ["raw", "0x00", "0x08", "0x05", "0xa0", "0x04", "0x00", "0x00"];
const PXE_BIOS: [&str; 8] = ["raw", "0x00", "0x08", "0x05", "0x80", "0x04", "0x00", "0x00"];
/// The request for no override: `bootdev none` leaves one that is valid (ipmitool#304).
const NO_OVERRIDE: [&str; 8] = ["raw", "0x00", "0x08", "0x05", "0x00", "0x00", "0x00", "0x00"];
/// The last byte of the boot flags.
const LAST_BYTE: &str = "0x00";
/// Set System Boot Options, parameter 3: the flags do not lapse 60 seconds after they were set.
const KEEP_FLAGS: [&str; 5] = ["raw", "0x00", "0x08", "0x03", "0x08"];
/// Get System Boot Options, parameter 5.
const READ_FLAGS: [&str; 6] = ["raw", "0x00", "0x09", "0x05", "0x00", "0x00"];

/// A BMC that speaks IPMI.
pub(super) struct Ipmi {
    program: Ipmitool,
    /// The serial numbers of the machine, as soon as they were read.
    serials: Option<Vec<String>>,
}

impl Ipmi {
    /// Prepares `ipmitool`; runs nothing yet.
    ///
    /// # Errors
    /// When the password is longer than IPMI allows.
    pub(super) fn new(access: &Access) -> Result<Self> {
        Ok(Self { program: Ipmitool::new(access)?, serials: None })
    }

    /// Hands the terminal to the console of the machine; returns whether its session ended well.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses, or ipmitool is missing.
    pub(super) fn show_console(&mut self, takes_over: bool) -> Result<bool> {
        Ok(self.program.show_console(takes_over)?.success())
    }

    /// Runs a command, more than once if the BMC is busy: nothing has happened then.
    fn run(&mut self, words: &[&str]) -> Result<String> {
        let mut ended = self.program.run(words);
        for _ in 1..TRIES {
            if !ended.as_ref().is_err_and(|error| is_fault(error, |fault| *fault == Fault::Busy)) {
                break;
            }
            ended = self.program.run(words);
        }
        ended
    }

    /// Runs a command that not every BMC knows: none where the BMC refuses it.
    fn try_run(&mut self, words: &[&str]) -> Result<Option<String>> {
        match self.run(words) {
            Ok(text) => Ok(Some(text)),
            Err(error) if is_fault(&error, |fault| matches!(fault, Fault::Refused(_) | Fault::Privilege)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn read_power(&mut self) -> Result<Power> {
        Ok(read_power(&self.run(&["chassis", "power", "status"])?))
    }

    /// Reads the boot override. A BMC that has no boot flags has no override.
    fn read_boot(&mut self) -> Result<Option<BootOverride>> {
        self.try_run(&READ_FLAGS)?.map_or(Ok(None), |text| read_boot(&text).map_err(|why| anyhow!(why)))
    }

    fn set_flags(&mut self, flags: &[&str]) -> Result<()> {
        self.run(&[flags, &[LAST_BYTE]].concat()).map(drop)
    }
}

/// Whether `error` is a fault of the BMC that `test` accepts.
fn is_fault(error: &anyhow::Error, test: impl Fn(&Fault) -> bool) -> bool {
    error.downcast_ref::<Fault>().is_some_and(test)
}

impl Controller for Ipmi {
    fn read(&mut self) -> Result<Reading> {
        let power = self.read_power()?;
        let serials = match self.serials.clone() {
            Some(serials) => serials,
            None => self.try_run(&["fru", "print", "0"])?.map(|text| list_serials(&text)).unwrap_or_default(),
        };
        self.serials = Some(serials.clone());
        Ok(Reading { power, serials, boot: self.read_boot()? })
    }

    fn switch(&mut self, is_on: bool) -> Result<()> {
        let (word, wanted) = if is_on { ("on", Power::On) } else { ("off", Power::Off) };
        let sent = self.program.run(&["chassis", "power", word]);
        if let Err(error) = &sent {
            // The command may have been obeyed; else it is sent once more.
            let is_passing = !is_fault(error, |fault| *fault != Fault::Busy && *fault != Fault::NoAnswer);
            if !is_passing {
                return sent.map(drop);
            }
            if self.read_power()? != wanted {
                self.program.run(&["chassis", "power", word])?;
            }
        }
        let begin = Instant::now();
        while self.read_power()? != wanted {
            ensure!(
                begin.elapsed() < SWITCH_TIME,
                "the BMC took the command, and the machine is not {wanted} after {} s",
                SWITCH_TIME.as_secs()
            );
        }
        Ok(())
    }

    fn boot_from_network(&mut self, firmware: Firmware) -> Result<Option<String>> {
        // OpenBMC does not know the parameter.
        self.try_run(&KEEP_FLAGS)?;
        let is_uefi = firmware == Firmware::Uefi;
        self.set_flags(if is_uefi { &PXE_UEFI } else { &PXE_BIOS })?;
        match self.read_boot()? {
            Some(boot) if boot.is_pxe() && !boot.is_lasting => Ok((boot.is_uefi != Some(is_uefi)).then(|| {
                let wanted = if is_uefi { "UEFI" } else { "BIOS" };
                // Firmware of several makers ignores the bit, or reports another one than it obeys (ipmitool#236).
                format!("the BMC does not say that the machine boots from the network by {wanted}, as the inventory wants")
            })),
            Some(boot) if boot.is_pxe() => bail!(
                "the BMC was asked to boot the machine from the network once, and says that this lasts: the machine would be \
                 installed at each start"
            ),
            Some(boot) => bail!("the BMC took the boot flags, and names another device: {boot}"),
            None => bail!("the BMC took the boot flags, and does not name them when asked"),
        }
    }

    fn clear_boot_override(&mut self) -> Result<()> {
        self.set_flags(&NO_OVERRIDE)?;
        match self.read_boot()? {
            None => Ok(()),
            Some(boot) => bail!("the BMC took the request, and still has the boot override {boot}"),
        }
    }
}
