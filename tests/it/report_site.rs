//! A small site, a plan for it and a world that answers the engine: runs whose events reports are made of.

use blackstart::engine::{Engine, Input, Limits, Output, RunState};
use blackstart::model::event::{Event, Facts, Found, Job, JobKind, Mode, StopHow};
use blackstart::model::inventory::{Become, Reach, SshSettings};
use blackstart::model::names::{HostIx, HostName, PhaseIx, RunId, StepIx, TaskIx};
use blackstart::model::question::{Answer, Choice, Question};
use blackstart::model::runbook::{Approve, Moment, Policy, Retry};
use blackstart::model::{How, Millis, Outcome, Time};
use blackstart::plan::Plan;
use blackstart::plan::frozen::{
    PLAN_VERSION, PlannedAction, PlannedAfter, PlannedHost, PlannedNeed, PlannedObjective, PlannedPhase,
    PlannedStep, PlannedTask, PlannedUndo,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// 2026-11-21 03:06:40 UTC: when every run of this site begins.
pub const START: Time = Time(1_795_230_400_000);

/// Builds a plan step by step.
pub struct Site {
    plan: Plan,
}

impl Site {
    /// A site with these hosts, sorted.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        let mut hosts: Vec<String> = hosts.into_iter().collect();
        hosts.sort();
        let host = |name: &String| PlannedHost {
            name: HostName(name.clone()),
            zone: None,
            groups: Vec::new(),
            reach: Reach::Ssh(Box::new(ssh(name))),
        };
        let hosts = hosts.iter().map(host).collect();
        let plan = Plan {
            version: PLAN_VERSION,
            runbook: "isolate-and-restore".to_owned(),
            summary: None,
            inventory: "ministry-office".to_owned(),
            params: BTreeMap::new(),
            secrets: BTreeMap::new(),
            hosts,
            phases: Vec::new(),
            steps: Vec::new(),
            tasks: Vec::new(),
            objectives: Vec::new(),
            site: Default::default(),
            approvers: None,
            services: Vec::new(),
        };
        Self { plan }
    }
    /// Begins a phase.
    pub fn phase(&mut self, id: &str, on_failure: Policy) -> &mut Self {
        let first_step = StepIx(self.plan.steps.len() as u32);
        self.plan.phases.push(PlannedPhase {
            id: id.into(),
            title: None,
            on_failure,
            isolates: Vec::new(),
            first_step,
            steps: 0,
        });
        self
    }
    /// Adds a step to the newest phase, on hosts whose names begin like this; none is the controller.
    pub fn step(
        &mut self,
        id: &str,
        on: &str,
        needs: &[&str],
        change: impl FnOnce(&mut PlannedStep),
    ) -> &mut Self {
        let hosts: Vec<Option<HostIx>> = match on {
            "" => vec![None],
            on => (0..self.plan.hosts.len())
                .filter(|ix| self.plan.hosts[*ix].name.as_str().starts_with(on))
                .map(|ix| Some(HostIx(ix as u32)))
                .collect(),
        };
        let ix = StepIx(self.plan.steps.len() as u32);
        let need = |id: &&str| PlannedNeed {
            step: self.plan.step_named(id).expect("it is there"),
            same_host: false,
        };
        let mut step = PlannedStep {
            id: id.into(),
            title: None,
            phase: PhaseIx(self.plan.phases.len() as u32 - 1),
            first_task: TaskIx(self.plan.tasks.len() as u32),
            tasks: hosts.len() as u32,
            needs: needs.iter().map(need).collect(),
            action: PlannedAction::Run("true".to_owned()),
            check: None,
            snapshot: None,
            verify: Vec::new(),
            undo: PlannedUndo::By("true".to_owned()),
            env: BTreeMap::new(),
            values: Default::default(),
            secrets: Vec::new(),
            requires: Vec::new(),
            becomes: None,
            idempotent: false,
            severs: Vec::new(),
            level: None,
            guard: None,
            reconnects: Vec::new(),
            watch: None,
            together: None,
            approve: None,
            after: None,
            evidence: Vec::new(),
            deadline: None,
            timeout: Millis::from_secs(300),
            retry: Retry { attempts: 1, delay: Millis::from_secs(10) },
            waves: vec![hosts.len() as u32],
            max_failures: 0,
            estimate: Millis::from_secs(5),
            urgency: Millis::from_secs(5),
        };
        change(&mut step);
        self.plan.steps.push(step);
        let task = |host| PlannedTask { step: ix, host, left_out: None, values: BTreeMap::new() };
        self.plan.tasks.extend(hosts.into_iter().map(task));
        self.plan.phases.last_mut().expect("a phase has begun").steps += 1;
        self
    }
    /// The plan.
    pub fn plan(&mut self) -> Plan {
        self.plan.clone()
    }
}

