//! The local disk of a machine, which prints a message when the machine boots from it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::model::Firmware;

/// The message on the serial console of a machine that boots from its local disk.
pub(super) const LOCAL_DISK_MESSAGE: &str = "plasmagen-lab: started from the local disk";

/// The size of a boot sector in bytes.
const SECTOR: usize = 512;

/// The last two bytes of a boot sector.
const SIGNATURE: [u8; 2] = [0x55, 0xaa];

/// The boot program, x86 real mode at 0x7c00. It writes each byte of the text after it to the first serial port, then
/// halts the machine.
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

/// Makes a disk in the directory `dir`, and returns the options of QEMU for it.
///
/// BIOS starts the boot sector. UEFI starts its shell, the last entry of its boot order, and the shell runs the script
/// `startup.nsh` of the disk.
///
/// # Errors
/// When the disk cannot be written.
pub(super) fn make_disk(dir: &Path, firmware: Firmware) -> Result<Vec<String>> {
    let run = || match firmware {
        Firmware::Bios => {
            let image = dir.join("disk.img");
            fs::write(&image, boot_sector())?;
            Ok(format!("file={},format=raw,if=ide", image.display()))
        }
        Firmware::Uefi => {
            let tree = dir.join("disk");
            fs::create_dir(&tree)?;
            fs::write(tree.join("startup.nsh"), format!("echo \"{LOCAL_DISK_MESSAGE}\"\r\n"))?;
            Ok(format!("file=fat:{},format=raw,if=virtio,readonly=on", tree.display()))
        }
    };
    let drive = run().map_err(|error: std::io::Error| error).context("could not make a disk")?;
    Ok(vec!["-drive".to_owned(), drive])
}

/// Makes the image of a disk of one megabyte with a boot sector.
fn boot_sector() -> Vec<u8> {
    let mut image = vec![0; 1 << 20];
    let text = format!("\r\n{LOCAL_DISK_MESSAGE}\r\n\0");
    image[..PROGRAM.len()].copy_from_slice(&PROGRAM);
    image[PROGRAM.len()..][..text.len()].copy_from_slice(text.as_bytes());
    image[SECTOR - 2..SECTOR].copy_from_slice(&SIGNATURE);
    image
}
