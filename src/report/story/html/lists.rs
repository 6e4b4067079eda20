//! The lists of the report: troubles, decisions, what was seen, evidence, hosts.

use super::table::{Set, badge, maybe, text, told};
use crate::model::Millis;
use crate::report::host_list::by_number;
use crate::report::restored::Restoration;
use crate::report::story::lang::Says;
use crate::report::story::ledger::Group;
use crate::report::story::phrase::Phrase;
use crate::report::story::told::Story;
use maud::{Markup, html};

/// Entries of a host list before the rest is counted.
const HOST_ENTRIES_MAX: usize = 8;
/// Rows before the rest is counted: JSON has them all.
const ROWS_MAX: usize = 500;

/// Hosts, drawn together; none is the controller.
pub(super) fn hosts_of(says: &Says, hosts: &[String]) -> Markup {
    let mut names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    by_number(&mut names);
    match names.is_empty() {
        true => text(says.say(Phrase::Controller)),
        false => text(says.hosts(&names, HOST_ENTRIES_MAX)),
    }
}

/// One host; none is the controller.
pub(super) fn host(says: &Says, host: Option<&String>) -> Markup {
    text(host.map_or(says.say(Phrase::Controller), String::as_str))
}

/// How many rows a table does not show.
pub(super) fn rest(says: &Says, all: usize) -> Markup {
    let more = all.saturating_sub(ROWS_MAX);
    html! { @if more > 0 { p class="dim" { (says.fill(Phrase::RowsLeft, &[&more.to_string(), "JSON"])) } } }
}

/// Troubles with what hosts printed and the way onto them.
pub(super) fn groups(groups: &[Group], says: &Says) -> Markup {
    html! {
        @for group in groups.iter().take(ROWS_MAX) {
            h3 { (group.step) " · " (hosts_of(says, &group.hosts)) }
            p { (group.why) }
            @if !group.printed.is_empty() { pre { (group.printed.join("\n")) } }
            @if let Some(look) = &group.look { p { (says.say(Phrase::Look)) ": " code { (look) } } }
        }
        (rest(says, groups.len()))
    }
}

pub(super) fn questions(story: &Story, says: &Says) -> Markup {
    told(
        says,
        Phrase::OpenQuestions,
        &[(Phrase::Question, Set::Long), (Phrase::Since, Set::Time)],
        story
            .open_questions
            .iter()
            .take(ROWS_MAX)
            .map(|one| vec![text(&one.question), text(says.time(one.since))]),
    )
}

pub(super) fn not_run(story: &Story, left_out: bool, says: &Says) -> Markup {
    let title = if left_out { Phrase::LeftOut } else { Phrase::NotRun };
    let groups: Vec<&Group> = story.not_run.iter().filter(|group| group.left_out == left_out).collect();
    html! {
        (told(
            says,
            title,
            &[
                (Phrase::Step, Set::Words),
                (Phrase::Phase, Set::Words),
                (Phrase::HostsHead, Set::Long),
                (Phrase::TasksHead, Set::Number),
                (Phrase::Why, Set::Long),
            ],
            groups.iter().take(ROWS_MAX).map(|group| {
                vec![
                    text(&group.step),
                    text(&group.phase),
                    hosts_of(says, &group.hosts),
                    text(group.tasks),
                    text(&group.why),
                ]
            }),
        ))
        (rest(says, groups.len()))
    }
}

pub(super) fn decisions(story: &Story, says: &Says) -> Markup {
    html! {
        (told(
            says,
            Phrase::Decisions,
            &[
                (Phrase::When, Set::Time),
                (Phrase::By, Set::Words),
                (Phrase::About, Set::Long),
                (Phrase::Decision, Set::Long),
                (Phrase::Comment, Set::Words),
                (Phrase::SignedWith, Set::Hash),
            ],
            story.decisions.iter().take(ROWS_MAX).map(|one| {
                vec![
                    text(says.time(one.at)),
                    text(&one.by),
                    text(&one.about),
                    text(&one.decision),
                    maybe(one.comment.as_ref()),
                    maybe(one.key.as_ref()),
                ]
            }),
        ))
        (rest(says, story.decisions.len()))
    }
}

pub(super) fn guards(story: &Story, says: &Says) -> Markup {
    html! {
        (told(
            says,
            Phrase::Guards,
            &[
                (Phrase::When, Set::Time),
                (Phrase::Step, Set::Words),
                (Phrase::Host, Set::Words),
                (Phrase::Result, Set::Long),
            ],
            story.guards.iter().take(ROWS_MAX).map(|one| {
                vec![text(says.time(one.at)), text(&one.step), host(says, one.host.as_ref()), text(&one.said)]
            }),
        ))
        (rest(says, story.guards.len()))
    }
}

