//! Finds kernel modules and the modules that they depend on, in the order in which they must be loaded.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use crate::fs::read_input;

/// The modules for the network of a virtual machine. A kernel that has them built in has no such files.
pub(super) const NETWORK: [&str; 3] = ["virtio_pci", "virtio_net", "af_packet"];

/// The largest module in bytes. Those of graphics cards have 10 MiB.
const MODULE_LIMIT: u64 = 64 << 20;

/// The field of a module's `.modinfo` section that names the modules it depends on (modinfo(8)).
const DEPENDS: &[u8] = b"\0depends=";

/// Reads the modules `wanted` of the tree `dir`, each after the modules that it depends on. Returns file names and
/// uncompressed contents.
///
/// # Errors
/// When a module cannot be read.
pub(super) fn read_modules(dir: &Path, wanted: &[&str]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = BTreeMap::new();
    for found in WalkDir::new(dir) {
        let path = found.with_context(|| format!("could not list {}", dir.display()))?.into_path();
        if let Some((name, _)) =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once(".ko"))
        {
            files.insert(name.replace('-', "_"), path);
        }
    }
    let mut modules = Vec::new();
    for name in wanted {
        add_module(name, &files, &mut modules)?;
    }
    Ok(modules)
}

/// Adds the module `name` with its dependencies to `modules`, unless it is there already or built into the kernel.
fn add_module(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    modules: &mut Vec<(String, Vec<u8>)>,
) -> Result<()> {
    let file = format!("{name}.ko");
    let Some(path) = files.get(name).filter(|_| !modules.iter().any(|(added, _)| *added == file)) else {
        return Ok(());
    };
    let bytes = read_module(path).with_context(|| format!("could not read the module {}", path.display()))?;
    for dependency in parse_dependencies(&bytes) {
        add_module(&dependency, files, modules)?;
    }
    modules.push((file, bytes));
    Ok(())
}

/// Parses the names of the modules that `module` depends on.
fn parse_dependencies(module: &[u8]) -> Vec<String> {
    let Some(at) = memchr::memmem::find(module, DEPENDS) else { return Vec::new() };
    let list = module[at + DEPENDS.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    let list = String::from_utf8_lossy(list);
    list.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

/// Reads a module, and decompresses it: distributions compress the files.
fn read_module(path: &Path) -> Result<Vec<u8>> {
    let compressed = read_input(path, MODULE_LIMIT)?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => read_to_limit(liblzma::read::XzDecoder::new(&*compressed)),
        Some("zst") => read_to_limit(zstd::stream::read::Decoder::new(&*compressed)?),
        Some("gz") => read_to_limit(flate2::read::GzDecoder::new(&*compressed)),
        _ => Ok(compressed),
    }
}

/// Reads an uncompressed module: a few bytes may stand for any number of zeros.
fn read_to_limit(module: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = module.take(MODULE_LIMIT + 1).read_to_end(&mut bytes)?;
    ensure!(read as u64 <= MODULE_LIMIT, "it has more than {MODULE_LIMIT} bytes");
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_never_ends_fills_no_memory() {
        assert_eq!(read_to_limit(&b"module"[..]).unwrap(), b"module");
        let endless = read_to_limit(std::io::repeat(0)).unwrap_err();
        assert!(endless.to_string().starts_with("it has more than "), "{endless}");
    }
}
