//! The texts of a file that may quote a command line: paragraphs, lines of code blocks, comments, string literals.

/// A text, with its place.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The file and the line in which the text begins.
    pub(super) place: String,
    /// The text, its lines joined.
    pub(super) body: String,
    /// Whether it is a line of a code block, which is a command line as a whole.
    pub(super) is_code: bool,
}

/// Collects the texts of one file.
struct Collector<'a> {
    path: &'a str,
    texts: Vec<Text>,
    /// The lines that are to be joined, and where the first of them is.
    open: String,
    line: usize,
}

impl Collector<'_> {
    fn join(&mut self, line: usize, text: &str) {
        if self.open.is_empty() {
            self.line = line;
        } else {
            self.open.push(' ');
        }
        self.open.push_str(text.trim());
    }

    fn close(&mut self, is_code: bool) {
        let body = std::mem::take(&mut self.open);
        if !body.is_empty() {
            self.texts.push(Text { place: format!("{}:{}", self.path, self.line), body, is_code });
        }
    }

    /// Markdown: paragraphs, rows of tables, and the lines of code blocks.
    fn markdown(&mut self, text: &str) {
        let mut in_block = false;
        for (index, line) in text.lines().enumerate() {
            let fence = line.trim_start().starts_with("```");
            if fence || line.trim().is_empty() || line.starts_with('|') {
                self.close(in_block);
            }
            if fence {
                in_block = !in_block;
            } else if in_block {
                self.join(index + 1, line.strip_suffix('\\').unwrap_or(line));
                if !line.ends_with('\\') {
                    self.close(true);
                }
            } else {
                self.join(index + 1, line);
            }
        }
        self.close(in_block);
    }

    /// Anything else: comments of several lines, and lines.
    fn plain(&mut self, text: &str) {
        let (mut was_comment, mut goes_on) = (false, false);
        for (index, line) in text.lines().enumerate() {
            let comment = ["//", "#", ";"].iter().find_map(|mark| line.trim_start().strip_prefix(mark));
            if comment.is_some() != was_comment && !goes_on {
                self.close(false);
            }
            was_comment = comment.is_some();
            goes_on = line.ends_with('\\');
            self.join(index + 1, comment.unwrap_or(line.strip_suffix('\\').unwrap_or(line)));
            if !was_comment && !goes_on {
                self.close(false);
            }
        }
        self.close(false);
    }

    /// Rust: comments and string literals.
    fn rust(&mut self, text: &str) {
        let mut rest = text;
        let line_at = |rest: &str| 1 + text[..text.len() - rest.len()].matches('\n').count();
        while let Some(first) = rest.chars().next() {
            if rest.starts_with("//") {
                let (comment, after) = rest.split_once('\n').unwrap_or((rest, ""));
                self.join(line_at(rest), comment.trim_start_matches(['/', '!']));
                if !after.trim_start().starts_with("//") {
                    self.close(false);
                }
                rest = after;
            } else if let Some((body, after)) = literal(rest) {
                self.join(line_at(rest), &body);
                self.close(false);
                rest = after;
            } else {
                rest = &rest[first.len_utf8()..];
            }
        }
        self.close(false);
    }
}

/// The string literal at the head of `rest`, unescaped as far as it matters here, and what follows. A character literal
/// is an empty string, so that a quote in it opens none.
fn literal(rest: &str) -> Option<(String, &str)> {
    if let Some(inner) = rest.strip_prefix('\'') {
        let mut chars = inner.char_indices().skip(1);
        let (end, second) = chars.next()?;
        let close = if inner.starts_with('\\') { end + second.len_utf8() } else { end };
        return inner[close..]
            .find('\'')
            .filter(|at| *at == 0 || inner.starts_with('\\'))
            .map(|at| (String::new(), &inner[close + at + 1..]));
    }
    let raw = rest.strip_prefix('r').map(|rest| rest.trim_start_matches('#'));
    if let Some(body) = raw.and_then(|raw| raw.strip_prefix('"')) {
        let hashes = rest.len() - body.len() - 2;
        let (body, after) = body.split_once(&format!("\"{}", "#".repeat(hashes)))?;
        return Some((body.replace('\n', " "), after));
    }
    let mut rest = rest.strip_prefix('"')?;
    let mut body = String::new();
    loop {
        let end = rest.find(['"', '\\'])?;
        body.push_str(&rest[..end]);
        if rest[end..].starts_with('"') {
            return Some((body.replace('\n', " "), &rest[end + 1..]));
        }
        let escaped = rest[end + 1..].chars().next()?;
        rest = &rest[end + 1 + escaped.len_utf8()..];
        match escaped {
            '\n' => rest = rest.trim_start(),
            'n' | 't' => body.push(' '),
            other => body.push(other),
        }
    }
}

/// The texts of the file at `path`.
pub(super) fn of_file(path: &str, text: &str) -> Vec<Text> {
    let mut collector = Collector { path, texts: Vec::new(), open: String::new(), line: 0 };
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        // What a version of long ago could do is no promise.
        Some("md") if path == "CHANGELOG.md" => {
            let unreleased =
                text.split("\n## ").find(|part| part.trim_start_matches("## ").starts_with("Unreleased"));
            collector.markdown(unreleased.unwrap_or_default());
        }
        Some("md") => collector.markdown(text),
        Some("rs") => collector.rust(text),
        _ => collector.plain(text),
    }
    collector.texts
}
