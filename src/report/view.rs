//! What a terminal shows beneath the lines: where the run stands, what runs and since when, and who is
//! waited for. Pure: a state, a time and a size in, lines out.

use super::asking;
use super::availability;
use super::clocks;
use super::going_on::{GoingOn, Pause, Rounds, is_late, to_take_back};
use super::guarded;
use super::look::{Look, clock};
use super::words;
use crate::engine::{PhaseStatus, RunState, Status, StepStatus};
use crate::model::Time;
use crate::model::event::{Job, Mode};
use crate::model::names::{PhaseIx, StepIx};
use crate::model::question::Question;
use console::{Style, measure_text_width, truncate_str};

/// How large a terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: usize,
    /// Characters a line.
    pub columns: usize,
}

/// Names longer than this are cut, so that what is said about them keeps its place.
const NAME_COLUMNS_MAX: usize = 32;
/// Phases shown at once: the rest is over, or far away.
const PHASES_MAX: usize = 7;
/// Steps shown at once with the state of their hosts.
const STEPS_MAX: usize = 4;
/// Jobs shown at once: more than a person follows.
const RUNNING_MAX: usize = 12;
/// Pauses shown at once.
const PAUSES_MAX: usize = 4;
/// Questions shown at once.
const QUESTIONS_MAX: usize = 4;
/// Lines of the terminal left for what was said before.
const LINES_ABOVE: usize = 4;
/// Characters of a bar.
const BAR: usize = 20;

/// The lines of the view; never more or longer than the terminal has room for.
pub fn view(state: &RunState, look: &Look, now: Time, size: Size, rounds: &Rounds) -> Vec<String> {
    let width = size.columns.saturating_sub(1).max(1);
    let going_on = GoingOn::at(state, now).with(rounds);
    let room = size.rows.saturating_sub(LINES_ABOVE).max(3);

    let mut top = vec![look.dim(&"─".repeat(width)), head(state, look, now, width)];
    top.extend(phases(state, look, now));
    top.extend(availability::view_line(state, look));
    top.extend(clocks::view_line(state, look, now));
    let steps = steps(state, look);
    let pauses = pauses(&going_on, look, now);
    let people = people(state, &going_on, look);

    // What people must do has the first claim on the room, jobs that run the last.
    let taken = top.len() + people.len() + pauses.len() + steps.len();
    let running = running(state, &going_on, look, now, room.saturating_sub(taken));
    let mut all = top;
    for part in [steps, running, pauses, people] {
        all.extend(part);
    }
    if all.len() > room {
        let last = all.split_off(all.len() - (room - 2));
        all.truncate(2);
        all.extend(last);
    }
    all.into_iter().map(|line| truncate_str(&line, width, "…").into_owned()).collect()
}

fn head(state: &RunState, look: &Look, now: Time, width: usize) -> String {
    let plan = state.plan();
    let mode = match state.mode() {
        Mode::Live => look.paint(Style::new().red().bold(), "live"),
        mode @ (Mode::Drill | Mode::Tabletop) => words::mode(mode).to_owned(),
    };
    let elapsed = clock(now.since(state.started_at().unwrap_or(now)));
    let left = format!("{} · run {} · {mode} · {elapsed}", look.bold(&plan.runbook), look.run);
    let steps = (0..plan.steps.len() as u32).map(StepIx);
    let over = steps.filter(|step| state.step(*step).is_over()).count();
    let right = match state.status() {
        Status::RollingBack { .. } => {
            let to_go = to_take_back(state).map(|count| format!(", {} to go", words::so_many(count, "task")));
            look.paint(Style::new().yellow().bold(), &format!("TAKING BACK{}", to_go.unwrap_or_default()))
        }
        Status::New | Status::Running | Status::Ended(_) => match state.stop_requested() {
            Some(_) => look.paint(Style::new().yellow().bold(), "STOPPING"),
            None => format!("{over} of {} steps", plan.steps.len()),
        },
    };
    let gap = width.saturating_sub(measure_text_width(&left) + measure_text_width(&right)).max(2);
    format!("{left}{}{right}", " ".repeat(gap))
}