fn ssh(name: &str) -> SshSettings {
    SshSettings {
        address: format!("{name}.example"),
        port: None,
        user: Some("ops".to_owned()),
        identity_files: Vec::new(),
        agent: true,
        password: None,
        passphrase: None,
        jump: (name == "db1").then(|| "edge-fw".into()),
        known_hosts: Vec::new(),
        ssh_config: false,
        becomes: Become::No,
        shell: None,
        receipts_dir: None,
        connect_timeout: Millis::from_secs(10),
        legacy_crypto: false,
    }
}

/// Isolate, then restore: the plan of most tests here, with so many web servers.
pub fn isolate_and_restore(webs: u32) -> Plan {
    let hosts = ["app1", "db1", "dc1", "edge-fw", "vpn-gw"].map(str::to_owned).into_iter();
    let mut site = Site::new(hosts.chain((1..=webs).map(|n| format!("web-{n:02}"))));
    site.phase("isolate", Policy::Stop)
        .step("cut-isp", "edge-fw", &[], |step| {
            step.severs = vec!["isp-uplink".into()];
            step.check = Some("true".to_owned());
        })
        .step("cut-vpn", "vpn-gw", &[], |step| step.severs = vec!["vendor-vpn".into()])
        .step("block-egress", "web-", &["cut-isp"], |step| step.max_failures = 1)
        .step("first-reset", "dc1", &[], |step| {
            step.undo = PlannedUndo::Impossible("a password reset cannot be taken back".to_owned());
        });
    site.phase("restore", Policy::Rollback)
        .step("declare-clean", "", &[], |step| {
            step.action = PlannedAction::Manual(
                "Confirm with the duty officer that the backup predates the first indicator.".to_owned(),
            );
            step.approve = Some(Approve::of(2));
            step.undo = PlannedUndo::NotNeeded;
        })
        .step("stop-db", "db1", &["declare-clean"], |_| {})
        .step("restore-db", "db1", &["stop-db"], |step| {
            step.timeout = Millis::from_secs(1800);
            step.retry = Retry { attempts: 2, delay: Millis::from_secs(10) };
        })
        .step("start-app", "app1", &["restore-db"], |_| {})
        .step("second-reset", "dc1", &["declare-clean"], |step| {
            let first_reset = StepIx(3);
            step.after = Some(PlannedAfter { step: first_reset, at_least: Millis::from_secs(36_000) });
            step.undo = PlannedUndo::Impossible("a password reset cannot be taken back".to_owned());
        });
    let mut plan = site.plan();
    let objective = |name: &str, to, within| PlannedObjective {
        name: name.to_owned(),
        from: Moment::Start,
        to,
        within: Millis::from_secs(within),
        remind: Vec::new(),
    };
    plan.objectives = vec![
        objective("isolated", Moment::Phase("isolate".into()), 900),
        objective("records back", Moment::Step("start-app".into()), 14_400),
    ];
    plan
}

/// How the world answers a job: after so long, with this.
pub struct Reply {
    pub after: Millis,
    pub outcome: Outcome,
    pub facts: Facts,
    pub found: Found,
}

impl Reply {
    /// Well, after so many seconds.
    pub fn well(secs: u64) -> Self {
        let (facts, found) = (Facts::default(), Found::Ended(Outcome::Succeeded));
        Self { after: Millis::from_secs(secs), outcome: Outcome::Succeeded, facts, found }
    }
    /// With an exit status and some lines on stderr.
    pub fn exit(secs: u64, status: i32, tail: &str) -> Self {
        let facts = Facts { stderr_bytes: tail.len() as u64, tail: tail.to_owned(), ..Facts::default() };
        Self { outcome: Outcome::Failed { how: How::Exit(status) }, facts, ..Self::well(secs) }
    }
    /// Not at all: the link was lost.
    pub fn lost(secs: u64) -> Self {
        Self { outcome: Outcome::Unknown { because: "the link was lost".to_owned() }, ..Self::well(secs) }
    }
    /// The host was not reached.
    pub fn refused(secs: u64) -> Self {
        let because = "connection refused".to_owned();
        Self { outcome: Outcome::NotStarted { because, try_again: false }, ..Self::well(secs) }
    }
}

/// Answers to a question: after so many seconds, by whom, what.
pub type Answers = Vec<(u64, &'static str, Choice)>;

/// Carries a run out in virtual time: `world` answers jobs (step, host, job), `people` answer questions, and
/// somebody may ask to stop. `see` is told everything in order, with time passing between.
pub struct Run<'a> {
    pub plan: Plan,
    pub world: &'a dyn Fn(&str, &str, Job) -> Reply,
    pub people: &'a dyn Fn(&Question) -> Answers,
    pub stop_after: Option<u64>,
}

/// What is seen of a run.
pub enum Sight<'a> {
    Happened(Time, &'a Event),
    Ticked(Time),
}

/// Everything goes well, and every approval and manual step is answered after a minute by Alice and Bob.
pub fn nothing_goes_wrong(_: &str, _: &str, job: Job) -> Reply {
    if job.kind == JobKind::Check { Reply::exit(1, 1, "") } else { Reply::well(3) }
}

