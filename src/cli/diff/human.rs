//! A change for people: the worst first, machines with the same consequences together.

use crate::change::{Change, Consequence, Group, Membership, Party, Step, Summary, group};
use crate::cli::table::TextTable;

/// The most names of nodes that a row shows.
const NAMES: usize = 3;

/// The most keys that a row shows.
const CAUSES: usize = 3;

/// The width of the column of consequences, in characters.
const WIDTH: usize = 78;

/// Says that two clusters are equal.
pub(super) const NOTHING: &str = "nothing changes\n";

/// Prints `change`, as far as it is about what `is_shown` keeps.
pub(super) fn print(change: &Change, is_shown: impl Fn(&Party) -> bool) -> String {
    if change.is_empty() {
        return NOTHING.to_owned();
    }
    let mut table = TextTable::<3>::new();
    for found in group(change, is_shown) {
        add_group(&mut table, &found);
    }
    let mut text = table.print();
    for line in list_notes(change) {
        text += &format!("{line}\n");
    }
    if !text.is_empty() {
        text += "\n";
    }
    text + &format!("{}\n", Summary::new(change))
}

/// Prints the procedure.
pub(super) fn print_steps(steps: &[Step]) -> String {
    let mut table = TextTable::<2>::new().align_right(0);
    for (at, step) in steps.iter().enumerate() {
        table.row([format!("{}.", at + 1), step.title.clone()]);
        for command in &step.commands {
            table.row([String::new(), format!("$ {command}")]);
        }
    }
    table.print()
}

fn add_group(table: &mut TextTable<3>, found: &Group<'_>) {
    let mut names = name(&found.parties);
    for consequence in &found.consequences {
        let mut words = consequence.effect.words().to_owned();
        for line in describe(consequence).iter().flat_map(|text| wrap(text)) {
            table.row([std::mem::take(&mut names), std::mem::take(&mut words), line]);
        }
    }
}

/// The first names of a group, and how many there are.
pub(super) fn name(parties: &[&Party]) -> String {
    let names: Vec<_> = parties.iter().take(NAMES).map(|party| party.name()).collect();
    if parties.len() > NAMES {
        format!("{} … ({})", names.join(" "), parties.len())
    } else {
        names.join(" ")
    }
}

/// A consequence as two texts: the units, the effect and its dangers; then the keys that are the cause.
pub(super) fn describe(found: &Consequence) -> [String; 2] {
    let units: Vec<_> = found.units.iter().map(String::as_str).collect();
    let units = if units.is_empty() { String::new() } else { format!("{}: ", units.join(" ")) };
    let flags: String = found.flags.iter().map(|flag| format!(" [{}]", flag.words())).collect();
    let causes: Vec<_> = found.causes.iter().take(CAUSES).map(|cause| cause.describe(&found.who)).collect();
    let more = found.causes.len().saturating_sub(CAUSES);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    [format!("{units}{}{flags}", found.text), format!("← {}{more}", causes.join("; "))]
}

/// Breaks `text` between words into lines of at most [`WIDTH`] characters, if its words allow.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { continue };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("  {word}"));
        } else {
            *line += if line.is_empty() { "" } else { " " };
            *line += word;
        }
    }
    lines
}

/// Sentences about the change as a whole.
pub(super) fn list_notes(change: &Change) -> Vec<String> {
    let mut notes: Vec<String> = change
        .renamed
        .iter()
        .map(|(old, new)| format!("{old} is renamed to {new}: it is one machine"))
        .collect();
    let touched: Vec<_> =
        change.memberships.iter().filter(|membership| !membership.touched.is_empty()).collect();
    // Groups of the same nodes are told in one line.
    let is_alike = |one: &&&Membership, other: &&&Membership| {
        one.members == other.members && one.touched == other.touched && one.voters == other.voters
    };
    for groups in touched.chunk_by(|one, other| is_alike(&one, &other)) {
        let services: Vec<_> = groups.iter().map(|membership| membership.service.as_str()).collect();
        notes.extend(groups.first().map(|first| describe_members(&services.join(" and "), first)));
    }
    notes
}

/// How many members of the groups of `services` a change touches.
pub(super) fn describe_members(services: &str, membership: &Membership) -> String {
    let count = membership.touched.len();
    let voters = match membership.touched_voters.len() {
        0 => String::new(),
        count => format!(", {count} of the {} that formed it", membership.voters),
    };
    let split = if membership.is_endangered() { ". Split the change: one member at a time" } else { "" };
    format!(
        "{services}: {count} of {} members {} touched{voters}; {} stay, {} are needed for a majority{split}",
        membership.members,
        if count == 1 { "is" } else { "are" },
        membership.left(),
        membership.majority(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_lose_none() {
        let text = format!("{} {} end", "word ".repeat(40).trim(), "x".repeat(100));
        let lines = wrap(&text);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH || line.contains("xxx")), "{lines:?}");
        assert_eq!(lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "), text);
    }
}
