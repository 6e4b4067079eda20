//! The steps as a graph, coloured by what became of them: inline SVG. The tables say the same in words.

use super::layout::{NODE, Wanted, layout, reduced};
use crate::report::story::lang::Says;
use crate::report::story::markdown::mark_of;
use crate::report::story::phrase::Phrase;
use crate::report::story::sentences::code;
use crate::report::story::told::{Step, Story};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Steps drawn; more would not be read.
const STEPS_MAX: usize = 400;
/// Characters of a step's name that fit its box.
const NAME_CHARS_MAX: usize = 20;
/// Characters of its hosts that fit.
const HOSTS_CHARS_MAX: usize = 22;

pub(super) fn dag(story: &Story, says: &Says) -> Markup {
    let shown = &story.steps[..story.steps.len().min(STEPS_MAX)];
    let steps = wanted(story, shown);
    let (drawn, edges) = (layout(&steps), reduced(&steps));
    let timers: Vec<(usize, usize)> = timers(shown);
    let title = says.say(Phrase::Graph);
    let (all, some) = (story.steps.len().to_string(), STEPS_MAX.to_string());
    html! {
        p { (says.say(Phrase::GraphNote)) }
        @if story.steps.len() > STEPS_MAX { p { (says.fill(Phrase::GraphTooLarge, &[&all, &some])) } }
        div class="scroll" tabindex="0" role="region" aria-label=(title) {
            svg class="dag" role="img" aria-label=(title) width=(drawn.width) height=(drawn.height)
                viewBox=(format!("0 0 {} {}", drawn.width, drawn.height)) {
                title { (title) }
                defs {
                    marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" {
                        path d="M0 0 L8 4 L0 8 z" {}
                    }
                }
                @for (phase, top, height) in &drawn.bands {
                    rect class="band" x="1" y=(top) width=(drawn.width - 2.0) height=(height) rx="6" {}
                    text class="band" x="10" y=(top + 19.0) { (story.phases[*phase].id) }
                }
                @for (from, to) in &edges {
                    @let timer = timers.contains(&(*from, *to));
                    path class=[timer.then_some("timer")] d=(arrow(drawn.nodes[*from], drawn.nodes[*to])) marker-end="url(#arrow)" {}
                }
                @for (step, (x, y)) in shown.iter().zip(&drawn.nodes) { (node(step, *x, *y, says)) }
            }
        }
    }
}

fn wanted(story: &Story, steps: &[Step]) -> Vec<Wanted> {
    let phases: BTreeMap<&str, usize> =
        story.phases.iter().enumerate().map(|(at, phase)| (phase.id.as_str(), at)).collect();
    let places = places(steps);
    let before = |step: &Step| {
        let after = step.after.iter().map(|(other, _)| other);
        step.needs.iter().chain(after).filter_map(|id| places.get(id.as_str()).copied()).collect()
    };
    let wanted = |step: &Step| Wanted {
        phase: phases.get(step.phase.as_str()).copied().unwrap_or_default(),
        before: before(step),
    };
    steps.iter().map(wanted).collect()
}

fn places(steps: &[Step]) -> BTreeMap<&str, usize> {
    steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect()
}

/// Arrows that stand for a minimum wait.
fn timers(steps: &[Step]) -> Vec<(usize, usize)> {
    let places = places(steps);
    let timer = |(at, step): (usize, &Step)| {
        step.after.as_ref().and_then(|(other, _)| Some((*places.get(other.as_str())?, at)))
    };
    steps.iter().enumerate().filter_map(timer).collect()
}

/// A curve from the bottom of one box to the top of another.
fn arrow((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
    let (from, to) = (y1 + NODE.1, y2);
    let bend = ((to - from) / 2.0).clamp(8.0, 60.0);
    format!("M{x1:.0} {from:.0} C{x1:.0} {:.0} {x2:.0} {:.0} {x2:.0} {to:.0}", from + bend, to - bend)
}

fn node(step: &Step, x: f64, y: f64, says: &Says) -> Markup {
    let critical = if step.critical { " critical" } else { "" };
    let hosts = if step.hosts.is_empty() { says.say(Phrase::Controller) } else { &step.hosts };
    html! {
        g class={ "node n-" (code(step.fate)) (critical) } {
            title { (step.id) ": " (says.fate(step.fate)) ", " (hosts) }
            rect x=(x - NODE.0 / 2.0) y=(y) width=(NODE.0) height=(NODE.1) rx="6" {}
            text x=(x) y=(y + 17.0) text-anchor="middle" { (mark_of(step.fate)) " " (short(&step.id, NAME_CHARS_MAX)) }
            text class="small" x=(x) y=(y + 32.0) text-anchor="middle" { (short(hosts, HOSTS_CHARS_MAX)) }
        }
    }
}

fn short(text: &str, chars_max: usize) -> String {
    match text.chars().count() > chars_max {
        true => text.chars().take(chars_max - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}
