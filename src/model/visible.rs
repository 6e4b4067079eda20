//! Which characters have no look of their own or change the look of others, and JSON in which those stand by their
//! numbers: data of ours that somebody shows on a terminal does nothing there.

/// Must it be shown by its number? Controls of every kind (some terminals obey C1 like ESC), bidirectional overrides,
/// invisible spaces and fillers, line separators, tags, private use. Joiners are among them: no text that people need
/// at night depends on them.
pub fn hides_or_reorders(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f'
        | '\x7f'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{10ffff}')
}

/// The same JSON, with such characters as `\u` and their numbers. Outside of its strings JSON has none but line breaks
/// between values, which stay; within, the two ways of writing mean the same.
pub fn json(text: String) -> String {
    let hidden = |c: char| c != '\n' && hides_or_reorders(c);
    if !text.chars().any(hidden) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match hidden(c) {
            false => safe.push(c),
            true => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    safe.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_shows_everything_means_the_same() {
        let all: String = ('\0'..=char::MAX).collect();
        for value in [serde_json::json!({ "all": all, all.clone(): [1, null] }), serde_json::json!([])] {
            for text in [value.to_string(), format!("{value:#}")] {
                let safe = json(text);
                assert!(!safe.chars().any(|c| c != '\n' && hides_or_reorders(c)));
                assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
            }
        }
        assert_eq!(json("\"\u{9b}\u{202e}\u{e0041}ü帳\"".to_owned()), "\"\\u009b\\u202e\\udb40\\udc41ü帳\"");
    }
}
