//! `plasmagen bundle`.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};

use crate::image::{
    BuiltBundle, BundleManifest, Codec, INITRD, InitrdKey, InitrdSource, LostAttribute, Recipe, build_bundle,
};
use crate::model::{Base, System};

use super::printer::{DataFormat, FormatOption, Printer, size};
use super::progress::ByteProgress;
use super::table::TextTable;
use super::{DONE, recompress};

/// Make a netboot bundle from a kernel and an initrd
///
/// A bundle is what an armed node boots: bzImage, initrd, the iPXE script that loads them (boot.ipxe), manifest.json and
/// SHA256SUMS. The kernel and the initrd are checked. The same inputs give the same bytes.
#[derive(Debug, Args)]
pub(super) struct BundleArgs {
    /// The base of the machines that boot the bundle
    #[arg(long, value_name = "BASE")]
    base: Base,
    /// The kernel: a bzImage, or an Image for 64-bit ARM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    kernel: PathBuf,
    /// The initrd: newc archives, plain or compressed by gzip, zstd or xz, as the kernel unpacks them
    #[arg(long, value_name = "FILE", required_unless_present = "root", conflicts_with = "root")]
    initrd: Option<PathBuf>,
    /// The directory to make the initrd from, instead of --initrd; owners are kept, and your own files become root's
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
    const SHOWN: usize = 5;
    let first = lost.iter().take(SHOWN).map(|LostAttribute { path, what }| format!("{what} of {path}"));
    let first = first.collect::<Vec<_>>().join(", ");
    let more = match lost.len() {
        0 => return None,
        count if count > SHOWN => format!(" and {} more", count - SHOWN),
        _ => String::new(),
    };
    Some(format!(
        "warning: an initrd has no room for extended attributes, and these are left out: {first}{more}; set them when the \
         machine starts, or use a mode such as 4755 in the place of a capability"
    ))
}

/// A table of the files of the bundle, and the command that publishes it.
fn print_table(manifest: &BundleManifest, out: &Path) -> String {
    // The kernel holds the archive until it is unpacked, and what it unpacks into until the machine is restarted.
    let unpacked: u64 = manifest
        .inputs
        .iter()
        .filter_map(|input| input.unpacked.as_ref())
        .map(|archives| archives.bytes)
        .sum();
    let mut table = TextTable::with_headings(["file", "size", "unpacked in memory", "sha256"]);
    for (name, facts) in &manifest.files {
        let in_memory = if name == INITRD { size(unpacked) } else { String::new() };
        table.row([name.clone(), size(facts.bytes), in_memory, format!("{:.16}…", facts.sha256.to_string())]);
    }
    format!(
        "{}\n{} for {}, Linux {}\nid {}\npublish it: plasmagen publish {} --root DIR\n",
        table.print(),
        manifest.base,
        manifest.arch.as_str(),
        manifest.kernel_version,
        manifest.id,
        out.display()
    )
}
