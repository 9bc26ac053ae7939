//! Lays out columns of text as kubectl does, so that scripts for kubectl's tables work here too.

use std::borrow::Cow;
use std::fmt;

use console::measure_text_width;

use crate::flags::Head;
use crate::printable::printable;

/// The blanks between two columns, and the least width of a column with them: kubectl's.
const GAP: usize = 3;
const LEAST: usize = 6;

/// The longest cell, in characters. A name has at most 253; a list of keys, or a text in a pod spec, may have
/// a million, and every row would be as wide.
const LONGEST: usize = 1_000;

/// kubectl's text for an empty cell.
const NOTHING: &str = "<none>";

/// A table with upper-case headers, and as many cells in each row. Lines have no blanks at their end.
pub(crate) struct Table {
    headers: Vec<Cow<'static, str>>,
    head: Head,
    rows: Vec<Box<[Cow<'static, str>]>>,
}

impl Table {
    pub(crate) fn new<T: Into<Cow<'static, str>>>(headers: impl IntoIterator<Item = T>) -> Self {
        Self { headers: headers.into_iter().map(Into::into).collect(), head: Head::Shown, rows: Vec::new() }
    }

    /// Shows or leaves out the line of column names.
    pub(crate) fn with(self, head: Head) -> Self {
        Self { head, ..self }
    }

    /// Adds a row. Characters that could move the cursor or reorder the line are escaped.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells: Box<[_]> = cells
            .into_iter()
            .map(|cell| match cell.as_ref() {
                "" => Cow::Borrowed(NOTHING),
                cell => Cow::Owned(shortened(printable(cell).into_owned())),
            })
            .collect();
        debug_assert_eq!(cells.len(), self.headers.len(), "a row has a cell for each header");
        self.rows.push(cells);
    }

    /// Returns the width of each column with the gap after it.
    fn widths(&self) -> Vec<usize> {
        let widest = |column: usize, header: &str| {
            let cells =
                self.rows.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(cell));
            let header = if self.head == Head::Shown { measure_text_width(header) } else { 0 };
            cells.chain([header]).max().unwrap_or_default()
        };
        let columns = self.headers.iter().enumerate();
        columns.map(|(column, header)| (widest(column, header) + GAP).max(LEAST)).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        if self.head == Head::Shown {
            line(f, &widths, self.headers.iter().map(Cow::as_ref))?;
        }
        self.rows.iter().try_for_each(|row| line(f, &widths, row.iter().map(AsRef::as_ref)))
    }
}

fn shortened(mut cell: String) -> String {
    if let Some((end, _)) = cell.char_indices().nth(LONGEST) {
        cell.truncate(end);
        cell.push('…');
    }
    cell
}

fn line<'a>(
    f: &mut fmt::Formatter<'_>,
    widths: &[usize],
    cells: impl Iterator<Item = &'a str>,
) -> fmt::Result {
    let mut owed = 0;
    for (cell, width) in cells.zip(widths) {
        write!(f, "{:owed$}{cell}", "")?;
        owed = width - measure_text_width(cell);
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_no_line_ends_in_blanks() {
        let mut table = Table::new(["NAME", "N", "AGE"]);
        table.row(["a-long-name", "12", "3d"]);
        table.row(["é", "", "10h"]);
        let lines: Vec<_> = table.to_string().lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            ["NAME          N        AGE", "a-long-name   12       3d", "é             <none>   10h"]
        );
    }

    #[test]
    fn without_headers_a_column_is_as_wide_as_its_cells() {
        let mut table = Table::new(["A LONG HEADER", "B"]).with(Head::LeftOut);
        table.row(["x", "y"]);
        table.row(["long-name", ""]);
        assert_eq!(table.to_string(), "x           y\nlong-name   <none>\n");
    }

    #[test]
    fn a_short_column_is_as_wide_as_kubectls() {
        let mut table = Table::new(["A", "B"]);
        table.row(["x", "y"]);
        assert_eq!(table.to_string(), "A     B\nx     y\n");
    }

    #[test]
    fn a_cell_of_any_length_is_cut_and_the_other_rows_keep_their_form() {
        let mut table = Table::new(["NAME", "N"]);
        table.row(["é".repeat(70_000).as_str(), "1"]);
        table.row(["b", "2"]);
        let shown = table.to_string();
        let cut = format!("\n{}…   1\nb ", "é".repeat(LONGEST));
        assert!(shown.contains(&cut) && shown.len() < 5_000, "{} bytes", shown.len());
    }

    #[test]
    fn a_cell_cannot_begin_another_line_or_move_the_cursor() {
        let mut table = Table::new(["NAME"]);
        table.row(["a\nb\u{1b}[2J"]);
        assert_eq!(table.to_string(), "NAME\na\\nb\\u{1b}[2J\n");
    }
}
