//! Reads the small values that both files share: names, lengths of time, shares, permission bits.

use super::shapes::{At, Entries, Length, Mode, Plain, Portion, Scalar, Version};
use super::sink::Sink;
use super::step::all;
use crate::model::inventory::LEVELS;
use crate::model::names::{NAME_BYTES_MAX, is_name};
use crate::model::place::{Located, Span};
use crate::model::runbook::Share;
use crate::model::{Millis, Problem};
use std::collections::BTreeMap;

/// A step may not take longer than a day: whatever does is a `wait`, or a step that starts and a step that looks.
pub(super) const DAY: Millis = Millis::from_secs(24 * 3600);
/// Waits and objectives longer than a year are slips of the pen.
pub(super) const YEAR: Millis = Millis::from_secs(366 * 24 * 3600);

/// The value of a key that must be there. What is missing is reported at its owner.
pub(super) fn required<T>(
    sink: &Sink<'_>,
    owner: &str,
    at: Span,
    key: &str,
    field: Option<At<T>>,
) -> Option<Located<T>> {
    if field.is_none() {
        sink.push(Problem::error("missing-key", format!("{owner} has no `{key}`")).at(at));
    }
    field?.located()
}

/// The value of a key that may be left out.
pub(super) fn optional<T>(field: Option<At<T>>) -> Option<T> {
    field?.value
}

/// Is it version 1?
pub(super) fn version(sink: &Sink<'_>, at: Span, field: Option<At<Version>>) {
    let Some(at_version) = field else {
        let problem = Problem::error("missing-key", "the file has no `version`").at(at);
        return sink.push(problem.hint("begin it with `version: 1`"));
    };
    match at_version.value {
        Some(Version(Scalar::Number(number))) if number.as_u64() == Some(1) => {}
        Some(_) => {
            let written = sink.written(at_version.span);
            let what = format!("this program reads version 1 of this format, not `{written}`");
            let problem = Problem::error("unsupported-version", what).at(at_version.span);
            sink.push(problem.hint("write `version: 1`, or use the release that the file was written for"));
        }
        None => {}
    }
}

/// A level of isolation. What is none is reported.
pub(super) fn level_of_isolation(sink: &Sink<'_>, field: At<u8>) -> Option<Located<u8>> {
    let level = field.located()?;
    if LEVELS.contains(&level.value) {
        return Some(level);
    }
    let what = format!("`level` must be 1, 2 or 3, not {}", level.value);
    let problem = Problem::error("wrong-value", what).at(level.span);
    sink.push(problem.hint("1 cuts vendors and remote workers, 2 corporate networks, 3 everything external"));
    None
}

/// A text that may be the name of a thing of this kind. What is not is reported.
pub(super) fn name(sink: &Sink<'_>, kind: &str, text: Located<String>) -> Option<Located<String>> {
    if is_name(&text.value) {
        return Some(text);
    }
    let what = format!("`{}` cannot be the name of a {kind}", text.value.escape_debug());
    let hint = format!(
        "a name starts with a letter or digit and goes on with letters, digits, `.`, `_` and `-`, at most {NAME_BYTES_MAX}"
    );
    sink.push(Problem::error("bad-name", what).at(text.span).hint(hint));
    None
}

/// A name that expressions and shell variables can spell: letters, digits and `_`, not starting with a digit.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    text.len() <= NAME_BYTES_MAX
        && chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A text that may be the name of a parameter, secret or environment variable. What is not is reported.
pub(super) fn identifier(sink: &Sink<'_>, kind: &str, text: &Located<String>) -> bool {
    let fine = is_identifier(&text.value);
    if !fine {
        let what = format!("`{}` cannot be the name of a {kind}", text.value.escape_debug());
        let problem = Problem::error("bad-name", what).at(text.span);
        let spelled: String =
            text.value.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        sink.push(match is_identifier(&spelled) {
            true => problem.hint(format!("expressions and shells can spell `{spelled}`")),
            false => problem.hint("use letters, digits and `_`; do not start with a digit"),
        });
    }
    fine
}

