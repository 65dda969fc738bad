//! The archive inside a backup: newc (cpio(5)), so that `age -d -i KEY FILE | cpio -id` unpacks a backup without plasmagen.
//!
//! The first entry is the list of files; then come directories and files. Everybody who knows the recipients can make a
//! backup, so an archive is read with limits, and every path in it is checked.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use anyhow::{Context, bail, ensure};
use cpio::newc::{Builder, ModeFileType, Reader, trailer};
use zeroize::Zeroizing;

use super::backup_manifest::{BackupManifest, NAME};
use super::retired::RETIRED;
use super::vault_files::{DEEPEST, VaultFiles};
use crate::fs::{LIST_LIMIT, TEXT_LIMIT, parents};

/// The largest number of entries in an archive.
const MOST_ENTRIES: usize = 500_000;

/// An upper limit of the bytes that an entry takes besides its path, twice for its directory, and its content.
const ENTRY_BYTES: usize = 256;

/// The magic number at the beginning of an archive.
const MAGIC: &[u8] = b"070701";

/// Whether `bytes` begin as an archive does that somebody has decrypted already.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Packs `files`, which `manifest` lists, into an archive.
pub(super) fn pack(manifest: &BackupManifest, files: &VaultFiles) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let list = manifest.print()?;
    let sizes = files.0.iter().map(|(path, bytes)| 3 * path.len() + bytes.len() + ENTRY_BYTES);
    // Large enough at once: a vector that grows leaves copies in memory.
    let mut out = Zeroizing::new(Vec::with_capacity(list.len() + 2 * ENTRY_BYTES + sizes.sum::<usize>()));
    write_entry(&mut out, NAME, Some(&list))?;
    let mut made = BTreeSet::new();
    for (path, bytes) in &files.0 {
        for dir in parents(path) {
            if made.insert(dir) {
                write_entry(&mut out, dir, None)?;
            }
        }
        write_entry(&mut out, path, Some(bytes))?;
    }
    trailer(&mut *out).context("could not pack the vault")?;
    Ok(out)
}

/// Appends a file with `content`, or a directory, to `out`.
fn write_entry(out: &mut Vec<u8>, path: &str, content: Option<&[u8]>) -> anyhow::Result<()> {
    let (kind, mode) = match content {
        Some(_) => (ModeFileType::Regular, 0o600),
        None => (ModeFileType::Directory, 0o700),
    };
    let content = content.unwrap_or_default();
    let builder = Builder::new(path).mode(mode).set_mode_file_type(kind);
    let mut entry = builder.write(out, u32::try_from(content.len())?);
    let written = entry.write_all(content).and_then(|()| entry.finish());
    written.with_context(|| format!("could not pack {path}"))?;
    Ok(())
}

/// Unpacks an archive into memory, and checks the files against the list in it.
///
/// # Errors
/// When the archive is not one that [`pack`] makes. The messages have the archive as their subject, "it".
pub(super) fn unpack(archive: &[u8]) -> anyhow::Result<(BackupManifest, VaultFiles)> {
    let mut rest = archive;
    let mut manifest = None;
    let mut files = VaultFiles::default();
    for _ in 0..MOST_ENTRIES {
        let mut reader = Reader::new(rest).context("it is cut off, or no archive of a vault")?;
        let entry = reader.entry().clone();
        if entry.is_trailer() {
            rest = reader.finish().unwrap_or_default();
            ensure!(rest.iter().all(|byte| *byte == 0), "something follows after its end");
            let manifest: BackupManifest = manifest.context("it has no list of files")?;
            manifest.check(&files)?;
            return Ok((manifest, files));
        }
        let path = entry.name();
        let limit = if path == NAME { LIST_LIMIT } else { TEXT_LIMIT };
        ensure!(u64::from(entry.file_size()) <= limit, "{path:?} in it is too large for a key");
        ensure!(entry.file_size() as usize <= rest.len(), "it is cut off in {path:?}");
        let mut content = Zeroizing::new(Vec::with_capacity(entry.file_size() as usize + 1));
        reader.read_to_end(&mut content).context("it cannot be read")?;
        ensure!(content.len() == entry.file_size() as usize, "it is cut off in {path:?}");
        rest = reader.finish().with_context(|| format!("it is cut off after {path:?}"))?;
        match (entry.mode() & TYPE_BITS, &manifest) {
            (REGULAR_FILE, None) if path == NAME => manifest = Some(BackupManifest::parse(&content)?),
            (_, None) => bail!("it does not begin with its list of files, {NAME}"),
            (DIRECTORY, _) => check_path(path)?,
            (REGULAR_FILE, Some(_)) => {
                check_path(path)?;
                let is_new = files.0.insert(path.to_owned(), content).is_none();
                ensure!(is_new, "it holds {path:?} twice");
            }
            _ => bail!("{path:?} in it is neither a file nor a directory"),
        }
    }
    bail!("it has more than {MOST_ENTRIES} entries");
}

