//! The count of the tokens and lines that are looked at: a test compares the counts of a text and of one twice as long.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Counts a token or a line that is looked at; nothing outside of tests.
pub(super) fn count_step() {
    #[cfg(test)]
    COUNT.with(|count| count.set(count.get() + 1));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Report;
    use crate::inventory::document;

    /// Items of a list with a slip in each: `N` stands for the number of the item.
    const SLIPS: [&str; 16] = [
        "\"N\"",
        "\"N,",
        "N\",",
        "“N”,",
        "N,",
        "N,]",
        "N,}",
        "\"\\dN\",",
        "- N",
        "\"N\" \"x\",",
        "a = N,",
        "\"N\";",
        "// N",
        "{ a = 1, a = 2 },",
        "[ N",
        "# N",
    ];

    /// Texts that repeat a slip or a mark `n` times, each with the slip alone in it.
    fn repeated(n: usize) -> Vec<String> {
        let all = |text: &str| text.repeat(n);
        vec![
            all("<<<<<<< HEAD\n"),
            format!("x = {{ {} }}\n", all("a = 1, ")),
            format!("x = {{\n{} }}\n", all("a = 1,\n")),
            all("a = 1\n"),
            all("[t]\na = 1\n"),
            all("[[t]]\na = 1\na = 2\n"),
            format!("a = {}\n", all("[\n")),
            format!("a = {}\n", all("[}")),
            format!("a = {}\n", all("{a=")),
            format!("a = {}\n", all("“a” ")),
            format!("a {} 1\n", all("= ")),
            format!("a = [{}]\n", all("x ")),
            format!("a = [\n{} x y ]\n", all("# c\n")),
            format!("a = [\n{}{}]\n", all("# c\n"), all("x y\n")),
            format!("a = [\n{}{}]\n", all("x y\n"), all("# c\n")),
            format!("{} = [\n{}]\n", ["a"; 70].join("."), all("x y\n")),
            all("x\n"),
            all("a: b\n"),
            all("a =\n# c\n# c\n- x\n"),
            all("a =\nb: 1\n"),
            all("[node.a\n"),
            all("node.a]\n"),
            format!("a = \"\"\"\n{}", all("x\n")),
            all("a = \""),
        ]
    }

    /// Large texts with slips: at the start, in the middle, at the end and everywhere.
    fn texts(n: usize) -> Vec<String> {
        let mut texts = repeated(n);
        for slip in SLIPS {
            for is_bad in [
                (|at, _| at == 0) as fn(usize, usize) -> bool,
                |at, n| at == n / 2,
                |at, n| at + 1 == n,
                |_, _| true,
            ] {
                let item = |at: usize| if is_bad(at, n) { slip.replace('N', "1") } else { "\"x\",".into() };
                let items: Vec<String> = (0..n).map(item).collect();
                texts.push(format!("list = [\n{}\n]\n", items.join("\n")));
                texts.push(format!("list = [{}]\n", items.join(" ")));
                texts.push(items.iter().map(|item| format!("k = {item}\n")).collect());
            }
        }
        texts
    }

    fn count_steps(text: &str) -> usize {
        COUNT.set(0);
        document::parse(text, &mut Report::default());
        COUNT.get()
    }

    #[test]
    fn the_work_grows_with_the_text() {
        const SMALL: usize = 150;
        let pairs = texts(SMALL).into_iter().zip(texts(2 * SMALL));
        let mut superlinear = Vec::new();
        for (small, large) in pairs {
            let (steps, more) = (count_steps(&small), count_steps(&large));
            if more > 2 * steps + 100 {
                superlinear
                    .push(format!("{steps} to {more}: {}…", small.chars().take(40).collect::<String>()));
            }
        }
        assert!(superlinear.is_empty(), "{superlinear:#?}");
        assert!(count_steps(&"x\n".repeat(SMALL)) >= SMALL);
    }
}
