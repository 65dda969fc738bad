//! Kernel modules with what they depend on, in the order in which they are loaded.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

/// What reaches the network of a virtual machine; where a kernel has it built in, it has no such module.
pub(super) const NETWORK: [&str; 3] = ["virtio_pci", "virtio_net", "af_packet"];

/// The field of a module's `.modinfo` section that names others (modinfo(8)).
const DEPENDS: &[u8] = b"\0depends=";

/// The modules `wanted` of the tree `dir`, each after those that it depends on: file names and contents, unpacked.
///
/// # Errors
/// When one cannot be read.
pub(super) fn with_dependencies(dir: &Path, wanted: &[&str]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = BTreeMap::new();
    for found in WalkDir::new(dir) {
        let path = found.with_context(|| format!("could not list {}", dir.display()))?.into_path();
        if let Some((name, _)) =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once(".ko"))
        {
            files.insert(name.replace('-', "_"), path);
        }
    }
    let mut done = Vec::new();
    for name in wanted {
        add(name, &files, &mut done)?;
    }
    Ok(done)
}

fn add(name: &str, files: &BTreeMap<String, PathBuf>, done: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let file = format!("{name}.ko");
    let Some(path) = files.get(name).filter(|_| !done.iter().any(|(own, _)| *own == file)) else {
        return Ok(());
    };
    let bytes = read(path).with_context(|| format!("could not read the module {}", path.display()))?;
    for other in depends(&bytes) {
        add(&other, files, done)?;
    }
    done.push((file, bytes));
    Ok(())
}

fn depends(module: &[u8]) -> Vec<String> {
    let Some(at) = memchr::memmem::find(module, DEPENDS) else { return Vec::new() };
    let list = module[at + DEPENDS.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    let list = String::from_utf8_lossy(list);
    list.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

/// A module as the kernel takes it: distributions pack theirs.
fn read(path: &Path) -> Result<Vec<u8>> {
    let packed = fs::read(path)?;
    let mut bytes = Vec::new();
    match path.extension().and_then(|own| own.to_str()) {
        Some("xz") => liblzma::read::XzDecoder::new(&*packed).read_to_end(&mut bytes)?,
        Some("zst") => zstd::stream::read::Decoder::new(&*packed)?.read_to_end(&mut bytes)?,
        Some("gz") => flate2::read::GzDecoder::new(&*packed).read_to_end(&mut bytes)?,
        _ => return Ok(packed),
    };
    Ok(bytes)
}
