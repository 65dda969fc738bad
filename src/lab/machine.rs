//! Machines: QEMU with the address, serial number and firmware that the inventory says.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::tools::Tools;
use super::trial::Trial;
use super::wires::{Net, SWITCH};
use super::{Acceleration, Boot, disk};
use crate::model::{Console, Firmware, Node, System};

/// Where the firmware, iPXE and the system say what they do.
pub(super) const SERIAL: &str = "serial.log";

/// Where QEMU itself does.
pub(super) const SAID: &str = "qemu.log";

/// The serial number of machines whose inventory has none.
pub(super) const NO_SERIAL: &str = "LAB0000";

/// The memory of a machine that boots an initrd of nothing, and how often it must hold the initrd: packed, unpacked, and
/// under UEFI once more.
const BIOS_MEGABYTES: u64 = 192;
const UEFI_MEGABYTES: u64 = 384;
const COPIES: u64 = 3;

/// What firmware says that runs, and how long it may take on a processor.
const RUNS: &str = "plasmagen-lab: firmware runs";
const PROBE: Duration = Duration::from_secs(6);

/// The serial ports of a PC.
const PORTS: usize = 4;

/// How much memory a machine gets, in megabytes.
pub(super) fn megabytes(boot: Boot, initrd: u64) -> u64 {
    let own = if boot == Boot::Bios { BIOS_MEGABYTES } else { UEFI_MEGABYTES };
    own + COPIES * (initrd >> 20)
}

/// Powers a machine on; its files lie in `dir`, its network card is plugged into `tap`.
///
/// # Errors
/// When the firmware cannot be copied or QEMU not be started.
pub(super) fn power_on(
    tools: &Tools,
    trial: &Trial<'_>,
    acceleration: Acceleration,
    megabytes: u64,
    dir: &Path,
    tap: &str,
) -> Result<Child> {
    let qemu = tools.qemu_for(trial.system).context("there is no QEMU for it")?;
    let mut command = Net::new(tools).within(SWITCH, qemu);
    let accelerated = if trial.system == System::X86_64 { acceleration } else { Acceleration::Tcg };
    command.args([
        "-accel",
        accelerated.as_str(),
        "-m",
        &megabytes.to_string(),
        "-smp",
        "1",
        "-display",
        "none",
    ]);
    command.args(["-nodefaults", "-no-reboot", "-monitor", "none"]);
    command.args(["-netdev", &format!("tap,id=net,ifname={tap},script=no,downscript=no")]);
    command.args(["-device", &format!("virtio-net-pci,netdev=net,mac={},romfile=", trial.mac)]);
    command.args(["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]);
    let serial = trial.node.and_then(|node| node.serial.as_ref()).map_or(NO_SERIAL, |serial| serial.as_str());
    command.args([
        "-smbios",
        &format!("type=1,manufacturer=plasmagen,product=lab,serial={}", serial.replace(',', ",,")),
    ]);
    match trial.system {
        System::X86_64 => command.args(["-machine", "q35,graphics=off", "-vga", "none"]),
        System::Aarch64 => command.args(["-machine", "virt", "-cpu", "cortex-a57"]),
    };
    for port in 0..trial.node.map_or(1, ports) {
        let name = if port == 0 { SERIAL.to_owned() } else { format!("serial{port}.log") };
        command.args(["-serial", &format!("file:{}", dir.join(name).display())]);
    }
    firmware(tools, trial, dir, &mut command)?;
    let own = if trial.boot == Boot::Bios { Firmware::Bios } else { Firmware::Uefi };
    command.args(disk::make(dir, own)?);
    let said = OpenOptions::new().create(true).append(true).open(dir.join(SAID));
    let said = said.with_context(|| format!("could not write to {}", dir.display()))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    command.spawn().context("could not start QEMU")
}

/// So many serial ports that the one which the node's console is on is there.
fn ports(node: &Node) -> usize {
    let consoles = node.hardware.console.iter().map(Console::as_str);
    let params = node.kernel_params.iter().filter_map(|param| param.as_str().strip_prefix("console="));
    let number = |console: &str| console.strip_prefix("ttyS")?.split(',').next()?.parse::<usize>().ok();
    consoles.chain(params).filter_map(number).max().map_or(1, |last| (last + 1).min(PORTS))
}

fn firmware(tools: &Tools, trial: &Trial<'_>, dir: &Path, command: &mut Command) -> Result<()> {
    if trial.boot == Boot::Bios {
        // QEMU's own network cards bring an iPXE with them, which never loads another one.
        let script = dir.join("stage0.ipxe");
        fs::write(&script, include_str!("stage0.ipxe")).context("could not write a script")?;
        let lkrn = tools.lkrn.as_deref().context("there is no ipxe.lkrn")?;
        command.arg("-kernel").arg(lkrn).arg("-initrd").arg(script);
        return Ok(());
    }
    let pair = if trial.system == System::X86_64 { &tools.ovmf } else { &tools.aavmf };
    let (code, vars) = pair.as_ref().context("there is no UEFI firmware for it")?;
    let own: PathBuf = dir.join("vars.fd");
    let copy = fs::read(vars).and_then(|bytes| fs::write(&own, bytes));
    copy.with_context(|| format!("could not copy {}", vars.display()))?;
    command.args(["-drive", &format!("if=pflash,format=raw,unit=0,readonly=on,file={}", code.display())]);
    command.args(["-drive", &format!("if=pflash,format=raw,unit=1,file={}", own.display())]);
    // Over IPv6 nobody answers, and a machine on its way to its disk would wait for that.
    let off: &[&str] = if trial.boot == Boot::UefiHttp { &["IPv4", "IPv6"] } else { &["IPv6"] };
    for family in off {
        command.args(["-fw_cfg", &format!("name=opt/org.tianocore/{family}PXESupport,string=n")]);
    }
    Ok(())
}

/// Whether this machine's processor really runs others: on some a device is there, and firmware stops or hangs.
pub(super) fn acceleration(tools: &Tools, dir: &Path) -> Acceleration {
    if probe(tools, dir).unwrap_or(false) { Acceleration::Kvm } else { Acceleration::Tcg }
}

/// Lets firmware run, without a network and without a disk, until it says something.
fn probe(tools: &Tools, dir: &Path) -> Result<bool> {
    let opens = OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    let Some(qemu) = tools.qemu.as_deref().filter(|_| opens) else { return Ok(false) };
    let serial = dir.join(SERIAL);
    let mut command = Command::new(qemu);
    command.args(["-accel", "kvm", "-m", "256", "-display", "none", "-nodefaults", "-monitor", "none"]);
    command.args(["-machine", "q35,graphics=off", "-serial", &format!("file:{}", serial.display())]);
    let sign = match (&tools.lkrn, &tools.ovmf) {
        (Some(lkrn), _) => {
            let script = dir.join("probe.ipxe");
            fs::write(&script, format!("#!ipxe\nsleep 1\necho {RUNS}\n"))?;
            command.arg("-kernel").arg(lkrn).arg("-initrd").arg(script);
            RUNS
        }
        (None, Some((code, _))) => {
            command.args([
                "-drive",
                &format!("if=pflash,format=raw,unit=0,readonly=on,file={}", code.display()),
            ]);
            "BdsDxe"
        }
        (None, None) => return Ok(false),
    };
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let end = Instant::now() + PROBE;
    let mut runs = false;
    while !runs && Instant::now() < end && child.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(50));
        runs = String::from_utf8_lossy(&fs::read(&serial).unwrap_or_default()).contains(sign);
    }
    let _ = child.kill();
    child.wait()?;
    Ok(runs)
}
