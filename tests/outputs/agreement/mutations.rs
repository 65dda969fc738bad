//! The proof can fail: a tree in which one file says something else is found out, by the reader of that file, and for
//! every kind of fact that somebody speaks of.

use std::collections::BTreeSet;
use std::path::Path;

use crate::agreement::facts::{Kind, differences};
use crate::agreement::model;
use crate::agreement::readers::READERS;
use crate::agreement::tree::Tree;

/// A change of one fact in one file of a site.
struct Mutation {
    /// Whose file it is.
    reader: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// Of whom the difference must speak, and the kind of fact.
    found: (&'static str, Kind),
}

const fn change(
    reader: &'static str,
    file: &'static str,
    [from, to]: [&'static str; 2],
    found: (&'static str, Kind),
) -> Mutation {
    Mutation { reader, file, from, to, found }
}

const NODE: &str = "nodes/n1.site.example.com";

/// In the place of a text: all of the file, for another file.
const WHOLE: &str = "the whole file";

/// Changes of the site in `mutations.toml`.
#[rustfmt::skip]
const MUTATIONS: &[Mutation] = &[
    change("dhcpd", "site/pxe/dhcpd.conf", ["3c:ec:ef:00:00:01", "3c:ec:ef:00:00:11"], ("n1", "MAC in DHCP")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["fixed-address 10.0.1.11", "fixed-address 10.0.1.21"], ("n1", "reserved IPv4")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["host-name \"n1\"", "host-name \"n7\""], ("n1", "name in DHCP")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["3c:ec:ef:00:00:62", "3c:ec:ef:00:00:63"], ("n2", "BMC in DHCP")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["host n1 {", "host n7 {"], ("n7", "MAC in DHCP")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["subnet 10.0.1.0 netmask 255.255.255.0", "subnet 10.0.0.0 netmask 255.255.254.0"], ("10.0.1.0/24", "subnet")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["broadcast-address 10.0.1.255", "broadcast-address 10.0.1.254"], ("10.0.1.0/24", "broadcast")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["range 10.0.1.100", "range 10.0.1.101"], ("10.0.1.0/24", "pool")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["routers 10.0.1.1", "routers 10.0.1.2"], ("10.0.1.0/24", "router")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["domain-name-servers 10.0.1.1", "domain-name-servers 10.0.1.2"], ("10.0.1.0/24", "resolver")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["domain-name \"boot.example.com\"", "domain-name \"boot.example.net\""], ("10.0.1.0/24", "domain")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["undionly.kpxe", "ipxe.efi"], ("0x00", "boot file")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["HTTPClient", "PXEClient"], ("0x10", "vendor class")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["\"ipxe.efi\";\n  }\n}\n\nhost n1", "\"undionly.kpxe\";\n  }\n}\n\nhost n1"], ("n1", "platform")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["next-server 10.0.1.10", "next-server 10.0.1.11"], ("site", "next server")),
    change("dhcpd", "site/pxe/dhcpd.conf", ["/etc/dhcp/isc.conf", "/etc/dhcp/kea.json"], ("site", "extra of dhcpd")),

    change("kea", "site/pxe/kea-dhcp4.json", ["3c:ec:ef:00:00:01", "3c:ec:ef:00:00:11"], ("n1", "MAC in DHCP")),
    change("kea", "site/pxe/kea-dhcp4.json", ["\"ip-address\": \"10.0.1.11\"", "\"ip-address\": \"10.0.1.21\""], ("n1", "reserved IPv4")),
    change("kea", "site/pxe/kea-dhcp4.json", ["\"hostname\": \"n1\"", "\"hostname\": \"n7\""], ("n1", "name in DHCP")),
    change("kea", "site/pxe/kea-dhcp4.json", ["10.0.1.62", "10.0.1.63"], ("n2", "BMC in DHCP")),
    change("kea", "site/pxe/kea-dhcp4.json", ["\"subnet\": \"10.0.1.0/24\"", "\"subnet\": \"10.0.0.0/23\""], ("10.0.1.0/24", "subnet")),
    change("kea", "site/pxe/kea-dhcp4.json", ["10.0.1.100-", "10.0.1.101-"], ("10.0.1.0/24", "pool")),
    change("kea", "site/pxe/kea-dhcp4.json", ["\"data\": \"10.0.1.1\"", "\"data\": \"10.0.1.2\""], ("10.0.1.0/24", "router")),
    change("kea", "site/pxe/kea-dhcp4.json", ["\"domain-name-servers\",\n            \"data\": \"10.0.1.1\"", "\"domain-name-servers\",\n            \"data\": \"10.0.1.2\""], ("10.0.1.0/24", "resolver")),
    change("kea", "site/pxe/kea-dhcp4.json", ["boot.example.com", "boot.example.net"], ("10.0.1.0/24", "domain")),
    change("kea", "site/pxe/kea-dhcp4.json", ["undionly.kpxe", "ipxe.efi"], ("0x00", "boot file")),
    change("kea", "site/pxe/kea-dhcp4.json", ["substring(option[93].hex, 0, 2) == 0x0010 or substring(option[93].hex, 2, 2) == 0x0010 or substring(option[93].hex, 4, 2) == 0x0010", "substring(option[93].hex, 0, 2) == 0x0011 or substring(option[93].hex, 2, 2) == 0x0011 or substring(option[93].hex, 4, 2) == 0x0011"], ("0x11", "boot file")),
    change("kea", "site/pxe/kea-dhcp4.json", ["HTTPClient", "PXEClient"], ("0x10", "vendor class")),
    change("kea", "site/pxe/kea-dhcp4.json", ["              \"x86_64-linux-uefi\"", "              \"aarch64-linux-uefi\""], ("n1", "platform")),
    change("kea", "site/pxe/kea-dhcp4.json", ["\"next-server\": \"10.0.1.10\"", "\"next-server\": \"10.0.1.11\""], ("site", "next server")),
    change("kea", "site/pxe/kea-dhcp4.json", ["/etc/dhcp/kea.json", "/etc/dhcp/isc.conf"], ("site", "extra of Kea")),
    change("kea", "site/pxe/kea-dhcp6.json", ["3c:ec:ef:00:00:01", "3c:ec:ef:00:00:11"], ("n1", "MAC in DHCPv6")),
    change("kea", "site/pxe/kea-dhcp6.json", ["fd00:1::11", "fd00:1::21"], ("n1", "reserved IPv6")),
    change("kea", "site/pxe/kea-dhcp6.json", ["\"hostname\": \"n1\"", "\"hostname\": \"n7\""], ("n1", "name in DHCPv6")),
    change("kea", "site/pxe/kea-dhcp6.json", ["\"subnet\": \"fd00:1::/64\"", "\"subnet\": \"fd00:1::/63\""], ("fd00:1::/64", "IPv6 subnet")),
    change("kea", "site/pxe/kea-dhcp6.json", ["fd00:1::1000-", "fd00:1::1001-"], ("fd00:1::/64", "IPv6 pool")),
    change("kea", "site/pxe/kea-dhcp6.json", ["\"data\": \"fd00:1::1\"", "\"data\": \"fd00:1::2\""], ("fd00:1::/64", "IPv6 resolver")),
    change("kea", "site/pxe/kea-dhcp6.json", ["boot.example.com", "boot.example.net"], ("fd00:1::/64", "IPv6 domain")),

    change("dnsmasq", "site/pxe/dnsmasq.conf", ["dhcp-host=3c:ec:ef:00:00:01", "dhcp-host=3c:ec:ef:00:00:11"], ("n1", "MAC in DHCP")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["dhcp-host=3c:ec:ef:00:00:01", "dhcp-host=3c:ec:ef:00:00:11"], ("n1", "MAC in DHCPv6")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["3c:ec:ef:00:00:62", "3c:ec:ef:00:00:63"], ("n2", "BMC in DHCP")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", [",10.0.1.11,", ",10.0.1.21,"], ("n1", "reserved IPv4")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["[fd00:1::11]", "[fd00:1::21]"], ("n1", "reserved IPv6")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["],n1\n", "],n7\n"], ("n1", "name in DHCP")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["],n1\n", "],n7\n"], ("n1", "name in DHCPv6")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["10.0.1.100,10.0.1.200,255.255.255.0", "10.0.1.100,10.0.1.200,255.255.254.0"], ("10.0.1.0/24", "subnet")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["10.0.1.100,", "10.0.1.101,"], ("10.0.1.0/24", "pool")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["option:router,10.0.1.1", "option:router,10.0.1.2"], ("10.0.1.0/24", "router")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["option:dns-server,10.0.1.1", "option:dns-server,10.0.1.2"], ("10.0.1.0/24", "resolver")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["option:domain-name,boot.example.com", "option:domain-name,boot.example.net"], ("10.0.1.0/24", "domain")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["undionly.kpxe", "ipxe.efi"], ("0x00", "boot file")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["set:platform/x86_64-linux-uefi", "set:platform/x86_64-linux-bios"], ("n1", "platform")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["HTTPClient", "PXEClient"], ("0x18", "vendor class")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["undionly.kpxe\",,10.0.1.10", "undionly.kpxe\",,10.0.1.11"], ("site", "next server")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["/etc/dhcp/dnsmasq.conf", "/etc/dhcp/kea.json"], ("site", "extra of dnsmasq")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["fd00:1::1000,fd00:1::1fff,64", "fd00:1::1000,fd00:1::1fff,96"], ("fd00:1::/64", "IPv6 subnet")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["fd00:1::1000,", "fd00:1::1001,"], ("fd00:1::/64", "IPv6 pool")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["option6:dns-server,[fd00:1::1]", "option6:dns-server,[fd00:1::2]"], ("fd00:1::/64", "IPv6 resolver")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["option6:domain-search,boot.example.com", "option6:domain-search,boot.example.net"], ("fd00:1::/64", "IPv6 domain")),
    change("dnsmasq", "site/pxe/dnsmasq.conf", ["/var/lib/pxe-boot/tftp", "/srv/tftp"], ("site", "TFTP root")),

    change("zones", "site/dns/site.example.com.zone", ["n1.site.example.com. IN A 10.0.2.11", "n1.site.example.com. IN A 10.0.2.21"], ("n1.site.example.com", "address record")),
    change("zones", "site/dns/site.example.com.zone", ["n1.site.example.com. IN A ", "n7.site.example.com. IN A "], ("n7.site.example.com", "address record")),
    change("zones", "site/dns/1.0.10.in-addr.arpa.zone", ["11.1.0.10.in-addr.arpa.", "21.1.0.10.in-addr.arpa."], ("10.0.1.21", "reverse record")),
    change("zones", "site/dns/1.0.10.in-addr.arpa.zone", ["n1.boot.example.com.", "n7.boot.example.com."], ("10.0.1.11", "reverse record")),
    change("zones", "site/dns/site.example.com.zone", ["@ IN NS ns1.site.example.com.", "@ IN NS boot.site.example.com."], ("site.example.com", "name server")),
    change("zones", "site/dns/site.example.com.zone", ["SOA ns1.", "SOA boot."], ("site.example.com", "primary")),
    change("zones", "site/dns/site.example.com.zone", ["hostmaster.", "postmaster."], ("site.example.com", "contact")),
    change("zones", "site/dns/site.example.com.zone", ["$TTL 3600", "$TTL 3601"], ("site.example.com", "TTL")),
    change("zones", "site/dns/example.com.zone", ["site.example.com. IN NS", "other.example.com. IN NS"], ("example.com", "delegation")),
    change("zones", "site/dns/named.conf", ["zone \"1.0.10.in-addr.arpa\" { type primary; file \"1.0.10.in-addr.arpa.zone\"; };\n", ""], ("1.0.10.in-addr.arpa", "zone")),
    change("zones", "site/dns/hosts", ["10.0.2.11 ", "10.0.2.21 "], ("n1.site.example.com", "address record")),
    change("zones", "site/dns/hosts", ["n1.site.example.com n1", "n1.site.example.com n7"], ("n1.site.example.com", "alias")),

    change("firewalls", "NODE/firewall.nft", ["dport 2379 accept", "dport 2378 accept"], ("n1", "open port")),
    change("firewalls", "NODE/firewall.nft", ["saddr 10.0.2.0/24 tcp dport 22", "saddr 10.0.2.0/23 tcp dport 22"], ("n1", "open port")),
    change("firewalls", "NODE/firewall.nft", ["policy accept", "policy drop"], ("n1", "forwarding")),
    change("firewalls", "site/firewall/control-plane.nft", ["dport 2379 accept", "dport 2378 accept"], ("firewall of control-plane", "open port of the site")),
    change("firewalls", "site/firewall/control-plane.nft", ["daddr 10.0.1.0/24 drop", "daddr 10.0.7.0/24 drop"], ("firewall of control-plane", "forwarding of the site")),
    change("firewalls", "NODE/firewall.nft", ["dport 2380 drop", "dport 2382 drop"], ("n1", "forwarding")),
    change("firewalls", "site/firewall/control-plane.iptables", ["-d 10.0.2.0/24 -p tcp -m tcp --dport 22 ", "-d 10.0.2.0/24 -p tcp -m tcp --dport 23 "], ("firewall of control-plane", "forwarding of the site")),
    change("firewalls", "site/firewall/provisioner.iptables", ["--dport 69", "--dport 70"], ("firewall of provisioner", "open port of the site")),
    change("firewalls", "site/firewall/control-plane.iptables", ["-d 10.0.1.0/24 -j DROP", "-d 10.0.7.0/24 -j DROP"], ("firewall of control-plane", "forwarding of the site")),
    change("firewalls", "site/firewall/control-plane.ip6tables", ["-s fd00:2::/64 ", "-s fd00:7::/64 "], ("firewall of control-plane", "open port of the site")),

    change("inventory", "site/inventory.json", ["3c:ec:ef:00:00:01", "3c:ec:ef:00:00:11"], ("n1", "MAC")),
    change("inventory", "site/inventory.json", ["n1.site.example.com", "n7.site.example.com"], ("n1", "full name")),
    change("inventory", "site/inventory.json", ["\"profile\": \"control-plane\"", "\"profile\": \"worker\""], ("n1", "profile")),
    change("inventory", "site/inventory.json", ["ata-EXAMPLE_1", "ata-EXAMPLE_7"], ("n1", "disk")),
    change("inventory", "site/inventory.json", ["10.0.2.11/24", "10.0.2.21/24"], ("n1", "address")),
    change("inventory", "site/inventory.json", ["10.0.2.11/24", "10.0.2.21/24"], ("n1", "interface")),
    change("inventory", "site/inventory.json", ["10.0.3.11", "10.0.3.21"], ("n1", "BMC")),
    change("inventory", "site/inventory.json", ["\"name\": \"iam\"", "\"name\": \"k8shost\""], ("n1", "service")),
    change("inventory", "site/inventory.json", ["\"name\": \"iam\",\n          \"port\": 8080", "\"name\": \"iam\",\n          \"port\": 8081"], ("n1", "listens")),
    change("inventory", "site/inventory.json", ["10.0.2.100", "10.0.2.101"], ("api", "virtual address")),

    change("inventory", "inventory.toml", ["3c:ec:ef:00:00:01", "3c:ec:ef:00:00:11"], ("n1", "MAC")),
    change("inventory", "inventory.toml", ["domain = \"site.example.com\"", "domain = \"site.example.net\""], ("n1", "full name")),
    change("inventory", "inventory.toml", ["name = \"site\"", "name = \"other\""], ("n1", "cluster")),
    change("inventory", "inventory.toml", ["[node.n1]\nprofile = \"control-plane\"", "[node.n1]\nprofile = \"worker\""], ("n1", "profile")),
    change("inventory", "inventory.toml", ["ata-EXAMPLE_1", "ata-EXAMPLE_7"], ("n1", "disk")),
    change("inventory", "inventory.toml", ["\"prismnet\", \"iam\"", "\"prismnet\", \"k8shost\""], ("n1", "service")),
    change("inventory", "inventory.toml", ["10.0.3.11", "10.0.3.21"], ("n1", "BMC")),
    change("inventory", "inventory.toml", ["10.0.2.11", "10.0.2.21"], ("n1", "address")),
    change("inventory", "inventory.toml", ["10.0.1.11", "10.0.1.21"], ("n1", "reserved IPv4")),
    change("inventory", "inventory.toml", ["fd00:1::11", "fd00:1::21"], ("n1", "reserved IPv6")),
    change("inventory", "inventory.toml", ["10.0.2.100", "10.0.2.101"], ("api", "virtual address")),

    change("ipxe", "site/www/ipxe/node/3c-ec-ef-00-00-01.ipxe", ["set node n1", "set node n2"], ("n2", "MAC that boots")),
    change("ipxe", "site/www/ipxe/node/3c-ec-ef-00-00-01.ipxe", ["set profile control-plane", "set profile worker"], ("n1", "image")),
    change("ipxe", "site/www/ipxe/node/3c-ec-ef-00-00-01.ipxe", ["quiet", "debug"], ("n1", "kernel parameter")),
    change("ipxe", "site/www/ipxe/node/3c-ec-ef-00-00-01.ipxe", ["00-01.cpio.gz", "00-02.cpio.gz"], ("n1", "overlay")),
    change("ipxe", "site/www/overlay/3c-ec-ef-00-00-01.cpio.gz", [WHOLE, "site/www/overlay/3c-ec-ef-00-00-02.cpio.gz"], ("n1", "digest of the overlay")),
    change("ipxe", "site/www/ipxe/boot.ipxe", ["10.0.1.10:8080", "10.0.1.10:8081"], ("iPXE", "base URL")),

    change("overlay", "site/www/overlay/3c-ec-ef-00-00-01.cpio.gz", [WHOLE, "site/www/overlay/3c-ec-ef-00-00-02.cpio.gz"], ("n2", "MAC that boots")),

    change("cluster_config", "NODE/cluster-config.json", ["\"node_id\": \"n1\"", "\"node_id\": \"n2\""], ("n1", "host name")),
    change("cluster_config", "NODE/cluster-config.json", ["\"node_role\": \"control-plane\"", "\"node_role\": \"worker\""], ("n1", "profile")),
    change("cluster_config", "NODE/cluster-config.json", ["\"bootstrap\": true", "\"bootstrap\": false"], ("n1", "bootstraps")),
    change("cluster_config", "NODE/cluster-config.json", ["\"cluster_name\": \"site\"", "\"cluster_name\": \"other\""], ("n1", "cluster")),
    change("cluster_config", "NODE/cluster-config.json", ["https://n1.site", "https://n2.site"], ("n1", "leader")),
    change("cluster_config", "NODE/cluster-config.json", ["10.0.2.11:2380", "10.0.2.12:2380"], ("n1", "Raft")),
    change("cluster_config", "NODE/cluster-config.json", ["n2.site.example.com:2380", "n2.site.example.com:2381"], ("n1", "Chainfire peers")),
    change("cluster_config", "NODE/cluster-config.json", ["n2.site.example.com:2480", "n2.site.example.com:2481"], ("n1", "FlareDB peers")),

    change("nix", "NODE/configuration.nix", ["hostName = \"n1\"", "hostName = \"n7\""], ("n1", "host name")),
    change("nix", "NODE/configuration.nix", ["domain = \"site.example.com\"", "domain = \"example.com\""], ("n1", "full name")),
    change("nix", "NODE/configuration.nix", ["address = \"10.0.2.11\"", "address = \"10.0.2.21\""], ("n1", "interface")),
    change("nix", "NODE/configuration.nix", ["address = \"10.0.2.1\"", "address = \"10.0.2.2\""], ("n1", "default route")),
    change("nix", "NODE/configuration.nix", ["nameservers = [ \"10.0.2.1\"", "nameservers = [ \"10.0.2.2\""], ("n1", "resolver of a node")),
    change("nix", "NODE/hosts.json", ["10.0.2.11", "10.0.2.21"], ("n1", "known name")),
    change("nix", "NODE/configuration.nix", ["port = 2379", "port = 2378"], ("n1", "listens")),
    change("nix", "NODE/configuration.nix", ["\"quiet\"", "\"debug\""], ("n1", "kernel parameter")),
    change("nix", "NODE/disko.nix", ["device = \"/dev/disk/by-id/ata-EXAMPLE_1", "device = \"/dev/disk/by-id/ata-EXAMPLE_7"], ("n1", "disk")),

    change("pxe_server", "site/pxe/pxe-server.nix", ["3c:ec:ef:00:00:01", "3c:ec:ef:00:00:11"], ("n1", "MAC in DHCP")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["hostname = \"n1\"", "hostname = \"n7\""], ("n7", "MAC in DHCP")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["10.0.1.11", "10.0.1.21"], ("n1", "reserved IPv4")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["system = \"x86_64-linux\"", "system = \"aarch64-linux\""], ("n1", "platform")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["profile = \"control-plane\"", "profile = \"worker\""], ("n1", "image")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["serverAddress = \"10.0.1.10\"", "serverAddress = \"10.0.1.20\""], ("site", "next server")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["interface = \"eth0\"", "interface = \"eth1\""], ("site", "provisioner's interface")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["httpPort = 8080", "httpPort = 8081"], ("site", "HTTP port")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["/var/lib/pxe-boot", "/srv/pxe"], ("site", "web root")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["end = \"10.0.1.200\"", "end = \"10.0.1.201\""], ("provisioner's network", "DHCP")),
    change("pxe_server", "site/pxe/pxe-server.nix", ["backend = \"kea\"", "backend = \"dnsmasq\""], ("site", "DHCP server")),

    change("certificates", "NODE/n1-cert.pem", [WHOLE, "nodes/n2.site.example.com/n2-cert.pem"], ("n1", "SAN")),
    change("certificates", "NODE/n1-cert.pem", [WHOLE, "nodes/n2.site.example.com/n2-cert.pem"], ("n1", "full name")),

    change("web", "site/pxe/nginx.conf", ["10.0.1.10:8080", "10.0.1.11:8080"], ("site", "HTTP server")),
    change("web", "site/pxe/nginx.conf", ["alias /var/lib/pxe-boot/;", "alias /srv/pxe/;"], ("site", "web root")),
    change("web", "site/pxe/tftpd-hpa.default", ["/var/lib/pxe-boot/tftp", "/srv/tftp"], ("site", "TFTP root")),
    change("web", "site/pxe/tftpd-hpa.default", ["10.0.1.10:69", "10.0.1.11:69"], ("site", "TFTP server")),
    change("web", "site/pxe/atftpd.default", ["/var/lib/pxe-boot/tftp", "/srv/tftp"], ("site", "TFTP root")),
    change("web", "site/pxe/atftpd.default", ["10.0.1.10", "10.0.1.11"], ("site", "TFTP server")),
];

