//! The keys of the cluster as a whole, and of the provisioner.

use crate::change::case::DHCP_SERVER;
use crate::change::effect::Effect::{Network, Reboot, Reload, Restart};
use crate::change::effect::Flag::{Identity, LockOut, NotKnown};
use crate::change::judges::{access, members, site};
use crate::change::row::Row;
use crate::change::way::Phase::{AfterPublish, AfterRender, Last};

use super::{DHCP, PUBLISH, every_node, judged, name_servers, nothing, provisioner, row, task};

/// plasmagen has no program that holds virtual addresses.
const VIP: &str = "set the address up in the program of yours that holds virtual addresses, such as keepalived, or remove it there";

pub(in crate::change) const SITE: &[Row] = &[
    row("schema", &[nothing("the version of the file")], "src/model/resolved.rs"),
    judged("name", site::cluster_renamed, &[], "profiles/first-boot: joined.json names the cluster"),
    row("former_names", &[nothing("names that the cluster's CA may bear")], "src/pki/trust.rs"),
    row(
        "domain",
        &[
            every_node(Reboot, "the full name changes; running programs keep the old one").flags(&[Identity]),
            task(
                "the CA may not vouch for the new domain: plasmagen certs rotate begin comes first (plasmagen explain PG-H09)",
            ),
        ],
        "NixOS: networking.domain; nixpkgs#363368 for names that a switch does not set",
    ),
    judged("formed", members::formed, &[], "profiles/first-boot: restartIfChanged = false"),
    judged("bootstrap", members::voters, &[], "profiles/first-boot; docs/first-boot.md"),
    row("removed", &[nothing("no other machine is given these names")], "rule PG-G06"),
    row(
        "state_version",
        &[every_node(Restart, "defaults of NixOS change with it: keep the value of an installed node")
            .flags(&[NotKnown])],
        "NixOS: system.stateVersion",
    ),
    judged(
        "admin_keys",
        access::admin_keys,
        &[PUBLISH],
        "profiles/access.nix: sshd reads the keys at each login",
    ),
    row(
        "provisioner.network",
        &[
            provisioner(Network, "the provisioner stands in another network"),
            DHCP,
            PUBLISH,
            task("DHCP relays name the provisioner's address").phase(AfterPublish),
        ],
        "tests/inventory/moved.rs",
    ),
    row(
        "provisioner.address",
        &[
            provisioner(Network, "the provisioner has another address: every server there starts again")
                .flags(&[LockOut]),
            DHCP,
            PUBLISH,
            task("DHCP relays name the provisioner's address").phase(AfterPublish),
        ],
        "tests/inventory/moved.rs",
    ),
    row(
        "provisioner.interface",
        &[provisioner(Network, "the servers listen on another interface").flags(&[LockOut]), DHCP],
        "tests/inventory/moved.rs",
    ),
    row(
        "provisioner.other_interfaces.*",
        &[provisioner(Network, "the provisioner enters or leaves a boot network"), DHCP, PUBLISH],
        "src/model/provisioner.rs",
    ),
    row(
        "provisioner.other_interfaces.*.network",
        &[provisioner(Network, "the interface stands in another boot network"), DHCP, PUBLISH],
        "src/model/provisioner.rs",
    ),
    row(
        "provisioner.other_interfaces.*.address",
        &[provisioner(Network, "the provisioner has another address in a boot network"), DHCP, PUBLISH],
        "src/model/provisioner.rs",
    ),
    row(
        "provisioner.other_interfaces.*.interface",
        &[provisioner(Network, "the servers listen on another interface"), DHCP],
        "src/model/provisioner.rs",
    ),
    row(
        "provisioner.nat",
        &[provisioner(Reload, "the gateway masquerades, or no longer does").units(&["nftables"])],
        "docs/pxe-server.md",
    ),
    row(
        "provisioner.http_port",
        &[provisioner(Restart, "machines load from another port").units(&["nginx"]), DHCP, PUBLISH],
        "docs/pxe-server.md",
    ),
    row(
        "provisioner.web_root",
        &[
            provisioner(Restart, "the web root and the TFTP root move: publish bundles and site there again")
                .units(&["nginx"]),
            DHCP,
            PUBLISH,
        ],
        "docs/pxe-server.md",
    ),
    row(
        "provisioner.dhcp",
        &[provisioner(Restart, "one DHCP server stops and another starts: leases are not carried over")
            .units(&[DHCP_SERVER])],
        "docs/pxe-server.md",
    ),
    row(
        "provisioner.extra.*",
        &[provisioner(Restart, "the DHCP server includes another file of yours")
            .units(&[DHCP_SERVER])
            .flags(&[NotKnown])],
        "docs/pxe-server.md",
    ),
    row(
        "provisioner.reservations",
        &[provisioner(Restart, "other clusters' reservations come or go; the files are not compared")
            .units(&[DHCP_SERVER])
            .flags(&[NotKnown])],
        "docs/pxe-server.md",
    ),
    row("vips.*", &[task(VIP).phase(Last)], "src/pki/cluster/requests.rs"),
    row("vips.*.name", &[nothing("the name tells virtual addresses apart")], "src/change/difference.rs"),
    row("vips.*.address", &[task(VIP).phase(Last)], "src/pki/cluster/requests.rs"),
    row("tls.algorithm", &[nothing("the next new key is of that kind")], "src/pki/cluster/requests.rs"),
    row("tls.ca_days", &[nothing("the next CA lives that long")], "src/pki/cluster/requests.rs"),
    row("tls.node_days", &[nothing("the next certificates live that long")], "src/pki/cluster/requests.rs"),
    row(
        "tls.permit",
        &[nothing("the next CA has these constraints: plasmagen certs rotate begin")],
        "src/pki/cluster/requests.rs",
    ),
    row(
        "boot.verify",
        &[PUBLISH, task("plasmagen sign makes the signatures that machines verify").phase(AfterRender)],
        "docs/publish.md",
    ),
    row(
        "boot.signer",
        &[PUBLISH, task("iPXE builds hold the signer's certificate: build them again").phase(AfterRender)],
        "docs/publish.md",
    ),
    row("boot.pause", &[PUBLISH], "templates/boot.ipxe.j2"),
    row("boot.console", &[PUBLISH], "src/outputs/configuration.rs: list_kernel_params"),
    row(
        "dns.name_servers",
        &[
            name_servers(Reload, "every zone names other servers"),
            task("the zones above delegate to the new servers").phase(AfterPublish),
        ],
        "src/outputs/dns.rs",
    ),
    row("dns.contact", &[name_servers(Reload, "every zone has another contact")], "src/outputs/dns.rs"),
    row(
        "dns.ttl",
        &[name_servers(Reload, "every record may be cached for another time")],
        "src/outputs/dns.rs",
    ),
    row("ssh_from", &[nothing("the effects stand at the firewalls")], "templates/firewall.nft.j2"),
    row("firewall.*", &[nothing("the effects stand at the firewalls")], "templates/firewall.nft.j2"),
    row("firewall.*.name", &[nothing("the name tells openings apart")], "src/change/difference.rs"),
    row("firewall.*.port", &[nothing("the effects stand at the firewalls")], "templates/firewall.nft.j2"),
    row("firewall.*.ports", &[nothing("the effects stand at the firewalls")], "templates/firewall.nft.j2"),
    row("firewall.*.protocol", &[nothing("the effects stand at the firewalls")], "templates/firewall.nft.j2"),
    row("firewall.*.from", &[nothing("the effects stand at the firewalls")], "templates/firewall.nft.j2"),
    row("firewall.*.on", &[nothing("the effects stand at the firewalls")], "templates/firewall.nft.j2"),
    row(
        "ntp",
        &[every_node(Restart, "the clock follows other servers").units(&["chronyd"])],
        "profiles/time.nix",
    ),
    row(
        "log_forward",
        &[every_node(Restart, "logs go to another host").units(&["syslog"])],
        "profiles/logging.nix",
    ),
];
