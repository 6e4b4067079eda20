//! Which task an event is about: its readable name stands beside the event in the journal.

use crate::model::event::Event;
use crate::model::names::TaskIx;
use crate::model::question::Question;

/// The task an event is about; `None` if it is about more than one, or none.
pub fn about(event: &Event) -> Option<TaskIx> {
    match event {
        Event::JobStarted { job } | Event::JobEnded { job, .. } | Event::ReceiptRead { job, .. } => {
            Some(job.task)
        }
        Event::RetryPlanned { task, .. }
        | Event::WaitStarted { task, .. }
        | Event::TaskEnded { task, .. }
        | Event::UndoEnded { task, .. }
        | Event::GuardExtended { task, .. } => Some(*task),
        Event::Asked { question } => about_question(question),
        Event::Answered { answer } => about_question(&answer.question),
        Event::RunStarted { .. }
        | Event::RunResumed { .. }
        | Event::HostReached { .. }
        | Event::PhaseStarted { .. }
        | Event::PhaseEnded { .. }
        | Event::StepEnded { .. }
        | Event::StepNotRun { .. }
        | Event::StopRequested { .. }
        | Event::RollbackStarted { .. }
        | Event::Abandoned { .. }
        | Event::RiskAccepted { .. }
        | Event::RunEnded { .. }
        | Event::ApprovalLapsed { .. }
        | Event::Baseline { .. }
        | Event::LookedAfter { .. }
        | Event::ServiceSeen { .. }
        | Event::Injected { .. }
        | Event::Firing { .. }
        | Event::Fired { .. } => None,
    }
}

fn about_question(question: &Question) -> Option<TaskIx> {
    match question {
        Question::Manual { task } | Question::Approve { task, .. } | Question::WhatBecameOf { task, .. } => {
            Some(*task)
        }
        Question::PhaseFailed { .. } => None,
    }
}
