//! The reference of the inventory's keys, docs/inventory.md: a section for each key.

/// The page.
const PAGE: &str = include_str!("../../docs/inventory.md");

/// The section of the page about one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// The path of the key, with a word in capitals for each name that the user gives.
    pub(super) key: &'static str,
    /// The text, with the heading.
    pub(super) text: &'static str,
}

impl Section {
    /// The first sentence about the key.
    pub(super) fn summary(&self) -> String {
        let meaning = self.text.split("\n\n").nth(1).unwrap_or_default().replace('\n', " ");
        let end = meaning.find(". ").map_or(meaning.len(), |at| at + 1);
        meaning[..end].to_owned()
    }

    /// The parts of the path that are not names of the user's.
    fn words(&self) -> Vec<&'static str> {
        self.key.split('.').filter(|part| part.starts_with(|c: char| c.is_ascii_lowercase())).collect()
    }
}

/// The sections of all keys, in the order of the page.
pub(super) fn sections() -> Vec<Section> {
    let starts: Vec<usize> = PAGE.match_indices("\n##").map(|(at, _)| at + 1).collect();
    let ends = starts.iter().skip(1).copied().chain([PAGE.len()]);
    let section = |(start, end): (usize, usize)| {
        let text = &PAGE[start..end];
        Some(Section { key: text.lines().next()?.split('`').nth(1)?, text })
    };
    starts.iter().copied().zip(ends).filter_map(section).collect()
}

/// Finds the keys that `typed` means: the key with that path, with or without the names; else the keys whose paths end
/// so; else the keys with that last part.
pub(super) fn find(typed: &str) -> Vec<Section> {
    let wanted: Vec<&str> = typed.trim_matches(['[', ']']).split('.').collect();
    let all = sections();
    let matching = |is_match: &dyn Fn(&Section) -> bool| -> Vec<Section> {
        all.iter().filter(|section| is_match(section)).copied().collect()
    };
    let is_whole = |section: &Section| section.key == typed || section.words() == wanted;
    let is_end = |section: &Section| section.words().ends_with(&wanted);
    let is_last = |section: &Section| section.words().last() == wanted.last();
    let levels: [&dyn Fn(&Section) -> bool; 3] = [&is_whole, &is_end, &is_last];
    levels.iter().map(|level| matching(level)).find(|found| !found.is_empty()).unwrap_or_default()
}

/// Finds the keys that are about `word`, as [`is_about`] says: first those that are called so, then those with the word in
/// their path, in their summary, and in the rest of their section.
pub(super) fn search(word: &str, is_whole: bool) -> Vec<Section> {
    let is_about = |text: &str| is_about(text, word, is_whole);
    let rank = |section: &Section| {
        let words = section.words();
        let is_called = words.last().is_some_and(|last| *last == word);
        let is_named = words.iter().any(|part| is_about(part));
        let ranks = [is_called, is_named, is_about(&section.summary()), is_about(section.text)];
        ranks.iter().position(|is_here| *is_here)
    };
    let mut found: Vec<_> =
        sections().into_iter().filter_map(|section| Some((rank(&section)?, section))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, section)| section).collect()
}

/// Whether `text` has the word `word`, in singular or plural; or, if not `is_whole`, a word that begins so. The case of
/// letters does not matter.
pub(super) fn is_about(text: &str, word: &str, is_whole: bool) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let is_end = |rest: &str| !rest.starts_with(char::is_alphanumeric);
    text.match_indices(&word).any(|(at, _)| {
        let behind = &text[at + word.len()..];
        let plural = ["s", "es"].iter().filter_map(|ending| behind.strip_prefix(ending));
        !text[..at].ends_with(char::is_alphanumeric)
            && (!is_whole || is_end(behind) || plural.into_iter().any(is_end))
    })
}