/// A length of time, more than nothing and at most `longest`.
pub(super) fn length(sink: &Sink<'_>, key: &str, field: At<Length>, longest: Millis) -> Option<Millis> {
    let parsed = length_or_zero(sink, key, At { span: field.span, value: field.value }, longest)?;
    if parsed == Millis(0) {
        let what = format!("`{key}` must be longer than nothing");
        sink.push(Problem::error("bad-length", what).at(field.span));
        return None;
    }
    Some(parsed)
}

/// A length of time, at most `longest`.
pub(super) fn length_or_zero(
    sink: &Sink<'_>,
    key: &str,
    field: At<Length>,
    longest: Millis,
) -> Option<Millis> {
    let text = match field.value?.0 {
        Scalar::Text(text) => text,
        Scalar::Number(number) => {
            let what = format!("`{key}` needs a unit");
            let hint = format!("write `{number}s` for seconds, `{number}m` for minutes");
            sink.push(Problem::error("bad-length", what).at(field.span).hint(hint));
            return None;
        }
        Scalar::Bool(value) => {
            let what = format!("`{key}` must be a length of time such as `90s`, not `{value}`");
            sink.push(Problem::error("bad-length", what).at(field.span));
            return None;
        }
    };
    let refuse = |what: String, hint: &str| {
        sink.push(Problem::error("bad-length", what).at(field.span).hint(hint));
        None
    };
    let Ok(parsed) = text.trim().parse::<jiff::SignedDuration>() else {
        let what = format!("`{key}` must be a length of time, not `{}`", text.escape_debug());
        return refuse(what, "examples: `500ms`, `90s`, `15m`, `1h 30m`; for days write hours");
    };
    if parsed.is_negative() {
        return refuse(format!("`{key}` cannot be negative"), "write a length such as `90s`");
    }
    let parsed = Millis(u64::try_from(parsed.as_millis()).unwrap_or(u64::MAX));
    if parsed > longest {
        return refuse(format!("`{key}` is {parsed}; at most {longest} is allowed"), "use a shorter time");
    }
    Some(parsed)
}

/// A number of hosts or a share of them.
pub(super) fn portion(sink: &Sink<'_>, key: &str, field: At<Portion>) -> Option<Share> {
    let share = match field.value?.0 {
        Scalar::Number(number) => {
            number.as_u64().and_then(|hosts| u32::try_from(hosts).ok()).map(Share::Hosts)
        }
        Scalar::Text(text) => {
            let percent = text.trim().strip_suffix('%').and_then(|percent| percent.trim().parse::<u8>().ok());
            percent.filter(|percent| *percent <= 100).map(Share::Percent)
        }
        Scalar::Bool(_) => None,
    };
    if share.is_none() {
        let written = sink.written(field.span);
        let what = format!("`{key}` takes a number of hosts or a share of them, not `{written}`");
        sink.push(Problem::error("bad-share", what).at(field.span).hint("write `3` or `25%`"));
    }
    share
}

/// Permission bits in octal. `0644` and `644` are the same: nobody means decimal.
pub(super) fn mode(sink: &Sink<'_>, field: &At<Mode>) -> Option<u32> {
    let digits = match &field.value.as_ref()?.0 {
        Scalar::Text(text) => text.clone(),
        Scalar::Number(_) | Scalar::Bool(_) => sink.written(field.span).to_owned(),
    };
    let octal = digits.strip_prefix("0o").unwrap_or(&digits);
    let bits = u32::from_str_radix(octal, 8).ok();
    let bits =
        bits.filter(|bits| (3..=4).contains(&octal.len()) && *bits <= 0o7777 && !octal.starts_with('+'));
    if bits.is_none() {
        let what = format!("`mode` must be permission bits in octal, not `{}`", digits.escape_debug());
        sink.push(Problem::error("bad-mode", what).at(field.span).hint("write `0644` or `0600`"));
    }
    bits
}

