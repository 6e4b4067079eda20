//! Many host names in few words: `web[1-40]`.

/// Names in the order given, runs of numbers drawn together. After so many entries the rest is counted.
pub fn host_list(names: &[&str], entries_max: usize) -> String {
    let drawn = drawn_together(names, entries_max);
    let mut text = drawn.shown.join(", ");
    if drawn.more > 0 {
        text.push_str(&format!(" and {} more", drawn.more));
    }
    if !drawn.is_each_named {
        text.push_str(&format!(" ({} hosts)", names.len()));
    }
    text
}

/// A host list, in no language yet.
pub struct Drawn {
    /// Names, and ranges of names.
    pub shown: Vec<String>,
    /// Hosts beyond these.
    pub more: usize,
    /// Does every host stand there by its own name?
    pub is_each_named: bool,
}

/// The entries of a host list.
pub fn drawn_together(names: &[&str], entries_max: usize) -> Drawn {
    let mut entries: Vec<(String, usize)> = Vec::new();
    let mut at = 0;
    while at < names.len() {
        let (entry, count) = run_from(&names[at..]);
        entries.push((entry, count));
        at += count;
    }
    let shown = if entries.len() > entries_max { entries_max.max(1) } else { entries.len() };
    let more: usize = entries[shown..].iter().map(|(_, count)| count).sum();
    let is_each_named = more == 0 && entries.iter().all(|(_, count)| *count == 1);
    let shown = entries.into_iter().take(shown).map(|(entry, _)| entry).collect();
    Drawn { shown, more, is_each_named }
}

/// The longest run of names at the start that differ only in one number, which counts up by one.
fn run_from(names: &[&str]) -> (String, usize) {
    let alone = || (names[0].to_owned(), 1);
    let Some((prefix, first, suffix)) = numbered(names[0]) else { return alone() };
    let Ok(start) = first.parse::<u64>() else { return alone() };
    let follows = |(ahead, name): &(usize, &&str)| {
        let expected =
            start.checked_add(*ahead as u64).map(|number| format!("{number:0width$}", width = first.len()));
        matches!((numbered(name), expected), (Some((p, n, s)), Some(expected)) if p == prefix && s == suffix && n == expected)
    };
    let count = names.iter().enumerate().take_while(follows).count();
    if count < RUN_MIN {
        return alone();
    }
    let last = numbered(names[count - 1]).map_or(first, |(_, last, _)| last);
    (format!("{prefix}[{first}-{last}]{suffix}"), count)
}

/// Two names are quicker to read than a range of two.
const RUN_MIN: usize = 3;

/// A name around its last number.
fn numbered(name: &str) -> Option<(&str, &str, &str)> {
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = name[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    Some((&name[..start], &name[start..end], &name[end..]))
}

/// Names are drawn together best when numbers stand in number order: `web2` before `web10`.
pub fn by_number(names: &mut [&str]) {
    names.sort_by_cached_key(|name| match numbered(name) {
        Some((prefix, number, suffix)) => {
            (prefix.to_owned(), number.len(), number.to_owned(), suffix.to_owned())
        }
        None => ((*name).to_owned(), 0, String::new(), String::new()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_drawn_together() {
        for (names, text) in [
            (&["a"][..], "a"),
            (&["web1", "web2"], "web1, web2"),
            (&["web1", "web10", "web2", "web3"], "web[1-3], web10 (4 hosts)"),
            (&["w08.a", "w09.a", "w10.a", "w10.b"], "w[08-10].a, w10.b (4 hosts)"),
            (&["a", "b", "c", "d", "e", "f"], "a, b, c, d and 2 more (6 hosts)"),
            (&["x99999999999999999999999"], "x99999999999999999999999"),
        ] {
            let mut names = names.to_vec();
            by_number(&mut names);
            assert_eq!(host_list(&names, 4), text);
        }
    }
}
