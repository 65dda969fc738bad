//! The commands that install a node, as docs/nix.md explains them.

use crate::model::Node;

use super::step::Step;

/// Lists the commands that install `node`: its machine boots the installer, which is disarmed before nixos-anywhere restarts
/// it, and nothing secret is left behind. `VAULT` stands for the directory of the vault.
#[must_use]
pub fn install_commands(node: &Node) -> Vec<String> {
    let steps = list_install_steps(node);
    steps.into_iter().flat_map(|step| step.commands).collect()
}

/// The steps that install `node`.
pub(super) fn list_install_steps(node: &Node) -> Vec<Step> {
    let (name, fqdn) = (&node.name, &node.fqdn);
    let address = node.reservation().and_then(|reservation| {
        let v6 = reservation.address6.map(|address| address.to_string());
        reservation.address.map(|address| address.to_string()).or(v6)
    });
    let installer = address.unwrap_or_else(|| fqdn.to_string());
    let mut install = format!("nixos-anywhere --flake .#{name} --extra-files \"$out\" root@{installer}");
    if node.layout.unlock.is_some() {
        install += &format!(" --disk-encryption-keys /run/disk-encryption.key VAULT/{fqdn}/luks-passphrase");
    }
    vec![
        Step::new(
            format!("arm {name}, switch it on or restart it, and wait until its installer answers"),
            [
                format!("plasmagen arm {name}"),
                format!("ssh root@{installer} grep VARIANT_ID=installer /etc/os-release"),
                format!("plasmagen disarm {name}"),
            ],
        ),
        Step::new(
            format!("install {name}, which erases its disks"),
            [
                "out=$(mktemp -d)".to_owned(),
                format!("plasmagen secrets stage {name} --to \"$out\""),
                install,
                "rm -r \"$out\"".to_owned(),
            ],
        ),
    ]
}
