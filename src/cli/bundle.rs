//! `plasmagen bundle`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::image::{BundleManifest, Codec, InitrdSource, Recipe, build_bundle};
use crate::model::System;

use super::DONE;
use super::output::{DataFormat, Output, size};
use super::progress::Progress;

/// Make a netboot bundle of a kernel and an initrd: checked, hashed, with the script that loads them
///
/// Writes bzImage, initrd, boot.ipxe, manifest.json and SHA256SUMS into a new directory. The same inputs give the same
/// bytes.
#[derive(Debug, Args)]
pub(super) struct Bundle {
    /// Which machines it is for: control-plane, worker or all-in-one
    #[arg(long)]
    profile: String,
    /// The kernel: a bzImage, or an Image for 64-bit ARM
    #[arg(long, value_name = "FILE")]
    kernel: PathBuf,
    /// The initrd that there is already: newc archives, plain or packed by gzip, zstd, xz or lz4
    #[arg(long, value_name = "FILE", required_unless_present = "root", conflicts_with = "root")]
    initrd: Option<PathBuf>,
    /// A directory to make the initrd of
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// A directory to lay over the initrd; may be given several times, the later over the earlier
    #[arg(long = "overlay", value_name = "DIR")]
    overlays: Vec<PathBuf>,
    /// The program that the initrd hands over to, such as /nix/store/…/init
    #[arg(long, value_name = "PATH")]
    init: Option<String>,
    /// The kernel command line, without init= and initrd=
    #[arg(long, value_name = "WORDS", default_value = "")]
    cmdline: String,
    /// What the machines are; otherwise what the kernel is for
    #[arg(long, value_name = "ARCH")]
    arch: Option<Arch>,
    /// How --root and --overlay are packed
    #[arg(long, value_name = "FORMAT", default_value = "zstd")]
    compress: Compress,
    /// How hard: 1 to 22 for zstd, 1 to 12 for gzip
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..=22))]
    level: Option<u8>,
    /// Where the bundle goes: a new directory
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// As a table, or the manifest as JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DataFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Arch {
    #[value(name = "x86_64-linux", alias = "x86_64")]
    X86_64,
    #[value(name = "aarch64-linux", alias = "aarch64")]
    Aarch64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Compress {
    Zstd,
    Gzip,
    None,
}

impl Bundle {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let recipe = self.recipe()?;
        let progress = Progress::bytes(output, "bundle", recipe.bytes()?);
        let manifest = build_bundle(&recipe, &self.out, &|bytes| progress.add(bytes))?;
        drop(progress);
        match self.format {
            DataFormat::Human if output.quiet => {}
            DataFormat::Human => Output::print(&table(&manifest, &self.out))?,
            DataFormat::Json => Output::print(&String::from_utf8(manifest.print()?)?)?,
        }
        Ok(DONE)
    }

    fn recipe(&self) -> anyhow::Result<Recipe> {
        let initrd_source = match (&self.initrd, &self.root) {
            (Some(initrd), _) => InitrdSource::File(initrd.clone()),
            (None, Some(root)) => InitrdSource::Directory(root.clone()),
            (None, None) => anyhow::bail!("name an initrd with --initrd, or a directory with --root"),
        };
        Ok(Recipe {
            profile: self.profile.clone(),
            arch: self.arch.map(|arch| match arch {
                Arch::X86_64 => System::X86_64,
                Arch::Aarch64 => System::Aarch64,
            }),
            kernel: self.kernel.clone(),
            initrd: initrd_source,
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

/// What was made: a line a file, and how to go on.
fn table(manifest: &BundleManifest, out: &Path) -> String {
    let rows = manifest
        .files
        .iter()
        .map(|(name, facts)| format!("{name:<10} {:>10}  {}\n", size(facts.bytes), facts.sha256));
    let head = format!("{:<10} {:>10}  {}\n", "file", "size", "sha256");
    format!(
        "{head}{}\n{} for {}, Linux {}, id {}\npublish it: plasmagen publish {} --root DIR\n",
        rows.collect::<String>(),
        manifest.profile,
        manifest.arch.as_str(),
        manifest.kernel_version,
        manifest.id,
        out.display()
    )
}
