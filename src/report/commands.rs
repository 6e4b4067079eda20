//! The commands that reports tell people to type: spelled in one place, so that they agree with the program.

use super::escape::line;
use super::look::Look;
use crate::model::event::Scope;
use crate::model::inventory::{Reach, SshSettings};
use crate::model::names::{HostIx, TaskIx};
use crate::model::question::{Choice, Question};
use crate::plan::Plan;

impl Look {
    /// A command about the run: `blackstart resume 7f3 --state /srv/runs`.
    pub fn command(&self, verb: &str, rest: &str) -> String {
        let mut words = format!("blackstart {verb} {}", self.run);
        for more in [rest, &self.flags] {
            if !more.is_empty() {
                words.push(' ');
                words.push_str(more);
            }
        }
        words
    }
    /// Goes on with the run.
    pub fn resume(&self) -> String {
        self.command("resume", "")
    }
    /// Takes the run back, or a part of it.
    pub fn rollback(&self, plan: &Plan, scope: Scope) -> String {
        let part = match scope {
            Scope::Run => String::new(),
            Scope::Phase(phase) => format!("--phase {}", plan.phases[phase.at()].id),
            Scope::FromPhase(phase) => format!("--from-phase {}", plan.phases[phase.at()].id),
            Scope::FromStep(step) => format!("--from-step {}", plan.steps[step.at()].id),
        };
        self.command("rollback", &part)
    }
    /// Takes back severed conduits too.
    pub fn reopen(&self) -> String {
        self.command("rollback", "--reopen")
    }
    /// Takes on what is stuck: it was dealt with by hand.
    pub fn abandon(&self) -> String {
        self.command("abort", "")
    }
    /// Lists what the run waits for.
    pub fn approve(&self) -> String {
        self.command("approve", "")
    }
    /// Tells the story of the run.
    pub fn show(&self) -> String {
        self.command("show", "")
    }
    /// Checks the journal, and prints its head to be written down elsewhere.
    pub fn verify(&self) -> String {
        self.command("verify", "")
    }
    /// Tells the whole story of the run.
    pub fn show_all(&self) -> String {
        self.command("show", "--all")
    }
    /// Answers a question.
    pub fn answer(&self, plan: &Plan, question: &Question, choice: Choice) -> String {
        let about = about(plan, question);
        match choice {
            Choice::Done | Choice::Approve => self.command("approve", &about),
            other => self.command("approve", &format!("{about} --answer {}", other.word())),
        }
    }
}

/// The command that gets a person onto a host the way blackstart goes; `None` for the controller itself.
pub fn ssh(plan: &Plan, host: HostIx) -> Option<String> {
    let settings = ssh_settings(plan, host)?;
    let mut words = vec!["ssh".to_owned()];
    words.extend(settings.port.into_iter().flat_map(|port| ["-p".to_owned(), port.to_string()]));
    let mut jumps = Vec::new();
    let mut next = settings.jump.as_ref();
    while let Some(jump) = next.filter(|_| jumps.len() < JUMPS_MAX) {
        let settings = ssh_settings(plan, plan.host_named(jump.as_str())?)?;
        let port = settings.port.map(|port| format!(":{port}")).unwrap_or_default();
        jumps.push(format!("{}{port}", login(settings, settings.port.is_some())));
        next = settings.jump.as_ref();
    }
    if !jumps.is_empty() {
        jumps.reverse();
        words.extend(["-J".to_owned(), jumps.join(",")]);
    }
    words.push(login(settings, false));
    shlex::try_join(words.iter().map(String::as_str)).ok().map(|command| line(&command))
}

/// A longer chain is a mistake, and may be a circle.
const JUMPS_MAX: usize = 8;

fn ssh_settings(plan: &Plan, host: HostIx) -> Option<&SshSettings> {
    match &plan.hosts[host.at()].reach {
        Reach::Ssh(settings) => Some(settings),
        Reach::Local(_) => None,
    }
}

/// `user@address`; an IPv6 address needs brackets where a port follows.
fn login(settings: &SshSettings, port_follows: bool) -> String {
    let user = settings.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    match port_follows && settings.address.contains(':') {
        true => format!("{user}[{}]", settings.address),
        false => format!("{user}{}", settings.address),
    }
}

/// What a question is about, as `approve` takes it: a step, a task as `step@host`, or a phase.
pub fn about(plan: &Plan, question: &Question) -> String {
    let step = |task: &TaskIx| plan.step_of(*task).id.to_string();
    match question {
        Question::Approve { task, .. } => step(task),
        Question::Manual { task } | Question::WhatBecameOf { task, .. } => plan.task_name(*task),
        Question::PhaseFailed { phase } => plan.phases[phase.at()].id.to_string(),
    }
}
