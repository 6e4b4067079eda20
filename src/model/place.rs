//! Where in a file a thing was written.

/// A file among those that were read, in the order of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceIx(pub u16);

/// A stretch of a source file, in bytes. Line and column are worked out when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file.
    pub source: SourceIx,
    /// Bytes before the first one meant.
    pub offset: u32,
    /// How many bytes are meant; may be 0.
    pub len: u32,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Located<T> {
    /// Joins a value and its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// The text of a file that was read, for excerpts in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as the user wrote it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Every file that was read, so that a `Span` can be shown as file, line, column and excerpt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources(pub Vec<Source>);

impl Sources {
    /// Keeps a file's text and says under which index.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceIx {
        let ix = u16::try_from(self.0.len()).expect("a command reads a handful of files");
        self.0.push(Source { name: name.into(), text: text.into() });
        SourceIx(ix)
    }

    /// The file a span lies in.
    pub fn get(&self, ix: SourceIx) -> Option<&Source> {
        self.0.get(usize::from(ix.0))
    }

    /// Line and column of a span, both from 1; the column counts characters.
    pub fn line_and_column(&self, span: Span) -> Option<(usize, usize)> {
        let text = &self.get(span.source)?.text;
        let before = text.get(..(span.offset as usize).min(text.len()))?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
    }
}
