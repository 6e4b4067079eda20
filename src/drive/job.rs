//! Carries one job out: builds what goes to the host from plan, values and secrets, and brings its end back.

mod staged;

use crate::drive::guard::GuardOrder;
use crate::drive::held::{self, Held};
use crate::drive::lasting;
use crate::drive::sink::{JobSink, Watcher};
use crate::drive::snapshot;
use crate::drive::tools::{Tools, claims};
use crate::journal::{OutFile, RunDir, evidence};
use crate::model::event::{Facts, Found, Job, JobKind, Seen};
use crate::model::names::{NAME_BYTES_MAX, TaskIx};
use crate::model::probe::Probe;
use crate::model::runbook::Upload;
use crate::model::secret::Secret;
use crate::model::{How, Outcome};
use crate::plan;
use crate::plan::frozen::{PlannedAction, PlannedStep, PlannedUndo, PlannedVerify};
use crate::report::going_on::Round;
use crate::transport::work::{Claim, Script};
use crate::transport::{Lost, Stop, UploadOrder};
use futures_util::future::join_all;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

mod fetch;

/// What every job of a run needs.
pub struct Workshop {
    /// Plan, hosts and secrets.
    pub tools: Rc<Tools>,
    /// The run's directory.
    pub dir: RunDir,
    /// Upload files are named relative to this directory: the runbook's.
    pub files_dir: PathBuf,
    /// Evidence on record.
    pub held: RefCell<Held>,
}

/// A job as the engine ordered it, with what the run's state adds.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The job.
    pub job: Job,
    /// For a `Resolve`: the attempt whose end was not seen.
    pub resolves: Option<Job>,
    /// For an `Undo`: the attempt of `Snapshot` whose output it gets.
    pub snapshot: Option<u32>,
    /// For a `Resolve`: has anything been claimed on this host before?
    pub claimed_before: bool,
    /// For jobs of a guarded task.
    pub guard: Option<GuardOrder>,
}

/// How a job came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// It ended.
    Ended(Outcome, Facts),
    /// A receipt was read.
    Read(Found),
}

impl Workshop {
    /// Carries the job out. Never fails: whatever goes wrong is an outcome.
    pub async fn carry_out(
        &self,
        order: Order,
        mut stop: Stop,
        watcher: Option<Watcher>,
        tell: &dyn Fn(Round),
    ) -> Back {
        let job = order.job;
        if matches!(job.kind, JobKind::ResolveRun | JobKind::ResolveUndo) {
            return Back::Read(self.resolve(order, &mut stop).await);
        }
        let file = OutFile::create(&self.dir, &self.label(job.task), job.kind, job.attempt);
        let mut sink = JobSink::new(job, &self.tools.scrubber, file, watcher);
        if job.kind == JobKind::Snapshot {
            match evidence::snapshot_file(&self.dir, &self.label(job.task), job.attempt) {
                Ok(file) => sink = sink.keeping_whole(file),
                Err(error) => return Back::Ended(not_started(error.to_string()), Facts::default()),
            }
        }
        let mut extra = Facts::default();
        let outcome = self.ended(order, &mut sink, &mut stop, &mut extra, tell).await;
        let (facts, whole) = sink.finish();
        let outcome = match whole {
            Err(trouble) if outcome == Outcome::Succeeded => {
                Outcome::Failed { how: How::Disagreed(format!("the snapshot could not be kept: {trouble}")) }
            }
            Ok(()) | Err(_) => self.tools.scrubbed(outcome),
        };
        Back::Ended(
            outcome,
            Facts {
                evidence: extra.evidence,
                probes: extra.probes,
                backup: extra.backup,
                guard: extra.guard,
                ..facts
            },
        )
    }

