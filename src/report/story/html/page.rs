//! The frame of every page that blackstart writes: head, style, contents. Nothing in it refers to anything outside.

use crate::report::story::lang::{Lang, Says};
use crate::report::story::phrase::Phrase;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Colours, type and paper.
const STYLE: &str = include_str!("style.css");

/// No request leaves a page, whatever slips into it.
pub(in crate::report) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A whole page.
pub(super) fn page(title: &str, lang: Lang, body: &Markup) -> String {
    page_with(title, lang, &html! {}, body)
}

/// A whole page with more in its head.
pub(in crate::report) fn page_with(title: &str, lang: Lang, more: &Markup, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
                (more)
            }
            body { (body) }
        }
    };
    page.into_string() + "\n"
}

/// Links to the parts of the page.
pub(super) fn contents(titles: impl Iterator<Item = Phrase>, says: &Says) -> Markup {
    html! {
        nav aria-label=(says.say(Phrase::Contents)) {
            ul {
                @for title in titles {
                    li { a href={ "#" (anchor(title)) } { (says.say(title)) } }
                }
            }
        }
    }
}

/// The anchor of a part: the same in every language.
pub(super) fn anchor(title: Phrase) -> String {
    format!("{title:?}").to_lowercase()
}
