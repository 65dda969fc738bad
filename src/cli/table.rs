//! Tables as text.

use std::fmt::Display;

use crate::model::escape_line;

/// Rows with aligned columns, two spaces apart. Cells are aligned to the left, and their widths are counted in
/// characters. Characters that a terminal obeys are escaped. The last cell of a row has no width: it may be a long text.
pub(super) struct TextTable<const N: usize> {
    rows: Vec<Vec<String>>,
    right: Option<usize>,
}

impl<const N: usize> TextTable<N> {
    /// A table without rows.
    pub(super) fn new() -> Self {
        Self { rows: Vec::new(), right: None }
    }

    /// A table with a row of headings.
    pub(super) fn with_headings(headings: [&str; N]) -> Self {
        let mut table = Self::new();
        table.row(headings.map(str::to_owned));
        table
    }

    /// Aligns the cells of `column`, which is not the last one, to the right.
    pub(super) fn align_right(mut self, column: usize) -> Self {
        self.right = Some(column);
        self
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: [String; N]) {
        self.short_row(cells);
    }

    /// Adds a row of fewer cells, whose last cell may reach over the columns that are left.
    pub(super) fn short_row<const M: usize>(&mut self, cells: [String; M]) {
        self.rows.push(cells.into_iter().map(|cell| escape_line(&cell).into_owned()).collect());
    }

    /// Adds a line of text that reaches over all columns.
    pub(super) fn text(&mut self, line: impl Display) {
        self.short_row([line.to_string()]);
    }

    /// Prints the table, with a line end after each row.
    pub(super) fn print(&self) -> String {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row.iter().rev().skip(1).rev()) {
                *width = cell.chars().count().max(*width);
            }
        }
        self.rows.iter().map(|row| self.print_row(row, &widths) + "\n").collect()
    }

    fn print_row(&self, row: &[String], widths: &[usize; N]) -> String {
        let Some((last, cells)) = row.split_last() else { return String::new() };
        let mut line = String::new();
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            line += &if self.right == Some(column) {
                format!("{cell:>width$}  ")
            } else {
                format!("{cell:width$}  ")
            };
        }
        (line + last).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_without_spaces() {
        let mut table = TextTable::with_headings(["node", "days", "state"]).align_right(1);
        table.row(["ä".to_owned(), "7".to_owned(), String::new()]);
        table.text("    a line over all columns");
        table.short_row(["node1".to_owned(), "a text over the other columns".to_owned()]);
        table.row(["node01".to_owned(), "12345".to_owned(), "ok".to_owned()]);
        let expected = "\
node     days  state
ä           7
    a line over all columns
node1   a text over the other columns
node01  12345  ok
";
        assert_eq!(table.print(), expected);
    }
}
