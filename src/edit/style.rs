//! How a table of a node or a network is written, taken from a neighbour.

use super::blocks::{indent_at, line_end};
use super::literal::{toml_key, toml_string};
use super::places::{Form, Place};
use super::source::{Part, SourceMap};

/// The order of keys where the neighbour says nothing: those of a node, then those of a network.
const ORDER: [&str; 21] = [
    "profile",
    "hardware",
    "mac",
    "interface",
    "address",
    "address6",
    "disks",
    "bmc",
    "serial",
    "rack",
    "roles",
    "vlan",
    "subnet",
    "subnet6",
    "gateway",
    "gateway6",
    "dns",
    "domain",
    "pool",
    "pool6",
    "range",
];

/// A value of a new table.
#[derive(Clone, Debug)]
pub(super) enum NewValue {
    /// A string.
    Text(String),
    /// A number.
    Number(u16),
    /// A list of strings.
    List(Vec<String>),
    /// A table of strings, such as `address`, `bmc` and `range`, by keys as they are written.
    Table(Vec<(String, String)>),
}

/// A key of a new table, with its value.
pub(super) type NewKey = (&'static str, NewValue);

/// How tables of nodes are written.
#[derive(Debug)]
pub(super) struct Style {
    /// The line end.
    pub(super) line_end: &'static str,
    /// The form of the table.
    pub(super) form: Form,
    /// The table that the table is in: `node` or `network`.
    kind: &'static str,
    /// Whether the name stands behind that of `kind` where the table is not written with a header.
    is_at_root: bool,
    /// The white space before the header.
    header_indent: String,
    /// The white space before each key.
    indent: String,
    /// The first keys of the neighbour, in order.
    order: Vec<String>,
    /// The keys whose tables are written inline.
    inline: Vec<&'static str>,
    /// The white space before each disk, where disks stand on lines of their own.
    disk_indent: Option<String>,
    /// The column in which all `=` of the neighbour stand, counted from the key.
    equals_at: usize,
}

impl Style {
    /// The style of tables with headers in `text`.
    pub(super) fn plain(text: &str, kind: &'static str) -> Self {
        Self {
            kind,
            line_end: line_end(text),
            form: Form::Headers,
            is_at_root: false,
            header_indent: String::new(),
            indent: String::new(),
            order: Vec::new(),
            inline: vec!["bmc"],
            disk_indent: None,
            equals_at: 0,
        }
    }

    /// The style of the table at `place`.
    pub(super) fn of(map: &SourceMap<'_>, place: &Place, kind: &'static str) -> Self {
        let mut style = Self { form: place.form, ..Self::plain(map.text, kind) };
        let keys = place.keys(map);
        for key in &keys {
            let first = &key.path[0];
            if !style.order.contains(first) {
                style.order.push(first.clone());
            }
        }
        let is_written = |table: &str| keys.iter().any(|key| key.path[0] == table);
        let is_inline = |table: &str| keys.iter().any(|key| key.path == [table]);
        let tables = ["address", "address6", "bmc"];
        style.inline = tables
            .into_iter()
            .filter(|table| is_inline(table) || !is_written(table) && *table == "bmc")
            .collect();
        style.disk_indent = find_disk_indent(map, &keys);
        let statements: Vec<_> = place.statements.iter().map(|at| &map.statements[*at]).collect();
        if let Some(header) = statements.iter().find(|statement| statement.is_header) {
            style.header_indent = indent_at(map.text, header.lines.start).to_owned();
        }
        let entries: Vec<_> = statements.iter().filter(|statement| !statement.is_header).collect();
        if let Some(entry) = entries.first() {
            style.indent = indent_at(map.text, entry.lines.start).to_owned();
            style.is_at_root = entry.inherited == 0;
        }
        let columns: Vec<usize> = entries
            .iter()
            .filter_map(|entry| map.text[entry.key.start..entry.value.start].find('='))
            .collect();
        let lengths: Vec<usize> = entries.iter().map(|entry| entry.key.len()).collect();
        let is_aligned = columns.iter().all(|column| Some(column) == columns.first())
            && lengths.iter().any(|length| Some(length) != lengths.first());
        if place.form == Form::Headers && is_aligned {
            style.equals_at = columns.first().copied().unwrap_or_default();
        }
        style
    }

    /// Prints the table `name` with `keys`, without a blank line.
    pub(super) fn print(&self, name: &str, mut keys: Vec<NewKey>) -> String {
        keys.sort_by_key(|(key, _)| self.rank(key));
        let lines: Vec<(String, String)> = keys.iter().flat_map(|key| self.lines(key)).collect();
        let Self { indent, line_end, kind, .. } = self;
        if self.form == Form::Inline {
            let pairs: Vec<_> = lines.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            let table = if self.is_at_root { format!("{kind}.") } else { String::new() };
            return format!("{indent}{table}{} = {{ {} }}{line_end}", toml_key(name), pairs.join(", "));
        }
        let lines = lines.iter().map(|(key, value)| self.key_line(name, key, value) + line_end);
        let header = match self.form {
            Form::Headers => format!("{}[{kind}.{}]{line_end}", self.header_indent, toml_key(name)),
            _ => String::new(),
        };
        header + &lines.collect::<String>()
    }

    /// The line of one key of the table `name`, without a line end.
    pub(super) fn key_line(&self, name: &str, key: &str, value: &str) -> String {
        let Self { indent, kind, .. } = self;
        let (name, width) = (toml_key(name), self.equals_at.saturating_sub(1));
        match (self.form, self.is_at_root) {
            (Form::Headers, _) => format!("{indent}{key:width$} = {value}"),
            (_, true) => format!("{indent}{kind}.{name}.{key} = {value}"),
            (_, false) => format!("{indent}{name}.{key} = {value}"),
        }
    }

    /// The place of `key` among the keys of a table: that of the neighbour, else behind the key before it in [`ORDER`].
    fn rank(&self, key: &str) -> (usize, usize) {
        let usual = ORDER.iter().position(|usual| *usual == key).unwrap_or(ORDER.len());
        let written = |key: &str| self.order.iter().position(|written| written == key);
        let mut before = ORDER[..(usual + 1).min(ORDER.len())].iter().rev();
        match before.find_map(|key| written(key)) {
            Some(at) if written(key) == Some(at) => (at + 1, 0),
            Some(at) => (at + 1, usual + 1),
            None => (0, usual + 1),
        }
    }

    /// The lines of a key: its name and its value.
    fn lines(&self, (key, value): &NewKey) -> Vec<(String, String)> {
        match value {
            NewValue::Text(text) => vec![((*key).to_owned(), toml_string(text))],
            NewValue::Number(number) => vec![((*key).to_owned(), number.to_string())],
            NewValue::List(items) => vec![((*key).to_owned(), self.list(items))],
            NewValue::Table(pairs) if self.inline.contains(key) => {
                let pairs: Vec<_> =
                    pairs.iter().map(|(name, text)| format!("{name} = {}", toml_string(text))).collect();
                vec![((*key).to_owned(), format!("{{ {} }}", pairs.join(", ")))]
            }
            NewValue::Table(pairs) => {
                pairs.iter().map(|(name, text)| (format!("{key}.{name}"), toml_string(text))).collect()
            }
        }
    }

    /// A list of strings, on one line, or with an item on each line.
    pub(super) fn list(&self, items: &[String]) -> String {
        let texts = items.iter().map(|item| toml_string(item));
        let Some(indent) = self.disk_indent.as_ref().filter(|_| self.form == Form::Headers) else {
            return format!("[{}]", texts.collect::<Vec<_>>().join(", "));
        };
        let lines: String = texts.map(|text| format!("{indent}{text},{}", self.line_end)).collect();
        format!("[{}{lines}{}]", self.line_end, self.indent)
    }
}

/// The text that puts `blocks` into `text` at the line that begins at `at`: with a blank line before each table with a
/// header.
pub(super) fn insertion(text: &str, at: usize, style: &Style, blocks: &[String]) -> String {
    let blank = if style.form == Form::Headers { style.line_end } else { "" };
    let is_line_start = text[..at].is_empty() || text[..at].ends_with('\n');
    let first = if is_line_start { "" } else { style.line_end };
    let blocks: String = blocks.iter().map(|block| format!("{blank}{block}")).collect();
    format!("{first}{blocks}")
}

/// The white space before the disks of the node with `keys`, where they stand on lines of their own.
fn find_disk_indent(map: &SourceMap<'_>, keys: &[Part]) -> Option<String> {
    let disks = keys.iter().find(|key| key.path == ["disks"])?;
    let written = &map.text[disks.value.clone()];
    let (_, second) = written.split_once('\n')?;
    Some(indent_at(second, 0).to_owned())
}
