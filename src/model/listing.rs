//! Lists of names in messages.

use super::word::escape_line;

/// The number of names that a message has room for.
const FEW: usize = 5;

/// Lists the first few of `names`, and says how many more there are: `a, b and 3 more`. Files on a disk may have given the
/// names, so that control characters are escaped.
#[must_use]
pub fn list_few<T: AsRef<str>>(names: &[T]) -> String {
    let (few, more) = names.split_at(names.len().min(FEW));
    let few: Vec<_> = few.iter().map(|name| escape_line(name.as_ref())).collect();
    match more.len() {
        0 => few.join(", "),
        more => format!("{} and {more} more", few.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_are_listed_and_the_others_counted() {
        let names = ["a\x1b", "b", "c", "d", "e", "f", "g"];
        assert_eq!(list_few::<&str>(&[]), "");
        assert_eq!(list_few(&names[1..2]), "b");
        assert_eq!(list_few(&names[..5]), "a\\u{1b}, b, c, d, e");
        assert_eq!(list_few(&names), "a\\u{1b}, b, c, d, e and 2 more");
    }
}
