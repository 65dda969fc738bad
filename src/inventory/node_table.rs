//! `[nodes]`: the table of nodes beside the inventory, a row for each node, read as if each row were a `[node.NAME]`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::de::{DeArray, DeString, DeTable, DeValue};

use crate::diag::{Diagnostic, Report, Span, Spanned, Subject};
use crate::model::RelPath;

use super::key::required;
use super::nearest::nearest;
use super::rows::{Row, TableCell, read_rows};
use super::secret_words::is_secret_name;
use super::syntax::MOST_FAULTS;
use super::tables::tables;

tables! {
    /// `[nodes]`: a table of nodes beside the inventory, for many machines that are alike.
    NodesTable {
        /// File with a row for each node, relative to the inventory: comma-separated values, whose first line has the names
        /// of columns. A column is a key of a node: `name`, `profile`, `serial`, `disks` (separated by `;`),
        /// `address.<network>` and so on, as `plasmagen node list --format csv` prints them. Nodes with other keys stand in
        /// tables `[node.<name>]` beside it.
        from: Option<Spanned<RelPath>> = required(),
    }
}

/// The columns of a table of nodes, beside `address.<network>`, `address6.<network>` and `interface.<name>.mac`.
pub const NODE_COLUMNS: [&str; 12] = [
    "name",
    "profile",
    "mac",
    "serial",
    "disks",
    "hardware",
    "rack",
    "bmc.address",
    "bmc.user",
    "bmc.password_file",
    "bmc.protocol",
    "bmc.mac",
];

/// The keys of a node that the column `column` holds, one below the other; none for what is no column.
#[must_use]
pub fn split_column(column: &str) -> Option<Vec<&str>> {
    if let Some(network) = column.strip_prefix("address.") {
        return Some(vec!["address", network]);
    }
    if let Some(network) = column.strip_prefix("address6.") {
        return Some(vec!["address6", network]);
    }
    if let Some(name) = column.strip_prefix("interface.").and_then(|rest| rest.strip_suffix(".mac")) {
        return Some(vec!["interface", name, "mac"]);
    }
    NODE_COLUMNS.contains(&column).then(|| column.split('.').collect())
}

/// Finds the cells of the table `text` in columns that are named like secrets.
#[must_use]
pub fn find_secret_cells(text: &str) -> Vec<Span> {
    let rows = read_rows(text).rows;
    let Some((header, rows)) = rows.split_first() else { return Vec::new() };
    let names = header.cells.iter().map(|cell| cell.text.trim());
    let secret: Vec<usize> =
        names.enumerate().filter(|(_, name)| is_secret_name(name)).map(|(at, _)| at).collect();
    let cells = rows.iter().flat_map(|row| secret.iter().filter_map(|at| row.cells.get(*at)));
    cells.map(|cell| cell.span.clone()).collect()
}

/// Puts the nodes of the table that `root` names into `root`, at places from `offset`. Returns whether all of them are
/// there.
pub(super) fn merge(
    root: &mut DeTable<'_>,
    table: Option<&Result<&str, String>>,
    offset: usize,
    report: &mut Report,
) -> bool {
    if refuse_misspelt(root, report) {
        return false;
    }
    let from = root.get("nodes").and_then(|nodes| nodes.get_ref().get("from")).map(toml::Spanned::span);
    let Some(from) = from else { return true };
    let name = || toml::Spanned::new(from.clone(), DeString::from("node"));
    let empty = || toml::Spanned::new(from.clone(), DeValue::Table(DeTable::new()));
    if !root.contains_key("node") {
        root.insert(name(), empty());
    }
    let text = match table {
        Some(Ok(text)) => *text,
        Some(Err(why)) => {
            report.push(refuse_table(&from, why));
            return false;
        }
        None => {
            // Of an inventory that is not TOML the name of the table is not known.
            if !report.has_errors() {
                report.push(refuse_table(&from, "nothing lies beside an inventory that is no file"));
            }
            return false;
        }
    };
    // Another value is refused where the keys are read.
    let Some(DeValue::Table(nodes)) = root.get_mut("node").map(toml::Spanned::get_mut) else { return false };
    Merge { offset, nodes, report, faults: 0 }.read(text, &from)
}

