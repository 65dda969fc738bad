//! Words: text that a rule has accepted. Each newtype of this room is one, and so each hole of a template is filled
//! with something whose characters are known.

use crate::diag::{Code, Subject};

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The rule that it breaks.
    pub code: Code,
    /// What is wrong with it.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// What the text holds: a secret, say, which no output may quote.
    pub subject: Subject,
}

impl Invalid {
    /// A refusal under the rule `code`.
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into(), subject: Subject::default() }
    }

    /// Says that the refused text holds a secret.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { subject: Subject::Secret, ..self }
    }
}

/// How the words of a type look, for editors. [`Word::parse`] knows more: a pattern lets through all that it accepts.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// What it is, in a few words.
    pub about: &'static str,
    /// A regular expression (ECMA-262) that every legal word matches; empty where any text does.
    pub pattern: &'static str,
    /// A few legal words.
    pub examples: &'static [&'static str],
    /// All legal words, where they are few.
    pub choices: &'static [&'static str],
}

impl Form {
    /// Words that match `pattern`.
    #[must_use]
    pub const fn new(about: &'static str, pattern: &'static str, examples: &'static [&'static str]) -> Self {
        Self { about, pattern, examples, choices: &[] }
    }

    /// One of a few words.
    #[must_use]
    pub const fn choice(choices: &'static [&'static str]) -> Self {
        Self { about: "", pattern: "", examples: &[], choices }
    }
}

/// A type that is written as a string in the inventory.
pub trait Word: Sized {
    /// How its words look.
    const FORM: Form;

    /// Accepts `text`, or says why not.
    ///
    /// # Errors
    /// When `text` breaks a rule of the type.
    fn parse(text: &str) -> Result<Self, Invalid>;
}

/// Text for people, without a rule of its own beyond A06 (no control characters), which the reader checks.
impl Word for String {
    const FORM: Form = Form::new("a line of text", "", &[]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        Ok(text.to_owned())
    }
}

/// Whether `c` moves the cursor, ends a line, reorders what is shown or is not shown at all (rule A06): the control
/// characters of Unicode, and its format characters.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Declares newtypes over `String` that are made by [`Word::parse`] alone.
macro_rules! word {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}
pub(super) use word;

/// What every identifier has in common: rules A07 (no white space around it) and A08 (ASCII only).
pub(super) fn identifier(text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("PG-A07", "this name is empty", "give it a name"));
    }
    if text.trim() != text {
        let help = format!("write `{}`", text.trim());
        return Err(Invalid::new("PG-A07", "this name has white space around it", help));
    }
    if let Some(odd) = text.chars().find(|c| !c.is_ascii()) {
        let message = format!("`{odd}` is no ASCII character: another name may look the same");
        return Err(Invalid::new("PG-A08", message, "use letters a-z, digits and hyphens"));
    }
    Ok(())
}

/// A refusal under the rule `code`.
pub(super) fn invalid<T>(code: Code, message: String, help: &str) -> Result<T, Invalid> {
    Err(Invalid::new(code, message, help))
}

/// Whether `text` is one or more of the bytes that `legal` accepts.
pub(super) fn all(text: &str, legal: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(legal)
}
