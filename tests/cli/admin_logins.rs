//! The login that docs/ssh-keys.md describes before an admin key is removed: it succeeds with the new key alone.

use std::fs;

use crate::host_keys::serve;
use crate::kit::{Run, Site};

/// The documented command, from `ssh` to `true`.
fn documented() -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ssh-keys.md")).unwrap();
    let at = page.find("ssh -F /dev/null").unwrap();
    let end = at + page[at..].find(" || echo").unwrap();
    page[at..end].to_owned()
}

/// The command finds no key but the new one, whatever the configuration of the user says.
#[test]
fn the_documented_login_needs_the_new_key() {
    let site = Site::rendered();
    // An account that is not locked: nss-systemd says that nobody's is.
    let [server, prepare] = serve(&site, "games");
    site.shell("cd ..; for key in old new; do ssh-keygen -q -t ed25519 -N '' -f $key; done").ends(0, &[]);
    let [old, new, config, accepted] =
        ["old", "new", "config", "accepted"].map(|file| site.path().join(file).display().to_string());
    // In the place of ~/.ssh/config: of two -F, ssh takes the last.
    fs::write(&config, format!("IdentityFile {old}\nIdentityFile {new}\n")).unwrap();
    let log_in = |command: &str, keys: &[&str]| -> Run {
        let keys = keys.iter().map(|key| fs::read_to_string(format!("{key}.pub")).unwrap());
        fs::write(&accepted, keys.collect::<String>()).unwrap();
        let server = format!("{server} -o StrictModes=no -o AuthorizedKeysFile={accepted}");
        let command = command.replace("~/.ssh/new", &new).replace("root@$node", "\"$WHO\"@node01");
        site.shell(&format!(
            "{prepare}; if ((EUID == 0)); then WHO=games; else WHO=$(id -un); fi
             ssh() {{ command ssh -F {config} -v -o ProxyCommand='{server}' \"$@\"; }}
             {command}"
        ))
    };
    let (login, refusal) = ("Authenticated to node01", "Permission denied (publickey");
    let command = documented();
    let [only_new, only_old] = [[new.as_str()], [old.as_str()]].map(|keys| log_in(&command, &keys));
    assert!(only_new.stderr.contains(login), "{}", only_new.stderr);
    only_old.ends(255, &[refusal]);
    // Without -F, the old key would log in, and the operator would remove it.
    let trap = log_in(&command.replace("-F /dev/null ", ""), &[&old]);
    assert!(trap.stderr.contains(login), "{}", trap.stderr);
}
