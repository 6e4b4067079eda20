//! The timeline: a row for each step, its bar an inline SVG that stretches with the page while texts stay readable.

use super::scale::{Scale, WIDTH};
use super::table::badge;
use crate::model::{Millis, Time};
use crate::report::look::clock;
use crate::report::story::lang::Says;
use crate::report::story::phrase::Phrase;
use crate::report::story::steps::join;
use crate::report::story::told::{Fate, Step, Story, What};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Rows before those that matter least are left out.
const ROWS_MAX: usize = 400;
/// The height of a bar in its own units.
const HEIGHT: f64 = 20.0;
/// What is shorter than this would not be seen.
const WIDTH_MIN: f64 = 2.5;

pub(super) fn gantt(story: &Story, says: &Says) -> Markup {
    let Some((start, until)) = story.run.started_at.zip(story.run.told_until) else { return html! {} };
    let scale = Scale::new(start, until, &busy(story));
    let shown = shown(story);
    let left =
        story.steps.iter().filter(|step| step.started_at.is_some()).count().saturating_sub(shown.len());
    let breaks: Vec<String> = scale.breaks().map(|(_, _, length)| says.length(length)).collect();
    let labels = scale.labels();
    let title = says.say(Phrase::Timeline);
    html! {
        (legend(story, says))
        div class="scroll" tabindex="0" role="region" aria-label=(title) {
            table class="gantt" {
                caption {
                    (title) ", " (says.date(start))
                    @if !breaks.is_empty() { ". " (says.fill(Phrase::Shortened, &[&says.list(&breaks)])) }
                }
                thead {
                    tr {
                        th scope="col" class="step" { (says.say(Phrase::Step)) }
                        th scope="col" {
                            div class="axis" {
                                @for (x, after) in &labels {
                                    span style=(format!("left:{:.1}%", x / WIDTH * 100.0)) { (clock(*after)) }
                                }
                            }
                        }
                        th scope="col" class="num start" { (says.say(Phrase::Started)) }
                        th scope="col" class="num took" { (says.say(Phrase::Took)) }
                    }
                }
                @for phase in &story.phases {
                    @let steps: Vec<&Step> =
                        story.steps.iter().filter(|step| step.phase == phase.id && shown.contains(step.id.as_str())).collect();
                    @if !steps.is_empty() {
                        tbody {
                            tr class="phase" {
                                th scope="rowgroup" colspan="4" { (phase.id) " " (badge(says, phase.fate)) }
                            }
                            @for step in steps { (row(story, step, &scale, &labels, says)) }
                        }
                    }
                }
            }
        }
        @if left > 0 { p class="dim" { (says.fill(Phrase::RowsLeft, &[&left.to_string(), "JSON"])) } }
    }
}

/// Stretches in which something ran.
pub(super) fn busy(story: &Story) -> Vec<(Time, Time)> {
    let ran = |what: What| match what {
        What::Work | What::Guard | What::Undo | What::Unseen | What::Retry | What::Hosts => true,
        What::People | What::Timer | What::Turn => false,
    };
    let stretches = story.steps.iter().flat_map(|step| &step.stretches).filter(|stretch| ran(stretch.what));
    join(stretches.map(|stretch| (stretch.from, stretch.to)).collect())
}

/// The steps that have a row: all that began; if they are too many, trouble, the critical path and the longest.
fn shown(story: &Story) -> BTreeSet<&str> {
    let mut steps: Vec<&Step> = story.steps.iter().filter(|step| step.started_at.is_some()).collect();
    steps.sort_by_key(|step| {
        let matters = step.critical || step.fate <= Fate::TakenBack;
        (!matters, std::cmp::Reverse(step.took_ms))
    });
    steps.iter().take(ROWS_MAX).map(|step| step.id.as_str()).collect()
}

fn legend(story: &Story, says: &Says) -> Markup {
    let whats: BTreeSet<What> =
        story.steps.iter().flat_map(|step| &step.stretches).map(|stretch| stretch.what).collect();
    html! {
        ul class="legend" aria-label=(says.say(Phrase::Legend)) {
            @for what in whats {
                li {
                    svg viewBox="0 0 14 8" aria-hidden="true" { rect class=(class(what)) width="14" height="8" {} }
                    (says.what(what))
                }
            }
        }
    }
}

fn row(story: &Story, step: &Step, scale: &Scale, labels: &[(f64, Millis)], says: &Says) -> Markup {
    let start = story.run.started_at;
    let from = step.started_at.map(|at| says.since(start, at)).unwrap_or_default();
    let took = step.took_ms.map(|ms| says.length(Millis(ms))).unwrap_or_default();
    let label = format!("{}: {}, {from}, {took}", step.id, says.fate(step.fate));
    html! {
        tr {
            th scope="row" class=[step.critical.then_some("critical")] {
                span aria-hidden="true" { (crate::report::story::markdown::mark_of(step.fate)) " " }
                (step.id)
                @if step.critical { " *" }
            }
            td class="bar" {
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(label) {
                    title { (label) }
                    @for (left, right, _) in scale.breaks() {
                        rect class="break" x=(unit(left)) y="0" width=(unit(right - left)) height="20" {}
                    }
                    @for (x, _) in labels {
                        line class="grid" x1=(unit(*x)) x2=(unit(*x)) y1="0" y2="20" {}
                    }
                    @for (what, left, right) in bars(step, scale) {
                        @let (y, height) = band(what);
                        rect class=(class(what)) x=(unit(left)) y=(y) width=(unit(right - left)) height=(height) {}
                    }
                }
            }
            td class="num" { (from) }
            td class="num" { (took) }
        }
    }
}

/// A step's stretches as bars; those that would not be told apart are one.
fn bars(step: &Step, scale: &Scale) -> Vec<(What, f64, f64)> {
    let mut bars: Vec<(What, f64, f64)> = Vec::new();
    for stretch in &step.stretches {
        let left = scale.x(stretch.from).min(WIDTH - WIDTH_MIN);
        let right = scale.x(stretch.to).max(left + WIDTH_MIN);
        match bars.last_mut() {
            Some((what, _, end)) if *what == stretch.what && left - *end < WIDTH_MIN => *end = end.max(right),
            _ => bars.push((stretch.what, left, right)),
        }
    }
    // Waits are thin and lie beneath.
    bars.sort_by_key(|(what, _, _)| band(*what).1 == "16");
    bars
}

/// Top and height: what was done is thick, what was waited for is thin.
fn band(what: What) -> (&'static str, &'static str) {
    match what {
        What::Work | What::Guard | What::Undo | What::Unseen => ("2", "16"),
        What::People | What::Hosts | What::Retry | What::Timer | What::Turn => ("7", "6"),
    }
}

fn class(what: What) -> &'static str {
    match what {
        What::Work => "w-work",
        What::Guard => "w-guard",
        What::Undo => "w-undo",
        What::People => "w-people",
        What::Hosts => "w-hosts",
        What::Retry => "w-retry",
        What::Timer => "w-timer",
        What::Unseen => "w-unseen",
        What::Turn => "w-turn",
    }
}

fn unit(x: f64) -> String {
    format!("{x:.1}")
}
