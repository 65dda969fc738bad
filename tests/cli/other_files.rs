//! Files with secrets that a link or a command line names in the place of the inventory, and inventories with secrets in
//! them: no command and no format quotes a secret. A mere mention of a key hides nothing.

use std::fs;
use std::os::unix::fs::symlink;

use crate::kit::{Run, Site};

/// Files of other programs, each with the secrets in it.
const FILES: &[(&str, &str, &[&str])] = &[
    (
        "shadow",
        "root:$6$Zq8x/y1$kPcVbNq0:19700:0:99999:7:::\ndaemon:*:19700:0:99999:7:::\n",
        &["$6$", "Zq8x", "kPcVbNq0"],
    ),
    (
        ".env",
        "# production\nDB_PASSWORD=hunter2\nDB_URL=postgres://me:hunter3@db/x\n",
        &["hunter2", "hunter3"],
    ),
    (
        ".env in quotes",
        "DB_PASSWORD=\"hunter2\"\nDB_URL=\"postgres://me:hunter3@db/x\"\n",
        &["hunter2", "hunter3"],
    ),
    (".npmrc", "//registry.example/:_authToken=npm_Ab3dEf\nalways-auth=true\n", &["npm_Ab3dEf"]),
    (
        "wg0.conf",
        "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n[Peer]\nEndpoint = x:1\n",
        &["yAnz5TF"],
    ),
    (
        "kubeconfig",
        "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: https://x\n  name: x\nusers:\n- name: admin\n  user:\n    token: eyJhbGciOi\n",
        &["eyJhbGciOi"],
    ),
    ("config.json", "{\"auths\": {\"registry.example\": {\"auth\": \"dXNlcjpwYXNz\"}}}\n", &["dXNlcjpwYXNz"]),
    (
        "credentials",
        "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n",
        &["AKIA", "wJalr"],
    ),
    (
        "config",
        "[profile dev]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n",
        &["AKIA", "wJalr"],
    ),
    ("netrc", "machine example.com\nlogin me\npassword hunter2\n", &["hunter2"]),
    ("pgpass", "db.example.com:5432:*:me:hunter2\n", &["hunter2"]),
    (
        "id_rsa",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\n",
        &["MIIEpAIB"],
    ),
    ("wifi.toml", "[wifi]\nssid = \"home\"\nkey = \"hunter2hunter2\"\n", &["hunter2"]),
    ("key", "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n", &["yAnz5TF"]),
];

/// Checks that no output of `run` holds one of `secrets`.
#[track_caller]
fn hides(run: &Run, name: &str, secrets: &[&str]) {
    for secret in secrets {
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(!all.contains(secret), "{name}: {secret} is in:\n{all}");
    }
}

const FORMATS: [&str; 5] = ["human", "concise", "json", "github", "sarif"];

#[test]
fn a_file_of_another_program_is_one_fault_that_quotes_nothing() {
    let site = Site::empty();
    for (name, text, secrets) in FILES {
        let (file, link) = (site.path().join("elsewhere"), site.path().join("inventory.toml"));
        let _ = fs::remove_file(&link);
        fs::write(&file, text).unwrap();
        symlink(&file, &link).unwrap();
        for format in FORMATS {
            let run = site.within(site.path(), &["check", "--format", format]);
            assert_eq!(run.code, Some(1), "{name}: {}", run.stderr);
            hides(&run, name, secrets);
        }
        let run = site.within(site.path(), &["check"]);
        run.ends(1, &["1 error, 0 warnings", "is this the right file?"]);
        for command in [&["render"][..], &["show"], &["certs", "status"], &["lab", "--list"]] {
            hides(&site.within(site.path(), command), name, secrets);
        }
    }
}

/// Lines below the `[cluster]` header of an inventory, each with a slip and a secret.
const SLIPS: &[&str] = &[
    "password = hunter2x\n",
    "password = “hunter2x”\n",
    "password = \"hunter2x\n",
    "password: hunter2x\n",
    "password: \"hunter2x\"\n",
    "password \"hunter2x\"\npassword = \"hunter2x\"\n",
    "password = \"hunter2x\",\n",
    "password = \"hun\\dter2x\" # a comment\n",
    "password = \"hunter2x\"\npassword = \"hunter2x\"\n",
    "api_token = [\"hunter2x\" \"hunter2x\"]\n",
    "db = { user = \"x\" password = \"hunter2x\" }\n",
    "secret = \"hunter2x\"]\n",
];

#[test]
fn an_inventory_with_a_secret_is_quoted_without_the_secret() {
    let site = Site::new();
    let sound = fs::read_to_string(site.inventory()).unwrap();
    for slip in SLIPS {
        fs::write(site.inventory(), sound.replacen("[cluster]\n", &format!("[cluster]\n{slip}"), 1)).unwrap();
        for format in FORMATS {
            let run = site.run(&["check", "--format", format]);
            assert_eq!(run.code, Some(1), "{slip}: {}", run.stderr);
            hides(&run, slip, &["hunter2x", "hun\\dter2x"]);
        }
    }
}

#[test]
fn a_mention_of_a_key_hides_nothing() {
    let site = Site::new();
    let sound = fs::read_to_string(site.inventory()).unwrap();
    let bad = "# a key begins with -----BEGIN PRIVATE KEY-----\nname = my-cluster # or AGE-SECRET-KEY-\n";
    let text = sound.replacen("name = \"my-cluster\"\n", bad, 1);
    assert_ne!(sound, text);
    fs::write(site.inventory(), text).unwrap();
    site.run(&["check"]).ends(1, &["this text has no quotes", "name = my-cluster", "^^^^^^^^^^", "1 error"]);
}
