//! Comma-separated values (RFC 4180), also with semicolons or tabs, with the place of every cell.

use crate::diag::Span;

/// A table of cells.
#[derive(Debug)]
pub struct Rows {
    /// The character between two cells: that which the first line has most of.
    pub separator: char,
    /// The rows that have a cell with text. Faulty rows are not there.
    pub rows: Vec<Row>,
    /// Rows that could not be read.
    pub faults: Vec<RowFault>,
}

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    /// The cells, of which a row has at least one.
    pub cells: Vec<TableCell>,
    /// The place of the row, with its line end.
    pub span: Span,
}

/// A cell of a table.
#[derive(Debug)]
pub struct TableCell {
    /// The text, without quotes.
    pub text: String,
    /// The place of the cell, with its quotes.
    pub span: Span,
}

/// A place at which a row could not be read.
#[derive(Debug)]
pub struct RowFault {
    /// The place.
    pub span: Span,
    /// The fault, in one line.
    pub message: &'static str,
}

/// Reads the rows of `text`, which may begin with a byte order mark.
#[must_use]
pub fn read_rows(text: &str) -> Rows {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let first = text[start..].lines().next().unwrap_or_default();
    let count = |separator: char| first.matches(separator).count();
    let separator = [',', ';', '\t'].into_iter().max_by_key(|c| (count(*c), *c == ',')).unwrap_or(',');
    let mut reader = Reader { text, at: start, separator };
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    while reader.at < text.len() {
        match reader.read_row() {
            Ok(row) if row.cells.iter().all(|cell| cell.text.trim().is_empty()) => {}
            Ok(row) => rows.push(row),
            Err(fault) => {
                faults.push(fault);
                reader.at = text[reader.at..].find('\n').map_or(text.len(), |end| reader.at + end + 1);
            }
        }
    }
    Rows { separator, rows, faults }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    separator: char,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Reads a row, with its line end.
    fn read_row(&mut self) -> Result<Row, RowFault> {
        let start = self.at;
        let mut cells = Vec::new();
        loop {
            cells.push(self.read_cell()?);
            if !self.rest().starts_with(self.separator) {
                break;
            }
            self.at += self.separator.len_utf8();
        }
        let line_end = ["\r\n", "\n"].into_iter().find(|end| self.rest().starts_with(end));
        self.at += line_end.map_or(0, str::len);
        Ok(Row { cells, span: start..self.at })
    }

    /// Reads a cell, up to the separator or the line end behind.
    fn read_cell(&mut self) -> Result<TableCell, RowFault> {
        let start = self.at;
        if !self.rest().starts_with('"') {
            let rest = self.rest();
            let end = rest.find(['\n', self.separator]).unwrap_or(rest.len());
            // Without the first half of the line end.
            let text = if rest[end..].starts_with(self.separator) {
                &rest[..end]
            } else {
                rest[..end].trim_end_matches('\r')
            };
            let text = text.to_owned();
            self.at += text.len();
            return Ok(TableCell { span: start..self.at, text });
        }
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(quote) = self.rest().find('"') else {
                self.at = self.text.len();
                return Err(RowFault { span: start..start + 1, message: "this quote is never closed" });
            };
            text += &self.text[self.at..self.at + quote];
            self.at += quote + 1;
            if !self.rest().starts_with('"') {
                break;
            }
            text.push('"');
            self.at += 1;
        }
        let rest = self.rest();
        let is_at_end =
            rest.is_empty() || rest.starts_with(['\n', self.separator]) || rest.starts_with("\r\n");
        if !is_at_end {
            let message = "text stands behind a cell in quotes";
            return Err(RowFault { span: self.at..self.at, message });
        }
        Ok(TableCell { text, span: start..self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_whatever_separates_them() {
        for text in
            ["a,b\r\n1,\"x\"\"\n,y\"\r\n\r\n", "\u{feff}a;b\n1;\"x\"\"\n,y\"", "a\tb\n1\t\"x\"\"\n,y\"\n"]
        {
            let rows = read_rows(text).rows;
            let texts: Vec<Vec<&str>> =
                rows.iter().map(|row| row.cells.iter().map(|cell| cell.text.as_str()).collect()).collect();
            assert_eq!(texts, [["a", "b"], ["1", "x\"\n,y"]]);
            let cell = &rows[1].cells[1];
            assert_eq!(&text[cell.span.clone()], "\"x\"\"\n,y\"");
            assert_eq!(rows[0].span.end, rows[1].span.start);
        }
    }

    #[test]
    fn every_faulty_row_is_named() {
        let rows = read_rows("a,b\n\"x\"y,1\n2,3\n4,\"z");
        assert_eq!(rows.rows.len(), 2);
        let faults: Vec<_> = rows.faults.iter().map(|fault| (fault.span.start, fault.message)).collect();
        assert_eq!(faults, [(7, "text stands behind a cell in quotes"), (17, "this quote is never closed")]);
    }
}
