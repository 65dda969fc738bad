//! A change as Markdown, for the comment of a pull request.

use crate::change::{Change, Party, Step, Summary, group};
use crate::model::escape_line;

use super::human::{describe, list_notes, name};

/// Prints `change`, as far as it is about what `is_shown` keeps.
pub(super) fn print(change: &Change, is_shown: impl Fn(&Party) -> bool) -> String {
    let mut text = format!("**{}**\n", Summary::new(change));
    for note in list_notes(change) {
        text += &format!("\n- {}\n", escape(&note));
    }
    text += "\n| who | effect | what | why |\n| --- | --- | --- | --- |\n";
    for found in group(change, is_shown) {
        for consequence in &found.consequences {
            let [what, why] = describe(consequence);
            let (who, effect) = (name(&found.parties), consequence.effect.words());
            text += &format!(
                "| {} | {} | {} | {} |\n",
                escape(&who),
                effect,
                escape(&what),
                escape(why.trim_start_matches("← "))
            );
        }
    }
    text
}

/// Prints the procedure.
pub(super) fn print_steps(steps: &[Step]) -> String {
    let mut text = String::new();
    for (at, step) in steps.iter().enumerate() {
        text += &format!("{}. {}\n", at + 1, escape(&step.title));
        for command in &step.commands {
            text += &format!("   - `{}`\n", escape_line(command));
        }
    }
    text
}

/// Writes text of the inventory so that Markdown shows it as it is.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in escape_line(text).chars() {
        // `@` mentions people, and `:` and `.` make links of `http://` and `www.`.
        if "\\`*_[]|<>#@:~!&".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
