//! `blackstart approve`: answers what a run waits for, from another terminal or before it asks.

use crate::cli::args::Args;
use crate::cli::consent::{self, Travel};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer, resume};
use crate::drive::clock::Clock;
use crate::drive::{approvals, people};
use crate::engine::RunState;
use crate::journal::{Message, RunDir, inbox};
use crate::model::Time;
use crate::model::event::Mode;
use crate::model::names::{PhaseIx, TaskIx};
use crate::model::problem::nearest;
use crate::model::question::{Answer, Choice, Question};
use crate::plan::Plan;
use crate::plan::frozen::PlannedAction;
use crate::report::escape::line;
use crate::report::{Look, asking, commands};
use std::sync::Arc;

/// Answer what a run waits for.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The run: the beginning of its id, or `last`.
    #[arg(value_name = "RUN", required_unless_present = "request")]
    run: Option<String>,
    /// The step or phase the question is about; without it, the open questions are listed.
    #[arg(value_name = "STEP|PHASE")]
    about: Option<String>,
    /// The host, if the question is about one host of the step.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// The answer: done, approve, refuse, it-succeeded, it-failed, nothing-happened, retry, continue, stop, rollback
    /// or rollback-run, whichever the question takes. For manual steps and approvals the default is to consent.
    #[arg(long, value_name = "WORD")]
    answer: Option<String>,
    /// A word of explanation for the record.
    #[arg(short = 'm', long, value_name = "TEXT")]
    comment: Option<String>,
    #[command(flatten)]
    travel: Travel,
}

/// Posts the answer into the run's inbox; a live run takes it at once, a stopped one when it is resumed.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    if let Some(request) = &verb.travel.request {
        return consent::answer_request(request, &word(verb), verb.comment.as_deref(), &verb.travel, args);
    }
    let run = verb.run.as_deref().unwrap_or("last");
    let dir = files::run(args, run)?;
    let short = files::short(args, &dir)?;
    let (plan, _) = dir.read_plan()?;
    let mut state = RunState::new(Arc::new(plan));
    for record in dir.read()?.records {
        state
            .apply(record.at, &record.event)
            .map_err(|illegal| CliError::with(Exit::Journal, illegal.to_string()))?;
    }
    if state.mode() == Mode::Tabletop {
        return Err(resume::at_a_table(&dir));
    }
    if let Some(file) = &verb.travel.import {
        return consent::import(file, &verb.travel, &dir, &state, &short);
    }
    let now = Clock::start(Time::default()).now();
    let open: Vec<&Question> = state.questions().collect();
    let Some(about) = &verb.about else {
        return list(&state, &open, now, &printer::look(args, &dir)?);
    };
    let plan = state.plan();
    let to_come = to_come(&state, now);
    let asked = open.iter().copied().chain(&to_come).find(|question| is_about(plan, question, verb, about));
    let Some(question) = asked.cloned() else { return Err(nobody_asks(plan, &to_come, verb, about)) };
    if let Some(file) = &verb.travel.export {
        return consent::export(file, &state, &question, &short);
    }
    let choice = choice(verb, &question)?;
    let answer = match consent::wants_signature(plan, &question, choice, &verb.travel) {
        true => consent::sign_here(&state, &question, choice, verb.comment.as_deref(), &verb.travel, args)?,
        false => Answer {
            question,
            by: people::who(),
            choice,
            comment: verb.comment.clone(),
            at: Some(now),
            signed: None,
        },
    };
    post(&dir, &state, &answer, about, &short)
}

/// Puts an answer that would count into the run's inbox, and says when it does.
pub(super) fn post(
    dir: &RunDir,
    state: &RunState,
    answer: &Answer,
    about: &str,
    short: &str,
) -> Result<Exit, CliError> {
    let (word, by) = (answer.choice.word(), line(&answer.by));
    let now = Clock::start(Time::default()).now();
    let counts = approvals::check(state, answer, now).and_then(|()| state.accepts(answer, now));
    if let Err(why) = counts {
        return Err(CliError::usage(format!("`{about}`: {word} by {by} would not count: {}", line(&why))));
    }
    inbox::post(dir, &Message::Answer(answer.clone()))?;
    let when = match dir.held_by() {
        Some(_) => "the run takes it now".to_owned(),
        None => format!("it counts once the run goes on: `blackstart resume {short}`"),
    };
    printer::data(&format!("{about}: {word} by {by}; {when}"))?;
    Ok(Exit::Completed)
}

/// The answer to a question about consent, as it was typed.
fn word(verb: &Verb) -> String {
    verb.answer.clone().unwrap_or_else(|| Choice::Approve.word().to_owned())
}

