//! Patterns of OpenSSH (match.c): `*` stands for any text, `?` for any character, `!` negates a pattern of a list.

/// The length, in bytes, from which on OpenSSH matches no pattern of a list.
const TOO_LONG: usize = 1023;

/// Whether `text` matches the comma-separated `list`: at least one of its patterns, and none of the negated ones.
pub(super) fn matches_list(text: &str, list: &str) -> bool {
    let mut is_matched = false;
    for pattern in list.split(',') {
        let (is_negated, pattern) = pattern.strip_prefix('!').map_or((false, pattern), |rest| (true, rest));
        if pattern.len() >= TOO_LONG {
            return false;
        }
        if matches(text.as_bytes(), pattern.as_bytes()) {
            if is_negated {
                return false;
            }
            is_matched = true;
        }
    }
    is_matched
}

/// Whether `text` matches `pattern`. After a mismatch the last `*` takes one byte more, so that the time is at most the
/// product of the lengths.
fn matches(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(of) {
            Some(b'*') => {
                star = Some((at, of));
                of += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[at] => (at, of) = (at + 1, of + 1),
            _ => {
                let Some((from, star_of)) = star else { return false };
                star = Some((from + 1, star_of));
                (at, of) = (from + 1, star_of + 1);
            }
        }
    }
    pattern[of..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_match_as_openssh_matches() {
        for (list, is_matched) in [
            ("plasmagen", true),
            ("*", true),
            ("file,plasma*", true),
            ("p?asmage?", true),
            ("*a*a*n", true),
            ("*n*n*n", false),
            ("plasmagen?", false),
            ("", false),
            (",", false),
            ("!plasmagen,*", false),
            ("*,!plasmagen", false),
            ("!file,*", true),
            ("!file", false),
            ("!!plasmagen,*", true),
            ("Plasmagen", false),
            (" plasmagen", false),
        ] {
            assert_eq!(matches_list("plasmagen", list), is_matched, "{list:?}");
        }
        assert!(!matches_list("plasmagen", &format!("*,{}", "*".repeat(TOO_LONG))));
    }
}
