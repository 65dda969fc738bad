//! `cargo bench --bench bundle [-- TREE]` compares `plasmagen bundle` with the programs that a user would run instead.
//!
//! The programs run in turns on generated trees, or on TREE, in the temporary directory (TMPDIR). The medians of time and of
//! processor time, the sizes and the peak memory are printed. On a slow disk the bench mostly measures the disk.
//!
//! `PLASMAGEN_BENCH_MB` is the size of the generated trees (600), `PLASMAGEN_BENCH_ROUNDS` the number of rounds (3).
//! Programs that are not installed are named and left out; `cargo install threecpio` installs 3cpio.
//!
//! `plasmagen bundle` also searches its inputs for private keys, hashes all files before and after compression, and makes
//! the bundle durable. The files of the other programs are made durable, too.

mod tree;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use test_kit::bzimage::bzimage;
use test_kit::peak::wait_with_peak;
use tree::Shares;
use walkdir::WalkDir;

/// Writes a newc archive of the tree, sorted, as scripts for initrds do.
const CPIO: &str = "cd $TREE && find . -print0 | LC_ALL=C sort -z | cpio --null -o -H newc --quiet";

/// The name of a program, and the shell script that runs it.
type Run = (&'static str, String);

fn main() -> Result<()> {
    let tree: Option<PathBuf> = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).map(Into::into);
    let number = |name: &str, default: usize| match std::env::var_os(name) {
        Some(text) => text.to_string_lossy().parse().with_context(|| format!("{name} is no number")),
        None => Ok(default),
    };
    let tenth = number("PLASMAGEN_BENCH_MB", 600)?.div_ceil(10);
    let work = tempfile::tempdir()?;
    let bench = Bench { work: work.path().to_owned(), rounds: number("PLASMAGEN_BENCH_ROUNDS", 3)?.max(1) };
    if let Some(tree) = tree {
        bench.packing(&tree.canonicalize()?, &[("gzip", 6), ("zstd", 3), ("zstd", 10)])?;
        return bench.hashing();
    }
    let tree = bench.work.join("tree");
    bench.row("a closure: a tenth of it does not compress")?;
    tree::make(&tree, &Shares { text: tenth * 2, binaries: tenth * 7, squashfs: tenth })?;
    bench.packing(&tree, &[("gzip", 6), ("zstd", 3)])?;
    fs::remove_dir_all(&tree)?;
    bench.row("stage 1 and a squashfs, which is nine tenths of it")?;
    tree::make(&tree, &Shares { text: 1, binaries: tenth, squashfs: tenth * 9 })?;
    bench.packing(&tree, &[("zstd", 10)])?;
    fs::remove_dir_all(&tree)?;
    bench.hashing()
}

struct Bench {
    work: PathBuf,
    rounds: usize,
}

impl Bench {
    /// Compares the packing of `tree` by each program and level in `ways`.
    fn packing(&self, tree: &Path, ways: &[(&str, u8)]) -> Result<()> {
        fs::write(self.work.join("kernel"), kernel(0x2000))?;
        let mut list = String::new();
        for entry in WalkDir::new(tree).min_depth(1).sort_by_file_name() {
            let entry = entry?;
            let name = entry.path().strip_prefix(tree)?.display();
            list += &format!("{}\t{name}\n", entry.path().display());
        }
        fs::write(self.work.join("list"), list)?;
        for (program, level) in ways {
            self.contest(&format!("{program} -{level}"), tree, &packers(program, *level))?;
        }
        Ok(())
    }

    /// Compares copying and hashing of a file of 234 MB.
    fn hashing(&self) -> Result<()> {
        let tree = self.work.join("small");
        fs::create_dir_all(&tree)?;
        fs::write(tree.join("init"), "#!/bin/sh\n")?;
        // Of all inputs, only the kernel is copied and hashed and nothing else.
        fs::write(self.work.join("kernel"), kernel(234_000_000))?;
        let ours = "$P bundle --quiet --base worker --kernel $KERNEL --root $TREE --out $OUT".to_owned();
        let copied = |then: &str| format!("cp $KERNEL $OUT && sync $OUT{then}");
        let runs = [
            ("plasmagen bundle", ours),
            ("cp", copied("")),
            ("cp + sha256sum", copied(" && sha256sum $OUT")),
            ("cp + openssl dgst", copied(" && openssl dgst -sha256 $OUT")),
            ("sha256sum", "sha256sum $KERNEL".to_owned()),
            ("openssl dgst", "openssl dgst -sha256 $KERNEL".to_owned()),
        ];
        self.contest("a kernel of 234 MB, copied and hashed", &tree, &runs)
    }

