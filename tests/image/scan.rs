//! An initrd is read as the kernel reads it, whoever packed it.

use std::fs;
use std::io::BufReader;
use std::process::Command;

use plasmagen::fs::Sha256Sum;
use plasmagen::image::{Codec, InitrdSummary, SegmentFormat, read_directory, read_initrd};

use crate::kit::{CODECS, packed, tree};

/// Name, mode and digest.
type Found = (String, u32, String);

/// What `initrd` unpacks to, and the name, mode and digest of every entry.
fn read(initrd: &[u8]) -> anyhow::Result<(InitrdSummary, Vec<Found>)> {
    let mut entries = Vec::new();
    // Small pieces, so that every field lies across two of them once.
    let unpacked = read_initrd(BufReader::with_capacity(7, initrd), &mut |header, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        let name = String::from_utf8(header.path.clone())?;
        entries.push((name, header.mode, Sha256Sum::of(&bytes).to_string()));
        Ok(())
    })?;
    Ok((unpacked, entries))
}

#[test]
fn what_we_pack_we_read() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path());
    let archive = read_directory(dir.path()).unwrap();
    let (_, plain) = read(&packed(&archive, Codec::Plain).0).unwrap();
    let names: Vec<_> = plain.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, archive.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>());
    for (codec, format) in
        CODECS.into_iter().zip([SegmentFormat::Plain, SegmentFormat::Gzip, SegmentFormat::Zstd])
    {
        let (initrd, facts) = packed(&archive, codec);
        let (InitrdSummary { segments, bytes, sha256 }, entries) = read(&initrd).unwrap();
        assert_eq!((bytes, sha256), (facts.archive_bytes, facts.archive_sha256), "{codec:?}");
        assert_eq!(entries, plain, "{codec:?}");
        assert!(segments.iter().all(|segment| segment.format == format));
        assert_eq!(segments.len() > 3, codec != Codec::Plain, "{segments:?}");
    }
}

#[test]
fn what_others_pack_we_read_in_a_row() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("tree")).unwrap();
    fs::write(dir.path().join("tree/file"), "content").unwrap();
    let script = "cd tree && find . | cpio -o -H newc --quiet > ../cpio && cd .. && gzip -9 < cpio > gz && \
                  zstd -q < cpio > zst && xz --check=crc32 < cpio > xz && lz4 -q -l < cpio > lz4 && \
                  cat cpio gz zst xz > row && truncate -s %4 row && cat row cpio lz4";
    let output = Command::new("sh").args(["-ec", script]).current_dir(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said} (Debian packages cpio, xz-utils, zstd, lz4)");
    let initrd = output.stdout;
    let (InitrdSummary { segments, .. }, entries) = read(&initrd).unwrap();
    let formats: Vec<_> = segments.iter().map(|segment| segment.format).collect();
    let plain = SegmentFormat::Plain;
    assert_eq!(
        formats,
        [plain, SegmentFormat::Gzip, SegmentFormat::Zstd, SegmentFormat::Xz, plain, SegmentFormat::Lz4],
        "{segments:?}"
    );
    assert_eq!(entries.iter().filter(|(name, ..)| name == "file").count(), 6);
}

#[test]
fn damage_is_found_at_every_byte_of_a_small_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("file"),
        "content that is long enough to be compressed, compressed, compressed",
    )
    .unwrap();
    let archive = read_directory(dir.path()).unwrap();
    for codec in CODECS {
        let whole = packed(&archive, codec).0;
        assert!(read(&whole).is_ok());
        for cut in 1..whole.len() - 4 {
            // Cut off, it is no initrd, unless what is missing is only what fills up an archive.
            let rest = &whole[..cut];
            if let Ok((_, entries)) = read(rest) {
                assert!(codec == Codec::Plain && entries.len() <= 1, "{codec:?} cut at {cut}");
            }
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            // Nothing panics or hangs; digests find what this does not.
            let _ = read(&damaged);
        }
    }
}

#[test]
fn what_the_kernel_would_lose_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    let archive = read_directory(dir.path()).unwrap();
    let plain = packed(&archive, Codec::Plain).0;
    for len in 1..50 {
        // Compressed segments of many lengths.
        fs::write(dir.path().join("file"), crate::kit::noise(len)).unwrap();
        let mut row = packed(&read_directory(dir.path()).unwrap(), Codec::Gzip(6)).0;
        let missing = row.len().wrapping_neg() % 4;
        row.extend_from_slice(&plain);
        match missing {
            0 => assert!(read(&row).is_ok()),
            _ => {
                let error = format!("{:#}", read(&row).unwrap_err());
                assert!(error.contains(&format!("put {missing} zeros before the archive")), "{error}");
            }
        }
    }
    for (bytes, why) in [(&b""[..], "it is empty"), (b"\0\0\0\0", "it is empty"), (b"BZh9", "begin neither")]
    {
        assert!(format!("{:#}", read(bytes).unwrap_err()).contains(why));
    }
}

/// What a fuzzer found: libzstd takes this frame for an empty one if it gets the first bytes alone.
#[test]
fn a_damaged_frame_is_damaged_however_it_is_read() {
    let bytes = b"\x28\xb5\x2f\xfd\x64\x00\x28\xb5\x2f\xfd\x00\x10\x01\x00\x00\0\0\0\0\0\0\0\0";
    for capacity in [1, 6, 7, 8192] {
        let mut visit = |_: &plasmagen::image::CpioHeader, _: &mut dyn std::io::Read| Ok(());
        assert!(
            read_initrd(BufReader::with_capacity(capacity, &bytes[..]), &mut visit).is_err(),
            "{capacity}"
        );
    }
}