/// One line a phase, around the one that runs.
fn phases(state: &RunState, look: &Look, now: Time) -> Vec<String> {
    let plan = state.plan();
    let all: Vec<PhaseIx> = (0..plan.phases.len() as u32).map(PhaseIx).collect();
    let shown = window(all.len(), state.phase_now().map_or(0, PhaseIx::at), PHASES_MAX);
    let names = all[shown.clone()].iter().map(|phase| plan.phases[phase.at()].id.as_str());
    let width = column(names);
    let mut lines = Vec::new();
    if shown.start > 0 {
        lines.push(look.dim(&format!("  … {} before", words::so_many(shown.start, "phase"))));
    }
    lines.extend(all[shown.clone()].iter().map(|phase| phase_line(state, look, now, *phase, width)));
    if shown.end < all.len() {
        lines.push(look.dim(&format!("  … {} to come", words::so_many(all.len() - shown.end, "phase"))));
    }
    lines
}

fn phase_line(state: &RunState, look: &Look, now: Time, phase: PhaseIx, width: usize) -> String {
    let plan = state.plan();
    let (planned, phase_state) = (&plan.phases[phase.at()], state.phase(phase));
    let total = planned.steps as usize;
    let over = plan.steps_of(phase).filter(|step| state.step(*step).is_over()).count();
    let failed = plan.steps_of(phase).map(|step| state.step(step).counts().failed as usize).sum::<usize>();
    let since = |from: Option<Time>, to: Time| to.since(from.unwrap_or(to));
    let started_at = phase_state.started_at();
    let (sign, style, word) = match phase_state.status() {
        PhaseStatus::Waiting if started_at.is_none() => ("·", Style::new().dim(), "to come".to_owned()),
        PhaseStatus::Waiting => ("·", Style::new(), "to go on".to_owned()),
        PhaseStatus::Running => ("▸", Style::new().cyan().bold(), format!("for {}", since(started_at, now))),
        PhaseStatus::Ended { well } => {
            let took = since(started_at, phase_state.ended_at().unwrap_or(now));
            match well {
                true => ("✓", Style::new().green(), format!("done in {took}")),
                false => ("✗", Style::new().red().bold(), format!("FAILED after {took}")),
            }
        }
    };
    let failed = match failed {
        0 => String::new(),
        count => look.paint(Style::new().red(), &format!("  {} FAILED", words::so_many(count, "task"))),
    };
    let bar = bar(over, total);
    let name = fit(planned.id.as_str(), width);
    format!("{} {bar} {over:>3} of {total:<3} {word}{failed}", look.paint(style, &format!("{sign} {name}")))
}

/// Steps that run on more than one host, with the state of their hosts.
fn steps(state: &RunState, look: &Look) -> Vec<String> {
    let plan = state.plan();
    let Some(phase) = state.phase_now() else { return Vec::new() };
    let wide: Vec<StepIx> = plan
        .steps_of(phase)
        .filter(|step| *state.step(*step).status() == StepStatus::Running && plan.steps[step.at()].tasks > 1)
        .collect();
    let width = column(wide.iter().take(STEPS_MAX).map(|step| plan.steps[step.at()].id.as_str()));
    let line = |step: &StepIx| {
        let (planned, counts) = (&plan.steps[step.at()], state.step(*step).counts());
        let total = planned.tasks as usize;
        let bar = bar(total - counts.open() as usize, total);
        let waves = match planned.waves.len() {
            0 | 1 => String::new(),
            waves => format!(", wave {} of {waves}", (state.step(*step).wave() + 1).min(waves)),
        };
        let result = words::step_numbers(&counts);
        format!("  {} {bar} {result}{waves}", fit(planned.id.as_str(), width))
    };
    section("steps", wide.iter().map(line).collect(), STEPS_MAX, wide.len(), look)
}

