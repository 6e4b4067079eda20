//! The story of a run, told from its events: the same lines as while it went on, with both kinds of time.

use super::look::{Look, clock};
use super::narrate::{Line, Mark, Narrator};
use super::recap::recap;
use super::tails::Tails;
use super::timeline::Timeline;
use crate::engine::RunState;
use crate::engine::state::Illegal;
use crate::model::{Event, Time};
use crate::plan::Plan;
use console::Style;
use std::sync::Arc;

/// Single troubles of a step that are told before the rest is only counted, unless all is asked for.
const EACH_STEP_MAX: u32 = 5;

/// The timeline of a run and its recap. With `all`, every task, job and connection has its line. An event
/// that makes no sense after those before it is an error: such a journal was not written by blackstart.
pub fn show(
    plan: Arc<Plan>,
    events: impl IntoIterator<Item = (Time, Event)>,
    look: &Look,
    all: bool,
) -> Result<String, Illegal> {
    let verbose = if all { 2 } else { look.verbose };
    let narrator = Narrator::new(Look { verbose, ..look.clone() });
    let mut narrator = if all { narrator } else { narrator.at_most(EACH_STEP_MAX) };
    let (mut told, mut tails) = (Timeline::new(plan), Tails::default());
    let (mut text, mut day) = (String::new(), String::new());
    for (at, event) in events {
        told.take(at, &event)?;
        tails.note(&event);
        for said in narrator.tell(&told.state, at, &event) {
            let today = look.date(at);
            if today != day {
                text.push_str(&format!("{}\n", look.bold(&today)));
                day = today;
            }
            put(&mut text, look, &told.state, at, &said);
        }
    }
    text.push('\n');
    text.push_str(&recap(&told, &tails, look));
    Ok(text)
}

fn put(text: &mut String, look: &Look, state: &RunState, at: Time, said: &Line) {
    let since = clock(at.since(state.started_at().unwrap_or(at)));
    let times = look.dim(&format!("{}  +{since}", look.time_of_day(at)));
    let style = match said.mark {
        Mark::Heading => Style::new().bold(),
        Mark::Bad => Style::new().red(),
        Mark::Unsure | Mark::Ask => Style::new().yellow(),
        Mark::Good | Mark::Back | Mark::Info => Style::new(),
    };
    // Phases stand out as headings; what happened in them is set in.
    let indent = match said.noun {
        "phase" if matches!(said.mark, Mark::Heading) => {
            text.push('\n');
            ""
        }
        "run" => "",
        _ => "  ",
    };
    let about = look.paint(style, &format!("{} {}: {}", said.noun, said.name, said.text));
    text.push_str(&format!("{times}  {indent}{about}\n"));
    for more in &said.more {
        text.push_str(&format!("{:INDENT$}{more}\n", ""));
    }
    for printed in &said.printed {
        text.push_str(&format!("{:INDENT$}{} {printed}\n", "", look.dim("|")));
    }
}

/// Where lines that belong to the one above them begin: behind both times.
const INDENT: usize = 25;
