//! Objectives as Markdown: how each stands, and how it stood in an earlier run.

use super::lang::Says;
use super::markdown_page::{Page, escaped};
use super::phrase::Phrase;
use super::told::Story;
use crate::model::Millis;

pub(super) fn objectives(story: &Story, page: &mut Page<'_>) {
    let says = page.says;
    let rows = story.objectives.iter().map(|one| {
        let length = |ms: Option<u64>| ms.map(|ms| says.length(Millis(ms))).unwrap_or_default();
        vec![
            one.name.clone(),
            one.from.clone(),
            one.to.clone(),
            length(Some(one.within_ms)),
            length(one.took_ms),
            says.met(one.standing).to_owned(),
            margin(says, one.late_ms),
            says.spent(&one.spent),
        ]
    });
    let rows = rows.collect();
    let heads = [
        Phrase::Name,
        Phrase::From,
        Phrase::To,
        Phrase::Allowed,
        Phrase::Took,
        Phrase::Result,
        Phrase::Margin,
        Phrase::OfItsTime,
    ];
    page.section(Phrase::Objectives, &heads, rows);
}

pub(super) fn compared(story: &Story, page: &mut Page<'_>) {
    let Some(compared) = &story.compared else { return };
    let says = page.says;
    let when = compared.started_at.map(|at| says.time(at)).unwrap_or_default();
    page.heading(Phrase::Compared);
    let with = says.fill(Phrase::ComparedWith, &[compared.run.as_deref().unwrap_or_default(), &when]);
    page.paragraph(&escaped(&with));
    if !compared.same_plan {
        page.paragraph(&escaped(says.say(Phrase::ComparedOther)));
    }
    let length = |ms: Option<u64>| ms.map(|ms| says.length(Millis(ms))).unwrap_or_default();
    let rows = compared.lengths.iter().map(|one| {
        vec![
            one.name.clone(),
            says.compared(one.kind).to_owned(),
            length(one.then_ms),
            length(one.now_ms),
            one.slower_ms.map(|ms| says.difference(ms)).unwrap_or_default(),
        ]
    });
    let heads = [Phrase::Name, Phrase::Kind, Phrase::Then, Phrase::ThisTime, Phrase::Difference];
    page.table(&heads, rows.collect());
}

/// What a drill left behind.
pub(super) fn restoration(story: &Story, page: &mut Page<'_>) {
    let Some(told) = &story.restoration else { return };
    let says = page.says;
    page.heading(Phrase::Restoration);
    let phrase = if told.restored { Phrase::Restored } else { Phrase::NotRestored };
    page.paragraph(&escaped(says.say(phrase)));
    if !told.taken_back.is_empty() {
        let steps = says.list(&told.taken_back);
        page.paragraph(&escaped(&says.fill(Phrase::TakenBackSteps, &[&steps])));
    }
    if let Some(paths) = says.paths_again(told) {
        page.paragraph(&escaped(&paths));
    }
    let rows: Vec<Vec<String>> = says.left_behind(told).into_iter().map(Vec::from).collect();
    if !rows.is_empty() {
        page.table(&[Phrase::Name, Phrase::HostsHead, Phrase::Why], rows);
    }
}

/// How much later than allowed, or how much to spare.
pub(super) fn margin(says: &Says, late_ms: Option<i64>) -> String {
    match late_ms {
        None => String::new(),
        Some(late) if late > 0 => {
            says.fill(Phrase::SoMuchLater, &[&says.length(Millis(late.unsigned_abs()))])
        }
        Some(late) => says.fill(Phrase::SoMuchToSpare, &[&says.length(Millis(late.unsigned_abs()))]),
    }
}
