//! The head of the report, what happened, objectives, cuts, improvements and the record.

use super::table::{Set, badge, maybe, text, told};
use crate::model::Millis;
use crate::model::event::Mode;
use crate::report::story::first_report;
use crate::report::story::lang::Says;
use crate::report::story::markdown_scores::margin;
use crate::report::story::phrase::Phrase;
use crate::report::story::told::{Met, Standing, Story};
use maud::{Markup, html};

/// Lines for what people observed.
const BLANK_ROWS: usize = 4;

pub(super) fn head(story: &Story, says: &Says) -> Markup {
    let run = &story.run;
    let class = match run.standing {
        Standing::Completed => "lead good",
        Standing::Stuck => "lead bad",
        Standing::Running | Standing::NeverStarted => "lead",
        Standing::Interrupted | Standing::Stopped | Standing::Refused | Standing::RolledBack => "lead warn",
    };
    let time = |at: Option<crate::model::Time>| at.map(|at| says.time(at));
    let facts = [
        (Phrase::Run, run.id.clone()),
        (Phrase::Runbook, Some(run.runbook.clone())),
        (Phrase::Inventory, Some(run.inventory.clone())),
        (Phrase::Kind, Some(says.mode(run.mode).to_owned())),
        (Phrase::StartedBy, run.by.clone()),
        (Phrase::Started, time(run.started_at)),
        (Phrase::Ended, time(run.ended_at)),
        (Phrase::ToldUntil, time(run.told_until).filter(|_| run.ended_at.is_none())),
        (Phrase::Took, Some(says.length(Millis(run.took_ms)))),
        (Phrase::Program, run.version.clone().map(|version| format!("blackstart {version}"))),
    ];
    let params: Vec<String> = run.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    html! {
        header {
            @if run.mode != Mode::Live { p class="exercise" { (says.say(Phrase::Exercise)) } }
            h1 { (says.say(Phrase::Report)) ": " (run.runbook) }
            @if let Some(about) = &run.about { p { (about) } }
            p class=(class) { (run.sentence) }
            dl class="facts" {
                @for (label, fact) in facts {
                    @if let Some(fact) = fact { div { dt { (says.say(label)) } dd { (fact) } } }
                }
                @if !params.is_empty() {
                    div { dt { (says.say(Phrase::Params)) } dd { (says.list(&params)) } }
                }
            }
        }
    }
}

pub(super) fn summary(story: &Story, says: &Says) -> Markup {
    html! {
        p { (says.paragraph(&story.summary)) }
        @if !story.phases.is_empty() {
            (told(
                says,
                Phrase::InShort,
                &[
                    (Phrase::Phase, Set::Words),
                    (Phrase::Result, Set::Words),
                    (Phrase::Started, Set::Time),
                    (Phrase::Took, Set::Number),
                ],
                story.phases.iter().map(|phase| {
                    let took = phase.started_at.zip(phase.ended_at.or(story.run.told_until));
                    vec![
                        html! { (phase.id) @if let Some(title) = &phase.title { " " span class="dim" { (title) } } },
                        badge(says, phase.fate),
                        maybe(phase.started_at.map(|at| says.since(story.run.started_at, at))),
                        maybe(took.map(|(from, to)| says.length(to.since(from)))),
                    ]
                }),
            ))
        }
    }
}

pub(super) fn objectives(story: &Story, says: &Says) -> Markup {
    if story.objectives.is_empty() {
        return html! { p { (says.say(Phrase::NoObjectives)) } };
    }
    let length = |ms: u64| says.length(Millis(ms));
    told(
        says,
        Phrase::Objectives,
        &[
            (Phrase::Name, Set::Words),
            (Phrase::Result, Set::Words),
            (Phrase::Allowed, Set::Number),
            (Phrase::Took, Set::Number),
            (Phrase::Margin, Set::Time),
            (Phrase::OfItsTime, Set::Long),
        ],
        story.objectives.iter().map(|one| {
            let (class, sign) = match one.standing {
                Met::Met => ("fate f-met", "✓"),
                Met::Missed => ("fate f-missed", "✗"),
                Met::NotReached => ("fate f-not_reached", "✗"),
                Met::Open => ("fate f-open", "▶"),
                Met::NotStarted => ("fate f-open", "–"),
            };
            vec![
                html! { (one.name) div class="dim moments" { (one.from) " → " (one.to) } },
                html! { span class=(class) { span aria-hidden="true" { (sign) " " } (says.met(one.standing)) } },
                text(length(one.within_ms)),
                maybe(one.took_ms.map(length)),
                text(margin(says, one.late_ms)),
                text(says.spent(&one.spent)),
            ]
        }),
    )
}

