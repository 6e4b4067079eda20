//! Lines that stay above the live view: time of day, sign, name and what is said, broken at words.

use super::look::Look;
use super::narrate::{Line, Mark};
use crate::model::Time;
use console::{Style, measure_text_width};

/// Names are filled up to this width, so that what is said about them stands in a column.
const NAME_COLUMNS: usize = 20;
/// Where lines that go on begin: behind time of day and sign.
const HANG: usize = 11;
/// Where lines begin that belong to the one above: near the edge, so that commands stay in one piece.
const MORE: usize = 4;

/// A line as it stands above the view, in as many lines of the terminal as it takes.
pub fn above(look: &Look, at: Time, said: &Line, columns: usize) -> Vec<String> {
    let (sign, style) = sign(said.mark);
    let name = match said.noun {
        "step" | "task" => said.name.clone(),
        noun => format!("{noun} {}", said.name),
    };
    let gap = " ".repeat(NAME_COLUMNS.saturating_sub(measure_text_width(&name)));
    let texts = wrap(&format!("{name}{gap} {}", said.text), columns.saturating_sub(HANG));
    let loud = |text: &String| match said.mark {
        Mark::Bad => look.paint(Style::new().red(), text),
        Mark::Heading | Mark::Ask => look.bold(text),
        Mark::Good | Mark::Unsure | Mark::Back | Mark::Info => text.clone(),
    };
    let (time, sign) = (look.dim(&look.time_of_day(at)), look.paint(style, sign));
    let mut all: Vec<String> = texts.iter().map(|text| format!("{:HANG$}{}", "", loud(text))).collect();
    all[0] = format!("{time} {sign} {}", loud(&texts[0]));
    for more in &said.more {
        all.extend(wrap(more, columns.saturating_sub(MORE)).iter().map(|text| format!("{:MORE$}{text}", "")));
    }
    let bar = look.dim(&format!("{} |", said.name.rsplit('@').next().unwrap_or_default()));
    all.extend(said.printed.iter().map(|text| format!("{:MORE$}{bar} {text}", "")));
    all
}

fn sign(mark: Mark) -> (&'static str, Style) {
    match mark {
        Mark::Heading => ("▸", Style::new().cyan().bold()),
        Mark::Good => ("✓", Style::new().green()),
        Mark::Bad => ("✗", Style::new().red().bold()),
        Mark::Unsure => ("!", Style::new().yellow()),
        Mark::Ask => ("?", Style::new().yellow().bold()),
        Mark::Back => ("↶", Style::new().magenta()),
        Mark::Info => ("·", Style::new().dim()),
    }
}

/// Breaks a text at spaces into lines of a width; never none. A word that is longer stands alone, too long.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let (long, last) = (measure_text_width(word), lines.len() - 1);
        if used > 0 && used + 1 + long > width {
            let end = lines[last].trim_end().len();
            lines[last].truncate(end);
            lines.push(word.to_owned());
            used = long;
        } else {
            if used > 0 || !lines[last].is_empty() {
                lines[last].push(' ');
                used += 1;
            }
            lines[last].push_str(word);
            used += long;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_at_words_and_nothing_is_lost() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("fits", 7), ["fits"]);
        assert_eq!(wrap("", 7), [""]);
        assert_eq!(wrap("name     what is said", 13), ["name     what", "is said"]);
        assert_eq!(wrap("incomprehensibilities are", 7), ["incomprehensibilities", "are"]);
        assert_eq!(wrap("遮断 遮断", 7), ["遮断", "遮断"]);
    }
}
