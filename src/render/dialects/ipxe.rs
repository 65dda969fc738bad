//! iPXE scripts, by iPXE's reader: `src/image/script.c` (lines, labels), `src/core/exec.c` (tokens, commands),
//! `src/core/settings.c` (`${…}`) and `src/core/getopt.c` (options).

use std::fmt::Write;

use minijinja::Error;

use crate::render::dialect::{Dialect, ListSyntax, check_characters, refuse};

/// The dialect `ipxe`.
///
/// iPXE has neither quotes nor escapes: a literal is a word between white space, taken as it stands. A list is several
/// words. These characters give a word another meaning:
///
/// - `#` first: the rest of the line is a comment. `:` first: a label, if the line starts here. `-` first: an option.
/// - `||`, `&&` and `;` as a whole word end a command; inside a word they are text.
/// - `${` starts a setting, even where the expansion of another setting made it; a `$` at the end may precede a `{`.
/// - `\` at the end of a line joins the next one to it.
/// - `"` is text to iPXE, but Linux, which gets these words as its command line, takes it as the start of a value with
///   spaces in it (`next_arg` in `lib/cmdline.c`).
/// - Each byte above 127 becomes a separate UTF-16 character in the command line of an EFI image.
///
/// A bare word is stricter, so that it can also be a label, a part of a URL or the name of a setting:
/// `[A-Za-z0-9._:/-]`, and no `:` or `-` first.
pub(super) struct IpxeDialect;

impl Dialect for IpxeDialect {
    fn extension(&self) -> &'static str {
        "ipxe"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "", between: " ", close: "", empty: Some("") }
    }

    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        let fault = if text.is_empty() {
            "iPXE has no empty word"
        } else if let Some(c) = text.chars().find(|&c| !c.is_ascii_graphic() || c == '"') {
            return Err(refuse(format!("{text:?} holds {c:?}, which a word of iPXE cannot hold")));
        } else if text.starts_with(['#', ':', '-']) {
            "iPXE takes its first character for a comment, a label or an option"
        } else if matches!(text, "||" | "&&" | ";") {
            "this word ends a command of iPXE"
        } else if text.contains("${") || text.ends_with('$') {
            "iPXE takes `${` for a setting"
        } else if text.ends_with('\\') {
            "a backslash at the end joins iPXE's lines"
        } else {
            return Ok(out.write_str(text)?);
        };
        Err(refuse(format!("{text:?}: {fault}")))
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        check_characters(word, "._/", ":-")
    }
}
