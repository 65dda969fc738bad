//! What is done to a machine by its BMC: which steps, in which order, whatever the protocol.
//!
//! A machine is switched off before its boot override is set, and on afterwards. Firmware refuses a boot override during
//! its self-test (iLO), BMCs refuse a restart of a machine that is off, and overrides that were set while the machine ran were
//! not honoured (Supermicro).

use anyhow::{Context, Result, bail};

use super::identity::{Identity, compare_serials};
use super::reading::{BootOverride, Controller, Power, Reading};
use crate::model::{Firmware, SerialNumber};

/// An order to a BMC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: its state is read.
    Status,
    /// Switched on.
    On,
    /// Switched off, without asking its operating system.
    Off,
    /// Switched off, and on again.
    Cycle,
    /// Switched off, and on again, and booted from the network once.
    Pxe,
}

/// The machine that the BMC is to be of.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The serial number in the inventory.
    pub serial: Option<&'a SerialNumber>,
    /// How the firmware boots.
    pub firmware: Firmware,
    /// Whether a machine with another serial number may be switched, too.
    pub is_any_serial: bool,
}

/// The state of a machine after an action, and what the operator must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The state of the machine.
    pub reading: Reading,
    /// Whether the BMC's serial numbers are those of the inventory.
    pub identity: Identity,
    /// The change that was made, as in "switched on"; empty where there was none.
    pub done: &'static str,
    /// Notes for the operator.
    pub notes: Vec<String>,
}

/// Does `action` to the machine of `bmc`, which is to be `expected`.
///
/// # Errors
/// When the BMC reports the serial number of another machine, as for each step of [`Controller`], and when a machine was
/// changed by somebody else meanwhile. A boot override that was set is taken back, or the error says that it could not be.
pub fn act(bmc: &mut dyn Controller, action: Action, expected: Expected<'_>) -> Result<Outcome> {
    let before = bmc.read()?;
    let identity = compare_serials(&before.serials, expected.serial);
    let mut notes = Vec::new();
    if action != Action::Status {
        match identity.explain(&before.serials, expected.serial) {
            Some(why) if identity == Identity::Other && !expected.is_any_serial => bail!("{why}"),
            why => notes.extend(why),
        }
    }
    let done = match action {
        Action::Status => "",
        Action::On if before.power == Power::On => "was on already",
        Action::On => switch_on(bmc, &before, &mut notes).map(|()| "switched on")?,
        Action::Off if before.power == Power::Off => "was off already",
        Action::Off => bmc.switch(false).map(|()| "switched off")?,
        Action::Cycle => {
            let done = ensure_off(bmc, &before)?;
            switch_on(bmc, &before, &mut notes)?;
            done
        }
        Action::Pxe => {
            ensure_off(bmc, &before)?;
            notes.extend(boot_from_network(bmc, expected.firmware)?);
            "booting from the network"
        }
    };
    let is_changed = !matches!(done, "" | "was on already" | "was off already");
    let reading = if is_changed { bmc.read().context("what was asked for is done")? } else { before };
    if let Some(boot) = reading.boot.as_ref().filter(|boot| boot.is_pxe() && boot.is_lasting) {
        notes.push(format!("the BMC says that the machine boots from the {boot}"));
    }
    Ok(Outcome { reading, identity, done, notes })
}

/// Switches the machine off if it is not, and says what a cycle does.
fn ensure_off(bmc: &mut dyn Controller, before: &Reading) -> Result<&'static str> {
    if before.power == Power::Off {
        return Ok("switched on: it was off");
    }
    bmc.switch(false)?;
    Ok("switched off and on")
}

/// Switches the machine on, which is to boot as its boot order says: a boot from the network that was left over, and would
/// begin an installation, is taken back before.
fn switch_on(bmc: &mut dyn Controller, before: &Reading, notes: &mut Vec<String>) -> Result<()> {
    if let Some(boot) = before.boot.as_ref().filter(|boot| boot.is_pxe()) {
        let left = describe_left_over(boot);
        bmc.clear_boot_override()
            .with_context(|| format!("{left}, which could not be taken back; it is not switched on"))?;
        notes.push(format!("{left}: that was taken back"));
    }
    bmc.switch(true)
}

fn describe_left_over(boot: &BootOverride) -> String {
    format!("the machine was still to boot from the {boot}")
}

