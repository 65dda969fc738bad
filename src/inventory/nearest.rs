//! The legal word that somebody meant who mistyped it.

use std::cmp::Reverse;

/// The closest of `words` to `typed`, if it is close enough to be the word that was meant. Of several equally close words,
/// first a word that is not `taken`, then the word with the longest common beginning.
pub(crate) fn find_nearest_free<'w>(
    typed: &str,
    words: &[&'w str],
    taken: impl Fn(&str) -> bool,
) -> Option<&'w str> {
    // Longer texts are no typing mistakes, and the distance takes time by the product of the lengths.
    if typed.len() > 64 {
        return None;
    }
    let typed = typed.to_lowercase();
    let begins = |word: &str| typed.bytes().zip(word.bytes()).take_while(|(a, b)| a == b).count();
    let rank = |word: &str| {
        let distance = strsim::damerau_levenshtein(&typed, &word.to_lowercase());
        (distance, taken(word), Reverse(begins(word)))
    };
    let near = words.iter().filter(|word| word.len() <= 64).map(|word| (rank(word), *word));
    let ((distance, ..), near) = near.min()?;
    let enough = (near.len().max(typed.len()) / 3).max(1);
    (distance <= enough).then_some(near)
}

/// The closest of `words` to `typed`, if it is close enough to be the word that was meant.
pub(crate) fn nearest<'w>(typed: &str, words: &[&'w str]) -> Option<&'w str> {
    find_nearest_free(typed, words, |_| false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_word() {
        let words = ["bootstrap", "domain", "name", "state_version"];
        assert_eq!(nearest("bootstap", &words), Some("bootstrap"));
        assert_eq!(nearest("State-Version", &words), Some("state_version"));
        assert_eq!(nearest("colour", &words), None);
    }
}