/// The bits of a mode that tell the type of a file, and their values for a file and for a directory (inode(7)).
const TYPE_BITS: u32 = 0o170_000;
const REGULAR_FILE: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

/// Refuses a path that leads out of the vault, or to a name that has a meaning of its own there.
fn check_path(path: &str) -> anyhow::Result<()> {
    let names: Vec<&str> = path.split('/').collect();
    let is_name = |name: &&str| {
        !["", ".", ".."].contains(name) && name.len() <= 255 && !name.contains(char::is_control)
    };
    let is_of_vault = (!names[0].starts_with('.') || names[0] == RETIRED) && names[0] != "lost+found";
    ensure!(
        names.iter().all(is_name) && is_of_vault && names.len() <= DEEPEST + 1,
        "{path:?} in it is no path of a file in a vault"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;

    fn files(paths: &[&str]) -> VaultFiles {
        let file = |path: &&str| ((*path).to_owned(), Zeroizing::new(path.as_bytes().to_vec()));
        VaultFiles(paths.iter().map(file).collect())
    }

    const PATHS: [&str; 3] =
        [".retired/a.example.com.1/a-key.pem", "a.example.com/a-key.pem", "ca-1/ca-key.pem"];

    fn manifest() -> BackupManifest {
        BackupManifest::of(&files(&PATHS), "c", OffsetDateTime::UNIX_EPOCH)
    }

    /// An archive with `entries`, path by path, of a mode and a content each.
    fn archive(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (path, mode, content) in entries {
            let mut entry =
                Builder::new(path).mode(*mode).write(&mut out, u32::try_from(content.len()).unwrap());
            entry.write_all(content).unwrap();
            entry.finish().unwrap();
        }
        trailer(&mut out).unwrap();
        out
    }

    #[test]
    fn an_archive_is_read_as_it_was_written_and_only_whole() {
        let packed = pack(&manifest(), &files(&PATHS)).unwrap();
        let (found, unpacked) = unpack(&packed).unwrap();
        assert!(found == manifest() && unpacked.0 == files(&PATHS).0);
        assert_eq!(*packed, *pack(&manifest(), &files(&PATHS)).unwrap(), "the same bytes each time");
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end]).is_err(), "{end} of {}", packed.len());
        }
        for at in 0..packed.len() {
            let mut changed = packed.to_vec();
            changed[at] ^= 1;
            // Fields that are not used, such as owners and times, and padding may change; a file or a path may not.
            if let Ok((manifest, files)) = unpack(&changed) {
                assert_eq!(files.0, unpacked.0, "{at}");
                manifest.check(&files).unwrap();
            }
        }
    }

    #[test]
    fn hostile_archives_are_refused() {
        let list = manifest().print().unwrap();
        let text = String::from_utf8(list.clone()).unwrap();
        let first: (&str, u32, &[u8]) = (NAME, REGULAR_FILE, &list);
        let newer = text.replace("\"schema\": 1", "\"schema\": 2");
        for (what, entries) in [
            ("no list of files", vec![]),
            ("does not begin with its list", vec![("ca-1/ca-key.pem", REGULAR_FILE, b"x".as_slice())]),
            ("it lacks", vec![first]),
            ("made by a newer plasmagen", vec![(NAME, REGULAR_FILE, newer.as_bytes())]),
            ("cannot be read", vec![(NAME, REGULAR_FILE, b"[]")]),
            ("no path of a file in a vault", vec![first, (NAME, REGULAR_FILE, &list)]),
            ("neither a file nor a directory", vec![first, ("ca-1", 0o120_777, b"/etc")]),
            ("neither a file nor a directory", vec![first, ("ca-1", 0o020_600, b"")]),
            ("twice", vec![first, ("a/b", REGULAR_FILE, b""), ("a/b", REGULAR_FILE, b"")]),
        ] {
            let message = format!("{:#}", unpack(&archive(&entries)).err().unwrap());
            assert!(message.contains(what), "{what}: {message}");
        }
        for path in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "a/",
            "./a",
            ".lock",
            ".staging/a",
            "lost+found/a",
            "",
            "a/b/c/d/e",
            "a\n/b",
            ".plasmagen-staged/a",
            ".ssh/authorized_keys",
        ] {
            let refused = unpack(&archive(&[first, (path, REGULAR_FILE, b"")])).err().unwrap();
            assert!(refused.to_string().contains("no path of a file"), "{path}: {refused:#}");
        }
        // A header that promises gigabytes costs nothing.
        let mut large = archive(&[first, ("ca-1/x", REGULAR_FILE, b"")]);
        let at = large.windows(6).rposition(|window| window == b"ca-1/x").unwrap() - 110 + 54;
        large[at..at + 8].copy_from_slice(b"ffffffff");
        assert!(unpack(&large).err().unwrap().to_string().contains("too large"));
        let mut more = archive(&[first]);
        more.extend(b"junk");
        assert!(unpack(&more).is_err());
    }
}