/// Sets the boot override of a machine that is off, and switches it on. What was set is taken back after an error.
fn boot_from_network(bmc: &mut dyn Controller, firmware: Firmware) -> Result<Option<String>> {
    let started = bmc.boot_from_network(firmware).and_then(|note| bmc.switch(true).map(|()| note));
    let Err(why) = started else { return started };
    Err(match bmc.clear_boot_override() {
        Ok(()) => why.context("the machine does not boot from the network, and no boot override is set"),
        Err(second) => why.context(format!(
            "the machine may boot from the network the next time: the boot override could not be taken back ({second:#}). The \
             first fault"
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Word;

    /// A BMC that remembers what it was told, and fails at one of the calls.
    #[derive(Default)]
    struct Scripted {
        is_on: bool,
        boot: Option<BootOverride>,
        serials: Vec<String>,
        told: Vec<&'static str>,
        fails_at: &'static str,
    }

    impl Scripted {
        fn tell(&mut self, what: &'static str) -> Result<()> {
            self.told.push(what);
            if what == self.fails_at { bail!("{what} fails") } else { Ok(()) }
        }
    }

    impl Controller for Scripted {
        fn read(&mut self) -> Result<Reading> {
            let power = if self.is_on { Power::On } else { Power::Off };
            Ok(Reading { power, serials: self.serials.clone(), boot: self.boot.clone() })
        }

        fn switch(&mut self, is_on: bool) -> Result<()> {
            self.tell(if is_on { "on" } else { "off" })?;
            self.is_on = is_on;
            Ok(())
        }

        fn boot_from_network(&mut self, _: Firmware) -> Result<Option<String>> {
            self.tell("pxe")?;
            self.boot = Some(pxe());
            Ok(None)
        }

        fn clear_boot_override(&mut self) -> Result<()> {
            self.tell("clear")?;
            self.boot = None;
            Ok(())
        }
    }

    fn pxe() -> BootOverride {
        BootOverride { target: "Pxe".to_owned(), is_lasting: false, is_uefi: Some(true) }
    }

    fn try_to(bmc: &mut Scripted, action: Action) -> Result<Outcome> {
        let serial = SerialNumber::parse("SN0001").unwrap();
        act(bmc, action, Expected { serial: Some(&serial), firmware: Firmware::Uefi, is_any_serial: false })
    }

    fn running() -> Scripted {
        Scripted { is_on: true, serials: vec!["SN0001".to_owned()], ..Scripted::default() }
    }

    #[test]
    fn steps_have_an_order_and_none_is_superfluous() {
        for (action, is_on, steps, done) in [
            (Action::Status, true, vec![], ""),
            (Action::On, true, vec![], "was on already"),
            (Action::On, false, vec!["on"], "switched on"),
            (Action::Off, false, vec![], "was off already"),
            (Action::Off, true, vec!["off"], "switched off"),
            (Action::Cycle, true, vec!["off", "on"], "switched off and on"),
            (Action::Cycle, false, vec!["on"], "switched on: it was off"),
            (Action::Pxe, true, vec!["off", "pxe", "on"], "booting from the network"),
            (Action::Pxe, false, vec!["pxe", "on"], "booting from the network"),
        ] {
            let mut bmc = Scripted { is_on, ..running() };
            let outcome = try_to(&mut bmc, action).unwrap();
            assert_eq!((bmc.told, outcome.done), (steps, done), "{action:?}");
            assert_eq!((outcome.identity, outcome.notes), (Identity::Same, Vec::<String>::new()));
        }
    }

    #[test]
    fn another_machine_is_not_touched() {
        for action in [Action::On, Action::Off, Action::Cycle, Action::Pxe] {
            let mut bmc = Scripted { serials: vec!["SN0002".to_owned()], ..running() };
            let why = try_to(&mut bmc, action).unwrap_err().to_string();
            assert!(why.contains("SN0002") && why.contains("SN0001"), "{why}");
            assert!(bmc.told.is_empty());
        }
        let mut bmc = Scripted { serials: vec!["SN0002".to_owned()], ..running() };
        assert_eq!(try_to(&mut bmc, Action::Status).unwrap().identity, Identity::Other);
        let serial = SerialNumber::parse("SN0001").unwrap();
        let expected = Expected { serial: Some(&serial), firmware: Firmware::Uefi, is_any_serial: true };
        assert!(act(&mut bmc, Action::Off, expected).unwrap().notes[0].contains("SN0002"));
    }

    #[test]
    fn a_boot_from_the_network_that_was_left_over_is_taken_back() {
        for (action, is_on) in [(Action::On, false), (Action::Cycle, true)] {
            let mut bmc = Scripted { is_on, boot: Some(pxe()), ..running() };
            let outcome = try_to(&mut bmc, action).unwrap();
            assert_eq!(bmc.told.last_chunk().unwrap(), &["clear", "on"]);
            assert!(outcome.notes[0].contains("network, once"), "{:?}", outcome.notes);
            // A machine whose override stays is left off.
            let mut bmc = Scripted { is_on, boot: Some(pxe()), fails_at: "clear", ..running() };
            try_to(&mut bmc, action).unwrap_err();
            assert!(!bmc.told.contains(&"on"));
        }
        let other = BootOverride { target: "BiosSetup".to_owned(), ..pxe() };
        let mut bmc = Scripted { is_on: false, boot: Some(other), ..running() };
        try_to(&mut bmc, Action::On).unwrap();
        assert_eq!(bmc.told, ["on"]);
    }

    #[test]
    fn a_failed_boot_from_the_network_leaves_no_override() {
        for fails_at in ["pxe", "on"] {
            let mut bmc = Scripted { fails_at, ..running() };
            let why = format!("{:#}", try_to(&mut bmc, Action::Pxe).unwrap_err());
            assert_eq!((bmc.told.last(), bmc.boot), (Some(&"clear"), None));
            assert!(why.contains("no boot override is set") && why.contains("fails"), "{why}");
        }
    }
}
