//! BMCs that speak DMTF's Redfish: the requests, in the order in which they are sent.

mod boot;
mod system;

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::json;

use super::access::Access;
use super::client::{Answer, Client};
use super::identity::{Identity, compare_serials};
use super::reading::{BootOverride, Controller, Power, Reading};
use crate::model::{Firmware, SerialNumber};
use boot::{cleared_bodies, network_bodies, patch_boot};
use system::{MOST_MEMBERS, System, list_members, list_numbers, read_boot, read_link};

/// How long a machine may take to go on or off, and the pause between two questions.
const SWITCH_TIME: Duration = Duration::from_secs(90);
const POLL_PAUSE: Duration = Duration::from_secs(2);
/// How often a reset is sent to a BMC that can't do it yet, and the pause before.
const RESETS: u32 = 6;
const RESET_PAUSE: Duration = Duration::from_secs(5);
/// How often a boot override is read back: some BMCs answer before they are done.
const READ_BACKS: u32 = 4;

/// A BMC that speaks Redfish.
pub(super) struct Redfish {
    client: Client,
    /// The serial number of the machine in the inventory, which tells several systems of one BMC apart.
    serial: Option<SerialNumber>,
    /// The path of the system, as soon as it is found.
    path: Option<String>,
}

impl Redfish {
    /// Makes the client; connects nowhere yet.
    ///
    /// # Errors
    /// When the trusted CA can't be used.
    pub(super) fn new(access: &Access, serial: Option<&SerialNumber>) -> Result<Self> {
        Ok(Self { client: Client::new(access)?, serial: serial.cloned(), path: None })
    }

    /// Reads the system.
    fn system(&mut self) -> Result<System> {
        let path = match &self.path {
            Some(path) => path.clone(),
            None => self.find_system()?,
        };
        let answer = self.client.get(&path)?;
        ensure!(answer.body.is_object(), "the BMC's answer to {path} is no JSON object");
        self.path = Some(path.clone());
        Ok(System::from_answer(&path, &answer))
    }

    /// Finds the path of the system: the only one, or the one with the serial number of the inventory.
    fn find_system(&self) -> Result<String> {
        let root = self.client.get("/redfish/v1")?;
        let collection = read_link(&root.body["Systems"])
            .context("this is no BMC with Redfish: /redfish/v1 has no `Systems`. If it speaks IPMI: `protocol = \"ipmi\"`")?;
        let mut members = list_members(&self.client.get(&collection)?.body);
        match members.len() {
            0 => bail!("the BMC has no system in {collection}"),
            1 => return members.pop().context("the BMC has no system"),
            2..=MOST_MEMBERS => {}
            _ => bail!("the BMC has more than {MOST_MEMBERS} systems in {collection}"),
        }
        for path in &members {
            let numbers = list_numbers(&self.client.get(path)?.body);
            if compare_serials(&numbers, self.serial.as_ref()) == Identity::Same {
                return Ok(path.clone());
            }
        }
        bail!("the BMC has several systems ({}), and none has the `serial` of the node", members.join(", "))
    }

    /// The serial numbers of the machine: where the system does not have the expected one, those of its chassis, too.
    fn list_serials(&self, system: &System) -> Vec<String> {
        let mut serials = system.serials.clone();
        let is_other = compare_serials(&serials, self.serial.as_ref()) != Identity::Same;
        if let Some(chassis) = system.chassis.as_ref().filter(|_| is_other && self.serial.is_some()) {
            // A chassis that can't be read has no numbers.
            let numbers = self.client.get(chassis).map(|answer| list_numbers(&answer.body));
            serials.extend(numbers.unwrap_or_default());
            serials.dedup();
        }
        serials
    }

    /// Waits until the machine is on or off.
    fn wait_for(&mut self, wanted: Power) -> Result<()> {
        let begin = Instant::now();
        while self.system()?.power != wanted {
            ensure!(
                begin.elapsed() < SWITCH_TIME,
                "the BMC took the command, and the machine is not {wanted} after {} s",
                SWITCH_TIME.as_secs()
            );
            sleep(POLL_PAUSE);
        }
        Ok(())
    }

    /// Sends `bodies` as a boot override, and reads back until the override is as `is_set` wants it; returns the last one read.
    fn set_boot(
        &mut self,
        bodies: &[serde_json::Value],
        is_set: impl Fn(Option<&BootOverride>) -> bool,
    ) -> Result<Option<BootOverride>> {
        let system = self.system()?;
        let resource = patch_boot(&self.client, &system, bodies)?;
        for attempt in 1.. {
            let mut boot = self.system()?.boot;
            if !is_set(boot.as_ref()) && resource != system.path {
                // Settings for the next start do not show in the system before that.
                boot = read_boot(&self.client.get(&resource)?.body);
            }
            if is_set(boot.as_ref()) || attempt == READ_BACKS {
                return Ok(boot);
            }
            sleep(POLL_PAUSE);
        }
        Ok(None)
    }
}