pub(super) fn cuts(story: &Story, says: &Says) -> Markup {
    told(
        says,
        Phrase::Cuts,
        &[
            (Phrase::Conduit, Set::Words),
            (Phrase::Step, Set::Words),
            (Phrase::HostsHead, Set::Long),
            (Phrase::CutAt, Set::Time),
            (Phrase::Certain, Set::Words),
            (Phrase::Proved, Set::Words),
        ],
        story.cuts.iter().map(|cut| {
            vec![
                text(&cut.conduit),
                text(&cut.step),
                super::lists::hosts_of(says, &cut.hosts),
                maybe(cut.at.map(|at| says.time(at))),
                text(if cut.certain { says.yes(true) } else { says.say(Phrase::Uncertain) }),
                text(if cut.proved { says.proved(story.run.mode) } else { says.say(Phrase::NoProof) }),
            ]
        }),
    )
}

pub(super) fn improvements(story: &Story, says: &Says) -> Markup {
    let note = match story.improvements.is_empty() {
        true => Phrase::NoImprovements,
        false => Phrase::ImprovementsAre,
    };
    let blank = || vec![text(says.say(Phrase::EmptyLine)), text(""), text(""), text("")];
    let item = |one: &crate::report::story::ledger::Improvement| {
        vec![text(&one.observation), text(&one.recommendation), text(""), text("")]
    };
    html! {
        p { (says.say(note)) }
        (told(
            says,
            Phrase::Improvements,
            &[
                (Phrase::Observation, Set::Long),
                (Phrase::Recommendation, Set::Long),
                (Phrase::Owner, Set::Blank),
                (Phrase::Due, Set::Blank),
            ],
            story.improvements.iter().map(item).chain((0..BLANK_ROWS).map(|_| blank())),
        ))
    }
}

pub(super) fn record(story: &Story, says: &Says) -> Markup {
    let journal = &story.journal;
    let run = story.run.id.clone().unwrap_or_default();
    html! {
        dl class="facts" {
            div { dt { (says.say(Phrase::PlanHash)) } dd { code { (journal.plan) } } }
            div { dt { (says.say(Phrase::JournalHead)) } dd { code { (journal.head) } } }
            div { dt { (says.say(Phrase::Records)) } dd { (journal.records) } }
            @if let Some(bytes) = journal.torn_bytes {
                div { dt { (says.say(Phrase::Records)) } dd { (says.fill(Phrase::Torn, &[&bytes.to_string()])) } }
            }
        }
        p { (says.fill(Phrase::KeepHead, &[&run])) }
    }
}

pub(super) fn first_report(story: &Story, says: &Says) -> Markup {
    html! {
        @if story.run.mode != Mode::Live { p class="exercise" { (says.say(Phrase::Exercise)) } }
        p { (says.say(Phrase::FirstNote)) }
        (told(
            says,
            Phrase::FirstReport,
            &[(Phrase::Name, Set::Words), (Phrase::What, Set::Blank)],
            first_report::lines(story, says).into_iter().map(|(label, line)| vec![text(label), text(line)]),
        ))
    }
}

pub(super) fn foot(story: &Story, says: &Says) -> Markup {
    html! {
        footer {
            p {
                "blackstart " (story.told_by) " · " (says.say(Phrase::PlanHash)) " " code { (story.journal.plan) }
                " · " (says.say(Phrase::JournalHead)) " " code { (story.journal.head) }
            }
        }
    }
}
