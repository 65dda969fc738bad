//! The table of nodes as a text that is edited: rows added and removed, and cells replaced.

use anyhow::{Result, bail, ensure};

use crate::inventory::{Row, Rows, TableCell, read_rows};

use super::blocks::{keep_end, line_end};
use super::splice::{Splice, apply};
use super::style::{NewKey, NewValue};

/// The texts of a new row, by the names of their columns.
pub(super) type NewRow = Vec<(String, String)>;

/// A table of nodes, and its columns.
pub(super) struct NodeRows<'t> {
    text: &'t str,
    table: Rows,
}

impl<'t> NodeRows<'t> {
    /// Reads the table `text`.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub(super) fn read(text: &'t str) -> Result<Self> {
        let table = read_rows(text);
        let width = table.rows.first().map_or(0, |row| row.cells.len());
        let is_sound = table.faults.is_empty() && table.rows.iter().all(|row| row.cells.len() == width);
        ensure!(is_sound, "the table of nodes has rows that cannot be read: plasmagen check says where");
        Ok(Self { text, table })
    }

    /// The names of the columns.
    fn columns(&self) -> Vec<&str> {
        let header = self.table.rows.first();
        header.iter().flat_map(|row| &row.cells).map(|cell| cell.text.trim()).collect()
    }

    /// The rows of nodes.
    fn nodes(&self) -> &[Row] {
        self.table.rows.get(1..).unwrap_or_default()
    }

    /// The cell of `row` in the column `column`.
    fn cell<'r>(&self, row: &'r Row, column: &str) -> Option<&'r TableCell> {
        row.cells.get(self.columns().iter().position(|name| *name == column)?)
    }

    fn find(&self, name: &str) -> Option<&Row> {
        self.nodes().iter().find(|row| self.cell(row, "name").is_some_and(|cell| cell.text.trim() == name))
    }

    /// Whether the table has a row for the node `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The text with the further columns that `needed` names, empty in every row.
    fn with_columns<'c>(&self, needed: impl Iterator<Item = &'c str>) -> String {
        let mut columns: Vec<&str> = self.columns();
        let known = columns.len();
        for column in needed {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let added = &columns[known..];
        let separator = self.table.separator;
        let (Some(header), false) = (self.table.rows.first(), added.is_empty()) else {
            let first = if self.table.rows.is_empty() { columns.join(",") + "\n" } else { String::new() };
            return self.text.to_owned() + &first;
        };
        let names: String =
            added.iter().map(|name| format!("{separator}{}", quote(name, separator, false))).collect();
        let empty = separator.to_string().repeat(added.len());
        let end = |row: &Row| row.cells.last().map_or(row.span.end, |cell| cell.span.end);
        let mut splices = vec![Splice::new(end(header)..end(header), names)];
        splices.extend(self.nodes().iter().map(|row| Splice::new(end(row)..end(row), empty.clone())));
        apply(self.text, splices)
    }

    /// Adds `rows` behind the last row of the profile `profile`, else behind the last one. Returns the new text, and the
    /// rows as they stand there.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(super) fn add(&self, profile: &str, rows: &[NewRow]) -> Result<(String, String)> {
        let needed = rows.iter().flatten().map(|(column, _)| column.as_str());
        let text = self.with_columns(needed);
        let table = NodeRows::read(&text)?;
        let is_peer = |row: &&Row| table.cell(row, "profile").is_some_and(|cell| cell.text.trim() == profile);
        let nodes = table.nodes();
        let peer = nodes.iter().rfind(is_peer).or(nodes.last());
        let Some(above) = peer.or(table.table.rows.first()) else {
            bail!("the table of nodes has no line with the names of columns: plasmagen check says where")
        };
        let (at, line_end) = (above.span.end, line_end(&text));
        let print = |row: &NewRow| table.print_row(row, peer);
        let lines: Vec<String> = rows.iter().map(print).collect();
        let block: String = lines.iter().map(|line| format!("{line}{line_end}")).collect();
        let inserted = if text[..at].ends_with('\n') {
            block.clone()
        } else {
            lines.iter().map(|line| format!("{line_end}{line}")).collect()
        };
        Ok((apply(&text, vec![Splice::new(at..at, inserted)]), block))
    }

    /// The line of `row`, with quotes in the columns in which `peer` has them.
    fn print_row(&self, row: &NewRow, peer: Option<&Row>) -> String {
        let separator = self.table.separator;
        let print = |column: &&str| {
            let value = row.iter().find(|(name, _)| name == column).map_or("", |(_, value)| value);
            let is_quoted =
                peer.and_then(|peer| self.cell(peer, column)).is_some_and(|cell| self.is_quoted(cell));
            quote(value, separator, is_quoted)
        };
        let cells: Vec<String> = self.columns().iter().map(print).collect();
        cells.join(&separator.to_string())
    }

    fn is_quoted(&self, cell: &TableCell) -> bool {
        self.text[cell.span.clone()].starts_with('"')
    }

    /// Removes the rows of the nodes `names`.
    pub(super) fn remove(&self, names: &[&str]) -> String {
        let rows = names.iter().filter_map(|name| self.find(name));
        let splices = rows.map(|row| Splice::new(row.span.clone(), "")).collect();
        keep_end(self.text, apply(self.text, splices))
    }

    /// Replaces cells of the node `name`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(super) fn replace(&self, name: &str, values: &NewRow) -> Result<String> {
        let text = self.with_columns(values.iter().map(|(column, _)| column.as_str()));
        let table = NodeRows::read(&text)?;
        let row = table.find(name).into_iter();
        let splices = row.flat_map(|row| {
            values.iter().filter_map(|(column, value)| {
                let cell = table.cell(row, column)?;
                let value = quote(value, table.table.separator, table.is_quoted(cell));
                Some(Splice::new(cell.span.clone(), value))
            })
        });
        Ok(apply(&text, splices.collect()))
    }
}

