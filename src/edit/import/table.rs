//! The rows of a table, with the line and the column of every cell.

use crate::diag::Span;
use crate::inventory;

use super::candidate::{FilePlace, ImportFault};

/// A cell of a table.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) place: FilePlace,
}

/// Reads the rows of `text`, without empty lines. All faults are listed, and faulty rows are left out.
pub(super) fn read_rows(file: &str, text: &str, faults: &mut Vec<ImportFault>) -> Vec<Vec<Cell>> {
    let table = inventory::read_rows(text);
    let mut places = Places::new(file, text);
    faults.extend(table.faults.iter().map(|fault| ImportFault::new(&places.of(&fault.span), fault.message)));
    let mut places = Places::new(file, text);
    let mut read_cell = |cell: inventory::TableCell| Cell { place: places.of(&cell.span), text: cell.text };
    table.rows.into_iter().map(|row| row.cells.into_iter().map(&mut read_cell).collect()).collect()
}

/// Places of a text, which are asked for in order.
pub(super) struct Places<'t> {
    text: &'t str,
    at: usize,
    place: FilePlace,
}

impl<'t> Places<'t> {
    pub(super) fn new(file: &str, text: &'t str) -> Self {
        Self { text, at: 0, place: FilePlace { file: file.to_owned(), line: 1, column: 1 } }
    }

    /// The place at which `span` begins, which is not before the last one.
    pub(super) fn of(&mut self, span: &Span) -> FilePlace {
        for c in self.text[self.at..span.start].chars() {
            match c {
                '\n' => (self.place.line, self.place.column) = (self.place.line + 1, 1),
                '\u{feff}' => {}
                _ => self.place.column += 1,
            }
        }
        self.at = span.start;
        self.place.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_faults_have_their_lines_and_columns() {
        let mut faults = Vec::new();
        let rows = read_rows("f", "\u{feff}a,b\n\"x\"y,1\n2,\"3\n\"\n4,\"z", &mut faults);
        let places: Vec<_> =
            rows.iter().flatten().map(|cell| format!("{} {:?}", cell.place, cell.text)).collect();
        assert_eq!(places, ["f:1:1 \"a\"", "f:1:3 \"b\"", "f:3:1 \"2\"", "f:3:3 \"3\\n\""]);
        let faults: Vec<_> =
            faults.iter().map(|fault| format!("{} {}", fault.place, fault.message)).collect();
        assert_eq!(faults, ["f:2:4 text stands behind a cell in quotes", "f:5:3 this quote is never closed"]);
    }
}
