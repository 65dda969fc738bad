//! The paths that the files of `src` name: enough of the language for the tests of the house's map.

use std::collections::BTreeMap;
use std::fs;
use std::iter::Peekable;

use walkdir::WalkDir;

/// A path such as `crate::model::Node`, as its segments.
pub(crate) type Segments = Vec<String>;

/// The paths that a module names. Comments and unit tests do not count.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// The paths of `use` lines, by the name that each has in the module.
    pub(crate) imports: BTreeMap<String, Segments>,
    /// The paths of `pub use` lines, by the name that each has outside of the module.
    pub(crate) exports: BTreeMap<String, Segments>,
    /// The paths of two or more segments in the code itself.
    pub(crate) mentions: Vec<Segments>,
}

/// The modules of the library by their paths, such as `["model", "net"]`. The crate's root is not among them.
pub(crate) fn read_modules() -> BTreeMap<Segments, Paths> {
    let mut modules = BTreeMap::new();
    for entry in WalkDir::new("src").into_iter().map(Result::unwrap) {
        let path = entry.path().strip_prefix("src").unwrap();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let mut module: Segments =
            path.with_extension("").iter().map(|name| name.to_str().unwrap().to_owned()).collect();
        module.pop_if(|last| last == "mod");
        if !["lib", "main"].contains(&&*module[0]) {
            modules.insert(module, Paths::parse(&fs::read_to_string(entry.path()).unwrap()));
        }
    }
    modules
}

impl Paths {
    /// Reads the paths in the text of a file.
    fn parse(text: &str) -> Self {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: Vec<_> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n");
        let mut tokens = split_tokens(&code).into_iter().peekable();
        let (mut paths, mut before) = (Self::default(), "");
        while let Some(token) = tokens.next() {
            // `use` in a text follows other tokens.
            if token == "use" && ["", ";", "{", "}", "]", ")", "pub"].contains(&before) {
                // The visibility is `pub` or `pub(…)`.
                let is_public = ["pub", ")"].contains(&before);
                let names = if is_public { &mut paths.exports } else { &mut paths.imports };
                read_use_tree(&mut tokens, Vec::new(), names);
            } else if is_word(token) && tokens.peek() == Some(&"::") {
                let mut path = vec![token.to_owned()];
                while tokens.next_if_eq(&"::").is_some() {
                    path.extend(tokens.next_if(|next| is_word(next)).map(str::to_owned));
                }
                paths.mentions.push(path);
            }
            before = token;
        }
        paths
    }

    /// Every path that the module names, apart from `pub use` lines. Paths that begin with an imported name are whole.
    pub(crate) fn used(&self) -> impl Iterator<Item = Segments> {
        let mentions = self.mentions.iter().map(|path| match self.imports.get(&path[0]) {
            Some(import) => [import, &path[1..]].concat(),
            None => path.clone(),
        });
        self.imports.values().cloned().chain(mentions)
    }
}

/// Splits code into words, `::` and single characters.
fn split_tokens(code: &str) -> Vec<&str> {
    let (mut tokens, mut rest) = (Vec::new(), code.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = match rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len())
        {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            length => length,
        };
        let (token, tail) = rest.split_at(length);
        tokens.push(token);
        rest = tail.trim_start();
    }
    tokens
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Reads what follows `use`, or one item of a list in it, and adds each path below `prefix` under its name.
fn read_use_tree<'a>(
    tokens: &mut Peekable<impl Iterator<Item = &'a str>>,
    mut prefix: Segments,
    names: &mut BTreeMap<String, Segments>,
) {
    while let Some(token) = tokens.next_if(|token| ![",", ";", "}"].contains(token)) {
        match token {
            "::" => {}
            "{" => {
                while tokens.peek().is_some_and(|token| !["}", ";"].contains(token)) {
                    read_use_tree(tokens, prefix.clone(), names);
                    tokens.next_if_eq(&",");
                }
                tokens.next();
                return;
            }
            "as" => {
                names.insert(tokens.next().unwrap().to_owned(), prefix);
                return;
            }
            // `use a::{self}` names `a` itself.
            "self" if !prefix.is_empty() => {}
            segment => prefix.push(segment.to_owned()),
        }
    }
    names.extend(prefix.last().cloned().map(|name| (name, prefix)));
}

#[test]
fn paths_are_read() {
    let text = "
        //! crate::comment::X
        use crate::{a, b::{self, C as D, e::F}};
        use super::super::g;
        pub(super) use h::I;
        pub use self::j::{K, l};
        fn m() -> a::N { D::new(); g::o(1); Vec::<u8>::new() }
        #[cfg(test)]
mod tests { use crate::hidden; }";
    let paths = Paths::parse(text);
    let text = |list: &BTreeMap<String, Segments>| {
        list.iter().map(|(name, path)| format!("{name} {}", path.join("::"))).collect::<Vec<_>>()
    };
    let imports = ["D crate::b::C", "F crate::b::e::F", "a crate::a", "b crate::b", "g super::super::g"];
    assert_eq!(text(&paths.imports), imports);
    assert_eq!(text(&paths.exports), ["I h::I", "K self::j::K", "l self::j::l"]);
    let used: Vec<_> = paths.used().skip(imports.len()).map(|path| path.join("::")).collect();
    assert_eq!(used, ["crate::a::N", "crate::b::C::new", "super::super::g::o", "Vec"]);
}