fn nobody_asks(plan: &Plan, to_come: &[Question], verb: &Verb, about: &str) -> CliError {
    let known = plan.step_named(about).is_some()
        || plan.phase_named(about).is_some()
        || plan.tasks.iter().enumerate().any(|(ix, _)| plan.task_name(TaskIx(ix as u32)) == about);
    let error = match known {
        true => CliError::usage(format!("`{about}` waits for no answer")),
        false => CliError::usage(format!("the run has no step or phase `{about}`")),
    };
    let names: Vec<String> = to_come.iter().map(|question| commands::about(plan, question)).collect();
    match nearest(about, names.iter().map(String::as_str)) {
        Some(near) if !known => error.hint(format!("did you mean `{near}`?")),
        _ => error.hint(format!(
            "`blackstart approve {}` lists what is waited for",
            verb.run.as_deref().unwrap_or("last")
        )),
    }
}

/// Is this open question the one meant? `step`, `step@host` and `step --host host` all name it.
fn is_about(plan: &Plan, question: &Question, verb: &Verb, about: &str) -> bool {
    let task = match question {
        Question::Manual { task } | Question::Approve { task, .. } | Question::WhatBecameOf { task, .. } => {
            *task
        }
        Question::PhaseFailed { .. } => return commands::about(plan, question) == about,
    };
    let host = plan.host_of(task).map(|host| host.name.as_str());
    let host_fits = verb.host.as_deref().is_none_or(|wanted| host == Some(wanted));
    host_fits && (plan.step_of(task).id.as_str() == about || plan.task_name(task) == about)
}

/// Every question that may be answered ahead, or of a run that stopped for want of its answer.
fn to_come(state: &RunState, now: Time) -> Vec<Question> {
    let plan = state.plan();
    let gates = plan.steps.iter().flat_map(|step| {
        let runs =
            (0..step.tasks).any(|nth| plan.tasks[step.first_task.at() + nth as usize].left_out.is_none());
        let task = step.first_task;
        let approve = step.approve.as_ref().map(|approve| Question::Approve { task, people: approve.people });
        let manual = matches!(step.action, PlannedAction::Manual(_)).then_some(Question::Manual { task });
        approve.into_iter().chain(manual).filter(move |_| runs)
    });
    let unseen = (0..plan.tasks.len() as u32)
        .map(TaskIx)
        .flat_map(|task| [false, true].map(|undo| Question::WhatBecameOf { task, undo }));
    let phases = (0..plan.phases.len() as u32).map(|ix| Question::PhaseFailed { phase: PhaseIx(ix) });
    let counts = |question: &Question| {
        // An answer that every question of its kind takes of anybody: a no.
        let choice = question.choices().last().expect("every question has an answer");
        let answer = Answer {
            question: question.clone(),
            by: String::new(),
            choice,
            comment: None,
            at: None,
            signed: None,
        };
        state.accepts(&answer, now).is_ok()
    };
    gates.chain(unseen).chain(phases).filter(counts).collect()
}

fn list(state: &RunState, open: &[&Question], now: Time, look: &Look) -> Result<Exit, CliError> {
    let others = to_come(state, now).into_iter().filter(|question| !open.contains(&question));
    let (later, ahead): (Vec<Question>, Vec<Question>) =
        others.partition(|question| is_of_a_later_phase(state, question));
    let mut text = String::new();
    for question in open.iter().copied().chain(&ahead) {
        let asking = asking::asking(state, look, question);
        text += &format!("{}\n", asking.sentence);
        for more in &asking.more {
            text += &format!("  {more}\n");
        }
        let width = asking.answers.iter().map(|(_, command)| command.chars().count()).max().unwrap_or(0);
        for (says, command) in &asking.answers {
            text += &format!("  {command:width$}   {says}\n");
        }
    }
    if text.is_empty() {
        text += "nothing waits for an answer\n";
    }
    if !later.is_empty() {
        // Whoever reads this at a glance must not confirm what nobody can know yet.
        let names = later.iter().map(|question| commands::about(state.plan(), question));
        let names = names.collect::<Vec<_>>().join(", ");
        text += &format!("not asked before their phases begin, though an answer counts then: {names}\n");
    }
    printer::data(&text)?;
    Ok(Exit::Completed)
}

/// Will nobody be asked before another phase begins?
fn is_of_a_later_phase(state: &RunState, question: &Question) -> bool {
    let phase = match question {
        Question::Manual { task } | Question::Approve { task, .. } | Question::WhatBecameOf { task, .. } => {
            state.plan().step_of(*task).phase
        }
        Question::PhaseFailed { phase } => *phase,
    };
    state.phase(phase).started_at().is_none()
}

fn choice(verb: &Verb, question: &Question) -> Result<Choice, CliError> {
    let words = || question.choices().map(Choice::word).collect::<Vec<_>>().join(", ");
    match &verb.answer {
        Some(word) => question.choices().find(|choice| choice.word() == word).ok_or_else(|| {
            CliError::usage(format!("`{word}` is no answer to that; possible are: {}", words()))
        }),
        None => match question {
            Question::Manual { .. } => Ok(Choice::Done),
            Question::Approve { .. } => Ok(Choice::Approve),
            Question::WhatBecameOf { .. } | Question::PhaseFailed { .. } => {
                Err(CliError::usage(format!("say which answer with --answer: {}", words())))
            }
        },
    }
}
