//! Columns of text. Wide characters count as two; painted text counts as what is seen of it.

use super::look::Look;
use console::{Alignment, measure_text_width, pad_str, truncate_str};

/// A table. The last column is the one that is cut when there is no room.
#[derive(Debug, Clone, Default)]
pub struct Table {
    heads: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Names and sentences.
    Left,
    /// Numbers.
    Right,
}

impl Table {
    /// A table with these columns.
    pub fn new(heads: impl IntoIterator<Item = (&'static str, Align)>) -> Self {
        Self { heads: heads.into_iter().collect(), rows: Vec::new() }
    }
    /// Adds a row, one text a column.
    pub fn row(&mut self, row: Vec<String>) {
        assert_eq!(row.len(), self.heads.len(), "a row has one text a column");
        self.rows.push(row);
    }
    /// The table as lines, each ending in a line break.
    pub fn render(&self, look: &Look) -> String {
        let widths: Vec<usize> = (0..self.heads.len())
            .map(|column| {
                let texts = self.rows.iter().map(|row| measure_text_width(&row[column]));
                texts.chain([measure_text_width(self.heads[column].0)]).max().unwrap_or(0)
            })
            .collect();
        let heads = self.heads.iter().map(|(head, _)| look.bold(head)).collect();
        let mut text = String::new();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let cells = row.iter().zip(&self.heads).zip(&widths);
            let cells = cells.map(|((cell, (_, align)), width)| match align {
                Align::Left => pad_str(cell, *width, Alignment::Left, None),
                Align::Right => pad_str(cell, *width, Alignment::Right, None),
            });
            let line = cells.collect::<Vec<_>>().join(GAP);
            let line = line.trim_end();
            match look.columns {
                Some(columns) => text.push_str(&truncate_str(line, columns, "…")),
                None => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

const GAP: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_whatever_is_in_them() {
        let mut table = Table::new([("host", Align::Left), ("done", Align::Right), ("why", Align::Left)]);
        table.row(vec!["東京-db1".into(), "7".into(), "a long reason".into()]);
        table.row(vec!["e".into(), "12345".into(), String::new()]);
        let plain = Look::plain("7f3");
        assert_eq!(
            table.render(&plain),
            "host       done  why\n東京-db1      7  a long reason\ne         12345\n"
        );
        let narrow = Look { columns: Some(20), ..plain };
        assert_eq!(table.render(&narrow), "host       done  why\n東京-db1      7  a …\ne         12345\n");
    }
}
