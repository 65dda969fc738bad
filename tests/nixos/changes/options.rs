//! What NixOS does with options that differ between two configurations of a node.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use plasmagen::change::Effect;
use serde_json::Value;

/// The least effect of a changed option, by the beginning of its path: what NixOS does with it.
const OPTIONS: &[(&str, Effect)] = &[
    ("/boot/kernelParams", Effect::Reboot),
    ("/boot/initrd", Effect::Reboot),
    ("/boot/kernelModules", Effect::Restart),
    ("/boot/supportedFilesystems", Effect::Reboot),
    ("/boot/kernel/sysctl", Effect::Restart),
    ("/boot/loader", Effect::Reboot),
    ("/boot/swraid", Effect::Restart),
    ("/hardware", Effect::Reboot),
    ("/disko", Effect::Data),
    ("/networking/hostName", Effect::Reboot),
    // What it is made from is an option of its own.
    ("/networking/fqdn", Effect::Nothing),
    ("/networking/domain", Effect::Reboot),
    ("/networking/interfaces", Effect::Network),
    ("/networking/vlans", Effect::Network),
    ("/networking/bonds", Effect::Reboot),
    ("/networking/defaultGateway", Effect::Network),
    ("/networking/nameservers", Effect::Restart),
    ("/networking/timeServers", Effect::Restart),
    ("/networking/hosts", Effect::File),
    ("/systemd/network/links", Effect::Reboot),
    ("/systemd/network/networks", Effect::Network),
    ("/systemd/services", Effect::Restart),
    ("/systemd/timers", Effect::Restart),
    ("/systemd/tmpfiles", Effect::Restart),
    ("/services/rsyslogd", Effect::Restart),
    // Their units and files are options of their own.
    ("/services", Effect::Nothing),
    ("/plasmagen", Effect::Nothing),
    ("/environment/etc", Effect::File),
    ("/users", Effect::File),
    ("/system/stateVersion", Effect::Restart),
    ("/security/audit/rules", Effect::Restart),
    // The programs of another processor do not start.
    ("/nixpkgs/hostPlatform", Effect::Unbootable),
];

/// The beginning of an option that the table does not know.
pub(super) const UNKNOWN: &str = "what does NixOS do with ";

/// Files that the options name and whose texts they do not show.
const FILES: [(&str, Effect); 2] = [("firewall.nft", Effect::Reload), ("cluster-config.json", Effect::File)];

/// Lists the options that differ.
fn list_options(at: &str, old: &Value, new: &Value, found: &mut BTreeSet<String>) {
    match (old, new) {
        (Value::Object(olds), Value::Object(news)) => {
            for key in olds.keys().chain(news.keys()).collect::<BTreeSet<_>>() {
                let [old, new] = [olds, news].map(|of| of.get(key).unwrap_or(&Value::Null));
                list_options(&format!("{at}/{key}"), old, new, found);
            }
        }
        _ if old != new => drop(found.insert(at.to_owned())),
        _ => {}
    }
}

/// The effect of an option of disko, where it is less than that of other disks. disko divides no disk of an installed machine:
/// what counts at a switch are the file systems, the swap devices and the initrd that it derives.
fn of_disk(option: &str, new: &Value) -> Option<Effect> {
    let path = option.strip_prefix("/disko")?;
    // The scripts of an installation, with the wipe guard in them.
    if path.ends_with("/size") || path.starts_with("/devices/_") {
        return Some(Effect::Nothing);
    }
    // How the initrd unlocks a disk.
    if path.contains("/content/settings/") {
        return Some(Effect::Reboot);
    }
    let volume = path.split_once("/lvs/").and_then(|(_, rest)| rest.split('/').next())?;
    match volume {
        "root" => None,
        // Swapping stops; a volume that is not there is waited for at the boot.
        "swap" if new.pointer(option).is_none() => Some(Effect::Restart),
        // The volume stays as it is, and is not mounted as another file system.
        _ if path.ends_with("/content/format") => Some(Effect::Unbootable),
        _ => None,
    }
}

/// The effect of the options and files that differ between two configurations of a node.
pub(super) fn effect_of(old: &Value, new: &Value, dirs: [&Path; 2]) -> (Effect, BTreeSet<String>) {
    let mut found = BTreeSet::new();
    list_options("", old, new, &mut found);
    let (mut effect, mut unknown) = (Effect::Nothing, Vec::new());
    for option in &found {
        let Some(&(_, mut least)) = OPTIONS.iter().find(|(start, _)| option.starts_with(start)) else {
            unknown.push(option.clone());
            continue;
        };
        least = of_disk(option, new).unwrap_or(least);
        // switch-to-configuration leaves such units alone.
        let service = option.strip_prefix("/systemd/services/").and_then(|rest| rest.split('/').next());
        let unit = service.map(|name| &new["systemd"]["services"][name]);
        if unit.is_some_and(|unit| unit["restartIfChanged"] == false) {
            least = Effect::File;
        }
        effect = effect.max(least);
    }
    found.extend(unknown.iter().map(|option| format!("{UNKNOWN}{option}")));
    for (file, least) in FILES {
        if fs::read(dirs[0].join(file)).unwrap() != fs::read(dirs[1].join(file)).unwrap() {
            effect = effect.max(least);
            found.insert(file.to_owned());
        }
    }
    (effect, found)
}
