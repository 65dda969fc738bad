//! `plasmagen diff`: where its clusters come from, and how it ends.

use std::fs;

use crate::kit::Site;

const VIP: (&str, &str) = ("iam = \"10.0.200.101\"", "iam = \"10.0.200.101\"\ncache = \"10.0.200.105\"");

/// A site whose first version is rendered and committed.
fn committed() -> Site {
    let site = Site::rendered();
    for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "first"]] {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        site.tool("git", "git", &[&identity, args].concat()).ends(0, &[]);
    }
    site
}

#[test]
fn what_was_rendered_last_is_the_old_cluster() {
    let site = Site::rendered();
    for args in [&["diff"][..], &["diff", "--order"]] {
        let run = site.untouched(|| site.run(args));
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), "nothing changes\n"));
        run.ends(0, &["machines may run what was rendered before: plasmagen diff --since REV"]);
    }
    site.edit(VIP.0, VIP.1);
    let run = site.untouched(|| site.run(&["diff"]));
    run.ends(0, &[]);
    for words in
        ["restart", "[certificate]", "+ cache.cluster.example.com, 10.0.200.105", "3 nodes: 3 restart."]
    {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    let run = site.run(&["diff", "--node", "node01"]);
    assert!(run.stdout.contains("node01") && !run.stdout.contains("name servers"), "{}", run.stdout);
    site.run(&["diff", "--node", "node77"]).ends(2, &["there is no node `node77`"]);
}

#[test]
fn an_old_cluster_that_cannot_be_read_is_an_error_and_never_an_empty_one() {
    let site = Site::new();
    site.run(&["diff"]).ends(2, &["nothing was rendered yet", "plasmagen diff --since REV"]);
    site.run(&["render"]).ends(0, &[]);
    let path = site.root().join("site/inventory.json");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to, words) in [
        ("\"schema\": 1", "\"schema\": 9", "it has the schema 9"),
        ("\"voter\": true", "\"voters\": true", "missing field `voter`"),
        ("{", "", "it is no resolved inventory"),
    ] {
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let run = site.run(&["diff"]);
        run.ends(2, &["could not use", "site/inventory.json", words]);
        assert_eq!(run.stdout, "");
    }
    fs::write(site.root().join("bad.toml"), "schema = 1\n").unwrap();
    site.run(&["diff", "bad.toml"]).ends(1, &["bad.toml is refused"]);
    site.run(&["diff", "nowhere.toml"]).ends(2, &["could not read nowhere.toml"]);
}

#[test]
fn a_revision_of_git_is_the_old_cluster() {
    let site = committed();
    site.edit(VIP.0, VIP.1);
    site.run(&["render"]).ends(0, &[]);
    let since = site.run(&["diff", "--since", "HEAD"]);
    since.ends(0, &[]);
    assert!(since.stdout.contains("cache.cluster.example.com"), "{}", since.stdout);
    assert_eq!(site.run(&["diff"]).stdout, "nothing changes\n");
    site.run(&["diff", "--since", "nowhere"]).ends(2, &["git finds no revision \"nowhere\""]);
    site.run(&["diff", "--since=--output=pwned"]).ends(2, &["git finds no revision"]);
    assert!(!site.root().join("pwned").exists());
    site.shell(
        "git rm --quiet --cached inventory.toml && git -c user.name=a -c user.email=a@b commit -qm gone",
    )
    .ends(0, &[]);
    site.run(&["diff", "--since", "HEAD"]).ends(2, &["the revision \"HEAD\" has no"]);
    // The root of the work tree may lie above the site.
    let below = site.shell("cd .. && $P diff --since HEAD~1 -i site/inventory.toml");
    below.ends(0, &[]);
    assert!(below.stdout.contains("cache.cluster.example.com"), "{}", below.stdout);
}

#[test]
fn either_side_is_a_file_or_standard_input() {
    let site = Site::rendered();
    site.shell("cp inventory.toml old.toml").ends(0, &[]);
    site.edit(VIP.0, VIP.1);
    for command in [
        "$P diff old.toml",
        "$P diff old.toml inventory.toml",
        "$P diff - < old.toml",
        "$P diff old.toml - < inventory.toml",
        "$P diff site/inventory.json inventory.toml",
        "$P diff - < site/inventory.json",
    ] {
        let run = site.shell(command);
        run.ends(0, &[]);
        assert!(run.stdout.contains("cache.cluster.example.com"), "{command}: {}", run.stdout);
    }
    let back = site.run(&["diff", "inventory.toml", "old.toml"]);
    assert!(back.stdout.contains("vips.cache is gone"), "{}", back.stdout);
    site.shell("$P diff - - < old.toml").ends(2, &["standard input is one cluster only"]);
    site.run(&["diff", "--since", "HEAD", "old.toml"]).ends(2, &["cannot be used with"]);
}

/// Commits everything in the site's directory.
fn commit(site: &Site) {
    site.shell("git add . && git -c user.name=a -c user.email=a@example.com commit --quiet --message next")
        .ends(0, &[]);
}

