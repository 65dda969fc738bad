//! A bundle is what its inputs are, and its manifest says so; what does not fit together is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plasmagen::image::{BundleManifest, Codec, InitrdSource, Recipe, build_bundle, read_directory};

use crate::kit::{noise, packed, tree};
use test_kit::bzimage::bzimage;

/// A kernel, an initrd and an overlay in `dir`.
pub(crate) fn recipe(dir: &Path) -> Recipe {
    let root = dir.join("root");
    tree(&root);
    fs::write(root.join("init"), "#!/bin/sh\n").unwrap();
    fs::write(dir.join("kernel"), bzimage()).unwrap();
    fs::write(dir.join("base"), packed(&read_directory(&root).unwrap(), Codec::Gzip(1)).0).unwrap();
    let overlay = dir.join("overlay");
    fs::create_dir_all(overlay.join("etc")).unwrap();
    fs::write(overlay.join("etc/hostname"), "node02\n").unwrap();
    Recipe {
        base: "worker".to_owned(),
        arch: None,
        kernel: dir.join("kernel"),
        initrd: InitrdSource::File(dir.join("base")),
        overlays: vec![overlay],
        init: Some("/init".to_owned()),
        command_line: "console=ttyS0,115200 quiet".to_owned(),
        codec: Codec::Zstd(3),
    }
}

pub(crate) fn made(recipe: &Recipe, out: &Path) -> BundleManifest {
    build_bundle(recipe, out, &|_| {}).unwrap().manifest
}

fn refused(recipe: &Recipe) -> String {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let error = build_bundle(recipe, &out, &|_| {}).unwrap_err();
    assert!(!out.exists(), "a refused bundle leaves nothing: {error:#}");
    format!("{error:#}")
}

#[test]
fn what_it_says_is_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = recipe(dir.path());
    let out = dir.path().join("out");
    let manifest = made(&recipe, &out);
    let sums = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(&out)
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&sums.stdout),
        "boot.ipxe: OK\nbzImage: OK\ninitrd: OK\nmanifest.json: OK\n"
    );
    assert_eq!(BundleManifest::parse(&fs::read(out.join("manifest.json")).unwrap()).unwrap(), manifest);
    for (name, facts) in &manifest.files {
        assert_eq!(fs::metadata(out.join(name)).unwrap().len(), facts.bytes, "{name}");
    }
    assert_eq!(fs::read(out.join("bzImage")).unwrap(), bzimage());
    let base = fs::read(dir.path().join("base")).unwrap();
    assert!(fs::read(out.join("initrd")).unwrap().starts_with(&base));
    assert_eq!(manifest.kernel_version, "6.1.0-40-cloud-amd64");
    let inputs: Vec<_> =
        manifest.inputs.iter().map(|input| (input.role.as_str(), input.formats.join("+"))).collect();
    let expected =
        [("kernel", ""), ("initrd", "gzip"), ("overlay", "zstd")].map(|(role, f)| (role, f.to_owned()));
    assert_eq!(inputs, expected);
    // The digest of what the initrd unpacks to is that of cpio's own archive of it.
    let mut gzip = Command::new("sh");
    gzip.args(["-c", "gzip -dc < \"$1\" | sha256sum", "sh"]).arg(dir.path().join("base"));
    let told = String::from_utf8(gzip.output().unwrap().stdout).unwrap();
    assert_eq!(told.split(' ').next().unwrap(), manifest.inputs[1].unpacked.unwrap().sha256.to_string());
    // The overlay lies over it.
    let script = "cd \"$1\" && gzip -dc \"$2\" 2>/dev/null | cpio -id --quiet; tail -c +\"$3\" \"$4\" | zstd -dc | cpio -iud --quiet";
    let (offset, to) = (base.len().next_multiple_of(4) + 1, dir.path().join("unpacked"));
    fs::create_dir(&to).unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(&to)
        .arg(dir.path().join("base"))
        .arg(offset.to_string())
        .arg(out.join("initrd"));
    assert!(command.status().unwrap().success());
    assert_eq!(fs::read_to_string(to.join("etc/hostname")).unwrap(), "node02\n");
}

#[test]
fn the_same_inputs_are_the_same_bundle() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = recipe(dir.path());
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    let manifest = made(&recipe, &one);
    assert_eq!(made(&recipe, &other), manifest);
    for name in ["bzImage", "initrd", "boot.ipxe", "manifest.json", "SHA256SUMS"] {
        assert_eq!(fs::read(one.join(name)).unwrap(), fs::read(other.join(name)).unwrap(), "{name}");
    }
    let changed = Recipe { command_line: "quiet".to_owned(), ..recipe };
    assert_ne!(made(&changed, &dir.path().join("changed")).id, manifest.id);
}

