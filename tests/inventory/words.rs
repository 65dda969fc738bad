//! The words of the code: a binding, a field and a function are called after the thing that they hold or do.

use std::fs;

use walkdir::WalkDir;

/// An identifier that says nothing of the type behind it.
const EMPTY: &str = "own";

/// The length of the comment or literal that `rest` begins with. A lifetime is none.
fn skipped(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let hashes = rest.strip_prefix('r').map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
    let raw = format!("r{}\"", "#".repeat(hashes));
    if rest.starts_with(&raw) {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(raw.len() + rest[raw.len()..].find(&end)? + end.len());
    }
    let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let is_lifetime =
        quote == '\'' && !rest.starts_with("'\\") && rest.chars().nth(2).is_none_or(|c| c != '\'');
    let mut is_escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == quote && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        ends
    });
    end.filter(|_| !is_lifetime).map(|(at, _)| at + 1)
}

/// `source` without its comments and literals. The lines keep their numbers.
fn code_of(source: &str) -> String {
    let (mut code, mut rest) = (String::new(), source);
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or(0);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            // A space, so that the words around the literal stay apart.
            code.push(' ');
            code.extend(rest[..length].chars().filter(|c| *c == '\n'));
            rest = &rest[length..];
        }
    }
    code
}

/// The numbers of the lines of `source` in whose code `EMPTY` is an identifier.
fn lines_with_empty_name(source: &str) -> Vec<usize> {
    let is_named =
        |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == EMPTY);
    code_of(source).lines().zip(1..).filter(|(line, _)| is_named(line)).map(|(_, number)| number).collect()
}

#[test]
fn no_identifier_is_an_empty_word() {
    let files = ["benches", "src", "tests"].into_iter().flat_map(WalkDir::new).map(Result::unwrap);
    let files: Vec<_> = files.filter(|file| file.path().extension().is_some_and(|end| end == "rs")).collect();
    assert!(files.len() > 300, "{} files were read", files.len());
    let found: Vec<_> = files
        .iter()
        .flat_map(|file| {
            let lines = lines_with_empty_name(&fs::read_to_string(file.path()).unwrap());
            lines.into_iter().map(|number| format!("{}:{number}", file.path().display()))
        })
        .collect();
    assert!(
        found.is_empty(),
        "`{EMPTY}` names nothing: call these after the type of what they hold: {found:#?}"
    );
}

#[test]
fn an_identifier_is_found_in_code_only() {
    for code in [
        "let own = 1;",
        "let mut own;",
        "nodes.map(|own| own.name)",
        "for own in nodes {",
        "fn f<'a>(own: &'a str) {}",
        "f('\"', own, '\\'')",
        "[\"\\\"\", own, \"\"]",
        "r#\"\"\"#, own",
        "(\"\n\", Some(own)",
    ] {
        let lines = lines_with_empty_name(&format!("\n{code}\n"));
        assert_eq!(lines, [1 + code.lines().count()], "{code}");
    }
    for code in
        ["// its own", "\"own\"", "r#\"\"own\"\"#", "\"\\\"own\"", "'\"' // own \"", "own_key", "\"\n own\""]
    {
        assert_eq!(lines_with_empty_name(code), Vec::<usize>::new(), "{code}");
    }
}