pub(super) fn fired(story: &Story, says: &Says) -> Markup {
    told(
        says,
        Phrase::FiredTogether,
        &[
            (Phrase::Step, Set::Words),
            (Phrase::When, Set::Time),
            (Phrase::HostsHead, Set::Number),
            (Phrase::Unheard, Set::Number),
            (Phrase::Skew, Set::Number),
        ],
        story.fired.iter().take(ROWS_MAX).map(|one| {
            vec![
                text(&one.step),
                text(says.time(one.at)),
                text(one.hosts),
                text(one.unheard),
                text(says.skew(one.skew_min_us, one.skew_max_us)),
            ]
        }),
    )
}

pub(super) fn probes(story: &Story, says: &Says) -> Markup {
    html! {
        (told(
            says,
            Phrase::Probes,
            &[
                (Phrase::Step, Set::Words),
                (Phrase::What, Set::Long),
                (Phrase::Expectation, Set::Words),
                (Phrase::Seen, Set::Words),
                (Phrase::Agrees, Set::Words),
                (Phrase::Worth, Set::Words),
                (Phrase::When, Set::Time),
            ],
            story.probes.iter().take(ROWS_MAX).map(|one| {
                vec![
                    text(&one.step),
                    text(&one.what),
                    text(&one.expected),
                    text(&one.seen),
                    text(says.yes(one.agrees)),
                    text(says.worth(one.worth)),
                    text(says.since(story.run.started_at, one.at)),
                ]
            }),
        ))
        (rest(says, story.probes.len()))
    }
}

pub(super) fn evidence(story: &Story, says: &Says) -> Markup {
    html! {
        (told(
            says,
            Phrase::Evidence,
            &[
                (Phrase::File, Set::Hash),
                (Phrase::Host, Set::Words),
                (Phrase::Source, Set::Hash),
                (Phrase::Bytes, Set::Number),
                (Phrase::When, Set::Time),
                (Phrase::Manifest, Set::Hash),
            ],
            story.evidence.iter().take(ROWS_MAX).map(|one| {
                vec![
                    text(&one.file),
                    host(says, one.host.as_ref()),
                    text(&one.from),
                    text(one.bytes),
                    text(says.time(one.at)),
                    text(&one.sha256),
                ]
            }),
        ))
        (rest(says, story.evidence.len()))
    }
}

pub(super) fn backups(story: &Story, says: &Says) -> Markup {
    told(
        says,
        Phrase::Backups,
        &[
            (Phrase::Step, Set::Words),
            (Phrase::Host, Set::Words),
            (Phrase::Taken, Set::Time),
            (Phrase::Files, Set::Number),
            (Phrase::SignedBy, Set::Words),
            (Phrase::Manifest, Set::Hash),
        ],
        story.backups.iter().take(ROWS_MAX).map(|one| {
            vec![
                text(&one.step),
                host(says, one.host.as_ref()),
                text(says.time(one.taken)),
                text(one.files),
                maybe(one.signed_by.as_ref().map(|(who, key)| format!("{who} {key}"))),
                text(&one.manifest_sha256),
            ]
        }),
    )
}

pub(super) fn hosts(story: &Story, says: &Says) -> Markup {
    html! {
        (told(
            says,
            Phrase::Hosts,
            &[
                (Phrase::Host, Set::Words),
                (Phrase::Zone, Set::Words),
                (Phrase::TasksHead, Set::Words),
                (Phrase::TimeSpent, Set::Number),
                (Phrase::Login, Set::Words),
                (Phrase::HostKey, Set::Hash),
                (Phrase::FirstReached, Set::Time),
                (Phrase::Connections, Set::Number),
            ],
            story.hosts.iter().take(ROWS_MAX).map(|one| {
                let counts = html! {
                    @for (fate, count) in &one.counts { (badge(says, *fate)) " " (count) " " }
                };
                vec![
                    host(says, one.name.as_ref()),
                    maybe(one.zone.as_ref()),
                    counts,
                    text(says.length(Millis(one.time_ms))),
                    text(&one.login),
                    match (&one.reached, &one.name) {
                        (Some(how), _) => text(how),
                        (None, Some(_)) => text(says.say(Phrase::NotReachedHost)),
                        (None, None) => text(""),
                    },
                    maybe(one.first_reached_at.map(|at| says.since(story.run.started_at, at))),
                    text(one.connections),
                ]
            }),
        ))
        (rest(says, story.hosts.len()))
    }
}

/// What a drill left behind.
pub(super) fn restoration(told: &Restoration, says: &Says) -> Markup {
    let (class, phrase) = match told.restored {
        true => ("lead good", Phrase::Restored),
        false => ("lead bad", Phrase::NotRestored),
    };
    let left = says.left_behind(told);
    html! {
        p class=(class) { (says.say(phrase)) }
        @if !told.taken_back.is_empty() {
            p { (says.fill(Phrase::TakenBackSteps, &[&says.list(&told.taken_back)])) }
        }
        @if let Some(paths) = says.paths_again(told) {
            p { (paths) }
        }
        @if !left.is_empty() {
            (super::table::told(
                says,
                Phrase::Restoration,
                &[(Phrase::Name, Set::Words), (Phrase::HostsHead, Set::Long), (Phrase::Why, Set::Long)],
                left.iter().map(|row| row.iter().map(text).collect()),
            ))
        }
    }
}