/// Refuses `[nodes.NAME]`, where `[node.NAME]` is meant, and takes it out of `root`. Returns whether that stood there.
fn refuse_misspelt(root: &mut DeTable<'_>, report: &mut Report) -> bool {
    let Some((key, value)) = root.get_key_value("nodes") else { return false };
    let is_table = |value: &toml::Spanned<DeValue<'_>>| value.get_ref().is_table();
    let is_misspelt = value.get_ref().as_table().is_some_and(|table| {
        !table.contains_key("from") && !table.is_empty() && table.iter().all(|(_, value)| is_table(value))
    });
    if is_misspelt {
        let fault = Diagnostic::error("PG-A03", &key.span(), "unknown key `nodes`");
        report.push(fault.help("did you mean `node`?").edit(key.span(), "node"));
        root.remove("nodes");
    }
    is_misspelt
}

/// The fault of a table of nodes that cannot be read.
fn refuse_table(from: &Span, why: &str) -> Diagnostic {
    let fault = Diagnostic::error("PG-A18", from, format!("the table of nodes cannot be read: {why}"));
    fault.help(
        "name a file below the inventory's directory, whose first line is name,profile,mac,serial,disks",
    )
}

/// A column: its name, its keys below the node, and the place of the name.
struct Column {
    name: String,
    path: Option<Vec<String>>,
}

struct Merge<'m, 'r, 'i> {
    offset: usize,
    nodes: &'m mut DeTable<'i>,
    report: &'r mut Report,
    faults: usize,
}

