//! Comma-separated values (RFC 4180), also with semicolons or tabs, with the place of every cell.

use super::candidate::{FilePlace, ImportFault};

/// A cell of a table.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) place: FilePlace,
}

/// Reads the rows of `text`, without empty lines. All faults are listed, and faulty rows are left out.
pub(super) fn read_rows(file: &str, text: &str, faults: &mut Vec<ImportFault>) -> Vec<Vec<Cell>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let count = |separator: char| first.matches(separator).count();
    let separator = [',', ';', '\t'].into_iter().max_by_key(|c| (count(*c), *c == ',')).unwrap_or(',');
    let mut reader = Reader { file, rest: text, line: 1, column: 1, separator };
    let mut rows = Vec::new();
    while !reader.rest.is_empty() {
        match reader.read_row() {
            Ok(row) if row.iter().all(|cell| cell.text.trim().is_empty()) => {}
            Ok(row) => rows.push(row),
            Err(fault) => {
                faults.push(fault);
                reader.skip_line();
            }
        }
    }
    rows
}

struct Reader<'t> {
    file: &'t str,
    rest: &'t str,
    line: usize,
    column: usize,
    separator: char,
}

impl Reader<'_> {
    fn place(&self) -> FilePlace {
        FilePlace { file: self.file.to_owned(), line: self.line, column: self.column }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn skip_line(&mut self) {
        while !matches!(self.next(), None | Some('\n')) {}
    }

    /// Reads a row, with its line end.
    fn read_row(&mut self) -> Result<Vec<Cell>, ImportFault> {
        let mut row = Vec::new();
        loop {
            row.push(self.read_cell()?);
            match self.next() {
                Some(c) if c == self.separator => {}
                _ => return Ok(row),
            }
        }
    }

    /// Reads a cell, up to the separator or the line end behind.
    fn read_cell(&mut self) -> Result<Cell, ImportFault> {
        let place = self.place();
        let mut text = String::new();
        if !self.rest.starts_with('"') {
            while !self.is_at_end() {
                text.extend(self.next());
            }
            return Ok(Cell { text: text.trim_end_matches('\r').to_owned(), place });
        }
        self.next();
        loop {
            match self.next() {
                Some('"') if self.rest.starts_with('"') => text.extend(self.next()),
                Some('"') => break,
                Some(c) => text.push(c),
                None => return Err(ImportFault::new(&place, "this quote is never closed")),
            }
        }
        if self.rest.starts_with("\r\n") {
            self.next();
        }
        if !self.is_at_end() {
            return Err(ImportFault::new(&self.place(), "text stands behind a cell in quotes"));
        }
        Ok(Cell { text, place })
    }

    fn is_at_end(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with('\n') || self.rest.starts_with(self.separator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Vec<String>>, Vec<String>) {
        let mut faults = Vec::new();
        let rows = read_rows("f", text, &mut faults);
        let texts = rows.iter().map(|row| row.iter().map(|cell| cell.text.clone()).collect()).collect();
        (texts, faults.iter().map(|fault| format!("{} {}", fault.place, fault.message)).collect())
    }

    #[test]
    fn cells_are_read_whatever_separates_them() {
        for text in
            ["a,b\r\n1,\"x\"\"\n,y\"\r\n\r\n", "\u{feff}a;b\n1;\"x\"\"\n,y\"", "a\tb\n1\t\"x\"\"\n,y\"\n"]
        {
            assert_eq!(
                read(text),
                (vec![vec!["a".into(), "b".into()], vec!["1".into(), "x\"\n,y".into()]], vec![])
            );
        }
    }

    #[test]
    fn every_faulty_row_is_named() {
        let (rows, faults) = read("a,b\n\"x\"y,1\n2,3\n4,\"z");
        assert_eq!(rows, [["a", "b"], ["2", "3"]]);
        assert_eq!(faults, ["f:2:4 text stands behind a cell in quotes", "f:4:3 this quote is never closed"]);
    }
}