/// Alice and Bob consent; Alice does what is to be done.
pub fn alice_and_bob(question: &Question) -> Answers {
    match question {
        Question::Approve { .. } => vec![(60, "alice", Choice::Approve), (90, "bob", Choice::Approve)],
        Question::Manual { .. } => vec![(30, "alice", Choice::Done)],
        Question::WhatBecameOf { .. } => vec![(60, "alice", Choice::Stop)],
        Question::PhaseFailed { .. } => vec![(60, "alice", Choice::Stop)],
    }
}

impl Run<'_> {
    /// Runs to the end; returns the events and the state that they add up to.
    pub fn events(&self) -> (Vec<(Time, Event)>, RunState) {
        let mut events = Vec::new();
        let state = self.watch(|_, sight| {
            if let Sight::Happened(at, event) = sight {
                events.push((at, event.clone()));
            }
        });
        (events, state)
    }

    /// Runs to the end.
    pub fn watch(&self, mut see: impl FnMut(&RunState, Sight)) -> RunState {
        let plan = Arc::new(self.plan.clone());
        let mut shown = RunState::new(plan.clone());
        let mut engine = Engine::new(plan.clone(), Limits::default());
        let mut queue: BTreeMap<(Time, u64), Input> = BTreeMap::new();
        let (mut serial, mut cancelled) = (0, BTreeSet::new());
        let mut send = |queue: &mut BTreeMap<_, _>, at: Time, input: Input| {
            serial += 1;
            queue.insert((at, serial), input);
        };
        let begin = Input::Begin {
            run: RunId("01936f5e2a7b7c3d8e4f5a6b7c8d9e0f".to_owned()),
            plan: "0".repeat(64),
            mode: Mode::Live,
            by: "ops".to_owned(),
            version: "0.1.0".to_owned(),
        };
        send(&mut queue, START, begin);
        if let Some(secs) = self.stop_after {
            let stop = Input::StopRequested { by: "ops".to_owned(), how: StopHow::Finish };
            send(&mut queue, START + Millis::from_secs(secs), stop);
        }
        while let Some(((now, _), input)) = queue.pop_first() {
            see(&shown, Sight::Ticked(now));
            if let Input::JobEnded { job, .. } = &input
                && cancelled.contains(job)
            {
                continue;
            }
            engine.handle(now, input);
            while let Some(output) = engine.poll() {
                match output {
                    Output::Record(at, event) => {
                        shown.apply(at, &event).expect("what the engine records is legal");
                        see(&shown, Sight::Happened(at, &event));
                    }
                    Output::Start { job, .. } => {
                        let host = plan.host_of(job.task).map_or("", |host| host.name.as_str());
                        let reply = (self.world)(plan.step_of(job.task).id.as_str(), host, job);
                        let input = match job.kind {
                            JobKind::ResolveRun | JobKind::ResolveUndo => {
                                Input::ReceiptRead { job, found: reply.found }
                            }
                            JobKind::Check
                            | JobKind::Snapshot
                            | JobKind::Arm
                            | JobKind::Run
                            | JobKind::Confirm
                            | JobKind::Verify
                            | JobKind::Undo
                            | JobKind::Watch
                            | JobKind::Stage => {
                                Input::JobEnded { job, outcome: reply.outcome, facts: reply.facts }
                            }
                        };
                        send(&mut queue, now + reply.after, input);
                    }
                    Output::Fire { jobs, .. } => {
                        for job in jobs {
                            let host = plan.host_of(job.task).map_or("", |host| host.name.as_str());
                            let reply = (self.world)(plan.step_of(job.task).id.as_str(), host, job);
                            let (outcome, facts) = (reply.outcome, reply.facts);
                            send(&mut queue, now + reply.after, Input::JobEnded { job, outcome, facts });
                        }
                    }
                    Output::Release { .. } => {}
                    Output::Cancel { job } => {
                        cancelled.insert(job);
                        let outcome = Outcome::Failed { how: How::Cancelled };
                        send(&mut queue, now, Input::JobEnded { job, outcome, facts: Facts::default() });
                    }
                    Output::Ask(question) => {
                        for (secs, by, choice) in (self.people)(&question) {
                            let answer = Answer {
                                question: question.clone(),
                                by: by.to_owned(),
                                choice,
                                comment: None,
                                at: None,
                                signed: None,
                            };
                            send(&mut queue, now + Millis::from_secs(secs), Input::Answered(answer));
                        }
                    }
                    Output::Wake { at } => send(&mut queue, at, Input::TimePassed),
                    Output::Finished(_) => {
                        queue.clear();
                    }
                    Output::Withdraw(_) => {}
                    Output::LookAfter { .. } => {
                        let (services, probes, because) = (Vec::new(), Vec::new(), String::new());
                        send(&mut queue, now, Input::LookedAfter { services, probes, because });
                    }
                    Output::LookBefore => {
                        let input = Input::Baseline { probes: Vec::new(), because: String::new() };
                        send(&mut queue, now, input);
                    }
                }
            }
        }
        shown
    }
}
