//! The overlay of a node: the public facts that its installer finds, as an archive that lies over the installer's initrd.
//!
//! Every machine in the boot network can read it. It holds no secret, and is refused if it did.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::image::{Archive, ArchiveEntry, ArchivePath, Codec, EntryKind, FileContent, pack_in_memory};
use crate::model::{
    Cluster, DiskId, DomainName, Firmware, HostName, Interface, Label, MacAddr, Node, SerialNumber,
};

use super::json;

/// The version of `node.json`; it rises when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// gzip: every kernel unpacks it, zstd only those of 5.9 and newer.
const CODEC: Codec = Codec::Gzip(6);

/// `etc/plasmagen/node.json`: what an installer must know of the machine that it runs on.
#[derive(Serialize)]
struct Facts<'a> {
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

/// The archive of `node`.
///
/// # Errors
/// When it would hold a private key: a bug of ours.
pub(super) fn pack(cluster: &Cluster, node: &Node) -> anyhow::Result<Vec<u8>> {
    let facts = Facts {
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
    let directory = || ArchiveEntry { mode: 0o700, kind: EntryKind::Directory };
    let file = |mode, bytes| ArchiveEntry {
        mode,
        kind: EntryKind::File { content: FileContent::Bytes(bytes), group: None },
    };
    let mut archive = Archive::default();
    for (path, entry) in [
        ("etc/hostname", file(0o644, format!("{}\n", node.name).into_bytes())),
        ("etc/plasmagen/node.json", file(0o644, json(&facts)?)),
        // The kernel gives a directory that is there already the mode of the last archive that has it.
        ("root", directory()),
        ("root/.ssh", directory()),
        ("root/.ssh/authorized_keys", file(0o600, keys.into_bytes())),
    ] {
        archive.insert(ArchivePath::new(path)?, entry)?;
    }
    pack_in_memory(&archive, CODEC)
}