/// A plain value as JSON.
pub(super) fn plain(field: At<Plain>) -> Option<Located<serde_json::Value>> {
    let value = match field.value?.0 {
        Scalar::Text(text) => text.into(),
        Scalar::Bool(value) => value.into(),
        Scalar::Number(number) => number.into(),
    };
    Some(Located { value, span: field.span })
}

/// Whom to call, in file order. A name without a text is a line to be filled in by hand.
pub(super) fn contacts(field: Option<At<Entries<String>>>) -> Vec<(String, String)> {
    let entries = optional(field).map(|entries| entries.0).unwrap_or_default();
    entries.into_iter().map(|(who, how)| (who.value, how.value.unwrap_or_default())).collect()
}

/// Variables, whatever their type.
pub(super) fn vars(field: Option<At<Entries<serde_json::Value>>>) -> BTreeMap<String, serde_json::Value> {
    let entries = optional(field).unwrap_or_default().0;
    entries.into_iter().filter_map(|(name, value)| Some((name.value, value.value?))).collect()
}

/// An absolute path on a host; `what_it_is` names the key.
pub(super) fn absolute_path(sink: &Sink<'_>, key: &str, path: &Located<String>) -> bool {
    let fine = path.value.starts_with('/') || path.value.starts_with("{{");
    if !fine {
        let what = format!("`{key}` must be an absolute path, not `{}`", path.value.escape_debug());
        sink.push(Problem::error("bad-path", what).at(path.span).hint("begin it with `/`"));
    }
    fine
}

/// Every entry of a map that may be left out, after each was looked at.
pub(super) fn entries<T, U>(
    field: Option<At<Entries<T>>>,
    read: impl Fn(Located<String>, At<T>) -> Option<U>,
) -> Option<Vec<U>> {
    let Some(field) = field else { return Some(Vec::new()) };
    all(field.value?.0.into_iter().map(|(key, value)| read(key, value)))
}

/// Everything in a list that may be left out, after each was looked at.
pub(super) fn list<T, U>(field: Option<At<Vec<At<T>>>>, read: impl Fn(At<T>) -> Option<U>) -> Option<Vec<U>> {
    let Some(field) = field else { return Some(Vec::new()) };
    all(field.value?.into_iter().map(read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::place::SourceIx;

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }

    #[test]
    fn lengths_need_a_unit_and_a_direction() {
        let sink = Sink::new(SourceIx(0), "");
        let parse = |scalar| {
            let field = At { span: Span::default(), value: Some(Length(scalar)) };
            length(&sink, "timeout", field, DAY).map(|millis| millis.0)
        };
        for (written, millis) in
            [("90s", 90_000), ("1h 30m", 5_400_000), ("500ms", 500), ("1.5h", 5_400_000), ("24h", 86_400_000)]
        {
            assert_eq!(parse(text(written)), Some(millis), "{written}");
        }
        for written in ["-3s", "0s", "1us", "24h 1s", "2d", "soon", "", "10"] {
            assert_eq!(parse(text(written)), None, "{written}");
        }
        assert_eq!(parse(Scalar::Number(90.into())), None);
        assert_eq!(parse(Scalar::Bool(true)), None);
    }

    #[test]
    fn modes_are_octal() {
        let sink = Sink::new(SourceIx(0), "");
        let parse =
            |written: &str| mode(&sink, &At { span: Span::default(), value: Some(Mode(text(written))) });
        for (written, bits) in [("0644", 0o644), ("600", 0o600), ("0o755", 0o755), ("4755", 0o4755)] {
            assert_eq!(parse(written), Some(bits), "{written}");
        }
        for written in ["", "0", "0888", "+644", "-644", "rw-r--r--", "77777"] {
            assert_eq!(parse(written), None, "{written}");
        }
    }
}
