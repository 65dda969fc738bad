//! The keys of nodes: identity, services, network.

use crate::change::effect::Effect::{Data, File, Hands, Reboot, Restart};
use crate::change::effect::Flag::{Identity, LockOut, NotKnown};
use crate::change::judges::{disks, interfaces, members, nodes, services};
use crate::change::row::Row;
use crate::change::way::Way::Install;

use super::{DHCP, PUBLISH, judged, node, nothing, provisioner, row, task};

pub(in crate::change) const NODES: &[Row] = &[
    judged("nodes.*", nodes::node, &[], "docs/nix.md; docs/first-boot.md"),
    row(
        "nodes.*.name",
        &[
            node(
                Data,
                "the node becomes another member: a switch leaves the kernel's name, the Raft \
             store knows the old one; remove the member and install the machine again",
            )
            .flags(&[Identity])
            .way(Install),
            DHCP,
            PUBLISH,
        ],
        "nixpkgs#363368; profiles/first-boot: joined.json names the node",
    ),
    row(
        "nodes.*.fqdn",
        &[nothing("the full name follows from the name and the domain")],
        "src/resolve/finish/node.rs",
    ),
    row(
        "nodes.*.profile",
        &[node(File, "cluster-config.json has another role, which is read at the first boot only")],
        "src/outputs/cluster_config.rs",
    ),
    row(
        "nodes.*.base",
        &[
            node(Reboot, "another set of modules: kernel settings of the old one stay until a restart")
                .flags(&[NotKnown]),
            provisioner(File, "publish the bundle of the new base before the node is armed again"),
            PUBLISH,
        ],
        "profiles/worker.nix; profiles/control-plane.nix",
    ),
    row(
        "nodes.*.system",
        &[
            node(Data, "another kind of processor is another machine: install it anew")
                .flags(&[Identity])
                .way(Install),
            DHCP,
            PUBLISH,
        ],
        "src/model/hardware.rs",
    ),
    row(
        "nodes.*.firmware",
        &[
            node(Hands, "the mode is set in the firmware's setup; the disk boots in either mode"),
            DHCP,
            PUBLISH,
        ],
        "docs/disks.md: every layout has EF02 and an ESP",
    ),
    judged(
        "nodes.*.mac",
        disks::machine,
        &[
            DHCP,
            PUBLISH,
            task(
                "a node that is armed stays armed by its old MAC address: plasmagen disarm \
             before you publish",
            ),
        ],
        "docs/publish.md",
    ),
    judged("nodes.*.serial", disks::machine, &[PUBLISH], "profiles/netboot/overlay.nix"),
    row("nodes.*.rack", &[nothing("the order of steps follows racks")], "rule PG-G11"),
    row("nodes.*.boot_interface", &[DHCP, PUBLISH], "src/model/netboot.rs"),
    row("nodes.*.voter", &[nothing("the effects stand at `bootstrap`")], "src/resolve/finish/node.rs"),
    judged(
        "nodes.*.bmc",
        nodes::bmc,
        &[task("set the BMC up, or take it out of service")],
        "docs/inventory.md",
    ),
    judged(
        "nodes.*.bmc.mac",
        nodes::bmc,
        &[nothing("the BMC keeps the address that it has, where DHCP does not serve it")],
        "src/model/netboot.rs",
    ),
    judged(
        "nodes.*.bmc.address",
        nodes::bmc,
        &[task("set the address at the BMC itself")],
        "docs/inventory.md",
    ),
    row("nodes.*.bmc.user", &[task("set the user at the BMC itself")], "docs/inventory.md"),
    row(
        "nodes.*.bmc.password_file",
        &[nothing("the password is read from another file of the vault")],
        "docs/inventory.md",
    ),
    row("nodes.*.bmc.certificate", &[nothing("programs ask for another certificate")], "docs/power.md"),
    row("nodes.*.bmc.protocol", &[nothing("programs ask the BMC in another protocol")], "docs/inventory.md"),
    judged(
        "nodes.*.interfaces.*",
        interfaces::interface,
        &[],
        "tests/networkd: networkd makes the devices of new files",
    ),
    row(
        "nodes.*.interfaces.*.name",
        &[node(Reboot, "another NIC or bond bears the device").flags(&[LockOut])],
        "systemd.link(5): Name=",
    ),
    row(
        "nodes.*.interfaces.*.device",
        &[nothing("the device tells interfaces apart")],
        "src/change/difference.rs",
    ),
    judged("nodes.*.interfaces.*.network", interfaces::network, &[], "src/outputs/configuration/network.rs"),
    row(
        "nodes.*.interfaces.*.vlan",
        &[node(
            Reboot,
            "networkd does not change a VLAN that exists: the device has the old one until the node restarts",
        )
        .flags(&[LockOut])],
        "systemd#36406: networkd does not change devices that exist",
    ),
    judged(
        "nodes.*.interfaces.*.addresses",
        interfaces::addresses,
        &[],
        "docs/network.md; profiles/network.nix: KeepConfiguration=static",
    ),
    judged(
        "nodes.*.interfaces.*.mtu",
        interfaces::mtu,
        &[],
        "tests/networkd/units: MTUBytes in the .network file, and in the .link file \
             of a bound NIC",
    ),
    judged(
        "nodes.*.interfaces.*.mac",
        interfaces::bound,
        &[],
        "systemd.link(5): a .link file counts when the device appears",
    ),
    judged(
        "nodes.*.interfaces.*.bond",
        interfaces::bond,
        &[],
        "systemd#36406: networkd does not change devices that exist",
    ),
    judged(
        "nodes.*.interfaces.*.bond.mode",
        interfaces::bond,
        &[],
        "systemd#36406: networkd does not change devices that exist",
    ),
    judged(
        "nodes.*.interfaces.*.bond.members",
        interfaces::bond,
        &[],
        "tests/networkd/units: Bond= in the members' files",
    ),
    judged("nodes.*.gateway", interfaces::gateway, &[], "tests/networkd/units: [Route] of the home link"),
    judged("nodes.*.gateway6", interfaces::gateway, &[], "tests/networkd/units: [Route] of the home link"),
    row(
        "nodes.*.resolvers",
        &[node(Restart, "/etc/resolv.conf names other servers").units(&["resolvconf"])],
        "NixOS: networking.nameservers; profiles/network.nix: no systemd-resolved",
    ),
    judged("nodes.*.services.*", services::service, &[], "profiles/service.nix"),
    row("nodes.*.services.*.name", &[nothing("the name tells services apart")], "src/change/difference.rs"),
    judged("nodes.*.services.*.port", services::port, &[], "profiles/service.nix"),
    judged(
        "nodes.*.services.*.raft_port",
        members::port,
        &[],
        "etcd: peers' addresses are updated before the restart",
    ),
    judged("nodes.*.services.*.gossip_port", members::port, &[], "profiles/service.nix"),
    row(
        "nodes.*.services.*.health_port",
        &[node(Restart, "the service has another port").units(&["*"])],
        "profiles/service.nix",
    ),
    row(
        "nodes.*.services.*.udp",
        &[nothing("the effects stand at the firewall")],
        "src/model/exposure/openings.rs",
    ),
    row(
        "nodes.*.services.*.clients",
        &[nothing("the effects stand at the firewall")],
        "src/model/exposure/openings.rs",
    ),
    judged(
        "nodes.*.services.*.settings",
        services::settings,
        &[],
        "profiles/service.nix: the file is in restartTriggers",
    ),
];