/// The reset to send, of those that the BMC knows.
fn choose_reset(known: &[String], is_on: bool) -> Result<&'static str> {
    let wanted: &[&str] = if is_on { &["On", "ForceOn"] } else { &["ForceOff"] };
    let mut usable =
        wanted.iter().filter(|wanted| known.is_empty() || known.iter().any(|reset| reset == *wanted));
    usable.next().copied().with_context(|| {
        format!("the BMC has no reset {}: it knows {}", wanted.join(" or "), known.join(", "))
    })
}

/// Whether a reset may succeed later.
fn is_passing(answer: &Answer) -> bool {
    let is_unknown = answer.message_ids().any(|id| {
        ["ActionParameterNotSupported", "ActionNotSupported", "ActionParameterUnknown"].contains(&id)
    });
    !is_unknown && (matches!(answer.status, 400 | 409 | 429) || answer.status >= 500)
}

impl Controller for Redfish {
    fn read(&mut self) -> Result<Reading> {
        let system = self.system()?;
        Ok(Reading { power: system.power, serials: self.list_serials(&system), boot: system.boot })
    }

    /// A reset is sent again only after a look at the machine: the first one may have been obeyed without an answer.
    fn switch(&mut self, is_on: bool) -> Result<()> {
        let wanted = if is_on { Power::On } else { Power::Off };
        let system = self.system()?;
        let path = system.reset_path.context("the BMC offers no reset of the machine")?;
        let body = json!({ "ResetType": choose_reset(&system.resets, is_on)? });
        let mut last = anyhow!("no reset was sent");
        for attempt in 1..=RESETS {
            if attempt > 1 {
                sleep(RESET_PAUSE);
                if self.system()?.power == wanted {
                    return Ok(());
                }
            }
            match self.client.send("POST", &path, Some(&body), None) {
                Ok(answer) if answer.is_success() => return self.wait_for(wanted),
                Ok(answer) if is_passing(&answer) => last = anyhow!("{}", answer.describe()),
                Ok(answer) => bail!("the BMC refuses to switch the machine {wanted}: {}", answer.describe()),
                Err(no_answer) => last = no_answer.error,
            }
        }
        Err(last.context(format!("the machine could not be switched {wanted}")))
    }

    fn boot_from_network(&mut self, firmware: Firmware) -> Result<Option<String>> {
        let is_uefi = firmware == Firmware::Uefi;
        let is_set = |boot: Option<&BootOverride>| {
            boot.is_some_and(|boot| {
                boot.is_pxe() && !boot.is_lasting && boot.is_uefi.is_none_or(|uefi| uefi == is_uefi)
            })
        };
        let wanted = if is_uefi { "UEFI" } else { "BIOS" };
        match self.set_boot(&network_bodies(firmware), is_set)? {
            Some(boot) if is_set(Some(&boot)) => Ok(boot.is_uefi.is_none().then(|| {
                format!("the BMC does not say whether the machine boots from the network by {wanted}, as the inventory wants")
            })),
            Some(boot) if boot.is_pxe() && boot.is_lasting => bail!(
                "the BMC was asked to boot the machine from the network once, and says that this lasts: the machine would be \
                 installed at each start"
            ),
            Some(boot) if boot.is_pxe() => {
                bail!("the BMC does not boot the machine from the network by {wanted}, as the inventory wants")
            }
            Some(boot) => bail!("the BMC took the boot override, and names another one: {boot}"),
            None => bail!("the BMC took the boot override, and does not name it when asked"),
        }
    }

    fn clear_boot_override(&mut self) -> Result<()> {
        match self.set_boot(&cleared_bodies(), |boot| boot.is_none())? {
            None => Ok(()),
            Some(boot) => bail!("the BMC took the request, and still has the boot override {boot}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resets_are_those_that_the_bmc_knows() {
        let known = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(choose_reset(&[], true).unwrap(), "On");
        assert_eq!(choose_reset(&known(&["ForceOn", "ForceOff"]), true).unwrap(), "ForceOn");
        assert_eq!(choose_reset(&known(&["On", "ForceOff"]), false).unwrap(), "ForceOff");
        // Asking the operating system is no way to switch a machine off.
        let why = choose_reset(&known(&["On", "GracefulShutdown"]), false).unwrap_err().to_string();
        assert!(why.contains("ForceOff") && why.contains("GracefulShutdown"), "{why}");
    }
}