    /// Runs the programs in turns, and prints the ratio of each to the first one.
    fn contest(&self, what: &str, tree: &Path, runs: &[Run]) -> Result<()> {
        self.row(&format!(
            "\n{what:38} {:>8} {:>8} {:>8} {:>8} {:>8}",
            "s", "ratio", "cpu s", "ratio", "MB"
        ))?;
        let (missing, present): (Vec<_>, Vec<_>) = runs.iter().partition(|run| absent(run.0).is_some());
        let mut taken = vec![Vec::new(); present.len()];
        let mut sizes = vec![0; present.len()];
        for _ in 0..self.rounds {
            for (n, (name, script)) in present.iter().enumerate() {
                taken[n].push(self.run(script, tree).with_context(|| format!("{name} failed"))?);
                sizes[n] = self.size()?;
            }
        }
        let medians: Vec<_> = taken.iter().map(|taken| median(taken)).collect();
        for (((name, _), (time, cpu)), size) in present.iter().zip(&medians).zip(sizes) {
            let (first_time, first_cpu) = medians[0];
            self.row(&format!(
                "  {name:36} {time:8.2} {:8.2} {cpu:8.2} {:8.2} {:8.1}",
                time / first_time,
                cpu / first_cpu,
                size as f64 / 1e6
            ))?;
        }
        for (name, _) in missing {
            self.row(&format!(
                "  {name:36} left out: {} is not installed",
                absent(name).unwrap_or_default()
            ))?;
        }
        self.row(&format!("  peak memory of plasmagen bundle: {}", self.peak(&runs[0].1, tree)?))
    }

    /// Runs `script`, and returns its time and its processor time in seconds.
    fn run(&self, script: &str, tree: &Path) -> Result<(f64, f64)> {
        let output = self.shell(&format!("TIMEFORMAT='%R %U %S'; time {{ {script}; }}"), tree)?.output()?;
        let said = String::from_utf8(output.stderr)?;
        ensure!(output.status.success(), "{said}");
        let times = said.lines().last().unwrap_or_default().split(' ').map(str::parse::<f64>);
        match times.collect::<Result<Vec<_>, _>>()?[..] {
            [real, user, system] => Ok((real, user + system)),
            _ => Err(anyhow::anyhow!("bash prints no times: {said}")),
        }
    }

    /// The command that runs `script`, after the output of the last run was removed.
    fn shell(&self, script: &str, tree: &Path) -> Result<Command> {
        let out = self.work.join("out");
        if out.is_dir() {
            fs::remove_dir_all(&out)?;
        } else if out.exists() {
            fs::remove_file(&out)?;
        }
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).stdin(Stdio::null()).stdout(Stdio::null());
        command.env("P", env!("CARGO_BIN_EXE_plasmagen")).env("TREE", tree).env("OUT", &out);
        command.env("KERNEL", self.work.join("kernel")).env("LIST", self.work.join("list"));
        command.stderr(Stdio::piped());
        Ok(command)
    }

    /// The size of the last output: for a bundle, the size of the initrd.
    fn size(&self) -> Result<u64> {
        let out = self.work.join("out");
        let initrd = out.join("initrd");
        let made = if initrd.exists() { initrd } else { out };
        Ok(if made.exists() { fs::metadata(made)?.len() } else { 0 })
    }

    /// The peak memory of `script`.
    fn peak(&self, script: &str, tree: &Path) -> Result<String> {
        Ok(wait_with_peak(&mut self.shell(&format!("exec {script}"), tree)?.spawn()?)?.1)
    }

    fn row(&self, line: &str) -> Result<()> {
        Ok(writeln!(io::stdout(), "{line}")?)
    }
}

/// The scripts that pack a tree with `program`: `plasmagen bundle` first.
fn packers(program: &str, level: u8) -> Vec<Run> {
    let ours = "$P bundle --quiet --base worker --kernel $KERNEL --root $TREE --out $OUT";
    let piped = |packer: &str| format!("{CPIO} | {packer} -{level} > $OUT && sync $OUT");
    let mut runs = vec![("plasmagen bundle", format!("{ours} --compress {program} --level {level}"))];
    if program == "gzip" {
        runs.extend([("cpio | gzip", piped("gzip")), ("cpio | pigz", piped("pigz"))]);
    } else {
        runs.push(("cpio | zstd -T0", piped("zstd -q -T0")));
    }
    let options = format!("--{program} --options {program}:compression-level={level}");
    runs.extend([
        ("bsdtar", format!("bsdtar -C $TREE --format newc {options} -cf $OUT . && sync $OUT")),
        ("3cpio", format!("(echo '#cpio: {program} -{level}'; cat $LIST) | 3cpio -c $OUT && sync $OUT")),
    ]);
    runs
}

/// A program that `run` needs and that is not installed.
fn absent(run: &str) -> Option<&str> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let there = |program: &str| std::env::split_paths(&paths).any(|dir| dir.join(program).is_file());
    let programs = run.split(['|', '+']).filter_map(|part| part.split_whitespace().next());
    programs.filter(|program| *program != "plasmagen").find(|program| !there(program))
}

fn median(taken: &[(f64, f64)]) -> (f64, f64) {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (middle(taken.iter().map(|run| run.0).collect()), middle(taken.iter().map(|run| run.1).collect()))
}

/// A kernel of `len` bytes: the header of a bzImage, then zeros.
fn kernel(len: usize) -> Vec<u8> {
    let mut image = bzimage();
    image.resize(len, 0);
    image
}
