//! Reads `watch`: probes that must go on agreeing for a while after a step.

use super::grammar::runbook::Watch as Shape;
use super::probe::ProbeContext;
use super::shapes::At;
use super::sink::Sink;
use super::step::all;
use super::values::{DAY, YEAR, length, required};
use crate::model::place::Located;
use crate::model::probe::Probe;
use crate::model::runbook::Watch;
use crate::model::{Millis, Problem};

/// Often enough to cut again before much has gone through, rare enough to be no load.
const EVERY_DEFAULT: Millis = Millis::from_secs(30);
/// Who tolerates more misses in a row than this does not watch.
const TOLERATE_MAX: u32 = 1000;

/// Reads one `watch`; what is wrong with it is in the sink.
pub(super) fn read(
    sink: &Sink<'_>,
    probes: &ProbeContext<'_, '_>,
    watch: At<Shape>,
) -> Option<Located<Watch<Located<Probe>>>> {
    let (span, shape) = (watch.span, watch.value?);
    if shape.length.is_none() {
        let problem = Problem::error("missing-key", "`watch` does not say for how long").at(span);
        sink.push(problem.hint("say how long its probes must agree: `for: 10m`"));
    }
    let every_at = shape.every.as_ref().map(|every| every.span);
    let lasts = shape.length.map(|field| length(sink, "for", field, YEAR));
    let every = shape.every.map_or(Some(EVERY_DEFAULT), |field| length(sink, "every", field, DAY));
    let list = required_list(sink, span, shape.probes).and_then(|list| {
        all(list.into_iter().map(|probe| {
            let span = probe.span;
            Some(Located::new(probes.read(probe.value?, span)?, span))
        }))
    });
    let tolerate = shape.tolerate.map_or(Some(0), |tolerate| {
        let (span, misses) = (tolerate.span, tolerate.value?);
        if misses > TOLERATE_MAX {
            let what = format!("`tolerate` is at most {TOLERATE_MAX}, not {misses}");
            sink.push(Problem::error("wrong-value", what).at(span));
            return None;
        }
        Some(misses)
    });
    let (lasts, every) = (lasts??, every?);
    if let Some(at) = every_at
        && every > lasts
    {
        let what = format!("`every` is {every}, longer than the whole watch of {lasts}");
        sink.push(Problem::error("bad-length", what).at(at).hint("take a shorter `every`"));
        return None;
    }
    let every = every.min(lasts);
    let watch = Watch { length: lasts, every, probes: list?, tolerate: tolerate? };
    Some(Located::new(watch, span))
}

type Shapes = Vec<At<super::grammar::probe::Probe>>;

fn required_list(
    sink: &Sink<'_>,
    span: crate::model::place::Span,
    probes: Option<At<super::shapes::OneOrMany<super::grammar::probe::Probe>>>,
) -> Option<Shapes> {
    let list = required(sink, "`watch`", span, "probes", probes)?;
    if list.value.0.is_empty() {
        let problem = Problem::error("empty-value", "`watch` has no probes").at(list.span);
        sink.push(problem.hint("say what must go on being true: `probes: [{ tcp: \"db1:5432\" }]`"));
        return None;
    }
    Some(list.value.0)
}
