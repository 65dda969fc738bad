//! Names with line ends and control characters, in the place of every path and word that a command takes, and inside the
//! files that a command reads: no name begins a line of the output, and none reaches the terminal raw.

use std::fs;

use test_kit::bzimage::bzimage;

use crate::kit::{KEY, Run, Site};

/// A name that would forge a message, and clear the screen.
const NAME: &str = "x\nforged: all is well\u{1b}[2J\r\u{202e}y";

/// Command lines, each word on its own behind a space; `@` stands for [`NAME`].
const COMMANDS: &[&str] = &[
    "check @/inventory.toml",
    "check -i @/none.toml",
    "check @",
    "check @/kernel",
    "check @/bad.toml",
    "check --format concise @/bad.toml",
    "check --format github @/bad.toml",
    "check --vault @/none @/inventory.toml",
    "render @/inventory.toml",
    "render @/none.toml",
    "render --check @/changed.toml",
    "render --vault @/none @/inventory.toml",
    "render --vault @/tree @/inventory.toml",
    "show -i @/inventory.toml",
    "show -i @/inventory.toml @",
    "certs status -i @/inventory.toml",
    "init @ --admin-key @/none.pub",
    "init @/new --admin-key @/key.pub",
    "init @/kernel",
    "bundle --base control-plane --init /init --kernel @/kernel --root @/tree --out @/bundle",
    "bundle --base control-plane --init /init --kernel @/none --root @/tree --out @/bundle",
    "bundle --base control-plane --init /init --kernel @/kernel --root @/none --out @/bundle",
    "bundle --base control-plane --init @ --kernel @/kernel --root @/tree --out @/bundle",
    "bundle --base control-plane --init /init --kernel @/kernel --root @/tree --overlay @/tree --out @/bundle",
    "bundle --base control-plane --kernel @/kernel --initrd @/tree --out @/bundle",
    "bundle --base control-plane --kernel @/kernel --initrd @/bad.toml --out @/bundle",
    "publish @/bundle -i @/inventory.toml --root @/web --ipxe none",
    "publish @/bundle --site @/none --root @/web --ipxe @/none",
    "publish @/forged -i @/inventory.toml --root @/web --ipxe none",
    "publish @/tree -i @/inventory.toml --root @/web --ipxe none",
    "publish @/none -i @/inventory.toml --root @/web --ipxe none",
    "publish -i @/inventory.toml --root @/kernel --ipxe none",
    "publish --remove @ --root @/web",
    "publish --rollback @ --root @/web",
    "verify @/bundle",
    "verify @/forged",
    "verify @/web",
    "verify @/tree",
    "verify @/none",
    "verify @/bundle --signers @/none",
    "verify @/bundle --signers @/bad.toml",
    "arm node01 -i @/inventory.toml --root @/web",
    "arm @ -i @/inventory.toml --root @/web",
    "arm node01 -i @/inventory.toml --root @/none",
    "armed --root @/web",
    "armed --root @/none",
    "disarm node01 -i @/inventory.toml --root @/web",
    "disarm @ -i @/inventory.toml --root @/web",
    "disarm --all --root @/none",
    "secrets stage node01 -i @/inventory.toml --to @/staged",
    "secrets stage node01 -i @/inventory.toml --to @/tree",
    "secrets stage @ -i @/inventory.toml --to @/staged",
    "secrets encrypt -i @/inventory.toml --to @/encrypted",
    "lab -i @/none.toml",
    "explain @",
    "man --out @/man",
    "man --out @/kernel",
];

/// Whether `run` prints the name as it is.
fn prints_raw(run: &Run) -> bool {
    let is_raw = |c: char| plasmagen::model::is_invisible(c) && !"\n\t".contains(c);
    let all = format!("{}\n{}", run.stdout, run.stderr);
    all.lines().any(|line| line.starts_with("forged")) || all.contains(is_raw)
}

#[test]
fn no_name_forges_a_message() {
    let site = Site::rendered();
    let root = site.path().join(NAME);
    fs::rename(site.root(), &root).unwrap();
    let at = |name: &str| root.join(name);
    let sound = fs::read_to_string(at("inventory.toml")).unwrap();
    let escaped = NAME.escape_unicode().to_string().replace("\\u{", "\\U{").replace('}', "");
    let bad = escaped.split("\\U{").skip(1).map(|code| format!("\\U{code:0>8}")).collect::<String>();
    fs::write(at("bad.toml"), format!("{sound}\n[\"{bad}\"]\n\"{bad}\" = \"{bad}\"\n")).unwrap();
    fs::write(at("changed.toml"), sound.replace("node03", "node09")).unwrap();
    fs::write(at("key.pub"), KEY).unwrap();
    fs::write(at("kernel"), bzimage()).unwrap();
    fs::create_dir(at("tree")).unwrap();
    fs::write(at("tree/init"), "#!/bin/sh\n").unwrap();
    fs::write(at("tree").join(NAME), "x").unwrap();
    let words =
        |command: &str| -> Vec<String> { command.split(' ').map(|word| word.replace('@', NAME)).collect() };
    let run = |command: &str| {
        let words = words(command);
        site.within(site.path(), &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // A bundle whose manifest names such a file, and one with such a file in it.
    run("bundle --base control-plane --init /init --kernel @/kernel --root @/tree --out @/forged")
        .ends(0, &[]);
    let manifest = fs::read_to_string(at("forged/manifest.json")).unwrap();
    let name = serde_json::to_string(NAME).unwrap();
    let forged = manifest.replace("\"initrd\"", &name).replace("control-plane", name.trim_matches('"'));
    assert_ne!(manifest, forged);
    fs::write(at("forged/manifest.json"), forged).unwrap();
    fs::write(at("forged").join(NAME), "x").unwrap();
    let raw: Vec<String> = COMMANDS
        .iter()
        .map(|command| (command, run(command)))
        .filter(|(_, run)| prints_raw(run))
        .map(|(command, run)| format!("{command}: {run:#?}"))
        .collect();
    assert!(raw.is_empty(), "{}", raw.join("\n"));
}
