//! The command lines in a text: what a shell would run of it, as far as it is plasmagen.

use super::parse::Commands;
use super::texts::Text;

/// A command line of plasmagen, without the program's name.
#[derive(Debug)]
pub(super) struct Line {
    /// The words.
    pub(super) words: Vec<String>,
    /// Whether the line is whole: it could be typed as it stands.
    pub(super) is_whole: bool,
    /// Whether more words of a sentence may follow.
    pub(super) is_sentence: bool,
}

/// The command lines that `text` quotes.
pub(super) fn of_text(text: &Text, commands: &Commands) -> Vec<Line> {
    if text.is_code {
        let whole = |words: Vec<String>| {
            let is_whole = !words.iter().any(|word| word.contains('…'));
            Line { words, is_whole, is_sentence: false }
        };
        return simple_commands(&text.body).iter().filter_map(|words| ours(words)).map(whole).collect();
    }
    let mut found = Vec::new();
    let mut outside = String::new();
    for (index, part) in text.body.split('`').enumerate() {
        if index % 2 == 0 {
            outside.push_str(part);
            continue;
        }
        // A span ends a sentence that stands outside.
        outside.push_str(" ; ");
        let words = simple_commands(part);
        let without_name = |words: &Vec<String>| words.len() > 1 && commands.is_quoted_alone(words);
        let line = |words: Vec<String>| Line { words, is_whole: false, is_sentence: false };
        found.extend(words.iter().filter_map(|words| ours(words)).map(line));
        found.extend(words.iter().filter(|words| without_name(words)).cloned().map(line));
    }
    found.extend(in_sentences(&outside, commands));
    found
}

/// The command lines in prose that no backticks mark: after `run`, or where a command's name follows.
fn in_sentences(prose: &str, commands: &Commands) -> Vec<Line> {
    let words: Vec<&str> = prose.split_whitespace().collect();
    let at = (0..words.len()).filter(|at| words[*at] == "plasmagen");
    let line = |at: usize| {
        let is_run = at > 0 && ["run", "run:"].contains(&words[at - 1].to_ascii_lowercase().as_str());
        let mut line = Vec::new();
        for word in &words[at + 1..] {
            if [">", "|"].contains(word) {
                break;
            }
            let bare = word.trim_end_matches(['.', ',', ';', ':', ')']);
            line.push(bare.to_owned());
            if bare.len() < word.len() || *word == "plasmagen" {
                break;
            }
        }
        line.retain(|word| !word.is_empty());
        let first = line.first()?;
        (is_run || commands.has(first)).then_some(Line { words: line, is_whole: false, is_sentence: true })
    };
    at.filter_map(line).collect()
}

/// The options that `text` quotes alone: `--name`, and what may follow.
pub(super) fn options_alone(text: &Text) -> Vec<String> {
    let spans = text.body.split('`').skip(1).step_by(2);
    let options = spans.filter(|span| !text.is_code && span.starts_with("--") && span.len() > 2);
    options.map(|span| span.split([' ', '=']).next().unwrap_or_default().to_owned()).collect()
}

/// The arguments, if `words` call plasmagen: by its name, or by `cargo run … --`.
fn ours(words: &[String]) -> Option<Vec<String>> {
    // Prompts, keys of YAML, keywords of the shell, and variables stand before a command.
    let is_before = |word: &&String| {
        ["$", "#", "-", "do", "then", "if", "!", "sudo", "command"].contains(&word.as_str())
            || word.ends_with(':')
            || word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains(['-', '/']))
    };
    let before = words.iter().take_while(is_before).count();
    let words = &words[before..];
    let name = words.first()?.rsplit('/').next()?;
    if name == "plasmagen" {
        // `plasmagen …` says nothing; `plasmagen` alone prints help.
        let is_said = words.get(1).is_some_and(|word| !word.starts_with('…'));
        return is_said.then(|| words[1..].to_vec());
    }
    if name == "cargo" && words.get(1).is_some_and(|word| word == "run") {
        let dashes = words.iter().position(|word| word == "--")?;
        return Some(words[dashes + 1..].to_vec());
    }
    None
}

/// The simple commands of a shell's line, each as its words: split at pipes and the like, without redirections and
/// comments.
fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word = String::new();
    let mut quote = None;
    let end_word = |word: &mut String, commands: &mut Vec<Vec<String>>| {
        let word = std::mem::take(word);
        // `>file` and `2>/dev/null`, but not `>` alone, whose file is the next word, nor `<name>`.
        let is_redirection = word.len() > 1
            && word.starts_with(['>', '<', '2'])
            && word.contains(['>', '<'])
            && !word.ends_with('>');
        if !word.is_empty() && !is_redirection {
            commands.last_mut().unwrap().push(word);
        }
    };
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        let splits = match char {
            _ if quote == Some(char) => {
                quote = None;
                continue;
            }
            _ if quote.is_some() => false,
            '"' | '\'' => {
                quote = Some(char);
                continue;
            }
            '#' if word.is_empty() && !commands.iter().all(Vec::is_empty) => break,
            '\\' if chars.peek() == Some(&'|') => continue,
            // An alternative such as on|off has no space before.
            '|' | '&' => word.is_empty(),
            ';' | '(' | ')' => true,
            _ => false,
        };
        if splits {
            // Of `$(` and `<(`, the head stands before.
            if ["$", "<", ">"].contains(&word.as_str()) {
                word.clear();
            }
            end_word(&mut word, &mut commands);
            commands.push(Vec::new());
        } else if char.is_whitespace() && quote.is_none() {
            end_word(&mut word, &mut commands);
        } else {
            word.push(char);
        }
    }
    end_word(&mut word, &mut commands);
    for words in &mut commands {
        // `> file` with a space between.
        while let Some(at) = words.iter().position(|word| word == ">") {
            words.drain(at..words.len().min(at + 2));
        }
    }
    commands
}
