//! Of 200 typos of keys and choices, made up from the reference and other sound inventories, the right word is suggested
//! for 95 % and more.
use std::collections::BTreeSet;
use std::ops::Range;

use plasmagen::check::check;
use plasmagen::diag::Diagnostic;

const SOUND: [&str; 4] = [
    include_str!("../../inventory.toml"),
    include_str!("../golden/bonds-and-vlans/inventory.toml"),
    include_str!("../golden/ipv6/inventory.toml"),
    include_str!("../golden/single-segment/inventory.toml"),
];

/// Numbers that are the same at each run: xorshift64 (Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn letter(&mut self) -> char {
        char::from(b"abcdefghijklmnopqrstuvwxyz"[self.below(26)])
    }

    /// `word` with a letter left out, put in, replaced, or exchanged with the next.
    fn typo(&mut self, word: &str) -> String {
        let mut letters: Vec<char> = word.chars().collect();
        let (at, letter) = (self.below(letters.len()), self.letter());
        match self.below(4) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, letter),
            2 => letters[at] = letter,
            _ => {
                let at = at.min(letters.len() - 2);
                letters.swap(at, at + 1);
            }
        }
        letters.into_iter().collect()
    }
}

/// The words of `text` that may be keys or choices: outside comments, of letters and what stands between them.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let code = line.split('#').next().unwrap();
        let mut at = 0;
        for word in code.split(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c)) {
            if word.len() > 2 && word.starts_with(|c: char| c.is_ascii_lowercase()) {
                words.push(start + at..start + at + word.len());
            }
            at += word.len() + 1;
        }
        start += line.len();
    }
    words
}

fn with(text: &str, place: &Range<usize>, word: &str) -> String {
    [&text[..place.start], word, &text[place.end..]].concat()
}

/// What is said of a word that stands at `start` and is neither a key nor a choice.
fn refusal(text: &str, start: usize) -> Option<Diagnostic> {
    let unknown = |diagnostic: &Diagnostic| {
        diagnostic.message.starts_with("unknown key")
            || diagnostic.message.ends_with("is none of the legal values")
    };
    let found = check(text.as_bytes()).unwrap().diagnostics;
    found.into_iter().find(|diagnostic| unknown(diagnostic) && diagnostic.span.contains(&start))
}

#[test]
fn the_right_word_is_suggested() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut keys, mut choices, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    while keys.len() < 140 || choices.len() < 60 {
        let text = SOUND[numbers.below(SOUND.len())];
        let words = words(text);
        let place = words[numbers.below(words.len())].clone();
        let word = &text[place.clone()];
        let typo = numbers.typo(word);
        let Some(fault) = refusal(&with(text, &place, &typo), place.start) else { continue };
        // The names of the user's are free; a typo of one may make another rule speak, and none of these two.
        let (typos, enough) = if fault.code == "PG-A03" { (&mut keys, 140) } else { (&mut choices, 60) };
        if typos.len() == enough || !typos.insert((word, typo.clone())) {
            continue;
        }
        let help = fault.help.unwrap();
        if !help.starts_with(&format!("did you mean `{word}`?")) {
            wrong.push(format!("{typo} for {word}: {help}"));
        }
    }
    println!("{} of 200 are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(wrong.len() <= 10, "{} of 200", wrong.len());
}
