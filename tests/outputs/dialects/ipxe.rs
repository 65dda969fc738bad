//! Read back by a model of iPXE's script reader, written from what its sources do. iPXE itself only runs on a machine.
//!
//! - `script.c`: lines end at `\n`, less one `\r` before it; a last `\` joins the next line; a line whose first
//!   character after white space is `:` starts with a label.
//! - `exec.c`: white space, as C has it, splits a line into tokens, whatever stands in them. A token that starts with
//!   `#` ends the line; `||`, `&&` and `;` end a command. Only then is each token expanded, on its own.
//! - `settings.c`: of the first `}` that has a `${` before it and the last such `${`, what stands between them is
//!   replaced, until there are no more.
//! - `getopt.c`: arguments that start with `-` are options, up to the first that does not.

use proptest::prelude::*;

use crate::dialects::{DIGITS, LOWER, UPPER, calls, print, taken, texts};

/// Commands with their arguments, options marked, for a script in which only the setting `v` exists.
fn read(script: &str, v: &str) -> Vec<Vec<String>> {
    let mut commands = vec![];
    let mut joined = String::new();
    for line in script.split('\n') {
        joined += line.strip_suffix('\r').unwrap_or(line);
        if joined.ends_with('\\') {
            joined.pop();
            continue;
        }
        let line = std::mem::take(&mut joined);
        let mut tokens =
            line.split([' ', '\t', '\n', '\r', '\x0b', '\x0c']).filter(|token| !token.is_empty()).peekable();
        if let Some(label) = tokens.next_if(|token| token.starts_with(':')) {
            commands.push(vec!["label".to_owned(), label.to_owned()]);
        }
        let tokens: Vec<_> = tokens.take_while(|token| !token.starts_with('#')).collect();
        for command in tokens.split(|token| ["||", "&&", ";"].contains(token)) {
            let mut words: Vec<_> = command.iter().map(|token| expand(token, v)).collect();
            for option in words.iter_mut().skip(1).take_while(|word| word.starts_with('-')) {
                option.insert_str(0, "option ");
            }
            commands.push(words);
        }
    }
    commands
}

fn expand(token: &str, v: &str) -> String {
    let mut text = token.to_owned();
    for _ in 0..9 {
        let hole = text.match_indices('}').find_map(|(end, _)| Some((text[..end].rfind("${")?, end)));
        let Some((start, end)) = hole else { return text };
        let value = if &text[start + 2..end] == "v" { v } else { "" };
        text = format!("{}{value}{}", &text[..start], &text[end + 1..]);
    }
    // A setting that holds itself: iPXE would go on for ever.
    "endless".to_owned()
}

/// Where a template may have a word: what stands before it, at its two ends, and after it.
const PLACES: &[(&str, &str, &str, &str)] = &[
    ("", "", "", " next"),
    ("set v ", "", "", ""),
    ("chain ", "", "", " next"),
    ("echo ", "initrd=", "", " next"),
    ("imgargs kernel a=b ", "", "{v}", " next"),
];

/// Whether iPXE takes `word` as it stands, in every place and as the value of a setting.
fn survives(word: &str) -> bool {
    PLACES.iter().all(|(before, left, right, after)| {
        let token = format!("{left}{word}{right}");
        let words: Vec<_> =
            before.split_whitespace().chain([token.as_str()]).chain(after.split_whitespace()).collect();
        read(&format!("{before}{token}{after}\nend"), word) == [words, vec!["end"]]
    }) && read("echo x=${v}", word) == [["echo", &format!("x={word}")]]
}

proptest! {
    #![proptest_config(calls(64))]

    #[test]
    fn words_survive(texts in texts()) {
        for text in texts {
            match print("literal.ipxe.j2", &text) {
                Some(printed) => {
                    prop_assert_eq!(&printed, &text);
                    prop_assert!(survives(&text), "{:?} is printed, but iPXE reads something else", text);
                }
                // Not iPXE's reading: what Linux makes of a quote, EFI of other alphabets, a console of control characters.
                None => {
                    let abroad = text.chars().any(|c| c == '"' || !c.is_ascii() || c.is_control());
                    prop_assert!(abroad || !survives(&text), "{:?} is refused for no reason", text);
                }
            }
            if let Some(printed) = print("bare.ipxe.j2", &text) {
                prop_assert_eq!(&printed, &text);
                prop_assert!(survives(&text), "{:?} is a bare word, but iPXE reads something else", text);
            }
        }
    }
}

#[test]
fn the_model_knows_ipxe() {
    assert_eq!(read(":a b ${v}# c #d", "x"), [vec!["label", ":a"], vec!["b", "x#", "c"]]);
    assert_eq!(
        read("a||b && c -x d -e ; f\\\r\ng", "x"),
        [vec!["a||b"], vec!["c", "option -x", "d", "-e"], vec!["fg"]]
    );
    assert_eq!(read("a || b ; c", "x"), [["a"], ["b"], ["c"]]);
    assert_eq!(expand("${a${v}b}${v}${", "x"), "x${");
    for word in ["", "a b", "#a", ":a", "-a", "||", "&&", ";", "${v}", "a${", "a$", "a\\"] {
        assert!(!survives(word), "{word:?}");
    }
}

#[test]
fn what_is_a_word() {
    let graphic = (b'!'..=b'~').map(char::from).filter(|&c| c != '"');
    assert_eq!(taken("literal.ipxe.j2", "a", "a"), graphic.clone().collect::<String>());
    assert_eq!(
        taken("literal.ipxe.j2", "", "a"),
        graphic.filter(|c| !"#-:".contains(*c)).collect::<String>()
    );
    assert_eq!(taken("bare.ipxe.j2", "a", ""), format!("-./{DIGITS}:{UPPER}_{LOWER}"));
    assert_eq!(taken("bare.ipxe.j2", "", "a"), format!("./{DIGITS}{UPPER}_{LOWER}"));
}

#[test]
fn lists_and_numbers() {
    assert_eq!(print("literal.ipxe.j2", ["console=ttyS0", "quiet"]).unwrap(), "console=ttyS0 quiet");
    assert_eq!(print("literal.ipxe.j2", Vec::<&str>::new()).unwrap(), "");
    assert_eq!(print("literal.ipxe.j2", 5000).unwrap(), "5000");
    assert_eq!(print("literal.ipxe.j2", -1), None);
    assert_eq!(print("literal.ipxe.j2", true), None);
}
