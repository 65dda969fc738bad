//! The QEMU accelerator: KVM where it works, emulation elsewhere.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::tools::Tools;

/// The message of an iPXE that runs, and the one that UEFI firmware prints by itself.
const IPXE_MESSAGE: &str = "plasmagen-lab: firmware runs";
const UEFI_MESSAGE: &str = "BdsDxe";

/// How long firmware may take until its message, if the processor runs it.
const TRIAL_TIME: Duration = Duration::from_secs(6);

/// A QEMU accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// The processor's virtualization.
    Kvm,
    /// QEMU's emulation.
    Tcg,
}

impl Accelerator {
    /// QEMU's name of the accelerator.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }

    /// Finds out whether KVM works, with files in `dir`. On some machines the device exists, and firmware stops or hangs.
    pub(super) fn detect(tools: &Tools, dir: &Path) -> Self {
        if try_kvm(tools, dir).unwrap_or(false) { Self::Kvm } else { Self::Tcg }
    }
}

/// Runs firmware under KVM, without network and disk, until it prints its message.
fn try_kvm(tools: &Tools, dir: &Path) -> Result<bool> {
    let has_kvm = OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    let Some(qemu) = tools.qemu.as_deref().filter(|_| has_kvm) else { return Ok(false) };
    let serial = dir.join("serial.log");
    let mut command = Command::new(qemu);
    command.args(["-accel", "kvm", "-m", "256", "-display", "none", "-nodefaults", "-monitor", "none"]);
    command.args(["-machine", "q35,graphics=off", "-serial", &format!("file:{}", serial.display())]);
    let message = match (&tools.lkrn, &tools.ovmf) {
        (Some(lkrn), _) => {
            let script = dir.join("trial.ipxe");
            fs::write(&script, format!("#!ipxe\nsleep 1\necho {IPXE_MESSAGE}\n"))?;
            command.arg("-kernel").arg(lkrn).arg("-initrd").arg(script);
            IPXE_MESSAGE
        }
        (None, Some((code, _))) => {
            let drive = format!("if=pflash,format=raw,unit=0,readonly=on,file={}", code.display());
            command.args(["-drive", &drive]);
            UEFI_MESSAGE
        }
        (None, None) => return Ok(false),
    };
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let end = Instant::now() + TRIAL_TIME;
    let mut works = false;
    while !works && Instant::now() < end && child.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(50));
        works = String::from_utf8_lossy(&fs::read(&serial).unwrap_or_default()).contains(message);
    }
    let _ = child.kill();
    child.wait()?;
    Ok(works)
}
