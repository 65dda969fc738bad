//! `init`: an inventory that is sound and renders at once, with the keys of those who may log in.

use std::fs;
use std::path::Path;
use std::process::Command;

use test_kit::run;
use test_kit::strace::{inject, strace};
use test_kit::tree::entries;

use crate::kit::{KEY, PLASMAGEN, Run, Site};

/// The `admin_keys` of the inventory in `site`.
fn keys(site: &Site) -> Vec<String> {
    let document: toml::Table = toml::from_str(&site.read("inventory.toml")).unwrap();
    let keys = document["cluster"]["admin_keys"].as_array().unwrap();
    keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// Makes a key pair at `~/.ssh/<name>` with ssh-keygen.
fn keygen(site: &Site, name: &str, args: &[&str]) -> String {
    let dir = site.home().join(".ssh");
    fs::create_dir_all(&dir).unwrap();
    let file = dir.join(name);
    let mut command = site.command("ssh-keygen");
    let output = run("openssh-client", command.args(["-q", "-N", "", "-f"]).arg(&file).args(args));
    assert!(output.status.success(), "{output:?}");
    fs::read_to_string(file.with_extension("pub")).unwrap().trim().to_owned()
}

fn init(site: &Site, args: &[&str]) -> Run {
    site.within(site.path(), &[&["init", "site"], args].concat())
}

/// The inventory is sound, warns of placeholders until they are replaced, and renders.
fn assert_sound(site: &Site) {
    let placeholders = ["warning[PG-F23]: `EXAMPLE0001` is a placeholder", "is sound: 3 nodes, 3 warnings"];
    site.run(&["check"]).ends(0, &placeholders);
    site.replace_placeholders();
    site.run(&["check", "--deny-warnings"]).ends(0, &["is sound: 3 nodes, 0 warnings"]);
    site.run(&["render"]).ends(0, &["issued 3 certificates"]);
    let resolved: serde_json::Value = serde_json::from_str(&site.read("site/inventory.json")).unwrap();
    assert_eq!(resolved["admin_keys"], serde_json::json!(keys(site)));
}

#[test]
fn a_key_on_the_command_line_or_in_a_file_is_enough() {
    let site = Site::empty();
    init(&site, &["--admin-key", KEY]).ends(0, &["wrote site/inventory.toml"]);
    assert_eq!(keys(&site), [KEY]);
    assert_sound(&site);

    let site = Site::empty();
    let file = site.path().join("with a space.pub");
    fs::write(&file, format!("# of the team\n\n{KEY}\r\n")).unwrap();
    init(&site, &["--admin-key", file.to_str().unwrap()]).ends(0, &[]);
    assert_eq!(keys(&site), [KEY]);
    assert_sound(&site);
}

#[test]
fn every_kind_of_key_that_openssh_makes_is_taken() {
    let site = Site::empty();
    let kinds: [&[&str]; 5] = [
        &["-t", "ed25519"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "3072"],
    ];
    let mut made: Vec<_> =
        kinds.iter().enumerate().map(|(n, args)| keygen(&site, &format!("key{n}"), args)).collect();
    made.sort();
    init(&site, &[]).ends(0, &[]);
    assert_eq!(keys(&site), made);
    assert_sound(&site);
}

#[test]
fn weak_and_broken_keys_are_left_out_and_said_to_be() {
    let site = Site::empty();
    let good = keygen(&site, "good", &["-t", "ed25519"]);
    keygen(&site, "weak", &["-t", "rsa", "-b", "2048"]);
    let ssh = site.home().join(".ssh");
    fs::copy(ssh.join("good.pub"), ssh.join("again.pub")).unwrap();
    fs::copy(ssh.join("good"), ssh.join("private.pub")).unwrap();
    fs::write(ssh.join("broken.pub"), &good[..60]).unwrap();
    fs::write(ssh.join("control.pub"), format!("{good} \x1b[31m")).unwrap();
    fs::write(ssh.join("options.pub"), format!("command=\"id\" {good}")).unwrap();
    fs::write(ssh.join("binary.pub"), b"\xff\xfe").unwrap();
    fs::create_dir(ssh.join("directory.pub")).unwrap();
    fs::write(ssh.join("not-a-pub"), KEY).unwrap();
    let run = init(&site, &[]);
    run.ends(0, &["weak.pub: this RSA key has 2048 bits"]);
    for name in ["private", "broken", "control", "options", "binary", "directory"] {
        assert!(run.stderr.contains(&format!("/.ssh/{name}.pub: ")), "{name}: {}", run.stderr);
    }
    assert_eq!(keys(&site), [good]);
    assert_sound(&site);
}

#[test]
fn comments_of_keys_survive_whatever_they_hold() {
    let site = Site::empty();
    let comments = [r#"a "quote" 'q' \ back\slash"#, "Zoë 雪 ☃", "''${x} $(id) {{ x }} # ; \\n \\u0041"];
    let key =
        |(n, comment): (usize, &&str)| keygen(&site, &format!("key{n}"), &["-t", "ed25519", "-C", comment]);
    let hostile: Vec<_> = comments.iter().enumerate().map(key).collect();
    let mut args = Vec::new();
    for key in &hostile {
        args.extend(["--admin-key", key.as_str()]);
    }
    init(&site, &args).ends(0, &[]);
    let mut expected = hostile.clone();
    expected.sort();
    assert_eq!(keys(&site), expected);
    assert_sound(&site);
}

#[test]
fn a_key_with_two_comments_is_one_key() {
    let site = Site::empty();
    let again = KEY.replace("ops@example.com", "root@example.com");
    init(&site, &["--admin-key", &again, "--admin-key", KEY]).ends(0, &[]);
    assert_eq!(keys(&site), [KEY]);
    assert_sound(&site);
}

#[test]
fn without_a_key_it_refuses_and_makes_nothing() {
    let site = Site::empty();
    init(&site, &[])
        .ends(2, &["there is no usable SSH public key", ".ssh", "--admin-key", "ssh-keygen -t ed25519"]);
    keygen(&site, "weak", &["-t", "rsa", "-b", "1024"]);
    init(&site, &[]).ends(2, &["this RSA key has 1024 bits", "there is no usable SSH public key"]);
    let file = site.path().join("empty.pub");
    fs::write(&file, "\n").unwrap();
    init(&site, &["--admin-key", file.to_str().unwrap()]).ends(2, &["empty.pub: there is no key in it"]);
    init(&site, &["--admin-key", "nowhere.pub"]).ends(2, &["could not read the SSH key nowhere.pub"]);
    init(&site, &["--admin-key", ""]).ends(2, &["--admin-key is empty", ".pub"]);
    init(&site, &["--admin-key", "/dev/zero"])
        .ends(2, &["the SSH key /dev/zero", "it is a device, no regular file"]);
    assert!(!site.root().exists());
}

#[test]
fn a_private_key_is_refused_and_never_shown() {
    let site = Site::empty();
    keygen(&site, "id", &["-t", "ed25519"]);
    let file = site.home().join(".ssh/id");
    let secret = fs::read_to_string(&file).unwrap();
    for named in [file.to_str().unwrap(), &secret, secret.trim(), &secret.replace('\n', " ")] {
        let run = init(&site, &["--admin-key", named]);
        run.ends(2, &["this is a private key: it must never be in an inventory"]);
        for line in secret.lines().filter(|line| !line.starts_with('-')) {
            assert!(!run.stderr.contains(line), "{}", run.stderr);
        }
    }
    assert!(!site.root().exists());
}

#[test]
fn what_is_there_already_is_never_replaced() {
    let site = Site::new();
    fs::write(site.root().join(".gitignore"), "mine\n").unwrap();
    fs::write(site.inventory(), "mine").unwrap();
    let before = entries(&site.root());
    init(&site, &["--admin-key", KEY]).ends(2, &["site/inventory.toml exists already", "replaces no file"]);
    assert_eq!(entries(&site.root()), before);

    fs::remove_file(site.inventory()).unwrap();
    std::os::unix::fs::symlink("elsewhere.toml", site.inventory()).unwrap();
    init(&site, &["--admin-key", KEY]).ends(2, &["exists already"]);
    assert!(!site.root().join("elsewhere.toml").exists(), "never through a link");

    fs::remove_file(site.inventory()).unwrap();
    fs::write(site.root().join("inventory.schema.json"), "old").unwrap();
    let kept = [
        "kept site/.gitignore: add the lines .plasmagen/ and *.key",
        "kept site/inventory.schema.json: plasmagen schema >",
    ];
    init(&site, &["--admin-key", KEY]).ends(0, &kept);
    assert_eq!(site.read(".gitignore"), "mine\n");
    assert_eq!(site.read("inventory.schema.json"), "old");

    fs::remove_file(site.inventory()).unwrap();
    fs::write(site.root().join("flake.nix"), "{ }").unwrap();
    init(&site, &["--admin-key", KEY])
        .ends(0, &["kept site/flake.nix: its outputs should be those of plasmagen.lib.mkSite"]);
    assert_eq!(site.read("flake.nix"), "{ }");

    fs::remove_file(site.inventory()).unwrap();
    fs::write(site.root().join(".pre-commit-config.yaml"), "repos: []\n").unwrap();
    init(&site, &["--admin-key", KEY])
        .ends(0, &["kept site/.pre-commit-config.yaml: add hooks that run plasmagen check and"]);
    assert_eq!(site.read(".pre-commit-config.yaml"), "repos: []\n");
}

#[test]
fn a_directory_that_cannot_be_made_is_said() {
    let site = Site::empty();
    fs::write(site.root(), "a file").unwrap();
    init(&site, &["--admin-key", KEY]).ends(2, &["site exists and is not a directory"]);
    assert_eq!(fs::read_to_string(site.root()).unwrap(), "a file");
    let deep = Path::new("a/b c/d");
    site.within(site.path(), &["init", deep.to_str().unwrap(), "--admin-key", KEY]).ends(0, &[]);
    for file in [".gitignore", ".pre-commit-config.yaml", "flake.nix"] {
        assert!(site.path().join(deep).join(file).exists(), "{file}");
    }
    // The keys of a signer that somebody makes here stay out of the repository.
    let script = "git init -q . && touch signer.key && git check-ignore -q signer.key";
    let mut bash = site.command("bash");
    Run::of(&test_kit::run("git", bash.current_dir(site.path().join(deep)).args(["-c", script])))
        .ends(0, &[]);
}

#[test]
fn a_disk_that_fails_leaves_nothing_or_a_whole_site() {
    let calls = [("write", "ENOSPC"), ("write", "EIO"), ("fsync", "EIO"), ("renameat2", "EIO")];
    // Each of the five files fails once.
    for (nth, (call, error)) in (1..=5).flat_map(|nth| calls.map(|call| (nth, call))) {
        let site = Site::empty();
        let mut init_site = Command::new(PLASMAGEN);
        init_site.args(["init", "site", "--admin-key", KEY]);
        let options = inject(call, &format!("error={error}"), nth);
        let run = Run::of(&strace(site.command("strace"), &options, &mut init_site, b"").output);
        run.ends(2, &["could not write site/"]);
        assert!(!site.root().exists(), "{nth} {call} {error}");
        init(&site, &["--admin-key", KEY]).ends(0, &[]);
        assert_eq!(keys(&site), [KEY]);
        assert_eq!(fs::read_dir(site.root()).unwrap().count(), 5);
    }
}

/// NFS has no rename that replaces nothing.
#[test]
fn a_file_system_without_such_a_rename_gets_links() {
    let site = Site::empty();
    let mut init_site = Command::new(PLASMAGEN);
    init_site.args(["init", "site", "--admin-key", KEY]);
    let options = ["-e", "trace=renameat2", "-e", "inject=renameat2:error=EINVAL"];
    Run::of(&strace(site.command("strace"), &options, &mut init_site, b"").output).ends(0, &[]);
    assert_eq!(keys(&site), [KEY]);
    assert_eq!(fs::read_dir(site.root()).unwrap().count(), 5);
}

#[test]
fn a_site_that_a_killed_run_has_begun_is_finished_by_the_next_run() {
    let site = Site::new();
    let whole = entries(&site.root());
    // The inventory comes last.
    fs::remove_file(site.inventory()).unwrap();
    let run = init(&site, &["--admin-key", KEY]);
    run.ends(0, &["wrote site/inventory.toml"]);
    assert!(!run.stderr.contains("kept"), "{run:?}");
    assert_eq!(entries(&site.root()).len(), whole.len());
}

#[test]
fn the_next_steps_can_be_pasted() {
    let site = Site::empty();
    let dir = "a site's files";
    let started = site.within(site.path(), &["init", dir, "--admin-key", KEY]);
    started.ends(
        0,
        &["  cd 'a site'\\''s files'\n  git init\n  plasmagen check\n  plasmagen render\n  git add .\n"],
    );
    let (_, steps) = started.stderr.split_once("then run\n").unwrap();
    let mut bash = site.command("bash");
    let script = format!("set -e; plasmagen() {{ $P \"$@\"; }}\n{steps}\ngit ls-files | grep -c /disko.nix");
    let pasted =
        Run::of(&run("bash", bash.current_dir(site.path()).env("P", PLASMAGEN).args(["-c", &script])));
    pasted.ends(0, &["is sound", "issued 3 certificates"]);
    assert!(pasted.stdout.ends_with("3\n"), "{pasted:?}");
    // Inside a repository there is nothing to make.
    let inside = site.within(&site.path().join(dir), &["init", "more", "--admin-key", KEY]);
    assert!(!inside.stderr.contains("git init"), "{inside:?}");
}

#[test]
fn the_flake_names_where_plasmagen_is_or_the_registry() {
    let template = fs::read_to_string("templates/init/flake.nix").unwrap();
    let site = Site::new();
    assert_eq!(site.read("flake.nix"), template);
    assert!(
        template
            .contains("plasmagen.url = \"flake:plasmagen\"; # where it is: nix registry add plasmagen URL\n")
    );

    let site = Site::empty();
    let url = "git+https://git.example.com/ops/plasmagen?ref=main&dir=a'b$c";
    init(&site, &["--admin-key", KEY, "--plasmagen-url", url]).ends(0, &[]);
    let flake = site.read("flake.nix");
    assert!(flake.contains(&format!("    plasmagen.url = \"{url}\";\n")), "{flake}");
    assert!(!flake.contains("registry"), "{flake}");
    assert_eq!(flake.lines().count(), template.lines().count());
}

#[test]
fn a_url_that_is_more_than_a_url_makes_nothing() {
    let site = Site::empty();
    for (url, why) in [
        ("github:a/b\"; evil = \"", "has no place in the URL of a flake"),
        ("path:/a/${builtins.currentTime}", "has no place in the URL of a flake"),
        ("github:a/b\n", "has no place in the URL of a flake"),
        ("../plasmagen", "not the URL of a flake"),
        ("https://user:hunter2@example.com/a", "no user or password"),
    ] {
        let run = init(&site, &["--admin-key", KEY, "--plasmagen-url", url]);
        run.ends(2, &["--plasmagen-url: ", why]);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
    assert!(!site.root().exists());
}

/// `nix flake init` copies the directory as it is.
#[test]
fn the_template_is_what_init_starts_from() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/init");
    let site = Site::started();
    let mut names: Vec<_> = fs::read_dir(&template)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".gitignore", ".pre-commit-config.yaml", "flake.nix", "inventory.toml"]);
    for name in names {
        let text = fs::read_to_string(template.join(&name)).unwrap();
        let lines = text.lines().filter(|line| !line.contains("\"ssh-ed25519 AAAA…"));
        let written = site.read(&name);
        let written = written.lines().filter(|line| !line.contains(KEY));
        assert!(lines.eq(written), "{name}");
    }
    fs::copy(template.join("inventory.toml"), site.inventory()).unwrap();
    site.run(&["check"]).ends(1, &["error[PG-H13]"]);
}
