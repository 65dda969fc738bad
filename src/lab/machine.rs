//! Machines: QEMU with the MAC address, serial number and firmware of the inventory.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::accelerator::Accelerator;
use super::boot_method::BootMethod;
use super::boot_test::BootTest;
use super::local_disk::make_disk;
use super::network::{SWITCH, command_in};
use super::tools::Tools;
use crate::model::{Console, Node, System};

/// The log of the serial console: the messages of firmware, iPXE and the system.
pub(super) const SERIAL_LOG: &str = "serial.log";

/// The log of QEMU's own messages.
pub(super) const QEMU_LOG: &str = "qemu.log";

/// The serial number of machines that have none in the inventory.
pub(super) const DEFAULT_SERIAL_NUMBER: &str = "LAB0000";

/// The memory of a machine without its initrd, in megabytes.
const BIOS_MEGABYTES: u64 = 192;
const UEFI_MEGABYTES: u64 = 384;

/// How many times the memory must hold the initrd: packed, unpacked, and under UEFI once more.
const INITRD_COPIES: u64 = 3;

/// The number of serial ports of a PC.
const SERIAL_PORTS: usize = 4;

/// Computes the memory of a machine, in megabytes, for an initrd of `initrd_bytes`.
pub(super) fn memory_megabytes(method: BootMethod, initrd_bytes: u64) -> u64 {
    let base = if method == BootMethod::Bios { BIOS_MEGABYTES } else { UEFI_MEGABYTES };
    base + INITRD_COPIES * (initrd_bytes >> 20)
}

/// Powers a machine on. Its files lie in `dir`, and its network card is connected to the TAP interface `tap`.
///
/// # Errors
/// When the firmware cannot be copied or QEMU cannot be started.
pub(super) fn power_on(
    tools: &Tools,
    test: &BootTest<'_>,
    accelerator: Accelerator,
    megabytes: u64,
    dir: &Path,
    tap: &str,
) -> Result<Child> {
    let qemu = tools.qemu_for(test.system).context("there is no QEMU for the machine's architecture")?;
    let mut command = command_in(tools, SWITCH, qemu);
    let accelerator = if test.system == System::X86_64 { accelerator } else { Accelerator::Tcg };
    command.args(["-accel", accelerator.as_str(), "-m", &megabytes.to_string(), "-smp", "1"]);
    command.args(["-display", "none", "-nodefaults", "-no-reboot", "-monitor", "none"]);
    command.args(["-netdev", &format!("tap,id=net,ifname={tap},script=no,downscript=no")]);
    command.args(["-device", &format!("virtio-net-pci,netdev=net,mac={},romfile=", test.mac)]);
    command.args(["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]);
    let serial_number = test.node.and_then(|node| node.serial.as_ref());
    let serial_number = serial_number.map_or(DEFAULT_SERIAL_NUMBER, |number| number.as_str());
    // QEMU reads two commas as one.
    let serial_number = serial_number.replace(',', ",,");
    command.args(["-smbios", &format!("type=1,manufacturer=plasmagen,product=lab,serial={serial_number}")]);
    match test.system {
        System::X86_64 => command.args(["-machine", "q35,graphics=off", "-vga", "none"]),
        System::Aarch64 => command.args(["-machine", "virt", "-cpu", "cortex-a57"]),
    };
    for port in 0..test.node.map_or(1, count_serial_ports) {
        let name = if port == 0 { SERIAL_LOG.to_owned() } else { format!("serial{port}.log") };
        command.args(["-serial", &format!("file:{}", dir.join(name).display())]);
    }
    add_firmware(tools, test, dir, &mut command)?;
    command.args(make_disk(dir, test.method.firmware())?);
    let log = OpenOptions::new().create(true).append(true).open(dir.join(QEMU_LOG));
    let log = log.with_context(|| format!("could not write to {}", dir.display()))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().context("could not start QEMU")
}

/// Counts the serial ports that the machine needs: up to the last one that is a console of the node.
fn count_serial_ports(node: &Node) -> usize {
    let consoles = node.hardware.console.iter().map(Console::as_str);
    let params = node.kernel_params.iter().filter_map(|param| param.as_str().strip_prefix("console="));
    let number = |console: &str| console.strip_prefix("ttyS")?.split(',').next()?.parse::<usize>().ok();
    consoles.chain(params).filter_map(number).max().map_or(1, |last| (last + 1).min(SERIAL_PORTS))
}

/// Adds the options of QEMU for the machine's firmware.
fn add_firmware(tools: &Tools, test: &BootTest<'_>, dir: &Path, command: &mut Command) -> Result<()> {
    if test.method == BootMethod::Bios {
        // The PXE firmware of QEMU's own network cards is an iPXE, which never loads another iPXE.
        let script = dir.join("pxe-firmware.ipxe");
        fs::write(&script, include_str!("pxe-firmware.ipxe"))
            .with_context(|| format!("could not write {}", script.display()))?;
        let lkrn = tools.lkrn.as_deref().context("there is no ipxe.lkrn")?;
        command.arg("-kernel").arg(lkrn).arg("-initrd").arg(script);
        return Ok(());
    }
    let pair = if test.system == System::X86_64 { &tools.ovmf } else { &tools.aavmf };
    let (code, vars) = pair.as_ref().context("there is no UEFI firmware for the machine's architecture")?;
    let vars_copy = dir.join("vars.fd");
    let copied = fs::read(vars).and_then(|bytes| fs::write(&vars_copy, bytes));
    copied.with_context(|| format!("could not copy {}", vars.display()))?;
    command.args(["-drive", &format!("if=pflash,format=raw,unit=0,readonly=on,file={}", code.display())]);
    command.args(["-drive", &format!("if=pflash,format=raw,unit=1,file={}", vars_copy.display())]);
    // No server answers PXE over IPv6, and a machine on the way to its disk would wait for an answer.
    let disabled: &[&str] = if test.method == BootMethod::UefiHttp { &["IPv4", "IPv6"] } else { &["IPv6"] };
    for family in disabled {
        command.args(["-fw_cfg", &format!("name=opt/org.tianocore/{family}PXESupport,string=n")]);
    }
    Ok(())
}