    async fn ended(
        &self,
        order: Order,
        sink: &mut JobSink,
        stop: &mut Stop,
        extra: &mut Facts,
        tell: &dyn Fn(Round),
    ) -> Outcome {
        let Order { job, .. } = order;
        let step = self.tools.plan.step_of(job.task);
        if matches!(job.kind, JobKind::Run | JobKind::Arm)
            && let Err(because) = self.evidence_stands(step).await
        {
            return not_started(because);
        }
        match job.kind {
            JobKind::Check => self.script(job, step.check.as_deref(), sink, stop).await,
            JobKind::Snapshot => self.script(job, step.snapshot.as_deref(), sink, stop).await,
            JobKind::Arm | JobKind::Confirm => {
                let (outcome, seen) = match job.kind {
                    JobKind::Arm => self.arm(order, stop).await,
                    _ => self.confirm(order, stop).await,
                };
                extra.guard = seen;
                outcome
            }
            JobKind::Verify => self.verify(job, step, sink, stop, &mut extra.probes).await,
            JobKind::Undo => self.undo(order, step, sink, stop).await,
            JobKind::Run => match &step.action {
                PlannedAction::Run(text) => self.script(job, Some(text), sink, stop).await,
                PlannedAction::Upload(upload) => self.upload(job, upload, sink, stop).await,
                PlannedAction::Fetch(fetch) => self.fetch(job, fetch, sink, stop, &mut extra.evidence).await,
                PlannedAction::Probe(probe) => self.probes(job, &[probe], stop, &mut extra.probes).await,
                PlannedAction::Backup(backup) => self.backup(job, backup, sink, stop, extra).await,
                PlannedAction::Manual(_) | PlannedAction::Wait(_) => {
                    unreachable!("the engine starts no job for people and time")
                }
            },
            JobKind::Watch => {
                let watch = step.watch.as_ref().expect("the engine orders only watches that the plan has");
                lasting::carry_out(&self.tools, job, watch, stop, &mut extra.probes, tell).await
            }
            JobKind::Stage => unreachable!("scripts are laid ready elsewhere"),
            JobKind::ResolveRun | JobKind::ResolveUndo => unreachable!("resolves are carried out elsewhere"),
        }
    }

    /// Is what the step wants as evidence in the run's directory, unaltered? Looked at before anything is changed.
    async fn evidence_stands(&self, step: &PlannedStep) -> Result<(), String> {
        if step.evidence.is_empty() {
            return Ok(());
        }
        let files = self.held.borrow().wanted_by(&self.tools.plan, step)?;
        held::stands(&self.dir, files).await
    }

    fn is_guarded(&self, job: Job) -> bool {
        job.kind == JobKind::Run && self.tools.plan.step_of(job.task).guard.is_some()
    }

    /// Unique in the run and fit for a file name.
    pub fn label(&self, task: TaskIx) -> String {
        let mut label = format!("{}-{}", task.0, self.tools.plan.step_of(task).id);
        label.truncate(NAME_BYTES_MAX);
        label
    }

    fn claim(&self, job: Job) -> Option<Claim> {
        let task = self.label(job.task);
        job.kind.may_change().then(|| Claim {
            run: self.tools.run.clone(),
            task,
            kind: job.kind,
            attempt: job.attempt,
        })
    }

    async fn script(&self, job: Job, text: Option<&str>, sink: &mut JobSink, stop: &mut Stop) -> Outcome {
        let text = text.expect("the engine orders only jobs that the plan has");
        let script = self.script_of(job, self.tools.rendered(job.task, job.attempt, text));
        self.tools.remote(job.task).run(&script, sink, stop).await
    }

    /// What a host is given for a job whose text is complete.
    fn script_of(&self, job: Job, text: Secret) -> Script {
        Script {
            text,
            privileged: self.tools.privileged(job.task),
            claim: self.claim(job),
            timeout: self.tools.plan.step_of(job.task).timeout,
            guarded: self.is_guarded(job),
        }
    }

    /// The undo script, complete with values, secrets and what was kept before the first change.
    pub(super) fn undo_text(&self, order: Order, text: &str) -> Result<Secret, Outcome> {
        let rendered = self.tools.rendered(order.job.task, order.job.attempt, text);
        let Some(attempt) = order.snapshot else { return Ok(rendered) };
        match snapshot::read(&self.dir, &self.label(order.job.task), attempt) {
            Ok(bytes) => Ok(Secret::new(snapshot::around(rendered.reveal(), &bytes))),
            Err(because) => Err(not_started(format!("the snapshot is not there: {because}"))),
        }
    }

    async fn undo(&self, order: Order, step: &PlannedStep, sink: &mut JobSink, stop: &mut Stop) -> Outcome {
        let PlannedUndo::By(text) = &step.undo else {
            unreachable!("the engine orders only undos that the plan has")
        };
        let job = order.job;
        let text = match self.undo_text(order, text) {
            Ok(text) => text,
            Err(outcome) => return outcome,
        };
        self.tools.remote(job.task).run(&self.script_of(job, text), sink, stop).await
    }

