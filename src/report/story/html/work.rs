//! Every step with its tasks. What ended well is drawn together; trouble has a row of its own.

use super::table::{Set, badge, heads, maybe, text};
use crate::model::Millis;
use crate::report::host_list::by_number;
use crate::report::story::lang::Says;
use crate::report::story::phrase::Phrase;
use crate::report::story::sentences::code;
use crate::report::story::told::{Fate, Step, Story, Task};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Rows of single tasks in one step before the rest is drawn together.
const ROWS_EACH_MAX: usize = 60;
/// Rows of single tasks in the whole report, so that a run of any size makes a file that opens.
const ROWS_ALL_MAX: usize = 1500;
/// Steps with a table of their tasks; those of more go into the table of their phase alone.
const STEPS_WITH_TASKS_MAX: usize = 400;
/// Host entries of a row that stands for many tasks.
const HOST_ENTRIES_MAX: usize = 40;

pub(super) fn steps(story: &Story, says: &Says) -> Markup {
    let mut by_phase: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in &story.steps {
        by_phase.entry(&step.phase).or_default().push(step);
    }
    let mut tasks_of: BTreeMap<&str, Vec<&Task>> = BTreeMap::new();
    for task in &story.tasks {
        tasks_of.entry(&task.step).or_default().push(task);
    }
    let mut room = Room { rows: ROWS_ALL_MAX, steps: STEPS_WITH_TASKS_MAX };
    html! {
        @for phase in &story.phases {
            @let steps = by_phase.get(phase.id.as_str()).map_or(&[][..], Vec::as_slice);
            h3 { (phase.id) " " (badge(says, phase.fate)) }
            (table(story, &phase.id, steps, says))
            @for step in steps {
                (tasks(story, step, tasks_of.get(step.id.as_str()).map_or(&[], Vec::as_slice), &mut room, says))
            }
        }
    }
}

/// What the file may still grow by.
struct Room {
    rows: usize,
    steps: usize,
}

fn table(story: &Story, phase: &str, steps: &[&Step], says: &Says) -> Markup {
    let columns = heads(
        says,
        &[
            (Phrase::Step, Set::Words),
            (Phrase::Result, Set::Words),
            (Phrase::What, Set::Words),
            (Phrase::HostsHead, Set::Long),
            (Phrase::Started, Set::Time),
            (Phrase::Took, Set::Number),
        ],
    );
    super::table::table(
        &format!("{}: {phase}", says.say(Phrase::Tasks)),
        &columns,
        steps.iter().map(|step| {
            vec![
                html! {
                    (step.id)
                    @if let Some(title) = &step.title { br; span class="dim" { (title) } }
                },
                badge(says, step.fate),
                html! {
                    (says.kind(&step.kind))
                    @if !step.severs.is_empty() { br; "✂ " (says.list(&step.severs)) }
                },
                text(if step.hosts.is_empty() { says.say(Phrase::Controller) } else { &step.hosts }),
                maybe(step.started_at.map(|at| says.since(story.run.started_at, at))),
                maybe(step.took_ms.map(|ms| says.length(Millis(ms)))),
            ]
        }),
    )
}

/// The tasks of a step that has many, or any that did not end well.
fn tasks(story: &Story, step: &Step, tasks: &[&Task], room: &mut Room, says: &Says) -> Markup {
    let bad = |task: &&&Task| matches!(task.fate, Fate::Stuck | Fate::Failed | Fate::Unseen);
    if tasks.len() < 2 && !tasks.iter().any(|task| bad(&task)) || room.steps == 0 {
        return html! {};
    }
    room.steps -= 1;
    let (mut single, mut others): (Vec<&Task>, Vec<&Task>) = tasks.iter().partition(|task| bad(task));
    let free = ROWS_EACH_MAX.min(room.rows);
    if single.len() + others.len() <= free {
        single = tasks.to_vec();
        others.clear();
    } else if single.len() > free {
        others.extend(single.split_off(free));
    }
    room.rows -= single.len();
    let mut groups: BTreeMap<(Fate, &str), Vec<&str>> = BTreeMap::new();
    for task in others {
        groups.entry((task.fate, &task.sentence)).or_default().extend(task.host.as_deref());
    }
    html! {
        details open[step.fate < Fate::UnderWay] {
            summary {
                (step.id) ": " (says.fill(Phrase::RowsOf, &[&step.tasks.to_string()])) " · "
                @for (at, (what, count)) in step.counts.iter().enumerate() {
                    @if at > 0 { ", " }
                    (named(says, what)) " " (count)
                }
            }
            (super::table::table(
                &format!("{}: {}", says.say(Phrase::Tasks), step.id),
                &heads(says, &[
                    (Phrase::Host, Set::Long),
                    (Phrase::Result, Set::Words),
                    (Phrase::Why, Set::Long),
                    (Phrase::Attempts, Set::Number),
                    (Phrase::Started, Set::Time),
                    (Phrase::Took, Set::Number),
                ]),
                single.iter().map(|task| one(story, task, says)).chain(groups.iter().map(|(key, hosts)| {
                    many(*key, hosts, says)
                })),
            ))
        }
    }
}

fn one(story: &Story, task: &Task, says: &Says) -> Vec<Markup> {
    let took = task.started_at.zip(task.ended_at).map(|(from, to)| says.length(to.since(from)));
    let plain = task.sentence == says.fate(task.fate);
    vec![
        super::lists::host(says, task.host.as_ref()),
        badge(says, task.fate),
        html! {
            @if !plain { (task.sentence) }
            @if let Some(undo) = &task.undo { br; (says.say(Phrase::Undo)) ": " (undo) }
            @if !task.printed.is_empty() { pre { (task.printed.join("\n")) } }
        },
        text(task.attempts),
        maybe(task.started_at.map(|at| says.since(story.run.started_at, at))),
        maybe(took),
    ]
}

fn many((fate, sentence): (Fate, &str), hosts: &[&str], says: &Says) -> Vec<Markup> {
    let mut names = hosts.to_vec();
    by_number(&mut names);
    let empty = || text("");
    let why = if sentence == says.fate(fate) { "" } else { sentence };
    vec![text(says.hosts(&names, HOST_ENTRIES_MAX)), badge(says, fate), text(why), empty(), empty(), empty()]
}

/// The word for a code of [`code`].
fn named(says: &Says, word: &str) -> &'static str {
    Fate::ALL.into_iter().find(|fate| code(*fate) == word).map_or("", |fate| says.fate(fate))
}