/// A tree for each change, by reader.
fn changed(reader: &str) -> (Vec<&'static Mutation>, Vec<Tree>) {
    let mutations: Vec<&Mutation> = MUTATIONS.iter().filter(|mutation| mutation.reader == reader).collect();
    let tree = |mutation: &&Mutation| {
        let mut tree = Tree::of(Path::new("tests/outputs/agreement/mutations.toml"));
        let file = mutation.file.replace("NODE", NODE);
        if mutation.from == WHOLE {
            tree.replace(&file, mutation.to);
        } else {
            tree.edit(&file, mutation.from, mutation.to);
        }
        tree
    };
    let trees = mutations.iter().map(tree).collect();
    (mutations, trees)
}

#[test]
fn a_changed_fact_is_found() {
    let untouched = [Tree::of(Path::new("tests/outputs/agreement/mutations.toml"))];
    let mut silent = Vec::new();
    for reader in READERS {
        let before = (reader.read)(&untouched).remove(0);
        let expected = model::facts(&untouched[0].cluster);
        assert_eq!(differences(&expected, &before), Vec::<String>::new());
        let (mutations, trees) = changed(reader.name);
        let mut found = BTreeSet::new();
        for (mutation, said) in mutations.iter().zip((reader.read)(&trees)) {
            let differences = differences(&expected, &said);
            let (subject, kind) = mutation.found;
            let told = differences.iter().any(|text| text.starts_with(&format!("{subject}, {kind}: ")));
            assert!(told, "{} -> {} in {}: {differences:?}", mutation.from, mutation.to, mutation.file);
            let other = said.iter().zip(&before).filter(|(now, before)| now.facts != before.facts);
            found.extend(other.flat_map(|(now, before)| changes(now, before)));
        }
        let all =
            before.iter().flat_map(|statement| statement.kinds.iter().map(|kind| (statement.source, *kind)));
        silent.extend(all.filter(|pair| !found.contains(pair)));
    }
    assert!(silent.is_empty(), "no change of these was tried: {silent:?}");
}

/// The kinds of facts in which two readings differ, with their sources.
fn changes<'a>(
    one: &'a crate::agreement::facts::Said,
    other: &'a crate::agreement::facts::Said,
) -> Vec<(&'static str, Kind)> {
    let different = one.facts.0.symmetric_difference(&other.facts.0);
    different.map(|fact| (one.source, fact.kind)).collect()
}