/// A committed site that an earlier plasmagen rendered, whose names on disks hold no node's name.
fn rendered_earlier() -> Site {
    let site = committed();
    let tree = site.root().join("site/inventory.json");
    let text = fs::read_to_string(&tree).unwrap();
    fs::write(&tree, text.replace("\"labels\": \"node\"", "\"labels\": \"disk\"")).unwrap();
    site.shell("rm nodes/*/disko.nix").ends(0, &[]);
    site.run(&["render", "--discard-edits"]).ends(0, &[]);
    commit(&site);
    site
}

/// The names on the disks of a node that was rendered by an earlier plasmagen stay, whatever the old inventory was resolved
/// from.
#[test]
fn names_on_disks_that_nobody_changed_are_no_change() {
    let site = rendered_earlier();
    for args in [&["diff"][..], &["diff", "--since", "HEAD"]] {
        assert_eq!(site.run(args).stdout, "nothing changes\n", "{args:?}");
    }
}

/// The inventory of the revision says nothing of names on disks: its rendered tree does.
#[test]
fn names_on_disks_that_change_are_seen_since_a_revision() {
    let site = rendered_earlier();
    site.run(&["render", "--install-anew", "node02"]).ends(0, &[]);
    commit(&site);
    let gate = ["diff", "--since", "HEAD~1", "--fail-on", "data"];
    let run = site.run(&gate);
    run.ends(1, &["PG-J01: DATA LOSS or worse: node02"]);
    assert!(run.stdout.contains("layout.labels disk → node"), "{}", run.stdout);
    // Without a resolved inventory, the layouts tell.
    let copy = site.copy();
    copy.shell("git checkout --quiet HEAD~1 && git rm --quiet --cached site/inventory.json").ends(0, &[]);
    copy.shell("git -c user.name=a -c user.email=a@b commit --quiet --message old && git tag old")
        .ends(0, &[]);
    copy.shell("git checkout --quiet --force -").ends(0, &[]);
    copy.run(&["diff", "--since", "old", "--fail-on", "data"])
        .ends(1, &["PG-J01: DATA LOSS or worse: node02"]);
}

const LAYOUT: (&str, &str) = ("[node.node02]\n", "[node.node02]\ndisk.single = { format = \"xfs\" }\n");

#[test]
fn a_gate_fails_for_the_classes_that_it_names_and_prints_everything() {
    let site = Site::rendered();
    site.edit(LAYOUT.0, LAYOUT.1);
    let plain = site.run(&["diff"]);
    plain.ends(0, &[]);
    assert!(plain.stdout.contains("DATA LOSS"), "{}", plain.stdout);
    for (args, code, words) in [
        (&["--fail-on", "data"][..], 1, "PG-J01: DATA LOSS or worse: node02"),
        (&["--fail-on", "restart"], 1, "restart or worse: node02"),
        (&["--fail-on", "data", "--allow-destructive", "node02"], 0, ""),
        (&["--fail-on", "data", "--allow-destructive", "node01"], 1, "node02"),
        (&["--fail-on", "data", "--allow-destructive", "node77"], 2, "there is no node `node77`"),
        (&["--fail-on", "many,quorum"], 0, ""),
        (&["--allow-destructive", "node02"], 2, "--fail-on"),
    ] {
        let run = site.run(&[&["diff"], args].concat());
        run.ends(code, &[words]);
        assert!(code == 2 || run.stdout == plain.stdout, "{args:?}: {}", run.stdout);
    }
    site.edit("[node.node03]\n", "[node.node03]\ndisk.single = { format = \"xfs\" }\n");
    let words =
        "PG-G13: chainfire: 2 of 3 members are touched, 2 of the 3 that formed it; 1 stay, 2 are needed";
    site.run(&["diff", "--fail-on", "quorum"]).ends(1, &[words]);
    let order = site.run(&["diff", "--order"]);
    order.ends(1, &["no procedure keeps the majority of chainfire", "one member in each part"]);
    assert_eq!(order.stdout, "");
    let site = Site::rendered();
    site.edit(VIP.0, VIP.1);
    site.run(&["diff", "--fail-on", "data,quorum"]).ends(0, &[]);
    site.run(&["diff", "--fail-on", "many"]).ends(1, &["PG-J02: more than half of the nodes", "3 restart"]);
}

