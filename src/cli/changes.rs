//! The differences that `render --check` prints: changed files as a patch, new and removed files by name.

use std::collections::BTreeMap;

use crate::write::{FileChange, Side, unified_diff};

use super::printer::plural;

/// The most lines that new files take, and that removed files take: together they fit one screen.
const MOST_LINES: usize = 20;

/// Prints all changes as a patch.
pub(super) fn print_full(changes: &[FileChange]) -> String {
    changes.iter().map(unified_diff).collect()
}

/// Prints files that change as a patch, and the names of files that are new or go away.
pub(super) fn print_summary(changes: &[FileChange]) -> String {
    let (mut text, mut new, mut removed) = (String::new(), Vec::new(), Vec::new());
    for change in changes {
        match (&change.old, &change.new) {
            (Side::Absent, _) => new.push(change.path.as_str()),
            (Side::File { .. }, Side::Absent) => removed.push(change.path.as_str()),
            _ => text += &unified_diff(change),
        }
    }
    text + &list_names("new", &new) + &list_names("removed", &removed)
}

/// A line for each path; where these are too many, a line for each directory; where these are too many, the first ones.
fn list_names(what: &str, paths: &[&str]) -> String {
    // A file name may contain control characters, which a terminal would obey.
    let line = |text: String| format!("{what}: {}\n", text.escape_debug());
    if paths.len() <= MOST_LINES {
        return paths.iter().map(|path| line((*path).to_owned())).collect();
    }
    let mut dirs = BTreeMap::<&str, usize>::new();
    for path in paths {
        let dir = path.trim_end_matches('/').rsplit_once('/').map_or(*path, |(dir, _)| dir);
        *dirs.entry(dir).or_default() += 1;
    }
    let shown = dirs.iter().take(MOST_LINES);
    let mut text: String =
        shown.map(|(dir, files)| line(format!("{dir}/ ({})", plural(*files, "file")))).collect();
    let left = dirs.values().skip(MOST_LINES);
    if left.len() > 0 {
        let files = plural(left.clone().sum(), "file");
        text += &line(format!("{files} in {} more directories (--full shows all)", left.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_files_are_named_and_many_are_counted() {
        assert_eq!(list_names("new", &["site/a", "nodes/b/c"]), "new: site/a\nnew: nodes/b/c\n");
        let paths: Vec<String> = (0..2007 * 9).map(|n| format!("nodes/n{:04}/{}", n / 9, n % 9)).collect();
        let text = list_names("removed", &paths.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(text.lines().count(), MOST_LINES + 1);
        assert!(text.starts_with("removed: nodes/n0000/ (9 files)\n"), "{text}");
        assert!(
            text.ends_with("removed: 17883 files in 1987 more directories (--full shows all)\n"),
            "{text}"
        );
    }
}
