//! Chapter F: how machines start, and what they load from the network.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Report, Spanned};
use crate::inventory::List;
use crate::model::{BootVerification, Cpu, Firmware, KernelParam, System, known_hardware};
use crate::resolve::Draft;

/// F18: a node's firmware and hardware fit its architecture.
pub(super) fn f18(draft: &Draft<'_>, report: &mut Report) {
    let inventory = draft.inventory;
    let common = inventory.cluster.as_ref().and_then(|cluster| cluster.system.as_ref());
    let models: HashMap<_, _> =
        inventory.hardware.iter().map(|entry| (entry.key.as_str(), &entry.value)).collect();
    let is_x86 = |name: &str| {
        let cpu = match models.get(name) {
            Some(table) => table.cpu.as_ref().map(|cpu| cpu.value),
            None => known_hardware(name, System::X86_64).map(|known| known.cpu),
        };
        cpu.is_some_and(|cpu| cpu != Cpu::Other)
    };
    for node in &draft.nodes {
        let system = node.said(|common| common.system.as_ref()).map(|said| said.written).or(common);
        let Some(system) = system.filter(|system| system.value == System::Aarch64) else { continue };
        let firmware = node.said(|common| common.firmware.as_ref());
        if let Some(firmware) = firmware.filter(|firmware| firmware.value == Firmware::Bios) {
            let fault = Diagnostic::error("PG-F18", &firmware.span, "64-bit ARM machines have no BIOS");
            let fault = fault.related(&system.span, "the architecture");
            report.push(fault.help("write `firmware = \"uefi\"`, or correct `system`"));
        }
        let hardware = node.said(|common| common.hardware.as_ref());
        let replaced = node.entry.value.hardware_file.is_some();
        if let Some(hardware) = hardware.filter(|hardware| !replaced && is_x86(hardware.value.as_str())) {
            let message = format!("the hardware `{}` does not fit {}", hardware.value, system.value.as_str());
            let fault = Diagnostic::error("PG-F18", &hardware.span, message);
            let fault = fault.related(&system.span, "the architecture");
            report.push(fault.help("name another `hardware`, or correct `system`"));
        }
    }
}

/// The lists of kernel parameters as they are written, in profiles and at nodes.
pub(super) fn kernel_params<'a>(draft: &Draft<'a>) -> impl Iterator<Item = &'a Spanned<List<KernelParam>>> {
    let inventory = draft.inventory;
    let profiles = inventory.profiles.iter().map(|profile| &profile.value.common);
    let nodes = inventory.nodes.iter().map(|node| &node.value.common);
    profiles.chain(nodes).filter_map(|common| common.kernel_params.as_ref())
}

/// How many characters are left for parameters: the kernel reads 2,046 on x86-64 and on 64-bit ARM, and the boot
/// loader, the installer and NixOS need some for the paths of kernel, init and initrds, the console and the log
/// level.
const COMMAND_LINE: usize = 2_046 - 512;

/// F20: the kernel reads the whole command line, and the command line holds no secret, since everybody can read it.
pub(super) fn f20(draft: &Draft<'_>, report: &mut Report) {
    for list in kernel_params(draft) {
        let length: usize = list.value.iter().map(|param| param.value.as_str().len() + 1).sum();
        if length > COMMAND_LINE {
            let message = format!(
                "these kernel parameters have {length} characters, and {COMMAND_LINE} are left for them"
            );
            let fault = Diagnostic::error("PG-F20", &list.span, message);
            report.push(
                fault.help("move parameters that can wait into a NixOS module, such as `boot.kernel.sysctl`"),
            );
        }
        for param in list.value.iter().filter(|param| is_secret(param.value.as_str())) {
            let name = param.value.as_str().split('=').next().unwrap_or_default();
            let message = format!("`{name}` shows a secret to everybody who reads /proc/cmdline");
            let fault = Diagnostic::error("PG-F20", &param.span, message);
            report.push(fault.help("keep the secret in a file on the machine, and write the file's path"));
        }
    }
}

