//! Every template in `templates/` compiles, has a dialect, and has each hole where a whole token may stand.

use std::fs;
use std::path::Path;

use plasmagen::render::{Renderer, Template};

/// What a template consists of, as far as quotes go.
enum Piece {
    Hole,
    Quote(&'static str),
    Other,
}

/// The piece that `rest` starts with, and its length. `string` is the quote that opened the string around it, if any;
/// `previous` the character before it.
fn piece(rest: &str, string: Option<&str>, previous: char) -> (Piece, usize) {
    if let Some(length) = tag(rest, "{{", "}}") {
        return (Piece::Hole, length);
    }
    if let Some(length) = tag(rest, "{%", "%}").or_else(|| tag(rest, "{#", "#}")) {
        return (Piece::Other, length);
    }
    let character = |at: usize| rest[at..].chars().next().map_or(0, char::len_utf8);
    match string {
        // A comment, in every language so far. After anything but white space iPXE takes the # for text.
        None if rest.starts_with('#') && previous.is_whitespace() => {
            (Piece::Other, rest.find('\n').unwrap_or(rest.len()))
        }
        None if rest.starts_with("''") => (Piece::Quote("''"), 2),
        None | Some("\"") if rest.starts_with('"') => (Piece::Quote("\""), 1),
        Some("\"") if rest.starts_with('\\') => (Piece::Other, 1 + character(1)),
        // Nix's escapes in its other strings.
        Some("''") if ["'''", "''$", "''\\"].iter().any(|escape| rest.starts_with(escape)) => {
            (Piece::Other, 3)
        }
        Some("''") if rest.starts_with("''") => (Piece::Quote("''"), 2),
        _ => (Piece::Other, character(0)),
    }
}

/// The length of the tag that `text` starts with.
fn tag(text: &str, open: &str, close: &str) -> Option<usize> {
    Some(open.len() + text.strip_prefix(open)?.find(close)? + close.len())
}

/// What is wrong with the holes of `source`: printed inside a string or beside a quote, a literal would have its quotes
/// twice, and a bare word would not be a token.
fn faults(source: &str) -> Vec<String> {
    let mut faults = vec![];
    let mut string = None;
    let (mut at, mut previous) = (0, '\n');
    while at < source.len() {
        let (piece, length) = piece(&source[at..], string, previous);
        let (text, after) = source[at..].split_at(length);
        match piece {
            Piece::Hole if string.is_some() || "\"'".contains(previous) || after.starts_with(['"', '\'']) => {
                let line = 1 + source[..at].matches('\n').count();
                faults.push(format!("line {line}: {text} stands in quotes"));
            }
            Piece::Quote(quote) => string = string.xor(Some(quote)),
            _ => {}
        }
        at += length;
        previous = text.chars().next_back().unwrap_or(previous);
    }
    if let Some(quote) = string {
        faults.push(format!("a string opened by {quote} is never closed"));
    }
    faults
}

#[test]
fn every_template_keeps_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = root.join("templates");
    // No templates are needed only as long as there are no outputs.
    if !dir.exists() && !root.join("src/outputs").exists() {
        return;
    }
    let mut templates = vec![];
    // Beside the templates lies a directory with what `init` copies.
    for path in fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned().leak();
        templates.push(Template { name, source: fs::read_to_string(&path).unwrap().leak() });
    }
    Renderer::new(&templates).unwrap();
    for Template { name, source } in templates {
        assert_eq!(faults(source), Vec::<String>::new(), "{name}");
    }
}

/// The settings that iPXE knows from the start (`__setting` in its sources). `set` gives one of these its own type:
/// `set mac 52-54-00-12-34-56` is an error, as hexadecimal takes colons, and ends the script.
const IPXE_SETTINGS: &str = "\
    active-scan asset board-serial buildarch busid busloc bustype cert chip cpumodel cpuvendor crosscert \
    cwduri cwuri dhcp-server dmesg dns dns6 dnssl domain errno filename gateway gateway6 gid hostname hwaddr \
    ifname initiator-iqn ip ip6 keep-san key keymap len6 linktype mac manufacturer memsize mtu netmask \
    next-server ntp password peerdist peerhost platform priority privkey product reverse-password \
    reverse-username root-path san-drive san-filename san-retries scriptlet serial skip-san-boot ssid \
    static-routes syslog syslog6 syslogs sysmac trust uid unixtime user-class username uuid vendor-class \
    version vram";

#[test]
fn ipxe_scripts_set_only_settings_of_our_own() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut set = 0;
    for path in fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()) {
        if !path.to_str().unwrap().ends_with(".ipxe.j2") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for name in source.lines().filter_map(|line| line.strip_prefix("set ")?.split(' ').next()) {
            assert!(!IPXE_SETTINGS.split_whitespace().any(|known| known == name), "{path:?} sets {name}");
            set += 1;
        }
    }
    assert!(set > 0);
}

#[test]
fn holes_in_quotes_are_found() {
    for source in [
        r#"a = "{{ x }}";"#,
        r#"a = '{{ x }}'"#,
        r#"a = "b {{ x|bare }} c";"#,
        r#"a = "\"{{ x }}";"#,
        "a = ''\n  {{ x }}\n'';",
        "a = ''\n  b ''' '' c\n'' {{ x }}'';",
        r#"{{ x }}"b""#,
        r#"a "b" {% if c == '"' %}"{{ x }}"{% endif %}"#,
        r#"a#"b {{ x }}""#,
    ] {
        assert_ne!(faults(source), Vec::<String>::new(), "{source}");
    }
    assert_eq!(faults("a\n\"{{ x }}\""), ["line 2: {{ x }} stands in quotes"]);
    assert_eq!(faults("\"a\nb"), ["a string opened by \" is never closed"]);
}

#[test]
fn holes_between_quotes_are_fine() {
    for source in [
        r#"a = {{ x }}; b = "c"; d = "\"" + {{ y }};"#,
        "a = ''\n  it's '''b''' ''${c} \"\n''; d = {{ x }};",
        "# don't \"\na = {{ x }};",
        "{# \" #}{% set a = \"'\" %}{{ x }}",
        "set a {{ x }}#b\nboot http://c/d#e {{ x }}",
    ] {
        assert_eq!(faults(source), Vec::<String>::new(), "{source}");
    }
}
