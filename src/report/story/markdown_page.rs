//! Markdown as it grows: headings, tables, and texts in which nothing is markup.

use super::lang::Says;
use super::phrase::Phrase;

/// Rows of a table before the rest is only counted: a ticket is no data base. JSON has them all.
const ROWS_MAX: usize = 200;
/// The text as it grows.
pub(super) struct Page<'a> {
    pub text: String,
    pub says: &'a Says,
}

impl Page<'_> {
    pub fn heading(&mut self, phrase: Phrase) {
        self.text.push_str(&format!("\n## {}\n\n", self.says.say(phrase)));
    }

    pub fn paragraph(&mut self, text: &str) {
        self.text.push_str(&format!("{text}\n\n"));
    }

    /// A table; nothing at all if there are no rows.
    pub fn table(&mut self, heads: &[Phrase], rows: Vec<Vec<String>>) {
        if rows.is_empty() {
            return self.paragraph(self.says.say(Phrase::NothingHere));
        }
        let heads: Vec<&str> = heads.iter().map(|head| self.says.say(*head)).collect();
        self.text.push_str(&format!("| {} |\n|{}\n", heads.join(" | "), " --- |".repeat(heads.len())));
        let more = rows.len().saturating_sub(ROWS_MAX);
        for row in rows.into_iter().take(ROWS_MAX) {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            self.text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        if more > 0 {
            let more = self.says.fill(Phrase::RowsLeft, &[&more.to_string(), "JSON"]);
            self.text.push_str(&format!("\n{}\n", escaped(&more)));
        }
        self.text.push('\n');
    }

    pub fn section(&mut self, title: Phrase, heads: &[Phrase], rows: Vec<Vec<String>>) {
        if !rows.is_empty() {
            self.heading(title);
            self.table(heads, rows);
        }
    }
}

/// Text in which nothing is Markdown or HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' | '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    // A scheme at the start of a word becomes a link in some dialects.
    escaped.replace("://", "&#58;//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_markup() {
        assert_eq!(
            escaped("a|b <script>*x* [l](http://e) `c`"),
            "a\\|b &lt;script&gt;\\*x\\* \\[l\\](http&#58;//e) \\`c\\`"
        );
    }
}