/// Whether a kernel parameter is named like a secret, and its value is not a path.
fn is_secret(param: &str) -> bool {
    let Some((name, value)) = param.split_once('=') else { return false };
    let words = ["passwd", "password", "passphrase", "secret", "token", "apikey", "psk"];
    let name = name.to_ascii_lowercase();
    let named = name.split(['.', '_', '-']).any(|part| words.contains(&part))
        || name.starts_with("systemd.set_credential");
    named && !value.is_empty() && !value.starts_with('/')
}

/// The ports that other services of the provisioner use.
const TAKEN: [(u16, &str); 6] =
    [(22, "SSH"), (53, "DNS"), (67, "DHCP"), (68, "DHCP"), (69, "TFTP"), (547, "DHCPv6")];

/// F21: files that are loaded over plain HTTP are signed, and nginx has a free port.
pub(super) fn f21(draft: &Draft<'_>, report: &mut Report) {
    let Some(provisioner) = &draft.inventory.provisioner else { return };
    let port = provisioner.http_port.as_ref().and_then(|port| Some((port.value?, &port.span)));
    if let Some((port, span)) = port
        && let Some((_, other)) = TAKEN.iter().find(|(taken, _)| *taken == port)
    {
        let fault = Diagnostic::error("PG-F21", span, format!("port {port} is the port of {other}"));
        report.push(fault.help("write another port, such as 8080 or 80"));
    }
    let interfaces = provisioner.interfaces();
    let Some(address) = interfaces.first().and_then(|interface| interface.address) else { return };
    let verify = draft.inventory.boot.verify.as_ref().map_or(BootVerification::None, |verify| verify.value);
    if verify != BootVerification::Signature {
        let message = match verify {
            BootVerification::Digest => {
                "machines load what they boot over plain HTTP, and its digests come the same way"
            }
            _ => "machines load what they boot over plain HTTP, and nothing is signed",
        };
        let fault = Diagnostic::warning("PG-F21", &address.span, message);
        report.push(fault.help(
            "keep strangers out of the boot network and acknowledge it with `allow = [\"PG-F21\"]` here, or set \
             `verify = \"signature\"` in `[boot]` with an iPXE that you build",
        ));
    }
}

/// F22: digests are asked for only where the usual builds of iPXE can compute them. The boot scripts check the build
/// at hand, and stop if it cannot.
pub(super) fn f22(draft: &Draft<'_>, report: &mut Report) {
    let verify = draft.inventory.boot.verify.as_ref();
    let asks = verify.is_some_and(|verify| verify.value == BootVerification::Signature);
    if let Some(signer) = draft.inventory.boot.signer.as_ref().filter(|_| !asks) {
        let message = "a signer is named here, and machines verify no signatures";
        let fault = Diagnostic::warning("PG-F22", &signer.span, message);
        report.push(fault.help("set `verify = \"signature\"`, or remove `signer`"));
    }
    let Some(verify) = verify.filter(|verify| verify.value == BootVerification::Digest) else { return };
    let bios = draft.nodes.iter().find_map(|node| {
        let firmware = node.said(|common| common.firmware.as_ref())?;
        (firmware.value == Firmware::Bios).then_some((&node.entry.key, &firmware.written.span))
    });
    if let Some((name, span)) = bios {
        let message = format!("`{name}` boots by BIOS, and iPXE's usual builds for BIOS compute no digests");
        let fault = Diagnostic::warning("PG-F22", &verify.span, message).related(span, "the firmware");
        report.push(fault.help(
            "build iPXE with DIGEST_CMD for these machines and acknowledge it with `allow = [\"PG-F22\"]` here, or set \
             `verify = \"none\"`",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_names_and_paths_to_them_are_none() {
        for secret in ["password=x", "rd.iscsi.password=x", "API_TOKEN=abc", "systemd.set_credential=a:b"] {
            assert!(is_secret(secret), "{secret}");
        }
        for none in ["quiet", "secretmem.enable=1", "token=/run/token", "systemd.import_credentials=yes"] {
            assert!(!is_secret(none), "{none}");
        }
    }
}
