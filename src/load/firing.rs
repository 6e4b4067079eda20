//! Reads `together`: how a step starts on all its hosts at one moment, and what does not go with that.

use super::grammar::runbook::{Step as Shape, Together as TogetherShape};
use super::shapes::{At, TextOr};
use super::sink::Sink;
use super::values::{length, portion};
use crate::model::place::{Located, Span};
use crate::model::runbook::{Share, Together};
use crate::model::{Millis, Problem};

/// A script crosses an open connection in far less; a host that has to be connected to first may need this.
const WITHIN_DEFAULT: Millis = Millis::from_secs(10);
/// Hosts that are ready keep the others waiting no longer than this.
const WITHIN_MAX: Millis = Millis::from_secs(3600);

/// Reads one `together`; what is wrong with it is in the sink. `Some(None)` is `together: false`.
pub(super) fn read(
    sink: &Sink<'_>,
    together: At<TextOr<TogetherShape>>,
) -> Option<Option<Located<Together>>> {
    let (span, together) = (together.span, together.value?);
    let read = match together {
        TextOr::Text(word) => match word.as_str() {
            "true" => Together { quorum: None, within: WITHIN_DEFAULT },
            "false" => return Some(None),
            _ => {
                let what = format!("`together` cannot be `{}`", word.escape_debug());
                let problem = Problem::error("unknown-word", what).at(span);
                sink.push(problem.hint("write `true`, or `{ quorum: 80%, within: 10s }`"));
                return None;
            }
        },
        TextOr::Other(shape) => {
            let quorum = shape.quorum.map(|quorum| self::quorum(sink, quorum));
            let within =
                shape.within.map_or(Some(WITHIN_DEFAULT), |field| length(sink, "within", field, WITHIN_MAX));
            Together { quorum: quorum.map_or(Some(None), |quorum| quorum.map(Some))?, within: within? }
        }
    };
    Some(Some(Located::new(read, span)))
}

fn quorum(sink: &Sink<'_>, field: At<super::shapes::Portion>) -> Option<Share> {
    let span = field.span;
    let share = portion(sink, "quorum", field)?;
    if matches!(share, Share::Hosts(0) | Share::Percent(0)) {
        let problem = Problem::error("bad-share", "a quorum of no hosts would fire on nobody").at(span);
        sink.push(problem.hint("write `1` or more"));
        return None;
    }
    Some(share)
}

/// Reports keys that a step which starts at one moment cannot have.
pub(super) fn refuse_others(sink: &Sink<'_>, shape: &Shape) {
    let Some(together) = &shape.together else { return };
    if matches!(&together.value, Some(TextOr::Text(word)) if word == "false") {
        return;
    }
    fn span<T>(field: &Option<At<T>>) -> Option<Span> {
        field.as_ref().map(|field| field.span)
    }
    for (key, place, why) in [
        ("batch", span(&shape.batch), "waves do not start at one moment"),
        ("retry", span(&shape.retry), "a second try would start alone"),
    ] {
        if let Some(place) = place {
            let problem = Problem::error("key-not-here", format!("`{key}` does not go with `together`"));
            let problem = problem.at(place).also(together.span, "`together`");
            sink.push(problem.hint(format!("{why}: take one of the two out")));
        }
    }
}
