//! The overlay of a node: an archive with the node's public facts, which is loaded after the installer's initrd.
//!
//! Every machine in the boot network can read an overlay. The packing refuses private keys.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::image::{
    Archive, ArchiveEntry, ArchivePath, Codec, EntryKind, FileContent, Owner, pack_in_memory,
};
use crate::model::{
    Cluster, DiskId, DomainName, Firmware, HostName, Interface, Label, MacAddr, Node, SerialNumber,
};

use super::json;

/// The version of the schema of `node.json`. It rises when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// gzip, which every kernel unpacks; only Linux 5.9 and newer unpack zstd.
const CODEC: Codec = Codec::Gzip(6);

/// `etc/plasmagen/node.json`: the facts of the machine that the installer runs on.
#[derive(Serialize)]
struct NodeFile<'a> {
    schema: u32,
    name: &'a HostName,
    fqdn: &'a DomainName,
    domain: &'a DomainName,
    profile: &'a Label,
    firmware: Firmware,
    mac: MacAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<&'a SerialNumber>,
    interfaces: &'a [Interface],
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway6: Option<Ipv6Addr>,
    resolvers: &'a [IpAddr],
    disks: &'a [DiskId],
}

/// Packs the overlay of `node`.
///
/// # Errors
/// When the overlay would hold a private key: a bug in plasmagen.
pub(super) fn pack(cluster: &Cluster, node: &Node) -> anyhow::Result<Vec<u8>> {
    let facts = NodeFile {
        schema: SCHEMA,
        name: &node.name,
        fqdn: &node.fqdn,
        domain: &cluster.domain,
        profile: &node.profile,
        firmware: node.firmware,
        mac: node.mac,
        serial: node.serial.as_ref(),
        interfaces: &node.interfaces,
        gateway: node.gateway,
        gateway6: node.gateway6,
        resolvers: &node.resolvers,
        disks: &node.disks,
    };
    let keys: String = cluster.admin_keys.iter().map(|key| format!("{key}\n")).collect();
    let directory = || ArchiveEntry { owner: Owner::ROOT, mode: 0o700, kind: EntryKind::Directory };
    let file = |mode, bytes| ArchiveEntry {
        owner: Owner::ROOT,
        mode,
        kind: EntryKind::File { content: FileContent::Bytes(bytes), group: None },
    };
    let mut archive = Archive::default();
    for (path, entry) in [
        ("etc/hostname", file(0o644, format!("{}\n", node.name).into_bytes())),
        ("etc/plasmagen/node.json", file(0o644, json(&facts)?)),
        // The kernel gives a directory of several archives the mode of the last archive.
        ("root", directory()),
        ("root/.ssh", directory()),
        ("root/.ssh/authorized_keys", file(0o600, keys.into_bytes())),
    ] {
        archive.insert(ArchivePath::new(path)?, entry)?;
    }
    pack_in_memory(&archive, CODEC)
}