fn running(state: &RunState, going_on: &GoingOn, look: &Look, now: Time, room: usize) -> Vec<String> {
    let plan = state.plan();
    let total = going_on.running.len();
    // Heading and `… and so many more` take a line each.
    let max = RUNNING_MAX.min(room.saturating_sub(if total > RUNNING_MAX { 2 } else { 1 }));
    let max = if max < total && max + 2 > room { max.saturating_sub(1) } else { max };
    let shown = &going_on.running[..total.min(max)];
    let names: Vec<String> = shown.iter().map(|(job, _)| plan.task_name(job.task)).collect();
    let width = column(names.iter().map(String::as_str));
    let line = |((job, since), name): (&(Job, Time), &String)| {
        let time = going_on.job_time(plan, *job, *since, now) + &guarded::countdown(state, job.task, now);
        let time = match is_late(plan, *job, *since, now) {
            true => look.paint(Style::new().yellow(), &format!("{time}, nearly out of time")),
            false => time,
        };
        format!("  {} {time}", fit(name, width))
    };
    section("running", shown.iter().zip(&names).map(line).collect(), max, total, look)
}

fn pauses(going_on: &GoingOn, look: &Look, now: Time) -> Vec<String> {
    let width = column(going_on.pauses.iter().take(PAUSES_MAX).map(|pause| pause.name.as_str()));
    let line = |pause: &Pause| {
        let (left, until) = (pause.until.since(now), look.moment(pause.until, now));
        format!("  {} {left} left, until {until}; {}", fit(&pause.name, width), pause.why)
    };
    let lines = going_on.pauses.iter().take(PAUSES_MAX).map(line).collect();
    section("waiting for time", lines, PAUSES_MAX, going_on.pauses.len(), look)
}

fn people(state: &RunState, going_on: &GoingOn, look: &Look) -> Vec<String> {
    let ask = Style::new().yellow().bold();
    let line = |question: &Question| {
        let asking = asking::asking(state, look, question);
        let first = asking.answers.first().map(|(_, command)| command.as_str()).unwrap_or_default();
        [
            format!("  {} {}", look.paint(ask.clone(), "?"), asking.sentence),
            format!("    {}", look.bold(first)),
        ]
    };
    let total = going_on.questions.len();
    let lines: Vec<String> = going_on.questions.iter().take(QUESTIONS_MAX).flat_map(line).collect();
    let mut all = section("waiting for people", lines, usize::MAX, total, look);
    if total > QUESTIONS_MAX {
        all.push(format!("  … and {} more", total - QUESTIONS_MAX));
    }
    all
}

/// A heading with a number, some lines, and how many there are besides.
fn section(title: &str, mut lines: Vec<String>, max: usize, total: usize, look: &Look) -> Vec<String> {
    if total == 0 || max == 0 {
        return Vec::new();
    }
    let rest = total.saturating_sub(max);
    lines.truncate(max);
    lines.insert(0, look.bold(&format!("{title} ({total})")));
    if rest > 0 {
        lines.push(look.dim(&format!("  … and {rest} more")));
    }
    lines
}

fn bar(part: usize, total: usize) -> String {
    let filled = (part * BAR).checked_div(total).unwrap_or(BAR);
    format!("[{}{}]", "#".repeat(filled), "·".repeat(BAR - filled))
}

/// A stretch of at most `max` out of `total` with `around` in it.
fn window(total: usize, around: usize, max: usize) -> std::ops::Range<usize> {
    let start = around.saturating_sub(max / 2).min(total.saturating_sub(max));
    start..(start + max).min(total)
}

/// The width of a column of names.
fn column<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(measure_text_width).max().unwrap_or(0).min(NAME_COLUMNS_MAX)
}

/// A name cut or filled up to a width.
fn fit(name: &str, width: usize) -> String {
    let name = truncate_str(name, width, "…");
    format!("{name}{}", " ".repeat(width.saturating_sub(measure_text_width(&name))))
}
