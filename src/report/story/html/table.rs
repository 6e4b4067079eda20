//! Tables: a caption, heads with their scope, a first column that names the row, and a frame that scrolls by keyboard
//! where the screen is too narrow.

use crate::report::story::lang::Says;
use crate::report::story::phrase::Phrase;
use crate::report::story::sentences::code;
use crate::report::story::told::Fate;
use maud::{Markup, Render, html};

/// What a column holds, and how it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Set {
    /// A name or a few words.
    Words,
    /// A sentence.
    Long,
    /// A number or a length, to the right.
    Number,
    /// A point in time, unbroken.
    Time,
    /// A hash or a path, broken anywhere.
    Hash,
    /// To be filled in by hand.
    Blank,
}

impl Set {
    fn class(self) -> &'static str {
        match self {
            Set::Words => "",
            Set::Long => "long",
            Set::Number => "num",
            Set::Time => "time",
            Set::Hash => "hash",
            Set::Blank => "blank",
        }
    }
}

/// A table.
pub(in crate::report) fn table(
    title: &str,
    heads: &[(&str, Set)],
    rows: impl IntoIterator<Item = Vec<Markup>>,
) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(title) {
            table {
                caption { (title) }
                thead {
                    tr {
                        @for (head, set) in heads { th scope="col" class=[class(*set)] { (head) } }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            @for (at, (cell, (_, set))) in row.iter().zip(heads).enumerate() {
                                @if at == 0 { th scope="row" class=[class(*set)] { (cell) } }
                                @else { td class=[class(*set)] { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn class(set: Set) -> Option<&'static str> {
    Some(set.class()).filter(|class| !class.is_empty())
}

/// Columns with their heads.
pub(super) fn heads(says: &Says, heads: &[(Phrase, Set)]) -> Vec<(&'static str, Set)> {
    heads.iter().map(|(phrase, set)| (says.say(*phrase), *set)).collect()
}

/// A table whose heads and title are phrases.
pub(super) fn told(
    says: &Says,
    title: Phrase,
    columns: &[(Phrase, Set)],
    rows: impl IntoIterator<Item = Vec<Markup>>,
) -> Markup {
    table(says.say(title), &heads(says, columns), rows)
}

/// A cell of text.
pub(in crate::report) fn text(text: impl Render) -> Markup {
    html! { (text) }
}

/// A cell that may have nothing to say.
pub(super) fn maybe(text: Option<impl Render>) -> Markup {
    html! { @if let Some(text) = text { (text) } }
}

/// What became of something, as a badge: a sign and a word, and colour besides.
pub(super) fn badge(says: &Says, fate: Fate) -> Markup {
    html! {
        span class={ "fate f-" (code(fate)) } {
            span aria-hidden="true" { (crate::report::story::markdown::mark_of(fate)) " " }
            (says.fate(fate))
        }
    }
}