    async fn verify(
        &self,
        job: Job,
        step: &PlannedStep,
        sink: &mut JobSink,
        stop: &mut Stop,
        seen: &mut Vec<Seen>,
    ) -> Outcome {
        let mut rest = step.verify.as_slice();
        while let Some(first) = rest.first() {
            let outcome = match first {
                PlannedVerify::Probe(_) => {
                    let probes: Vec<&Probe> = rest.iter().map_while(as_probe).collect();
                    rest = &rest[probes.len()..];
                    self.probes(job, &probes, stop, seen).await
                }
                PlannedVerify::Script(text) => {
                    rest = &rest[1..];
                    let outcome = self.script(job, Some(text), sink, stop).await;
                    seen.push(Seen {
                        what: format!("script on {}", self.tools.remote(job.task).name()),
                        expected: "exit 0".to_owned(),
                        seen: outcome.to_string(),
                        agrees: outcome == Outcome::Succeeded,
                        ..Seen::default()
                    });
                    outcome
                }
            };
            if outcome != Outcome::Succeeded {
                return outcome;
            }
        }
        Outcome::Succeeded
    }

    /// Probes that stand side by side are carried out together: they only look, and a cut is proved sooner.
    async fn probes(&self, job: Job, probes: &[&Probe], stop: &Stop, seen: &mut Vec<Seen>) -> Outcome {
        let each = probes.iter().map(|probe| {
            let mut stop = stop.clone();
            async move { self.tools.probe(job.task, job.attempt, probe, &mut stop).await }
        });
        let (looks, outcomes): (Vec<Seen>, Vec<Outcome>) = join_all(each).await.into_iter().unzip();
        seen.extend(looks);
        // What was seen to be wrong says more than what could not be seen.
        let wrong = outcomes.iter().find(|outcome| matches!(outcome, Outcome::Failed { .. }));
        let unseen = outcomes.iter().find(|outcome| **outcome != Outcome::Succeeded);
        match wrong.or(unseen).cloned() {
            Some(_) if stop.is_requested() => Outcome::Failed { how: How::Cancelled },
            Some(outcome) => outcome,
            None => Outcome::Succeeded,
        }
    }

    async fn upload(&self, job: Job, upload: &Upload, sink: &mut JobSink, stop: &mut Stop) -> Outcome {
        let upload = plan::fill_upload(upload, &self.tools.values(job.task));
        let content = self.files_dir.join(&upload.file);
        let Some(sha256) = &upload.sha256 else {
            return not_started(format!("{}: the plan has no hash of it", content.display()));
        };
        let order = UploadOrder {
            guarded: self.is_guarded(job),
            content: &content,
            sha256,
            to: &upload.to,
            mode: upload.mode,
            owner: upload.owner.as_deref(),
            privileged: self.tools.privileged(job.task),
            claim: &self.claim(job).expect("an upload may change something"),
            timeout: self.tools.plan.step_of(job.task).timeout,
        };
        self.tools.remote(job.task).upload(&order, sink, stop).await
    }

    async fn resolve(&self, order: Order, stop: &mut Stop) -> Found {
        let lost = order.resolves.expect("a resolve names the attempt in question");
        let step = self.tools.plan.step_of(lost.task);
        // Fetches and probes claim nothing: whatever became of them, doing them again does no harm.
        if lost.kind == JobKind::Run && !claims(&self.tools.plan, lost.task) {
            return Found::NeverStarted;
        }
        let claim = self.claim(lost).expect("only jobs that may change something are resolved");
        let lost = Lost {
            claim,
            privileged: self.tools.privileged(lost.task),
            claimed_before: order.claimed_before,
            wait: step.timeout,
        };
        self.tools.remote(order.job.task).resolve(&lost, stop).await
    }
}

fn as_probe(verify: &PlannedVerify) -> Option<&Probe> {
    match verify {
        PlannedVerify::Probe(probe) => Some(probe),
        PlannedVerify::Script(_) => None,
    }
}

pub(super) fn not_started(because: String) -> Outcome {
    Outcome::NotStarted { because, try_again: false }
}