#[test]
fn the_procedure_names_commands_that_exist() {
    let site = Site::rendered();
    site.edit(LAYOUT.0, LAYOUT.1);
    let run = site.run(&["diff", "--order"]);
    let lines: Vec<&str> = run.stdout.lines().map(str::trim).collect();
    let place = |words: &str| {
        lines
            .iter()
            .position(|line| line.contains(words))
            .unwrap_or_else(|| panic!("{words}: {}", run.stdout))
    };
    assert!(place("plasmagen render --install-anew node02") < place("remove node02 from chainfire"));
    assert!(place("remove node02 from chainfire") < place("plasmagen arm node02"));
    assert!(place("plasmagen arm node02") < place("nixos-anywhere --flake .#node02"));
    for line in lines.iter().filter_map(|line| line.strip_prefix("$ plasmagen")) {
        let words = std::iter::once("plasmagen").chain(line.split_whitespace());
        plasmagen::cli::command().try_get_matches_from(words).unwrap();
    }
    let markdown = site.run(&["diff", "--order", "--format", "markdown"]).stdout;
    assert!(
        markdown.contains("1. write the files") && markdown.contains("   - `plasmagen arm node02`"),
        "{markdown}"
    );
}

#[test]
fn a_change_is_printed_for_programs_and_for_pull_requests() {
    let site = Site::rendered();
    site.edit(LAYOUT.0, LAYOUT.1);
    let run = site.run(&["diff", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let change = &value["changes"][0];
    assert_eq!(
        (&value["schema"], &change["class"], &change["known"]),
        (&1.into(), &"data".into(), &true.into())
    );
    assert_eq!(change["who"]["node"], "node02");
    assert_eq!(change["causes"][0]["key"], "nodes.node02.layout.format");
    assert_eq!((&change["causes"][0]["old"], &change["causes"][0]["new"]), (&"ext4".into(), &"xfs".into()));
    assert_eq!(
        (&value["summary"]["effects"]["data"], &value["members"][0]["members"]),
        (&1.into(), &3.into())
    );
    let markdown = site.run(&["diff", "--format", "markdown"]).stdout;
    assert!(markdown.starts_with("**3 nodes: 1 DATA LOSS, 2 unchanged.**"), "{markdown}");
    assert!(markdown.contains("| node02 | DATA LOSS | the disks"), "{markdown}");
}

#[test]
fn render_says_in_one_sentence_what_the_change_does() {
    let site = committed();
    site.edit(VIP.0, VIP.1);
    site.run(&["render"]).ends(0, &["3 nodes: 3 restart. 3 new certificates", "plasmagen diff --since HEAD"]);
    assert!(!site.run(&["render"]).stderr.contains("restart"));
}

/// A service that comes or goes is one value, with its settings inside.
#[test]
fn settings_of_services_that_come_and_go_are_not_printed() {
    let site = Site::rendered();
    site.append("\n[service.iam.settings]\nsigning = \"hunter2\"\n");
    site.shell("cp inventory.toml old.toml").ends(0, &[]);
    let text = fs::read_to_string(site.inventory()).unwrap();
    let services =
        text.lines().find(|line| line.starts_with("services") && line.contains("\"iam\"")).unwrap();
    site.edit(services, &services.replace(", \"iam\"", ""));
    for args in
        [&["diff", "old.toml"][..], &["diff", "inventory.toml", "old.toml"], &["diff", "--format", "json"]]
    {
        for format in ["human", "json", "markdown"] {
            let run = site.run(&[args, &["--format", format]].concat());
            assert!(run.code == Some(2) || run.stdout.contains("iam"), "{args:?}: {}", run.stdout);
            assert!(!run.stdout.contains("hunter2"), "{args:?} {format}: {}", run.stdout);
        }
    }
}

#[test]
fn a_gate_fails_for_a_way_in_that_is_cut_off_and_for_what_is_not_known() {
    let site = Site::rendered();
    site.edit(VIP.0, VIP.1);
    site.run(&["diff", "--fail-on", "lock-out,not-known"]).ends(0, &[]);
    site.append("\n[firewall]\nssh_from = [\"192.0.2.0/24\"]\n");
    site.run(&["diff", "--fail-on", "network"]).ends(0, &[]);
    site.run(&["diff", "--fail-on", "lock-out"]).ends(1, &["may lock you out: node01, node02, node03"]);
    site.append("\n[service.chainfire.settings]\nlimit = 1\n");
    site.run(&["diff", "--fail-on", "not-known"]).ends(1, &["not known in full: node01"]);
}

/// A renamed node is allowed and shown by either name.
#[test]
fn the_old_name_of_a_machine_is_known() {
    let site = Site::rendered();
    site.edit("node02", "node09");
    let new = site.run(&["diff", "--node", "node09"]).stdout;
    assert!(new.contains("DATA LOSS"), "{new}");
    assert_eq!(site.run(&["diff", "--node", "node02"]).stdout, new);
    for name in ["node02", "node09"] {
        site.run(&["diff", "--fail-on", "data", "--allow-destructive", name]).ends(0, &[]);
    }
}

#[test]
fn text_of_an_inventory_mentions_nobody_in_a_pull_request() {
    let site = Site::rendered();
    site.append("\n[service.chainfire.settings]\n\"@org/team http://example.net ~~a~~\" = 1\n");
    let markdown = site.run(&["diff", "--format", "markdown"]).stdout;
    assert!(markdown.contains("\\@org/team http\\://example.net \\~\\~a"), "{markdown}");
}