/// `value` as a cell, in quotes where it needs some, or where `is_quoted`.
fn quote(value: &str, separator: char, is_quoted: bool) -> String {
    if is_quoted || value.contains([separator, '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

/// The keys of the node `name` as cells.
pub(super) fn to_row(name: &str, keys: Vec<NewKey>) -> NewRow {
    let mut row = vec![("name".to_owned(), name.to_owned())];
    for (key, value) in keys {
        match value {
            NewValue::Text(text) => row.push((key.to_owned(), text)),
            NewValue::Number(number) => row.push((key.to_owned(), number.to_string())),
            NewValue::List(items) => row.push((key.to_owned(), items.join(";"))),
            NewValue::Table(pairs) => {
                // A key of TOML may stand in quotes.
                row.extend(
                    pairs
                        .into_iter()
                        .map(|(inner, text)| (format!("{key}.{}", inner.replace('"', "")), text)),
                );
            }
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, profile: &str, more: &[(&str, &str)]) -> NewRow {
        let cells = [("name", name), ("profile", profile)].into_iter().chain(more.iter().copied());
        cells.map(|(column, text)| (column.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn rows_are_written_like_those_above_and_removed_again() {
        for (before, after) in [
            ("name,profile\na,p\nb,q\n", "name,profile\na,p\nc,p\nb,q\n"),
            ("name;profile\r\na;\"p\"", "name;profile\r\na;\"p\"\r\nc;\"p\""),
            ("\u{feff}profile\tname\n", "\u{feff}profile\tname\np\tc\n"),
        ] {
            let (text, _) = NodeRows::read(before).unwrap().add("p", &[row("c", "p", &[])]).unwrap();
            assert_eq!(text, after);
            assert_eq!(NodeRows::read(&text).unwrap().remove(&["c"]), before);
        }
    }

    #[test]
    fn columns_that_are_missing_are_added_to_every_row() {
        let table = NodeRows::read("name,profile\na,p\n\n").unwrap();
        let (text, block) = table.add("p", &[row("b", "p", &[("disks", "x;y"), ("rack", "r,1")])]).unwrap();
        assert_eq!(text, "name,profile,disks,rack\na,p,,\nb,p,x;y,\"r,1\"\n\n");
        assert_eq!(block, "b,p,x;y,\"r,1\"\n");
        let (text, _) = NodeRows::read("").unwrap().add("p", &[row("b", "p", &[])]).unwrap();
        assert_eq!(text, "name,profile\nb,p\n");
        assert!(NodeRows::read("name,profile\na\n").is_err());
    }

    #[test]
    fn cells_are_replaced() {
        let table = NodeRows::read("name,mac\na,\"1\"\nb,2\n").unwrap();
        let values =
            [("mac", "3"), ("serial", "S")].map(|(column, text)| (column.to_owned(), text.to_owned()));
        assert_eq!(table.replace("a", &values.to_vec()).unwrap(), "name,mac,serial\na,\"3\",S\nb,2,\n");
    }
}
