//! Words: texts that a rule has accepted. The newtypes of this room are words, so that every hole of a template is filled
//! with a text whose characters are known.

use std::borrow::Cow;

use crate::diag::{Code, Subject};

/// The reason why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The code of the rule that the text breaks.
    pub code: Code,
    /// The fault of the text, in one line.
    pub message: String,
    /// The text to write instead.
    pub help: String,
    /// The text to write instead, where the help is one text: a program can write that text.
    pub instead: Option<String>,
    /// The kind of content of the text: a secret, say, which no output may quote.
    pub subject: Subject,
}

impl Invalid {
    /// A refusal under the rule `code`.
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into(), instead: None, subject: Subject::default() }
    }

    /// Proposes `text` instead: the help is to write that text.
    #[must_use]
    pub fn instead(self, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { help: format!("write `{text}`"), instead: Some(text), ..self }
    }

    /// Says that the refused text holds a secret.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { subject: Subject::Secret, ..self }
    }
}

/// The form of a type's words, for editors. [`Word::parse`] is stricter: a pattern matches every word that it accepts.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// The description of such a word, for people.
    pub about: &'static str,
    /// A regular expression (ECMA-262) that every legal word matches; empty where every text does.
    pub pattern: &'static str,
    /// A few legal words.
    pub examples: &'static [&'static str],
    /// All legal words, where they are few.
    pub choices: &'static [&'static str],
}

impl Form {
    /// The form of words that match `pattern`.
    #[must_use]
    pub const fn new(about: &'static str, pattern: &'static str, examples: &'static [&'static str]) -> Self {
        Self { about, pattern, examples, choices: &[] }
    }

    /// The form of a choice between a few words.
    #[must_use]
    pub const fn choice(choices: &'static [&'static str]) -> Self {
        Self { about: "", pattern: "", examples: &[], choices }
    }
}

/// A type that is written as a string in the inventory.
pub trait Word: Sized {
    /// The form of the words.
    const FORM: Form;

    /// Accepts `text`, or says why not.
    ///
    /// # Errors
    /// When `text` breaks a rule of the type.
    fn parse(text: &str) -> Result<Self, Invalid>;
}

/// Text for people. The only rule is A06 (no invisible characters), which the reader checks.
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

/// Writes text of somebody else on one line, with the characters that a terminal obeys or hides as `\u{1b}`.
#[must_use]
pub fn escape_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if is_invisible(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
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

        $crate::model::word::deserialize_word!($name);
    )+};
}
pub(super) use word;

/// Lets types be read back from the text that they are serialized to, by [`Word::parse`].
macro_rules! deserialize_word {
    ($($name:ty),+) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                <Self as $crate::model::word::Word>::parse(&text)
                    .map_err(|invalid| serde::de::Error::custom(invalid.message))
            }
        }
    )+};
}
pub(super) use deserialize_word;

/// Checks the rules of every identifier: A07 (no white space around it) and A08 (ASCII only).
pub(super) fn check_identifier(text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("PG-A07", "this name is empty", "give it a name"));
    }
    if text.trim() != text {
        return Err(Invalid::new("PG-A07", "this name has white space around it", "").instead(text.trim()));
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

/// Whether `text` has the form of a label of a name, of any length: ASCII letters and digits, and within them also `inner`.
#[must_use]
pub fn has_label_form(text: &str, inner: &[u8]) -> bool {
    let is_end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || inner.contains(b))
}

/// The longest label of a name in DNS, in bytes (RFC 1035 section 2.3.4).
pub const LONGEST_LABEL: usize = 63;

/// Whether `text` is one or more of the bytes that `legal` accepts.
pub(super) fn has_only(text: &str, legal: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(legal)
}