impl Merge<'_, '_, '_> {
    fn place(&self, span: &Span) -> Span {
        span.start + self.offset..span.end + self.offset
    }

    fn push(&mut self, fault: Diagnostic) {
        self.faults += 1;
        if self.faults <= MOST_FAULTS {
            self.report.push(fault);
        }
    }

    fn refuse(&mut self, span: &Span, message: impl Into<String>, help: &str) {
        let fault = Diagnostic::error("PG-A18", &self.place(span), message);
        self.push(fault.help(help));
    }

    fn read(mut self, text: &str, from: &Span) -> bool {
        let table = read_rows(text);
        for fault in &table.faults {
            self.refuse(&fault.span, fault.message, "write a quote within a cell in quotes twice");
        }
        let Some((header, rows)) = table.rows.split_first() else {
            self.push(refuse_table(from, "it has no line with the names of columns"));
            return false;
        };
        let columns = self.read_header(header);
        if !columns.iter().any(|column| column.name == "name") {
            let help =
                "write the names of columns into the first line, such as name,profile,mac,serial,disks";
            self.refuse(&header.cells[0].span, "the first line has no column `name`", help);
            return false;
        }
        for row in rows {
            self.read_row(text, row, &columns);
        }
        self.faults == 0
    }

    fn read_header(&mut self, header: &Row) -> Vec<Column> {
        let mut seen = BTreeMap::<String, Span>::new();
        let mut columns = Vec::new();
        for cell in &header.cells {
            let name = cell.text.trim().to_owned();
            let path = split_column(&name).map(|path| path.into_iter().map(str::to_owned).collect());
            if path.is_none() && !name.is_empty() {
                self.refuse_column(&name, &self.place(&cell.span));
            }
            if !name.is_empty()
                && let Some(first) = seen.insert(name.clone(), self.place(&cell.span))
            {
                let fault = Diagnostic::error(
                    "PG-A02",
                    &self.place(&cell.span),
                    format!("there are two columns `{}`", name.escape_debug()),
                );
                self.push(fault.related(&first, "the other one").help("remove one of the two"));
            }
            columns.push(Column { name, path });
        }
        columns
    }

    fn refuse_column(&mut self, name: &str, place: &Span) {
        if is_secret_name(name) {
            let message = "passwords stand in the table of nodes";
            let fault = Diagnostic::error("PG-E03", place, message).about(Subject::Secret);
            self.push(fault.help(
                "write a column `bmc.password_file` with files in the vault, `bmc/…`; these passwords are known now: change \
                 them",
            ));
            return;
        }
        let fault = Diagnostic::error("PG-A03", place, format!("unknown column `{}`", name.escape_debug()));
        let known = "address.NETWORK, address6.NETWORK, interface.NAME.mac";
        self.push(fault.help(match nearest(name, &NODE_COLUMNS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}, {known}", NODE_COLUMNS.join(", ")),
        }));
    }

    fn read_row(&mut self, text: &str, row: &Row, columns: &[Column]) {
        if row.cells.len() != columns.len() {
            let message =
                format!("the row has {} cells, and the first line {}", row.cells.len(), columns.len());
            let help = "write a cell for each column, which may be empty";
            self.refuse(&row_span(row), message, help);
            return;
        }
        let name = row.cells.iter().zip(columns).find(|(_, column)| column.name == "name");
        let Some((name, _)) = name.filter(|(cell, _)| !cell.text.trim().is_empty()) else {
            self.refuse(
                &row_span(row),
                "the row has no name",
                "write the name of the node into the column `name`",
            );
            return;
        };
        let key = name.text.trim();
        let place = self.place(&name.span);
        if let Some((first, _)) = self.nodes.get_key_value(key) {
            let message = format!("there are two nodes `{}`", key.escape_debug());
            let fault = Diagnostic::error("PG-A02", &place, message);
            let fault = fault.related(&first.span(), "the other one").help("give one of them another name");
            self.push(fault);
            return;
        }
        let mut node = DeTable::new();
        for (cell, column) in row.cells.iter().zip(columns).filter(|(cell, _)| !cell.text.trim().is_empty()) {
            match column.path.as_deref() {
                Some([first]) if first == "name" => {}
                Some(path) => put(&mut node, path, &self.place(&cell.span), self.read_cell(text, cell, path)),
                None if column.name.is_empty() => {
                    self.refuse(&cell.span, "the cell stands below no name of a column", "remove the cell");
                }
                None => {}
            }
        }
        let node = toml::Spanned::new(self.place(&row_span(row)), DeValue::Table(node));
        self.nodes.insert(toml::Spanned::new(place, Cow::Owned(key.to_owned())), node);
    }

    /// The value of `cell` as the inventory has it: disks are a list.
    fn read_cell(&self, text: &str, cell: &TableCell, path: &[String]) -> toml::Spanned<DeValue<'static>> {
        let string = |text: &str| DeValue::String(Cow::Owned(text.trim().to_owned()));
        if path != ["disks"] {
            return toml::Spanned::new(self.place(&cell.span), string(&cell.text));
        }
        let mut disks = DeArray::new();
        for disk in cell.text.split(';').filter(|disk| !disk.trim().is_empty()) {
            // A disk has no quotes, so that it stands in the cell as it is.
            let written = &text[cell.span.clone()];
            let start = written.find(disk.trim()).map(|at| cell.span.start + at);
            let span = start.map_or(cell.span.clone(), |start| start..start + disk.trim().len());
            disks.push(toml::Spanned::new(self.place(&span), string(disk)));
        }
        toml::Spanned::new(self.place(&cell.span), DeValue::Array(disks))
    }
}

/// The place of the cells of `row`.
fn row_span(row: &Row) -> Span {
    let last = row.cells.last().map_or(row.span.end, |cell| cell.span.end);
    row.span.start..last
}

/// Puts `value` into `table`, below the keys `path`.
fn put<'i>(table: &mut DeTable<'i>, path: &[String], place: &Span, value: toml::Spanned<DeValue<'i>>) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        table.insert(toml::Spanned::new(place.clone(), Cow::Owned(key.clone())), value);
        return;
    }
    if !table.contains_key(key.as_str()) {
        let empty = toml::Spanned::new(place.clone(), DeValue::Table(DeTable::new()));
        table.insert(toml::Spanned::new(place.clone(), Cow::Owned(key.clone())), empty);
    }
    if let Some(DeValue::Table(inner)) = table.get_mut(key.as_str()).map(toml::Spanned::get_mut) {
        put(inner, rest, place, value);
    }
}
