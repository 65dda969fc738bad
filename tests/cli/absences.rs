//! Vaults that are not at hand: every command says so in its way, and those that need no key go on.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use test_kit::process::is_root;

use crate::kit::Site;
use crate::situations::{COMMANDS, append_ca, lose_vault, plant, set_mode, sound};

/// A change to the place of the vault in a sound site.
type Remove = fn(&Site);

/// Places without a vault, each with the words that every command says of it, and with those of a command that needs a key.
#[rustfmt::skip]
const ABSENCES: [(&str, Remove, &str, &str); 5] = [
    ("a lost vault", lose_vault, "there is no vault at ", "its key is not in the vault "),
    ("an empty mount point", |site| { lose_vault(site); make_mount_point(&site.vault()) },
        "my-cluster, only an empty directory", "only an empty directory that others may enter"),
    ("a new file system", |site| { lose_vault(site); make_mount_point(&site.vault()); fs::create_dir(site.vault().join("lost+found")).unwrap() },
        "my-cluster, only an empty directory", "only an empty directory that others may enter"),
    ("a link that leads nowhere", |site| { lose_vault(site); symlink("/nowhere/vault", site.vault()).unwrap() },
        "my-cluster, only a symbolic link that leads nowhere", "my-cluster is not a directory"),
    ("a link that leads to itself", |site| { lose_vault(site); symlink(site.vault(), site.vault()).unwrap() },
        "my-cluster, only a symbolic link that leads nowhere", "could not resolve "),
];

/// Makes a directory that everybody may enter, as a mount point is.
fn make_mount_point(path: &Path) {
    fs::create_dir(path).unwrap();
    set_mode(path, 0o755);
}

/// A vault that is not there is a warning, since most commands need none.
#[test]
fn a_vault_that_is_not_there_is_told_by_every_command_in_its_way() {
    let sound = sound();
    for (what, remove, why, refusal) in ABSENCES {
        let site = sound.copy();
        remove(&site);
        let words =
            ["warning[PG-H19]", "the vault of the CA in nodes/ is not at hand: there is no vault at ", why];
        let brief = ["1 warning: plasmagen check"];
        let verdict = ["is sound: 3 nodes, 1 warning; not compared with the vault"];
        let key = ["has no key for node01.cluster.example.com", refusal];
        for (command, code, words) in [
            (COMMANDS[0], 0, &[&words[..], &verdict].concat()[..]),
            (COMMANDS[1], 0, &[&words[..], &["no node added"]].concat()),
            (COMMANDS[3], 2, &[brief[0], key[usize::from(what != "a lost vault")]]),
            (COMMANDS[5], 0, &brief),
        ] {
            let run = site.copy().run(command);
            assert_eq!(run.code, Some(code), "{what}: {command:?}: {}", run.stderr);
            run.ends(code, words);
        }
        // The comparison needs no vault.
        assert!(!site.run(COMMANDS[2]).ends(0, &[]).stderr.contains("PG-H19"), "{what}");
        // What must be issued is refused.
        site.append(crate::kit::NODE04);
        site.untouched(|| site.run(&["render"]).ends(2, &[refusal]).code);
    }
}

/// The warning of a vault that is not there is counted in every format, and a reason to refuse where warnings are.
#[test]
fn a_lost_vault_is_a_warning_like_every_other() {
    let site = sound();
    lose_vault(&site);
    for (format, words) in
        [("json", "\"code\":\"PG-H19\""), ("sarif", "\"ruleId\": \"PG-H19\""), ("concise", "[PG-H19]: ")]
    {
        let run = site.run(&["check", "--format", format]);
        assert!(run.ends(0, &[]).stdout.contains(words), "{format}: {}", run.stdout);
    }
    site.run(&["check", "--deny-warnings"]).ends(1, &["0 errors, 1 warning"]);
}

/// Root publishes beside an operator's vault: commands that need no key go on without it. Only root can make a vault of
/// another user and enter it; anybody else lets others into the vault here, and every command refuses that.
#[test]
fn a_vault_of_another_user_stops_the_commands_that_use_keys() {
    let sound = sound();
    for command in COMMANDS {
        let site = sound.copy();
        plant(&site, "");
        let run = site.run(command);
        let needs_keys = command == COMMANDS[1] || command[0] == "secrets";
        if needs_keys || !is_root() {
            run.ends(1, &["error[PG-H19]", "the vault cannot be used", "private keys"]);
            continue;
        }
        let words: &[&str] = match command {
            ["check"] => &["warning[PG-H19]", "my-cluster belongs to user 65534: not compared"],
            ["publish", ..] => &["1 warning: plasmagen check"],
            _ => &[],
        };
        run.ends(0, words);
    }
}

/// A public network that was narrowed leaves a CA that may vouch for more than the inventory's networks: sound for the vault,
/// and a doubt without it.
#[test]
fn a_narrowed_public_network_is_a_warning_without_the_vault() {
    let site = Site::new();
    site.edit("10.0.200.", "203.0.112.");
    site.edit("203.0.112.0/24", "203.0.112.0/23");
    site.run(&["render"]).ends(0, &[]);
    site.edit("203.0.112.0/23", "203.0.112.0/24");
    site.run(&["check", "--deny-warnings"]).ends(0, &["0 warnings"]);
    lose_vault(&site);
    let words =
        ["warning[PG-H18]", "may vouch for `203.0.112.0/23`: neither the cluster's networks", "--vault"];
    site.run(&["check"]).ends(0, &words);
    site.run(&["check", "--deny-warnings"]).ends(1, &words);
    site.edit("state_version", "allow = [\"PG-H18\", \"PG-H19\"]\nstate_version");
    site.run(&["check", "--deny-warnings"]).ends(0, &["0 warnings; not compared with the vault"]);
}

/// CI has no vault: the inventory says that this is so, and `check` says that nothing was compared.
#[test]
fn a_vault_that_is_elsewhere_on_purpose_is_acknowledged() {
    let ci = sound();
    lose_vault(&ci);
    let elsewhere = [
        ("state_version", "allow = [\"PG-H19\"]\nstate_version"),
        ("schema = 1", "schema = 1\nvault = { path = \"/nowhere/vault\", allow = [\"PG-H19\"] }"),
    ];
    for (old, new) in elsewhere {
        let ci = ci.copy();
        let text = fs::read_to_string(ci.inventory()).unwrap().replacen(old, new, 1);
        fs::write(ci.inventory(), text).unwrap();
        ci.run(&["check", "--deny-warnings"]).ends(0, &["0 warnings; not compared with the vault"]);
        ci.run(&["render", "--check"]).ends(0, &[]);
        let stranger = append_ca(&ci, "Corporate Root", "");
        assert!(stranger.is_none());
        ci.run(&["check"]).ends(1, &["PG-H18"]);
        // An error is not acknowledged.
        ci.run(&["check", "--vault", "/etc"]).ends(1, &["error[PG-H19]"]);
    }
    assert!(!Site::new().run(&["check"]).ends(0, &[]).stderr.contains("vault"), "nothing is lost yet");
}
