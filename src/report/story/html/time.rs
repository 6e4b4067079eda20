//! Where the time went: the critical path that was taken, what was waited for, and the plan against what came.

use super::lists::{hosts_of, rest};
use super::table::{Set, badge, maybe, text, told};
use crate::model::Millis;
use crate::report::story::compare::Comparison;
use crate::report::story::lang::Says;
use crate::report::story::phrase::Phrase;
use crate::report::story::told::Story;
use maud::{Markup, html};

/// Rows before the rest is counted: JSON has them all.
const ROWS_MAX: usize = 500;

pub(super) fn path(story: &Story, says: &Says) -> Markup {
    let start = story.run.started_at;
    html! {
        (told(
            says,
            Phrase::CriticalPath,
            &[
                (Phrase::Step, Set::Words),
                (Phrase::Since, Set::Time),
                (Phrase::Until, Set::Time),
                (Phrase::Took, Set::Number),
                (Phrase::OfItsTime, Set::Long),
            ],
            story.critical_path.iter().take(ROWS_MAX).map(|leg| {
                vec![
                    html! { (leg.step) @if let Some(host) = &leg.host { "@" (host) } },
                    text(says.since(start, leg.from)),
                    text(says.since(start, leg.to)),
                    text(says.length(leg.to.since(leg.from))),
                    text(says.spent(&leg.parts)),
                ]
            }),
        ))
        (rest(says, story.critical_path.len()))
    }
}

pub(super) fn waits(story: &Story, says: &Says) -> Markup {
    let start = story.run.started_at;
    html! {
        (told(
            says,
            Phrase::Waits,
            &[
                (Phrase::What, Set::Long),
                (Phrase::Step, Set::Words),
                (Phrase::HostsHead, Set::Words),
                (Phrase::Since, Set::Time),
                (Phrase::Until, Set::Time),
                (Phrase::Longest, Set::Number),
            ],
            story.waits.iter().take(ROWS_MAX).map(|wait| {
                vec![
                    text(&wait.why),
                    maybe(wait.step.as_ref()),
                    html! { @if !wait.hosts.is_empty() { (hosts_of(says, &wait.hosts)) } },
                    text(says.since(start, wait.from)),
                    html! { @if wait.open { (says.say(Phrase::ObjectiveOpen)) } @else { (says.since(start, wait.to)) } },
                    text(says.length(Millis(wait.longest_ms))),
                ]
            }),
        ))
        (rest(says, story.waits.len()))
    }
}

pub(super) fn plan_and_actual(story: &Story, says: &Says) -> Markup {
    let start = story.run.started_at;
    let after = |ms: u64| start.map(|start| says.since(Some(start), start + Millis(ms)));
    html! {
        (told(
            says,
            Phrase::PlanAndActual,
            &[
                (Phrase::Step, Set::Words),
                (Phrase::Result, Set::Words),
                (Phrase::Expected, Set::Number),
                (Phrase::Actual, Set::Number),
                (Phrase::ExpectedEnd, Set::Number),
                (Phrase::ActualEnd, Set::Number),
                (Phrase::Difference, Set::Number),
            ],
            story.steps.iter().take(ROWS_MAX).map(|step| {
                let late = step.actual_end_ms.map(|end| end as i64 - step.expected_end_ms as i64);
                vec![
                    text(&step.id),
                    badge(says, step.fate),
                    text(says.length(Millis(step.estimate_ms))),
                    maybe(step.took_ms.map(|ms| says.length(Millis(ms)))),
                    maybe(after(step.expected_end_ms)),
                    maybe(step.actual_end_ms.and_then(after)),
                    maybe(late.map(|late| says.difference(late))),
                ]
            }),
        ))
        (rest(says, story.steps.len()))
    }
}

pub(super) fn compared(compared: &Comparison, says: &Says) -> Markup {
    let (run, at) = (compared.run.as_deref().unwrap_or_default(), compared.started_at);
    let when = at.map(|at| says.time(at)).unwrap_or_default();
    html! {
        p { (says.fill(Phrase::ComparedWith, &[run, &when])) }
        @if !compared.same_plan { p { strong { (says.say(Phrase::ComparedOther)) } } }
        (told(
            says,
            Phrase::Compared,
            &[
                (Phrase::Name, Set::Words),
                (Phrase::Kind, Set::Words),
                (Phrase::Then, Set::Number),
                (Phrase::ThisTime, Set::Number),
                (Phrase::Difference, Set::Number),
            ],
            compared.lengths.iter().take(ROWS_MAX).map(|one| {
                let length = |ms: Option<u64>| maybe(ms.map(|ms| says.length(Millis(ms))));
                vec![
                    text(&one.name),
                    text(says.compared(one.kind)),
                    length(one.then_ms),
                    length(one.now_ms),
                    maybe(one.slower_ms.map(|ms| says.difference(ms))),
                ]
            }),
        ))
        (rest(says, compared.lengths.len()))
    }
}
