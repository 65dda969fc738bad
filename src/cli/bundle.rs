//! `plasmagen bundle`.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};

use crate::check::check;
use crate::image::{
    BuiltBundle, BundleManifest, Codec, INITRD, InitrdKey, InitrdSource, LostAttribute, Recipe, build_bundle,
};
use crate::model::{Base, Cluster, Node, System, escape_line, list_few, quote_for_shell};

use super::inventory::{InventoryOption, find_nearest, read_checked};
use super::printer::{DataFormat, FormatOption, Printer, size};
use super::progress::ByteProgress;
use super::sources::InventoryFiles;
use super::table::TextTable;
use super::{DONE, REFUSED, recompress};

/// Make a netboot bundle from a kernel and an initrd
///
/// A bundle is what an armed node boots: bzImage, initrd, the iPXE script that loads them (boot.ipxe), manifest.json and
/// SHA256SUMS. The kernel and the initrd are checked. The same inputs give the same bytes. Where there is an inventory,
/// the memory that the initrd takes is compared with `memory` of the nodes that boot the bundle.
#[derive(Debug, Args)]
pub(super) struct BundleArgs {
    /// The base of the machines that boot the bundle
    #[arg(long, value_name = "BASE")]
    base: Base,
    /// The kernel: a bzImage, or an Image for 64-bit ARM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    kernel: PathBuf,
    /// The initrd: newc archives, plain or compressed by gzip, zstd, xz or lz4, as the kernel unpacks them
    #[arg(long, value_name = "FILE", required_unless_present = "root", conflicts_with = "root")]
    initrd: Option<PathBuf>,
    /// The directory to make the initrd from, instead of --initrd; files keep their owners, but yours become root's
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    root: Option<PathBuf>,
    /// A directory whose files are added to the initrd; may be given several times, later files replace earlier ones
    #[arg(long = "overlay", value_name = "DIR", value_hint = ValueHint::DirPath)]
    overlays: Vec<PathBuf>,
    /// Accept private keys in --initrd without a warning: they are meant for every machine that can fetch the initrd
    #[arg(long, conflicts_with = "root")]
    allow_keys: bool,
    /// The program that the initrd starts, such as /nix/store/…/init
    #[arg(long, value_name = "PATH")]
    init: Option<String>,
    /// The kernel command line, without init= and initrd=
    #[arg(long, value_name = "WORDS", default_value = "")]
    cmdline: String,
    /// The architecture of the machines [default: that of the kernel]
    #[arg(long, value_name = "ARCH")]
    arch: Option<System>,
    /// How --root and --overlay are compressed
    #[arg(long, value_name = "FORMAT", default_value = "zstd")]
    compress: Compress,
    /// The compression level: 1 to 22 for zstd, 1 to 12 for gzip [default: 3 for zstd, 6 for gzip]
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..=22))]
    level: Option<u8>,
    /// The directory to write the bundle into; it must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    format: FormatOption,
}

impl ValueEnum for Base {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::ControlPlane, Self::Worker, Self::AllInOne]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl ValueEnum for System {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::X86_64, Self::Aarch64]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.as_str());
        Some(match self.as_str().split_once('-') {
            Some((architecture, _)) => value.alias(architecture),
            None => value,
        })
    }
}

/// How an initrd is compressed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Compress {
    Zstd,
    Gzip,
    None,
}

impl BundleArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let recipe = self.recipe()?;
        let cluster = if self.inventory.is_named() {
            let checked = read_checked(printer, &self.inventory.find()?)?;
            if checked.cluster.is_none() {
                return Ok(REFUSED);
            }
            checked.cluster
        } else {
            read_near_cluster(printer)
        };
        let progress = ByteProgress::bytes(printer, "bundle", recipe.bytes()?);
        let built = build_bundle(&recipe, &self.out, &|bytes| progress.add(bytes));
        let BuiltBundle { manifest, keys, lost } =
            built.map_err(|error| recompress::explain(error, recipe.initrd.path()))?;
        drop(progress);
        for InitrdKey { path, what } in keys.iter().filter(|_| !self.allow_keys) {
            Printer::warn(&format!(
                "warning: the initrd holds {what} at {path}, and every machine in the boot network can fetch the initrd: \
                 leave the key out; --allow-keys accepts a key that all machines may know"
            ));
        }
        if let Some(warning) = print_lost(&lost) {
            Printer::warn(&warning);
        }
        if let Some(warning) = cluster.as_ref().and_then(|cluster| find_too_small(cluster, &manifest)) {
            Printer::warn(&warning);
        }
        if self.format.format == DataFormat::Json || !printer.quiet {
            self.format.print(&manifest, || print_table(&manifest, &self.out))?;
        }
        Ok(DONE)
    }

    fn recipe(&self) -> anyhow::Result<Recipe> {
        let initrd = match (&self.initrd, &self.root) {
            (Some(initrd), _) => InitrdSource::File(initrd.clone()),
            (None, Some(root)) => InitrdSource::Directory(root.clone()),
            (None, None) => anyhow::bail!("name an initrd with --initrd, or a directory with --root"),
        };
        Ok(Recipe {
            base: self.base.as_str().to_owned(),
            arch: self.arch,
            kernel: self.kernel.clone(),
            initrd,
            overlays: self.overlays.clone(),
            init: self.init.clone(),
            command_line: self.cmdline.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
            codec: match self.compress {
                Compress::Zstd => Codec::Zstd(self.level.unwrap_or(3)),
                Compress::Gzip => Codec::Gzip(self.level.unwrap_or(6)),
                Compress::None => Codec::Plain,
            },
        })
    }
}

