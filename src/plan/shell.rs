//! Finds out where in a POSIX shell script each expression stands, and so how its variable is to be written.
//!
//! Values travel as shell variables, never as text of the script. A mistake made here can therefore split a value
//! into words or leave a variable unexpanded, but never make the shell run what a value says. Where a shell would
//! itself take a value for code (arithmetic, `eval`, `sh -c`), the expression is refused or held to whole numbers.

mod command;
mod heredoc;

use command::{Code, compares, is_variable};
use heredoc::Heredoc;

/// One item of a script: a character, or an expression that stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A character of the script.
    Char(char),
    /// An expression.
    Hole,
}

/// How the variable of an expression is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `"${v}"`: among words.
    Word,
    /// `${v}`: quoted already, or in a comment.
    Quoted,
    /// `${v}`, and the value must be a whole number: the shell calculates with it.
    Number,
    /// Nowhere: says why.
    Never(Refusal),
}

/// Why an expression cannot stand where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Between single quotes.
    SingleQuotes,
    /// In a here-document whose delimiter is quoted.
    QuotedHeredoc,
    /// As (part of) the delimiter of a here-document.
    Delimiter,
    /// Right after a backslash.
    Backslash,
    /// Right after a `$`.
    Dollar,
    /// In a text that another interpreter reads as code.
    InnerCode,
    /// Where the shell expects the name of a variable.
    Name,
}

/// What surrounds the place that is looked at; the innermost is last on the stack.
#[derive(Debug, Clone)]
enum Frame {
    Code(Code),
    Double,
    /// `${…}`. `pattern`: its word is a pattern, in which quotes quote even within double quotes.
    Parameter {
        pattern: bool,
        in_double: bool,
    },
    /// `$((…))`, `((…))`, or a subscript; `close` ends it, `depth` counts open brackets of that kind.
    Arithmetic {
        close: &'static str,
        depth: u32,
    },
    Heredoc(Heredoc),
}

