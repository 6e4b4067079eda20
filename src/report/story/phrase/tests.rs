//! Every phrase is there in every language, and says the same.

use super::*;

/// The placeholders of a text, sorted.
fn holes(text: &str) -> Vec<String> {
    let mut holes: Vec<String> =
        text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default().to_owned()).collect();
    holes.sort();
    holes
}

#[test]
fn every_phrase_says_the_same_in_every_language() {
    for phrase in Phrase::ALL {
        let (en, ja) = (phrase.text(Lang::En), phrase.text(Lang::Ja));
        assert!(!en.trim().is_empty() && !ja.trim().is_empty(), "{phrase:?} says nothing");
        assert_eq!(holes(en), holes(ja), "{phrase:?} is filled with other values");
        assert!(en.is_ascii() || en.contains('☐'), "{phrase:?} is not English: {en}");
    }
}

#[test]
fn nothing_is_left_untranslated() {
    let names = |text: &str| text.starts_with("☐RED");
    for phrase in Phrase::ALL {
        let ja = phrase.text(Lang::Ja);
        let translated = ja.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'));
        assert!(translated || names(ja), "{phrase:?} is not Japanese: {ja}");
    }
}
