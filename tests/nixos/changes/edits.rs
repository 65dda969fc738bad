//! The keys that are changed one at a time.

/// A key that is changed: its pattern in the table, the golden case, the node that is looked at, and the replacement in the
/// inventory. An empty text is replaced at the end.
pub(super) type Edit = (&'static str, &'static str, &'static str, &'static str, &'static str);

pub(super) const EDITS: &[Edit] = &[
    ("formed", "reference", "node01", "formed = false", "formed = true"),
    ("state_version", "reference", "node01", "state_version = \"24.11\"", "state_version = \"25.05\""),
    ("provisioner.address", "reference", "node01", "address = \"10.0.100.10\"", "address = \"10.0.100.11\""),
    ("networks.*.vlan", "reference", "node01", "vlan = 200", "vlan = 201"),
    ("nodes.*.gateway", "reference", "node01", "gateway = \"10.0.200.1\"", "gateway = \"10.0.200.254\""),
    (
        "nodes.*.resolvers",
        "reference",
        "node01",
        "dns = [\"10.0.200.1\", \"8.8.8.8\"]",
        "dns = [\"10.0.200.1\", \"9.9.9.9\"]",
    ),
    (
        "vips.*",
        "reference",
        "node01",
        "iam = \"10.0.200.102\"",
        "iam = \"10.0.200.102\"\ncache = \"10.0.200.105\"",
    ),
    ("tls.node_days", "reference", "node01", "", "\n[tls]\nnode_days = 300\n"),
    ("ssh_from", "reference", "node01", "", "\n[firewall]\nssh_from = [\"10.0.200.0/24\"]\n"),
    (
        "firewall.*",
        "reference",
        "node01",
        "",
        "\n[firewall]\nopen.vrrp = { protocol = \"vrrp\", from = [\"10.0.200.0/24\"] }\n",
    ),
    ("ntp", "reference", "node01", "", "\n[ntp]\nservers = [\"time.example.net\"]\n"),
    ("log_forward", "reference", "node01", "", "\n[logging]\nforward = \"log.example.net\"\n"),
    (
        "nodes.*.kernel_params",
        "reference",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\nkernel_params = [\"console=ttyS1,115200\", \"quiet\"]\n",
    ),
    (
        "nodes.*.interfaces.*.addresses",
        "reference",
        "node01",
        "address.production = \"10.0.200.10\"",
        "address.production = \"10.0.200.15\"",
    ),
    (
        "nodes.*.interfaces.*.mtu",
        "reference",
        "node01",
        "interface.eth1 = { network = \"production\" }",
        "interface.eth1 = { network = \"production\", mtu = 9000 }",
    ),
    (
        "nodes.*.interfaces.*.mac",
        "reference",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\ninterface.eth1 = { network = \"production\", mac = \"3c:ec:ef:00:00:01\" }\n",
    ),
    ("nodes.*.disks", "reference", "node01", "S64FNE0R800001_1", "S64FNE0R899001_1"),
    (
        "nodes.*.layout.format",
        "reference",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\ndisk.single = { esp = \"1G\", format = \"xfs\" }\n",
    ),
    ("nodes.*.layout.style", "reference", "node01", "\n[node.node01]\n", "\n[node.node01]\ndisk.luks = {}\n"),
    (
        "nodes.*.layout.esp",
        "reference",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\ndisk.single = { esp = \"2G\", format = \"ext4\" }\n",
    ),
    (
        "nodes.*.services.*",
        "reference",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\nservices = [\"chainfire\", \"flaredb\"]\n",
    ),
    ("nodes.*.services.*.settings", "reference", "node01", "log_level = \"info\"", "log_level = \"debug\""),
    ("nodes.*.services.*.port", "reference", "node01", "", "\n[service.iam]\nport = 8081\n"),
    ("nodes.*.services.*.raft_port", "reference", "node01", "", "\n[service.chainfire]\nraft_port = 3380\n"),
    (
        "nodes.*.hardware.kernel_modules",
        "reference",
        "node01",
        "hardware = \"dell-r640\"",
        "hardware = \"dell-r650\"",
    ),
    ("nodes.*.hardware.cpu", "reference", "node01", "hardware = \"dell-r640\"", "hardware = \"generic\""),
    ("nodes.*.serial", "reference", "node01", "CN7475139H0023", "CN7475139H0029"),
    ("nodes.*.rack", "reference", "node01", "\n[node.node01]\n", "\n[node.node01]\nrack = \"r1\"\n"),
    ("nodes.*.mac", "reference", "node01", "52:54:00:12:34:56", "52:54:00:12:34:66"),
    ("nodes.*.bmc.address", "reference", "node01", "10.0.10.50", "10.0.10.59"),
    (
        "nodes.*.firmware",
        "reference",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\nfirmware = \"bios\"\n",
    ),
    (
        "nodes.*",
        "reference",
        "node01",
        "",
        "\n[node.node09]\nprofile = \"control-plane\"\nmac = \"3c:ec:ef:00:00:09\"\naddress.provisioning = \"10.0.100.59\"\naddress.production = \"10.0.200.19\"\ndisks = [\"/dev/disk/by-id/nvme-EXAMPLE_9\"]\nserial = \"CN7475139H0099\"\n",
    ),
    ("bootstrap", "reference", "node04", "\"node03\"]", "\"node03\", \"node04\", \"node05\"]"),
    (
        "admin_keys",
        "reference",
        "node01",
        "admin_keys = [",
        "admin_keys = [\n  \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaDGGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y ops\",",
    ),
    // Bonds, VLANs and encrypted disks.
    (
        "nodes.*.interfaces.*.bond.mode",
        "bonds-and-vlans",
        "r1n1",
        "mode = \"802.3ad\"",
        "mode = \"balance-xor\"",
    ),
    (
        "nodes.*.interfaces.*.bond.members",
        "bonds-and-vlans",
        "r2n1",
        "members = [\"eth1\", \"eth2\"]",
        "members = [\"eth1\", \"eth3\"]",
    ),
    ("nodes.*.interfaces.*", "bonds-and-vlans", "r1n1", "vlan = 200", "vlan = 201"),
    (
        "nodes.*.interfaces.*",
        "bonds-and-vlans",
        "r1n1",
        "interface.\"bond0.300\" = { network = \"users\", tagged = true }",
        "interface.eth3 = { network = \"users\" }",
    ),
    ("nodes.*.interfaces.*.mtu", "bonds-and-vlans", "r2n1", "mtu = 9000", "mtu = 8000"),
    (
        "nodes.*.layout.unlock",
        "bonds-and-vlans",
        "r1n1",
        "luks = { unlock = \"tpm2\" }",
        "luks = { unlock = \"passphrase\" }",
    ),
    ("nodes.*.layout.unlock", "bonds-and-vlans", "r1n1", ", luks = { unlock = \"tpm2\" }", ""),
    (
        "nodes.*.rack",
        "bonds-and-vlans",
        "r1n1",
        "rack = \"r1\"\nserial = \"S1\"",
        "rack = \"r3\"\nserial = \"S1\"",
    ),
    // Volumes of LVM.
    (
        "nodes.*.layout.volumes.*",
        "single-segment",
        "store",
        ", volume.archive = { size = \"2T\", mount = \"/var/lib/archive\", format = \"xfs\" }",
        "",
    ),
    (
        "nodes.*.layout.volumes.*.mount",
        "single-segment",
        "store",
        "mount = \"/var/lib/archive\"",
        "mount = \"/srv/archive\"",
    ),
    (
        "nodes.*.layout.volumes.*.format",
        "single-segment",
        "store",
        "/var/lib/archive\", format = \"xfs\"",
        "/var/lib/archive\", format = \"ext4\"",
    ),
    ("nodes.*.layout.volumes.*.size", "single-segment", "store", "size = \"2T\"", "size = \"3T\""),
    ("nodes.*.layout.swap", "single-segment", "store", "swap = \"16G\", ", ""),
    // Disks that are encrypted as a whole.
    (
        "nodes.*.layout.style",
        "single-segment",
        "node02",
        "disk.luks = { esp = \"2G\", format = \"xfs\", unlock = \"tpm2\" }",
        "disk.single = { esp = \"2G\", format = \"xfs\" }",
    ),
    ("nodes.*.hardware_file", "single-segment", "node02", "hardware_file = \"hardware/node02.nix\"\n", ""),
    // IPv6.
    (
        "nodes.*.interfaces.*.addresses",
        "ipv6",
        "a1",
        "address6.core = \"fd00:200::10\"",
        "address6.core = \"fd00:200::1a\"",
    ),
    ("nodes.*.gateway6", "ipv6", "a1", "gateway6 = \"fd00:200::1\"", "gateway6 = \"fd00:200::2\""),
    ("vips.*.address", "ipv6", "a1", "iam = \"fd00:200::100\"", "iam = \"fd00:200::101\""),
    // Names.
    ("nodes.*.name", "reference", "node02", "node02", "node09"),
    ("nodes.*.name", "ipv6", "a2", "a2", "a9"),
];

/// The inventory `text` after `edit`. A name and an MTU stand in several places, other values in the last one.
pub(super) fn apply(text: &str, (key, _, _, from, to): &Edit) -> String {
    if from.is_empty() {
        return text.to_owned() + to;
    }
    if from.starts_with("interface.eth1") || [".name", ".mtu"].iter().any(|end| key.ends_with(end)) {
        return text.replace(from, to);
    }
    // The last network of the inventory is the cluster's.
    let at = text.rfind(from).unwrap_or_else(|| panic!("{key}: {from}"));
    text[..at].to_owned() + to + &text[at + from.len()..]
}