/// The innermost frame, as far as one character needs to know it.
#[derive(Debug, Clone, Copy)]
enum Around {
    Code,
    Double,
    Parameter { pattern: bool, in_double: bool },
    Arithmetic { close: &'static str, depth: u32 },
    Heredoc,
}

/// Says for each expression of a script, in order, how it is to be written.
pub fn places(items: &[Item]) -> Vec<Place> {
    let mut scanner =
        Scanner { items, at: 0, stack: vec![Frame::Code(Code::default())], waiting: Vec::new() };
    let mut places = Vec::new();
    while let Some(item) = scanner.items.get(scanner.at).copied() {
        match item {
            Item::Hole => {
                let place = scanner.place();
                scanner.put('\u{fffc}');
                places.push(place);
                scanner.at += 1;
            }
            Item::Char(c) => scanner.step(c, &mut places),
        }
    }
    places
}

struct Scanner<'a> {
    items: &'a [Item],
    at: usize,
    stack: Vec<Frame>,
    /// Here-documents whose bodies begin on the next line.
    waiting: Vec<Heredoc>,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        match self.items.get(self.at + ahead) {
            Some(Item::Char(c)) => Some(*c),
            Some(Item::Hole) | None => None,
        }
    }

    fn hole_at(&self, ahead: usize) -> bool {
        matches!(self.items.get(self.at + ahead), Some(Item::Hole))
    }

    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    fn around(&self) -> Around {
        match self.stack.last().expect("the script itself is never closed") {
            Frame::Code(_) => Around::Code,
            Frame::Double => Around::Double,
            Frame::Parameter { pattern, in_double } => {
                Around::Parameter { pattern: *pattern, in_double: *in_double }
            }
            Frame::Arithmetic { close, depth } => Around::Arithmetic { close, depth: *depth },
            Frame::Heredoc(_) => Around::Heredoc,
        }
    }

    /// The innermost commands around this place.
    fn code(&mut self) -> Option<&mut Code> {
        self.stack.iter_mut().rev().find_map(|frame| match frame {
            Frame::Code(code) => Some(code),
            Frame::Double | Frame::Parameter { .. } | Frame::Arithmetic { .. } | Frame::Heredoc(_) => None,
        })
    }

    /// Adds a character to the word under way, if this is a place where words are made.
    fn put(&mut self, c: char) {
        let in_command = self.stack.iter().rev().find(|frame| !matches!(frame, Frame::Double));
        if let Some(Frame::Code(_)) = in_command
            && let Some(code) = self.code()
        {
            code.word.get_or_insert_default().push(c);
        }
    }

    fn refuse_holes(&mut self, count: usize, why: Refusal, places: &mut Vec<Place>) {
        let holes = (0..count).filter(|ahead| self.hole_at(*ahead)).count();
        places.extend(std::iter::repeat_n(Place::Never(why), holes));
        self.at += count;
    }

    /// Takes one character (or the few that belong together).
    fn step(&mut self, c: char, places: &mut Vec<Place>) {
        if c == '\\' {
            let count = if self.at + 1 < self.items.len() { 2 } else { 1 };
            if let (Some(next), false) = (self.peek(1), self.peek(1) == Some('\n')) {
                self.put(next);
            }
            return self.refuse_holes(count, Refusal::Backslash, places);
        }
        if c == '$' {
            return self.dollar(places);
        }
        match self.around() {
            Around::Code => self.in_code(c, places),
            Around::Double => match c {
                '"' => self.leave(),
                '`' => self.backquote(),
                c => self.keep(c),
            },
            Around::Parameter { pattern, in_double } => match c {
                '}' => self.leave(),
                '`' => self.backquote(),
                '"' => self.enter(Frame::Double, 1),
                '\'' if pattern || !in_double => self.single_quotes(false, places),
                c => self.keep(c),
            },
            Around::Arithmetic { close, depth } => self.in_arithmetic(c, close, depth),
            Around::Heredoc => match c {
                '`' => self.backquote(),
                '\n' => {
                    self.at += 1;
                    self.heredoc_line(places);
                }
                c => self.keep(c),
            },
        }
    }

    fn keep(&mut self, c: char) {
        self.put(c);
        self.at += 1;
    }

    fn enter(&mut self, frame: Frame, count: usize) {
        self.put('\u{200b}');
        self.stack.push(frame);
        self.at += count;
    }

    fn leave(&mut self) {
        if self.stack.len() > 1 {
            self.stack.pop();
        }
        self.at += 1;
    }

    fn backquote(&mut self) {
        self.enter(Frame::Code(Code { close: Some('`'), ..Code::default() }), 1);
    }

    /// Skips to the closing quote; expressions on the way cannot be expanded. `ansi`: `$'…'`.
    fn single_quotes(&mut self, ansi: bool, places: &mut Vec<Place>) {
        self.put('\u{200b}');
        self.at += 1;
        while let Some(item) = self.items.get(self.at).copied() {
            self.at += 1;
            match item {
                Item::Hole => places.push(Place::Never(Refusal::SingleQuotes)),
                Item::Char('\'') => return,
                Item::Char('\\') if ansi && self.peek(0).is_some() => self.at += 1,
                Item::Char(c) => self.put(c),
            }
        }
    }

    fn dollar(&mut self, places: &mut Vec<Place>) {
        let in_code = matches!(self.stack.last(), Some(Frame::Code(_)));
        let since_code = self.stack.iter().rev().take_while(|frame| !matches!(frame, Frame::Code(_)));
        let in_double =
            since_code.into_iter().any(|frame| matches!(frame, Frame::Double | Frame::Heredoc(_)));
        match self.peek(1) {
            None if self.hole_at(1) => self.refuse_holes(2, Refusal::Dollar, places),
            Some('(') if self.peek(2) == Some('(') => {
                self.enter(Frame::Arithmetic { close: "))", depth: 0 }, 3);
            }
            Some('(') => self.enter(Frame::Code(Code { close: Some(')'), ..Code::default() }), 2),
            Some('[') if in_code => self.enter(Frame::Arithmetic { close: "]", depth: 0 }, 2),
            Some('{') => self.parameter(in_double, places),
            Some('\'') if in_code => {
                self.at += 1;
                self.single_quotes(true, places);
            }
            Some('$') => {
                self.put('$');
                self.at += 2;
            }
            Some(_) | None => self.keep('$'),
        }
    }

    /// `${name…}`: looks at what follows the name, to know how quotes work in the rest.
    fn parameter(&mut self, in_double: bool, places: &mut Vec<Place>) {
        self.enter(Frame::Parameter { pattern: false, in_double }, 2);
        if matches!(self.peek(0), Some('#' | '!')) && self.peek(1) != Some('}') {
            self.at += 1;
        }
        if self.hole_at(0) {
            return self.refuse_holes(1, Refusal::Name, places);
        }
        match self.peek(0) {
            Some(c) if c.is_alphanumeric() || c == '_' => {
                while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    self.at += 1;
                }
                if self.hole_at(0) {
                    return self.refuse_holes(1, Refusal::Name, places);
                }
            }
            Some('@' | '*' | '#' | '?' | '-' | '!') => self.at += 1,
            Some(_) | None => {}
        }
        match (self.peek(0), self.peek(1)) {
            (Some('['), _) => self.enter(Frame::Arithmetic { close: "]", depth: 0 }, 1),
            // `${x:1:2}` calculates; `${x:-word}` and the like do not.
            (Some(':'), next) if !matches!(next, Some('-' | '=' | '?' | '+')) => {
                self.stack.pop();
                self.enter(Frame::Arithmetic { close: "}", depth: 0 }, 1);
            }
            (Some('#' | '%' | '/' | '^' | ','), _) => {
                self.stack.pop();
                self.stack.push(Frame::Parameter { pattern: true, in_double });
            }
            _ => {}
        }
    }

    fn in_arithmetic(&mut self, c: char, close: &'static str, depth: u32) {
        let open = match close {
            "]" => '[',
            "}" => '{',
            _ => '(',
        };
        let ends = close.starts_with(c);
        let now = match c {
            c if c == open => depth + 1,
            _ if ends && depth > 0 => depth - 1,
            _ if ends && self.sees(close) => {
                self.at += close.len() - 1;
                return self.leave();
            }
            // A lone `)`: it was no arithmetic but a subshell in a substitution.
            _ if ends => return self.leave(),
            '`' => return self.backquote(),
            // No subscript goes over the end of a line: it was a pattern.
            '\n' if close == "]" => {
                self.stack.pop();
                return;
            }
            _ => depth,
        };
        if let Some(Frame::Arithmetic { depth, .. }) = self.stack.last_mut() {
            *depth = now;
        }
        self.at += 1;
    }

    fn in_code(&mut self, c: char, places: &mut Vec<Place>) {
        let (opens_twice, here_string, here_document) = (self.sees("(("), self.sees("<<<"), self.sees("<<"));
        let Some(Frame::Code(code)) = self.stack.last_mut() else { unreachable!("only called in commands") };
        let between_words = code.word.is_none();
        match c {
            '\'' => self.single_quotes(false, places),
            '"' => self.enter(Frame::Double, 1),
            '`' if code.close == Some('`') => self.leave(),
            '`' => self.backquote(),
            '#' if between_words => {
                while self.at < self.items.len() && self.peek(0) != Some('\n') {
                    if self.hole_at(0) {
                        places.push(Place::Quoted);
                    }
                    self.at += 1;
                }
            }
            ' ' | '\t' | '\r' => {
                code.end_word();
                self.at += 1;
            }
            '\n' => {
                self.end_command();
                self.at += 1;
                self.begin_heredocs(places);
            }
            '&' | '|'
                if code.words.first().is_some_and(|word| word == "[[")
                    && !code.words.contains(&"]]".into()) =>
            {
                code.end_word();
                self.at += 1;
            }
            ';' | '&' | '|' => {
                // `>&` and `<&` belong to a redirection.
                match code.word.as_deref() {
                    Some(word) if c == '&' && word.ends_with(['<', '>']) => code.word = None,
                    _ => self.end_command(),
                }
                self.at += 1;
            }
            '(' if between_words && code.words.is_empty() && opens_twice => {
                self.enter(Frame::Arithmetic { close: "))", depth: 0 }, 2);
            }
            '(' => {
                code.depth += 1;
                self.end_command();
                self.at += 1;
            }
            ')' => {
                code.end_word();
                if code.depth > 0 || code.cases > 0 || code.close != Some(')') {
                    code.depth = code.depth.saturating_sub(1);
                    self.end_command();
                    self.at += 1;
                } else {
                    self.leave();
                }
            }
            '<' if here_string => self.at += 3,
            '<' if here_document => self.heredoc(places),
            '[' if code.words.is_empty() && code.word.as_deref().is_some_and(is_variable) => {
                self.enter(Frame::Arithmetic { close: "]", depth: 0 }, 1);
            }
            c => self.keep(c),
        }
    }

    /// How an expression at this place is to be written.
    fn place(&mut self) -> Place {
        let followed_by_comparison = self.next_word_compares();
        let feeds_interpreter =
            |frame: &Frame| matches!(frame, Frame::Heredoc(heredoc) if heredoc.feeds_interpreter);
        if self.stack.iter().any(feeds_interpreter) {
            return Place::Never(Refusal::InnerCode);
        }
        let place = match self.stack.last().expect("the script itself is never closed") {
            Frame::Code(_) => Place::Word,
            Frame::Double | Frame::Heredoc(_) => Place::Quoted,
            Frame::Parameter { pattern, in_double } if *pattern || !in_double => Place::Word,
            Frame::Parameter { .. } => Place::Quoted,
            Frame::Arithmetic { .. } => return Place::Number,
        };
        match self.code() {
            None => place,
            Some(code) => code.judge(place, followed_by_comparison),
        }
    }

    fn next_word_compares(&self) -> bool {
        let mut ahead = 1;
        while matches!(self.peek(ahead), Some('"' | ' ' | '\t')) {
            ahead += 1;
        }
        let word: String = (ahead..ahead + 3).filter_map(|ahead| self.peek(ahead)).collect();
        compares(&word)
    }
}

#[cfg(test)]
mod tests;
