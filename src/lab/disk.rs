//! The local disk of a machine: it says that it was started, and nothing else.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::model::Firmware;

/// What a machine says on its serial console when it starts from its own disk.
pub(super) const LOCAL_DISK: &str = "plasmagen-lab: started from the local disk";

/// A boot sector's size, and the two bytes that end it.
const SECTOR: usize = 512;
const SIGNATURE: [u8; 2] = [0x55, 0xaa];

/// x86 real mode at 0x7c00: each byte of the text behind it goes to the first serial port, then the machine halts.
const PROGRAM: [u8; 25] = [
    0xfc, // cld
    0x31, 0xc0, // xor ax, ax
    0x8e, 0xd8, // mov ds, ax
    0xbe, 0x19, 0x7c, // mov si, 0x7c19: the text
    0xba, 0xf8, 0x03, // mov dx, 0x3f8
    0xac, // lodsb
    0x84, 0xc0, // test al, al
    0x74, 0x03, // jz +3: halt
    0xee, // out dx, al
    0xeb, 0xf8, // jmp -8: lodsb
    0xf4, // hlt
    0xeb, 0xfd, // jmp -3: hlt
    0x90, 0x90, 0x90,
];

/// A disk as the options of QEMU, made in the directory `dir`.
///
/// BIOS starts a boot sector. UEFI comes to its shell, the last entry of its boot order, which runs the script that it
/// finds on the disk.
///
/// # Errors
/// When the disk of the lab refuses.
pub(super) fn make(dir: &Path, firmware: Firmware) -> Result<Vec<String>> {
    let run = || match firmware {
        Firmware::Bios => {
            let image = dir.join("disk.img");
            fs::write(&image, boot_sector())?;
            Ok(format!("file={},format=raw,if=ide", image.display()))
        }
        Firmware::Uefi => {
            let tree = dir.join("disk");
            fs::create_dir(&tree)?;
            fs::write(tree.join("startup.nsh"), format!("echo \"{LOCAL_DISK}\"\r\n"))?;
            Ok(format!("file=fat:{},format=raw,if=virtio,readonly=on", tree.display()))
        }
    };
    let drive = run().map_err(|error: std::io::Error| error).context("could not make a disk")?;
    Ok(vec!["-drive".to_owned(), drive])
}

/// A disk of a megabyte that starts.
pub(super) fn boot_sector() -> Vec<u8> {
    let mut image = vec![0; 1 << 20];
    let text = format!("\r\n{LOCAL_DISK}\r\n\0");
    image[..PROGRAM.len()].copy_from_slice(&PROGRAM);
    image[PROGRAM.len()..][..text.len()].copy_from_slice(text.as_bytes());
    image[SECTOR - 2..SECTOR].copy_from_slice(&SIGNATURE);
    image
}
