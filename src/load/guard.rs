//! Reads `guard`: the timer on the host that a change must be confirmed to.

use super::grammar::runbook::{Guard as Shape, Repeat as RepeatShape};
use super::shapes::At;
use super::sink::Sink;
use super::values::{DAY, length};
use crate::model::Problem;
use crate::model::guard::{GUARD_WITHIN_MIN, Guard, Otherwise, Repeat};
use crate::model::place::Located;
use crate::model::runbook::Undo;

/// Reads one `guard` of a step with this undo; what is wrong with it is in the sink.
pub(super) fn read(sink: &Sink<'_>, undo: Option<&Located<Undo>>, guard: At<Shape>) -> Option<Guard> {
    let (span, shape) = (guard.span, guard.value?);
    let within_at = shape.within.as_ref().map(|within| within.span);
    let within = match shape.within {
        Some(within) => length(sink, "within", within, DAY),
        None => {
            let problem = Problem::error("missing-key", "`guard` does not say `within` what time").at(span);
            sink.push(problem.hint("say how long a fresh connection may take: `within: 60s`"));
            None
        }
    };
    let within = within.filter(|within| {
        let fine = *within >= GUARD_WITHIN_MIN;
        if !fine {
            let what = format!("`within` is {within}, and a guard needs {GUARD_WITHIN_MIN} at least");
            sink.push(Problem::error("wrong-value", what).at(within_at.unwrap_or(span)));
        }
        fine
    });
    let otherwise = match shape.otherwise {
        Some(otherwise) => Some(otherwise.value?),
        None => None,
    };
    let self_test = shape.self_test.map_or(Some(false), |self_test| self_test.value);
    let repeat = shape.repeat.map(|repeat| read_repeat(sink, repeat));
    let by_script = undo.is_none_or(|undo| matches!(undo.value, Undo::By(_)));
    if !by_script && otherwise != Some(Otherwise::Hold) {
        let what = "a guard that may revert needs an `undo` script";
        let hint = "write one, or `otherwise: hold`: the change then stays, unconfirmed";
        sink.push(Problem::error("guard-needs-undo", what).at(span).hint(hint));
        return None;
    }
    let repeat = match repeat {
        Some(repeat) => Some(repeat?),
        None => None,
    };
    Some(Guard { within: within?, otherwise, self_test: self_test?, repeat })
}

fn read_repeat(sink: &Sink<'_>, repeat: At<RepeatShape>) -> Option<Repeat> {
    let (span, shape) = (repeat.span, repeat.value?);
    for (key, missing) in [("every", shape.every.is_none()), ("for", shape.length.is_none())] {
        if missing {
            sink.push(Problem::error("missing-key", format!("`repeat` has no `{key}`")).at(span));
        }
    }
    let every = shape.every.map(|field| length(sink, "every", field, DAY));
    let lasts = shape.length.map(|field| length(sink, "for", field, DAY));
    let (every, lasts) = (every??, lasts??);
    if every > lasts {
        let what = format!("`every` is {every}, longer than `for`, which is {lasts}");
        sink.push(Problem::error("wrong-value", what).at(span));
        return None;
    }
    Some(Repeat { every, length: lasts })
}
