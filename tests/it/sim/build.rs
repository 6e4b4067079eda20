//! Builds plans by hand, without runbooks: each step as small as its test needs.

use blackstart::model::inventory::{Become, Reach, ServicePlace, SshSettings};
use blackstart::model::names::{HostIx, HostName, PhaseId, PhaseIx, ServiceName, StepId, StepIx, TaskIx};
use blackstart::model::probe::{Expect, Probe, ProbeKind};
use blackstart::model::runbook::{Policy, Retry, Watch};
use blackstart::model::{Millis, names::ConduitName};
use blackstart::plan::Plan;
use blackstart::plan::frozen::{
    PLAN_VERSION, PlannedAction, PlannedHost, PlannedNeed, PlannedPhase, PlannedService, PlannedStep,
    PlannedTask, PlannedUndo, PlannedVerify,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A plan in the making. Hosts first, then phases with their steps, in order.
pub struct Builder {
    plan: Plan,
}

impl Builder {
    /// Hosts, each with the jump host it is behind, if any.
    pub fn new(jumps: &[Option<&str>]) -> Self {
        let hosts = jumps.iter().enumerate().map(|(nth, jump)| PlannedHost {
            name: HostName(format!("h{nth:05}")),
            zone: None,
            groups: Vec::new(),
            reach: reach(*jump),
        });
        Self {
            plan: Plan {
                version: PLAN_VERSION,
                runbook: "simulated".into(),
                summary: None,
                inventory: "simulated".into(),
                params: BTreeMap::new(),
                secrets: BTreeMap::new(),
                hosts: hosts.collect(),
                phases: Vec::new(),
                steps: Vec::new(),
                tasks: Vec::new(),
                objectives: Vec::new(),
                site: Default::default(),
                approvers: None,
                services: Vec::new(),
            },
        }
    }

    pub fn phase(&mut self, on_failure: Policy) -> PhaseIx {
        let ix = PhaseIx(self.plan.phases.len() as u32);
        self.plan.phases.push(PlannedPhase {
            id: PhaseId(format!("p{}", ix.0)),
            title: None,
            on_failure,
            isolates: Vec::new(),
            first_step: StepIx(self.plan.steps.len() as u32),
            steps: 0,
        });
        ix
    }

    /// A step of the last phase, on these hosts (`None` is the controller). Changed further through `step`.
    pub fn step(&mut self, hosts: &[Option<u32>]) -> StepIx {
        let ix = StepIx(self.plan.steps.len() as u32);
        let phase = PhaseIx(self.plan.phases.len() as u32 - 1);
        self.plan.phases[phase.at()].steps += 1;
        let tasks = hosts.len() as u32;
        self.plan.steps.push(PlannedStep {
            id: StepId(format!("s{}", ix.0)),
            title: None,
            phase,
            first_task: TaskIx(self.plan.tasks.len() as u32),
            tasks,
            needs: Vec::new(),
            action: PlannedAction::Run("do".into()),
            check: None,
            snapshot: None,
            verify: Vec::new(),
            undo: PlannedUndo::By("undo".into()),
            env: BTreeMap::new(),
            secrets: Vec::new(),
            requires: Vec::new(),
            values: BTreeMap::new(),
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
            timeout: Millis::from_secs(60),
            retry: Retry { attempts: 1, delay: Millis(0) },
            waves: vec![tasks],
            max_failures: 0,
            estimate: Millis::from_secs(1),
            urgency: Millis::from_secs(1),
        });
        let task = |host: &Option<u32>| PlannedTask {
            step: ix,
            host: host.map(HostIx),
            left_out: None,
            values: BTreeMap::new(),
        };
        self.plan.tasks.extend(hosts.iter().map(task));
        ix
    }

    pub fn at(&mut self, ix: StepIx) -> &mut PlannedStep {
        &mut self.plan.steps[ix.at()]
    }

    pub fn needs(&mut self, ix: StepIx, step: StepIx, same_host: bool) {
        let needs = &mut self.at(ix).needs;
        needs.push(PlannedNeed { step, same_host });
        needs.sort();
        needs.dedup();
    }

    pub fn check(&mut self, ix: StepIx) {
        self.at(ix).check = Some("check".into());
    }

    pub fn snapshot(&mut self, ix: StepIx) {
        self.at(ix).snapshot = Some("snapshot".into());
    }

    pub fn verify(&mut self, ix: StepIx) {
        self.at(ix).verify = vec![PlannedVerify::Script("verify".into())];
    }

    pub fn watch(&mut self, ix: StepIx) {
        let (length, every) = (Millis::from_secs(60), Millis::from_secs(10));
        self.at(ix).watch = Some(Watch { length, every, probes: vec![probe()], tolerate: 0 });
    }

    pub fn severs(&mut self, ix: StepIx) {
        self.at(ix).severs = vec![ConduitName::from("isp-uplink")];
    }

    /// A service, and whether somebody can look at it.
    pub fn service(&mut self, name: &str, watched: bool) {
        self.plan.services.push(PlannedService {
            name: ServiceName::from(name),
            place: ServicePlace::Zone("internet".into()),
            needs: Vec::new(),
            rto: None,
            probe: watched.then(|| Probe { expect: Expect::Open, ..probe() }),
        });
    }

    pub fn leave_out(&mut self, task: TaskIx) {
        self.plan.tasks[task.at()].left_out = Some("when: false".into());
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn done(self) -> Arc<Plan> {
        Arc::new(self.plan)
    }
}

pub fn probe() -> Probe {
    Probe {
        what: ProbeKind::Tcp { host: "192.0.2.1".into(), port: 443 },
        from: None,
        expect: Expect::Closed,
        timeout: Millis(1_000),
        within: Millis(0),
    }
}

fn reach(jump: Option<&str>) -> Reach {
    Reach::Ssh(Box::new(SshSettings {
        address: "192.0.2.1".into(),
        port: None,
        user: None,
        identity_files: Vec::new(),
        agent: false,
        password: None,
        passphrase: None,
        jump: jump.map(HostName::from),
        known_hosts: Vec::new(),
        ssh_config: false,
        becomes: Become::No,
        shell: None,
        receipts_dir: None,
        connect_timeout: Millis::from_secs(10),
        legacy_crypto: false,
    }))
}