#[test]
fn a_script_loads_what_the_manifest_names_and_checks_it() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = made(&recipe(dir.path()), &dir.path().join("out"));
    let script = fs::read_to_string(dir.path().join("out/boot.ipxe")).unwrap();
    let kernel = format!(
        "kernel --name kernel ../{}/bzImage ${{initrds}} init=/init console=ttyS0,115200 quiet ${{cmdline}} || goto failed\n",
        manifest.id
    );
    assert!(script.starts_with("#!ipxe\n") && script.contains(&kernel), "{script}");
    for name in ["bzImage", "initrd"] {
        assert!(
            script.contains(&format!("iseq ${{sum}} {} || goto tampered\n", manifest.files[name].sha256)),
            "{name}"
        );
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let good = recipe(dir.path());
    let with = |change: &dyn Fn(&mut Recipe)| {
        let mut recipe = good.clone();
        change(&mut recipe);
        refused(&recipe)
    };
    let file = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let base = fs::read(dir.path().join("base")).unwrap();
    let cut = file("cut", &base[..base.len() / 2]);
    let junk = file("junk", &noise(1000));
    let arch = Some(plasmagen::model::System::Aarch64);
    for (error, why) in [
        (with(&|recipe| recipe.arch = arch), "is a kernel for x86_64-linux"),
        (with(&|recipe| recipe.kernel.clone_from(&junk)), "neither the `HdrS`"),
        (with(&|recipe| recipe.initrd = InitrdSource::File(cut.clone())), "is damaged"),
        (with(&|recipe| recipe.initrd = InitrdSource::File(junk.clone())), "begin neither a newc archive"),
        (with(&|recipe| recipe.init = Some("/nix/store/x/init".to_owned())), "PG-F19"),
        (with(&|recipe| recipe.init = Some("init".to_owned())), "absolute path"),
        (with(&|recipe| recipe.command_line = "quiet init=/x".to_owned()), "which the bundle sets itself"),
        (with(&|recipe| recipe.command_line = "a${b}".to_owned()), "is not one kernel parameter"),
        (with(&|recipe| recipe.command_line = "a".repeat(1600)), "cuts it silently"),
        (with(&|recipe| recipe.base = "../x".to_owned()), "PG-B01"),
        (with(&|recipe| recipe.overlays.push(dir.path().join("none"))), "could not list"),
    ] {
        assert!(error.contains(why), "{why:?} is not in: {error}");
    }
}

#[test]
fn no_private_key_gets_in() {
    let dir = tempfile::tempdir().unwrap();
    let good = recipe(dir.path());
    let pad = "x".repeat((1 << 20) - 10);
    for secret in [
        "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n".to_owned(),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n".to_owned(),
        "-----BEGIN EC PRIVATE KEY-----\r\nMHcCAQEEIB\n".to_owned(),
        "# public key: age1x\nAGE-SECRET-KEY-1QQPZRY9X8\n".to_owned(),
        // Across two pieces of what is read at once.
        format!("{pad}-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAA\n"),
        // In a file that is streamed.
        format!("{}-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAA\n", pad.repeat(17)),
    ] {
        fs::write(good.overlays[0].join("etc/key"), &secret).unwrap();
        let error = refused(&good);
        assert!(error.contains("etc/key holds"), "{error}");
    }
    fs::write(
        good.overlays[0].join("etc/key"),
        "ssh-ed25519 AAAA ops@example.com\n-----BEGIN PUBLIC KEY-----\n",
    )
    .unwrap();
    made(&good, &dir.path().join("out"));
}

#[test]
fn what_is_there_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = recipe(dir.path());
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine"), "x").unwrap();
    assert!(build_bundle(&recipe, &out, &|_| {}).is_err());
    fs::remove_file(out.join("mine")).unwrap();
    // Somebody's own file, though a bundle has one of that name.
    fs::write(out.join("initrd"), "mine").unwrap();
    let error = build_bundle(&recipe, &out, &|_| {}).unwrap_err().to_string();
    assert!(error.contains("not empty"), "{error}");
    assert_eq!(fs::read(out.join("initrd")).unwrap(), b"mine");
    // What a run has left that was killed.
    let staging = out.join(".plasmagen-bundle");
    fs::create_dir(&staging).unwrap();
    fs::write(staging.join("bzImage"), "half").unwrap();
    made(&recipe, &out);
    assert!(!staging.exists());
    assert!(build_bundle(&recipe, &out, &|_| {}).unwrap_err().to_string().contains("not empty"));
}
