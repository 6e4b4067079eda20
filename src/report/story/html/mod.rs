//! The report as one HTML file: printable, readable without scripts, in light and dark, with nothing to fetch. `maud`
//! checks the markup when this is compiled and escapes every text.

mod dag;
mod gantt;
mod layout;
mod lists;
pub(in crate::report) mod page;
mod parts;
mod reachability;
mod scale;
mod services;
pub(in crate::report) mod table;
mod time;
mod work;

use super::lang::{Lang, Says};
use super::phrase::Phrase;
use super::told::Story;
use maud::{Markup, html as markup};

/// The report as HTML.
pub fn html(story: &Story, says: &Says) -> String {
    let mut sections: Vec<(Phrase, Markup)> = vec![
        (Phrase::InShort, parts::summary(story, says)),
        (Phrase::Objectives, parts::objectives(story, says)),
    ];
    let mut add = |title: Phrase, some: bool, body: &dyn Fn() -> Markup| {
        if some {
            sections.push((title, body()));
        }
    };
    if let Some(told) = &story.restoration {
        add(Phrase::Restoration, true, &|| lists::restoration(told, says));
    }
    if let Some(compared) = &story.compared {
        add(Phrase::Compared, true, &|| time::compared(compared, says));
    }
    let any_left_out = story.not_run.iter().any(|group| group.left_out);
    let any_not_run = story.not_run.iter().any(|group| !group.left_out);
    add(Phrase::NeedsAPerson, !story.needs_a_person.is_empty(), &|| {
        lists::groups(&story.needs_a_person, says)
    });
    add(Phrase::OpenQuestions, !story.open_questions.is_empty(), &|| lists::questions(story, says));
    add(Phrase::Failures, !story.failures.is_empty(), &|| lists::groups(&story.failures, says));
    add(Phrase::NotRun, any_not_run, &|| lists::not_run(story, false, says));
    add(Phrase::Cuts, !story.cuts.is_empty(), &|| parts::cuts(story, says));
    if let Some(both) = &story.reachability {
        add(Phrase::Reachability, true, &|| reachability::reachability(both, says));
    }
    add(Phrase::Timeline, story.run.started_at.is_some(), &|| gantt::gantt(story, says));
    add(Phrase::Services, !story.services.is_empty(), &|| services::services(story, says));
    add(Phrase::CriticalPath, !story.critical_path.is_empty(), &|| time::path(story, says));
    add(Phrase::Waits, !story.waits.is_empty(), &|| time::waits(story, says));
    add(Phrase::PlanAndActual, story.run.started_at.is_some(), &|| time::plan_and_actual(story, says));
    add(Phrase::Graph, !story.steps.is_empty(), &|| dag::dag(story, says));
    add(Phrase::Decisions, !story.decisions.is_empty(), &|| lists::decisions(story, says));
    add(Phrase::Guards, !story.guards.is_empty(), &|| lists::guards(story, says));
    add(Phrase::FiredTogether, !story.fired.is_empty(), &|| lists::fired(story, says));
    add(Phrase::Probes, !story.probes.is_empty(), &|| lists::probes(story, says));
    add(Phrase::Tasks, !story.steps.is_empty(), &|| work::steps(story, says));
    add(Phrase::LeftOut, any_left_out, &|| lists::not_run(story, true, says));
    add(Phrase::Improvements, true, &|| parts::improvements(story, says));
    add(Phrase::Evidence, !story.evidence.is_empty(), &|| lists::evidence(story, says));
    add(Phrase::Backups, !story.backups.is_empty(), &|| lists::backups(story, says));
    add(Phrase::Hosts, !story.hosts.is_empty(), &|| lists::hosts(story, says));
    add(Phrase::Record, true, &|| parts::record(story, says));
    add(Phrase::FirstReport, says.lang == Lang::Ja, &|| parts::first_report(story, says));
    let body = markup! {
        (parts::head(story, says))
        (page::contents(sections.iter().map(|(title, _)| *title), says))
        main {
            @for (title, body) in &sections {
                section {
                    h2 id=(page::anchor(*title)) { (says.say(*title)) }
                    (body)
                }
            }
        }
        (parts::foot(story, says))
    };
    let title = format!("{}: {} ({})", says.say(Phrase::Report), story.run.runbook, story.run.inventory);
    page::page(&title, says.lang, &body)
}
