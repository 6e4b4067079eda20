//! Here-documents: where they begin and end, and whether a shell expands what is in them.

use super::command::{base_name, is_interpreter};
use super::{Frame, Item, Place, Refusal, Scanner};

/// A here-document: how it ends, and who reads it.
#[derive(Debug, Clone, Default)]
pub(super) struct Heredoc {
    pub(super) delimiter: String,
    pub(super) strip_tabs: bool,
    pub(super) quoted: bool,
    /// An interpreter reads it as code.
    pub(super) feeds_interpreter: bool,
}

impl Scanner<'_> {
    /// Reads the delimiter of a here-document.
    pub(super) fn heredoc(&mut self, places: &mut Vec<Place>) {
        if let Some(code) = self.code() {
            code.end_word();
        }
        self.at += 2;
        let mut heredoc = Heredoc::default();
        if self.peek(0) == Some('-') {
            heredoc.strip_tabs = true;
            self.at += 1;
        }
        while matches!(self.peek(0), Some(' ' | '\t')) {
            self.at += 1;
        }
        let mut quote = None;
        while let Some(item) = self.items.get(self.at).copied() {
            match (item, quote) {
                (Item::Hole, _) => places.push(Place::Never(Refusal::Delimiter)),
                (Item::Char(c), Some(open)) if c == open => quote = None,
                (Item::Char(c), Some(_)) => heredoc.delimiter.push(c),
                (Item::Char('\\'), None) => {
                    heredoc.quoted = true;
                    self.at += 1;
                    heredoc.delimiter.extend(self.peek(0));
                }
                (Item::Char(c @ ('\'' | '"')), None) => {
                    heredoc.quoted = true;
                    quote = Some(c);
                }
                (Item::Char(' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')'), None) => break,
                (Item::Char(c), None) => heredoc.delimiter.push(c),
            }
            self.at += 1;
        }
        self.waiting.push(heredoc);
    }

    /// Ends a command. If a here-document waits and an interpreter was among the words, it may well read it.
    pub(super) fn end_command(&mut self) {
        let Some(Frame::Code(code)) = self.stack.last_mut() else { return };
        code.end_word();
        if code.words.iter().any(|word| is_interpreter(word) || base_name(word) == "ssh") {
            self.waiting.iter_mut().for_each(|heredoc| heredoc.feeds_interpreter = true);
        }
        code.words.clear();
    }

    pub(super) fn begin_heredocs(&mut self, places: &mut Vec<Place>) {
        if !self.waiting.is_empty() {
            let first = self.waiting.remove(0);
            self.stack.push(Frame::Heredoc(first));
            self.heredoc_line(places);
        }
    }

    /// At the start of a line of a here-document: is this its end? A quoted one is skipped whole.
    pub(super) fn heredoc_line(&mut self, places: &mut Vec<Place>) {
        let Some(Frame::Heredoc(heredoc)) = self.stack.last().cloned() else { return };
        while self.at < self.items.len() {
            let line = self.items[self.at..].iter().take_while(|item| **item != Item::Char('\n'));
            let text: Option<String> = line
                .clone()
                .map(|item| match item {
                    Item::Char(c) => Some(*c),
                    Item::Hole => None,
                })
                .collect();
            let text =
                text.as_deref().map(|t| if heredoc.strip_tabs { t.trim_start_matches('\t') } else { t });
            let len = line.count();
            if text == Some(heredoc.delimiter.as_str()) {
                self.at = (self.at + len + 1).min(self.items.len());
                self.stack.pop();
                return self.begin_heredocs(places);
            }
            if !heredoc.quoted {
                return;
            }
            self.refuse_holes(len, Refusal::QuotedHeredoc, places);
            self.at += 1;
        }
    }
}