/// A warning of the attributes that files lose in an initrd, with the first of these files.
fn print_lost(lost: &[LostAttribute]) -> Option<String> {
    if lost.is_empty() {
        return None;
    }
    let lost: Vec<_> = lost.iter().map(|LostAttribute { path, what }| format!("{what} of {path}")).collect();
    let lost = list_few(&lost);
    Some(format!(
        "warning: an initrd has no room for extended attributes, and these are left out: {lost}; set them when the \
         machine starts, or use a mode such as 4755 in the place of a capability"
    ))
}

/// Reads the inventory here or in a directory above. A bundle needs none, so that a missing or faulty inventory refuses
/// nothing.
fn read_near_cluster(printer: &Printer) -> Option<Cluster> {
    let path = find_nearest().ok()?;
    let cluster =
        InventoryFiles::read(&path).and_then(|files| Ok(check(files.sources())?.cluster)).ok().flatten();
    if cluster.is_none() {
        let shown = path.display();
        printer.say(&format!(
            "{shown} has errors, and the memory of its nodes is not looked at: plasmagen check {}",
            quote_for_shell(&shown.to_string())
        ));
    }
    cluster
}

/// Makes the warning about the node with the least memory, of those that boot the bundle, where unpacking the initrd takes
/// more than that memory.
fn find_too_small(cluster: &Cluster, manifest: &BundleManifest) -> Option<String> {
    let boots = |node: &&Node| node.base.as_str() == manifest.base && node.system == manifest.arch;
    let with_memory = cluster.nodes.iter().filter(boots).filter_map(|node| Some((&node.name, node.memory?)));
    let (name, memory) = with_memory.min_by_key(|(_, memory)| *memory)?;
    // The kernel holds the archive until it is unpacked.
    let packed = manifest.files.get(INITRD).map_or(0, |facts| facts.bytes);
    let unpacked = sum_unpacked(manifest);
    (packed.saturating_add(unpacked) > memory.bytes()).then(|| {
        format!(
            "warning: the initrd takes {} of memory while the kernel unpacks it ({} packed, {} unpacked), and {name} has \
             {memory}: that machine does not start. Leave files out of the initrd, or correct \
             `memory` in the inventory",
            size(packed.saturating_add(unpacked)),
            size(packed),
            size(unpacked),
        )
    })
}

/// The size of the unpacked initrd in bytes. The kernel keeps what it unpacks until the machine is restarted.
fn sum_unpacked(manifest: &BundleManifest) -> u64 {
    let unpacked = manifest.inputs.iter().filter_map(|input| input.unpacked.as_ref());
    unpacked.map(|archives| archives.bytes).fold(0, u64::saturating_add)
}

/// A table of the files of the bundle, and the command that publishes it.
fn print_table(manifest: &BundleManifest, out: &Path) -> String {
    let mut table = TextTable::with_headings(["file", "size", "unpacked in memory", "sha256"]);
    for (name, facts) in &manifest.files {
        let in_memory = if name == INITRD { size(sum_unpacked(manifest)) } else { String::new() };
        table.row([name.clone(), size(facts.bytes), in_memory, format!("{:.16}…", facts.sha256.to_string())]);
    }
    format!(
        "{}\n{} for {}, Linux {}\nid {}\npublish it: plasmagen publish {} --root DIR\n",
        table.print(),
        manifest.base,
        manifest.arch.as_str(),
        escape_line(&manifest.kernel_version),
        manifest.id,
        quote_for_shell(&out.display().to_string())
    )
}
