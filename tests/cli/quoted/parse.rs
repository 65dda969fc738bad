//! Whether clap takes a command line that a text quotes, with its placeholders and alternatives.

use clap::Command;
use clap::builder::OsStringValueParser;
use clap::error::ErrorKind;

use super::lines::Line;

/// The commands of the program.
pub(super) struct Commands {
    /// As they are.
    strict: Command,
    /// The same, which take any word as a value: FILE, NODE and `{name}` stand for one.
    lenient: Command,
}

/// Lets every option and argument of `command` take any value.
fn any_value(command: Command) -> Command {
    let takes_any = |argument: clap::Arg| {
        if argument.get_action().takes_values() {
            argument.value_parser(OsStringValueParser::new())
        } else {
            argument
        }
    };
    command.mut_args(takes_any).mut_subcommands(any_value)
}

/// The options of `command` and of the commands below it, by all their names.
fn options(command: &Command) -> Vec<String> {
    let names = |argument: &clap::Arg| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        argument.get_long().into_iter().chain(aliases).map(|name| format!("--{name}")).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = command.get_arguments().flat_map(names).collect();
    all.extend(command.get_subcommands().flat_map(options));
    all
}

impl Commands {
    pub(super) fn new() -> Self {
        let mut strict = plasmagen::cli::command();
        strict.build();
        Self { lenient: any_value(plasmagen::cli::command()), strict }
    }

    /// Whether there is a command `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.strict.find_subcommand(name).is_some()
    }

    /// Whether any command has the option.
    pub(super) fn has_option(&self, option: &str) -> bool {
        ["--help", "--version"].contains(&option) || options(&self.strict).iter().any(|known| known == option)
    }

    /// Whether `words` are a command of plasmagen's without the program's name, such as `render --check`.
    pub(super) fn is_quoted_alone(&self, words: &[String]) -> bool {
        let command = words.first().and_then(|name| self.strict.find_subcommand(name));
        let has_option = words.iter().any(|word| word.starts_with("--"));
        // `network = "lan"` is a key of the inventory.
        let is_key = words.get(1).is_some_and(|word| word == "=");
        !is_key && command.is_some_and(|command| command.has_subcommands() || has_option)
    }

    /// What is wrong with `line`, if anything.
    pub(super) fn fault(&self, line: &Line) -> Option<String> {
        alternatives(&line.words).into_iter().find_map(|words| self.fault_of(&words, line))
    }

    fn fault_of(&self, words: &[String], line: &Line) -> Option<String> {
        let has_placeholder = words.iter().any(|word| is_placeholder(word));
        let words: Vec<_> = words.iter().map(|word| plain(word)).filter(|word| !word.is_empty()).collect();
        let arguments = || std::iter::once("plasmagen".to_owned()).chain(words.iter().cloned());
        let lenient = self.lenient.clone().try_get_matches_from(arguments());
        let result = match lenient {
            Ok(_) if !has_placeholder && !line.is_sentence => {
                self.strict.clone().try_get_matches_from(arguments())
            }
            other => other,
        };
        let error = result.err()?;
        let message = error.to_string().lines().next().unwrap_or_default().to_owned();
        let is_fine = match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
            ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::InvalidValue
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                if !line.is_whole =>
            {
                // A value that is wrong is a fault, one that is not said is none.
                error.kind() != ErrorKind::InvalidValue || message.contains("a value is required")
            }
            // After the command line, a sentence goes on.
            ErrorKind::UnknownArgument if line.is_sentence => !message.contains("'-"),
            ErrorKind::ArgumentConflict => line.is_sentence,
            // The directory of an example.
            ErrorKind::ValueValidation => message.contains("No such file or directory"),
            _ => false,
        };
        (!is_fine).then_some(message)
    }
}

/// `word` without the brackets of an optional word, the dots of a repeated one, and options that a message inserts behind it:
/// `renew{option}`.
fn plain(word: &str) -> String {
    let alone = word.find('{').map_or(word, |at| &word[..at]);
    let is_name = !alone.is_empty() && alone.chars().all(|char| char.is_ascii_lowercase() || char == '-');
    let word = if is_name { alone } else { word };
    word.trim_end_matches("...").trim_end_matches('…').trim_matches(['[', ']']).to_owned()
}

/// Whether `word` stands for another: FILE, `<name>`, `{name}`, `$dir`, `…`.
fn is_placeholder(word: &str) -> bool {
    let is_upper = |char: char| char.is_ascii_uppercase() || char == '_' || char == '=';
    word.contains(['<', '{', '$', '…', '[']) || word.chars().all(is_upper)
}

/// All command lines that `words` say by words such as `human|json`.
fn alternatives(words: &[String]) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    for word in words {
        let choices: Vec<&str> = word.split('|').collect();
        let with = |line: &Vec<String>| -> Vec<Vec<String>> {
            let extended = |choice: &&str| line.iter().cloned().chain([(*choice).to_owned()]).collect();
            choices.iter().map(extended).collect()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}
