//! One fault of an inventory: where it is, what is wrong, what to write instead.

use super::secret::conceal;
use super::span::Span;

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The inventory is refused.
    Error,
    /// The inventory is accepted. The author can acknowledge the warning with `allow = ["PG-…"]` in the table that
    /// the warning concerns.
    Warning,
}

impl Severity {
    /// The name of the severity in every output format: `error` or `warning`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// The kind of text at the place of a diagnostic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// A key, a value or a table.
    #[default]
    Value,
    /// Text that is not TOML. Such a fault is reported even where the value could not be read.
    Syntax,
    /// A secret. No output quotes the source at that place, since terminals and CI keep logs.
    Secret,
}

/// The stable code of a rule, such as `PG-C13`; `rules::RULES` is the catalogue.
pub type Code = &'static str;

/// Another place that explains a diagnostic, such as "first used here".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The other place.
    pub span: Span,
    /// The label of that place.
    pub label: String,
}

/// A change of the inventory's text that a program can make: the text that the help proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The place that is replaced; empty where text is inserted.
    pub span: Span,
    /// The text to write there.
    pub text: String,
}

/// The command that cures a fault, where that is not a change of the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// A new certificate: `plasmagen render` and `plasmagen certs renew` issue it.
    Renewal,
    /// A certificate for a new key: `plasmagen certs renew NODE --new-key` issues it.
    NewKey,
    /// Another CA: the steps of a rotation.
    Rotation,
}

/// One fault of an inventory. Texts that quote a private key are made without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The code of the rule that the inventory breaks.
    pub code: Code,
    /// Whether the inventory is refused for this fault.
    pub severity: Severity,
    /// The place of the fault.
    pub span: Span,
    /// The kind of text at that place.
    pub subject: Subject,
    /// The fault, in one line.
    pub message: String,
    /// Other places that the fault has to do with.
    pub related: Vec<Related>,
    /// The text to write, or the command to run, instead.
    pub help: Option<String>,
    /// The help as a change of the text, where it is one. The result is sound, or has another fault.
    pub edit: Option<Box<Edit>>,
    /// The command that cures the fault, if there is one: the fault does not keep that command from running.
    pub cure: Option<Cure>,
}

impl Diagnostic {
    /// Makes a diagnostic for which the inventory is refused.
    pub fn error(code: Code, span: &Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            span: span.clone(),
            subject: Subject::default(),
            message: conceal(message.into()),
            related: Vec::new(),
            help: None,
            edit: None,
            cure: None,
        }
    }

    /// Makes a diagnostic that the author of the inventory should know of, and may acknowledge.
    pub fn warning(code: Code, span: &Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// States what stands at the place; without this call it is a value.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = subject;
        self
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(conceal(help.into()));
        self
    }

    /// Adds the command that cures the fault.
    #[must_use]
    pub fn cured_by(mut self, cure: Cure) -> Self {
        self.cure = Some(cure);
        self
    }

    /// Whether the inventory is refused for this fault by a command that is itself one of the cures `cures`.
    #[must_use]
    pub fn is_refusal(&self, cures: &[Cure]) -> bool {
        self.severity == Severity::Error && !self.cure.is_some_and(|cure| cures.contains(&cure))
    }

    /// Adds the change that the help proposes: `text` in the place of `span`. A text with a private key is left out.
    #[must_use]
    pub fn edit(mut self, span: Span, text: impl Into<String>) -> Self {
        let text = text.into();
        self.edit = (conceal(text.clone()) == text).then(|| Box::new(Edit { span, text }));
        self
    }

    /// Leaves `secret` out of everything that the diagnostic quotes, with the quotes around the secret, of whatever kind,
    /// and without them. Shorter texts than three bytes are no secrets.
    #[must_use]
    pub fn without(mut self, secret: &str) -> Self {
        let secret = secret.trim_matches(|c: char| !c.is_alphanumeric());
        if secret.len() < 3 {
            return self;
        }
        let texts = [&mut self.message].into_iter().chain(&mut self.help);
        for text in texts.chain(self.related.iter_mut().map(|related| &mut related.label)) {
            *text = text.replace(secret, "…");
        }
        self.edit = self.edit.filter(|edit| !edit.text.contains(secret));
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.related.push(Related { span: span.clone(), label: conceal(label.into()) });
        self
    }
}
