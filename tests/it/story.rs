//! Reports of runs that the engine itself decided: every format, in every language, of runs that ended in every way.

pub mod markup;
pub mod restored;
mod rich;
mod scores;
pub mod texts;

use crate::report::{nobody_answers, stopped, stuck, well};
use crate::report_site::{self as site, Run};
use blackstart::model::event::{Event, JobKind};
use blackstart::model::{Millis, Time};
use blackstart::plan::Plan;
use blackstart::report::story::ledger::Journal;
use blackstart::report::story::{self, Lang, Says, Story, Telling};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Words in a language, times in UTC.
pub fn says(lang: Lang) -> Says {
    Says { lang, zone: TimeZone::UTC }
}

/// The story of some events of a plan.
pub fn told(plan: Plan, events: &[(Time, Event)], carried_on: bool, lang: Lang) -> Story {
    let journal = Journal {
        plan: "0".repeat(64),
        head: "f".repeat(64),
        records: events.len() as u64,
        torn_bytes: None,
    };
    let now = events.last().map_or(site::START, |(at, _)| *at) + Millis::from_secs(60);
    let telling = Telling { plan: Arc::new(plan), events, journal, carried_on, now };
    story::tell(telling, &says(lang)).expect("the engine's own events make sense")
}

/// The story of a whole run.
pub fn story_of(run: &Run, lang: Lang) -> Story {
    told(run.plan.clone(), &run.events().0, false, lang)
}

/// A run whose controller was killed while the database was restored: nobody carries it on.
pub fn killed(lang: Lang) -> Story {
    let run = stuck();
    let (events, _) = run.events();
    let restoring = |(_, event): &(Time, Event)| {
        matches!(event, Event::JobStarted { job }
            if run.plan.task_name(job.task) == "restore-db@db1" && job.kind == JobKind::Run)
    };
    let end = events.iter().position(restoring).expect("the database is restored") + 1;
    told(run.plan.clone(), &events[..end], false, lang)
}

/// A run that waits for people at this moment.
pub fn waiting(lang: Lang) -> Story {
    let run = Run { people: &nobody_answers, ..well() };
    let (events, _) = run.events();
    let asked = |(_, event): &(Time, Event)| matches!(event, Event::Asked { .. });
    let end = events.iter().position(asked).expect("people are asked") + 1;
    told(run.plan.clone(), &events[..end], true, lang)
}

/// A run that was resumed an hour after its controller was killed.
pub fn resumed(lang: Lang) -> Story {
    let run = stuck();
    let (events, _) = run.events();
    let restoring = |(_, event): &(Time, Event)| matches!(event, Event::JobStarted { job } if job.kind == JobKind::Run && run.plan.task_name(job.task) == "stop-db@db1");
    let end = events.iter().position(restoring).expect("the database is stopped") + 1;
    let mut events = events[..end].to_vec();
    let at = events[end - 1].0 + Millis::from_secs(3600);
    events.push((at, Event::RunResumed { by: "bob".to_owned(), version: "0.1.0".to_owned() }));
    told(run.plan.clone(), &events, true, lang)
}

/// Every kind of run that reports are made of here, by name.
pub fn stories(lang: Lang) -> Vec<(&'static str, Story)> {
    let by_hand = Run { stop_after: Some(100), ..well() };
    vec![
        ("completed", story_of(&well(), lang)),
        ("stuck", story_of(&stuck(), lang)),
        ("stopped", story_of(&stopped(), lang)),
        ("operator", story_of(&by_hand, lang)),
        ("killed", killed(lang)),
        ("waiting", waiting(lang)),
        ("resumed", resumed(lang)),
        ("rich", rich::rich(lang)),
        ("nothing", told(well().plan, &[], false, lang)),
    ]
}

/// Not a test: writes every report of this file to `$STORIES`, for eyes and browsers.
#[test]
#[ignore = "for eyes"]
fn write_them() {
    let dir = std::path::PathBuf::from(std::env::var_os("STORIES").expect("a directory to write to"));
    for (name, large) in texts::large() {
        let since = std::time::Instant::now();
        let page = story::html(&large, &says(Lang::En));
        eprintln!("{name}: html of {} bytes in {:?}", page.len(), since.elapsed());
        std::fs::write(dir.join(format!("{name}.html")), page).unwrap();
    }
    for lang in Lang::ALL {
        for (name, story) in stories(lang) {
            let file = |extension: &str| dir.join(format!("{name}-{}.{extension}", lang.tag()));
            std::fs::write(file("html"), story::html(&story, &says(lang))).unwrap();
            std::fs::write(file("md"), story::markdown(&story, &says(lang))).unwrap();
            std::fs::write(file("json"), story::json(&story)).unwrap();
            std::fs::write(file("xml"), story::junit(&story, &says(lang))).unwrap();
        }
    }
}
