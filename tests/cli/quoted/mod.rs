//! Every quoted command line parses: `plasmagen …` in the documents, the rules' pages, templates, profiles and messages
//! names commands and options that exist.

mod lines;
mod parse;
mod texts;

use std::fs;
use std::path::Path;

use self::lines::Line;
use self::parse::Commands;
use self::texts::Text;
use crate::kit::Site;

/// Options of other programs that the texts name alone, without the program.
const OPTIONS_OF_OTHERS: [&str; 4] =
    ["--build-on", "--dports", "--extra-files", "--no-substitute-on-destination"];

/// The files in `dir` and below, by path, that git could know.
fn files(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(entry.path().to_str().unwrap().to_owned());
        }
    }
}

/// The texts of all files that speak to people.
fn texts() -> Vec<Text> {
    let mut paths: Vec<_> =
        ["README.md", "CHANGELOG.md", "flake.nix", "inventory.toml", ".pre-commit-hooks.yaml"]
            .map(str::to_owned)
            .to_vec();
    for dir in ["docs", "nix", "profiles", "src", "templates"] {
        files(Path::new(dir), &mut paths);
    }
    let read = |path: String| Some((fs::read_to_string(&path).ok()?, path));
    paths.into_iter().filter_map(read).flat_map(|(text, path)| texts::of_file(&path, &text)).collect()
}

/// What is wrong with the command lines and options that `texts` quote, and how many there are.
fn faults(texts: &[Text]) -> (Vec<String>, usize) {
    let commands = Commands::new();
    let mut faults = Vec::new();
    let mut count = 0;
    for text in texts {
        for line in lines::of_text(text, &commands) {
            count += 1;
            let fault = commands.fault(&line);
            faults.extend(fault.map(|fault| format!("{}: `{}`: {fault}", text.place, line.words.join(" "))));
        }
        for option in lines::options_alone(text) {
            count += 1;
            if !commands.has_option(&option) && !OPTIONS_OF_OTHERS.contains(&option.as_str()) {
                faults.push(format!("{}: no command has the option {option}", text.place));
            }
        }
    }
    (faults, count)
}

#[test]
fn every_quoted_command_line_parses() {
    let texts = texts();
    let (faults, _) = faults(&texts);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // The texts were found, each kind of them.
    for (part, least) in [
        ("README.md", 15),
        ("docs/rules/", 30),
        ("docs/", 80),
        ("src/", 60),
        ("templates/", 4),
        ("profiles/", 4),
    ] {
        let here: Vec<_> = texts.iter().filter(|text| text.place.starts_with(part)).cloned().collect();
        let (_, count) = self::faults(&here);
        assert!(count >= least, "{part}: {count} command lines");
    }
}

/// The command lines of the section EXAMPLES of a manual page.
fn examples(page: &str) -> Vec<String> {
    let section = page.split(".SH EXAMPLES\n").nth(1).unwrap_or_default();
    let lines = section.lines().filter_map(|line| line.strip_prefix("\\fB")?.strip_suffix("\\fR"));
    lines.map(|line| line.replace("\\-", "-").replace("\\(ti", "~")).collect()
}

#[test]
fn every_manual_page_has_examples_that_parse() {
    let site = Site::empty();
    site.within(site.path(), &["man", "--out", "man"]).ends(0, &[]);
    let commands = Commands::new();
    let mut pages = 0;
    for entry in fs::read_dir(site.path().join("man")).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().replace('-', " ");
        let examples = examples(&page);
        assert!(!examples.is_empty(), "{name} has no example in src/cli/examples.rs");
        for example in examples {
            let words = example.strip_prefix(&name).unwrap_or_else(|| panic!("{name}: {example}"));
            let words = name.split(' ').skip(1).chain(words.split_whitespace()).map(str::to_owned);
            let line = Line { words: words.collect(), is_whole: true, is_sentence: false };
            assert_eq!(commands.fault(&line), None, "{example}");
            pages += 1;
        }
    }
    assert!(pages > 20, "{pages}");
}

/// The faults of a file `name` that says `text`.
fn faults_of(name: &str, text: &str) -> Vec<String> {
    faults(&texts::of_file(name, text)).0
}

#[test]
fn a_quoted_command_line_that_does_not_parse_is_found() {
    for (name, text) in [
        ("a.md", "until `plasmagen certs revoke` exists"),
        ("a.md", "until plasmagen is there, run `plasmagen drain OLD\nNEW`"),
        ("a.md", "as `certs revoke` does"),
        ("a.md", "allow it by name (`--allow-anything node01`)"),
        ("a.md", "`nix build && plasmagen publish result --verify`"),
        ("a.md", "```console\n$ plasmagen arm\n```"),
        ("a.md", "```console\n$ plasmagen bundle --base worker \\\n    --kernel k --initrd i\n```"),
        ("a.md", "```sh\nsource <(plasmagen completions csh)\n```"),
        ("a.md", "```yaml\n- run: plasmagen check --format yaml\n```"),
        ("a.md", "`plasmagen check --format concise|yaml`"),
        ("a.md", "run plasmagen update, then go on"),
        ("a.nix", "# Who writes it: plasmagen secrets stage --into DIR"),
        ("a.rs", "fn f() { help(\"run: plasmagen machine add {name}\") }"),
        ("a.rs", "let help = r#\"write it anew: `plasmagen render --force`\"#;"),
        ("a.sh", "exec plasmagen bundle \\\n  --profil x"),
        ("a.rs", "/// A key, as `plasmagen secrets\n/// show` prints it\nfn f<'a>(c: char) { c == '\"' }"),
        ("CHANGELOG.md", "## Unreleased\n- `plasmagen publish --undo`\n## 0.1\n"),
    ] {
        assert_eq!(faults_of(name, text).len(), 1, "{name}: {text}: {:?}", faults_of(name, text));
    }
}

#[test]
fn a_quoted_command_line_that_parses_is_no_fault() {
    for (name, text) in [
        ("a.md", "`plasmagen arm NODE…` and `plasmagen render [--check]`; `plasmagen …` does more"),
        ("a.md", "plasmagen writes nothing; `plasmagen` prints help, `plasmagen.nixosModules` is Nix"),
        ("a.md", "| `plasmagen check --format human\\|json [INVENTORY]...` | `render --check` |"),
        ("a.md", "```console\n$ cargo run --release -- render inventory.toml\nplasmagen: did nothing\n```"),
        ("a.md", "`nixos-anywhere --extra-files`, `--quiet` and `cp --archive`"),
        ("a.rs", "format!(\"run: plasmagen publish {dir}, then plasmagen arm {name} --root {root:?}\")"),
        ("a.nix", "plasmagen schema > {file} makes it fit; `plasmagen lab --bundle worker=nowhere`"),
        ("a.rs", "// What plasmagen render left there, plasmagen publish --rollback takes.\n"),
        ("a.rs", "// A plasmagen of yesterday.\nlet c = b'\"'; let s = \"plasmagen arm did not write it\";"),
        ("CHANGELOG.md", "## Unreleased\n## 0.1\n- `plasmagen publish --undo`\n"),
    ] {
        assert_eq!(faults_of(name, text), Vec::<String>::new(), "{name}: {text}");
    }
}
