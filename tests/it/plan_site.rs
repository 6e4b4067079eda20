//! A small site and small runbooks to compile, without any file.

use crate::support::shells::settings;
use blackstart::model::inventory::{Conduit, Host, Reach, SshSettings};
use blackstart::model::names::{HostName, PhaseId, StepId};
use blackstart::model::place::{Located, Span};
use blackstart::model::runbook::{Action, Need, Phase, Policy, Retry, Runbook, Step, TIMEOUT_DEFAULT, Undo};
use blackstart::model::{Inventory, Millis, Problems};
use blackstart::plan::{self, Choices, FileFacts, Plan};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub fn located<T>(value: T) -> Located<T> {
    Located::new(value, Span::default())
}

/// An SSH host with variables and groups.
pub fn host(name: &str, groups: &[&str], vars: &[(&str, Value)]) -> Host {
    Host {
        name: name.into(),
        zone: None,
        reach: Reach::Ssh(Box::new(ssh(&format!("{name}.example")))),
        groups: groups.iter().map(|group| (*group).into()).collect(),
        vars: vars.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        span: Span::default(),
    }
}

pub fn ssh(address: &str) -> SshSettings {
    SshSettings { address: address.to_owned(), user: Some("ops".to_owned()), agent: true, ..settings() }
}

pub fn inventory(hosts: Vec<Host>) -> Inventory {
    let mut inventory = Inventory { name: "site".to_owned(), ..Inventory::default() };
    for host in hosts {
        for group in &host.groups {
            inventory.groups.entry(group.clone()).or_default().push(host.name.clone());
        }
        inventory.hosts.insert(host.name.clone(), host);
    }
    inventory
}

/// Three web servers, a database behind a jump host, a firewall with a conduit.
pub fn site() -> Inventory {
    let mut db1 = host("db1", &["dbs"], &[]);
    db1.zone = Some("core".into());
    if let Reach::Ssh(ssh) = &mut db1.reach {
        ssh.jump = Some("bastion".into());
        ssh.address = "10.20.0.5".to_owned();
    }
    let web =
        |n: u32| host(&format!("web{n}"), &["web"], &[("wan", json!(format!("eth{n}"))), ("n", json!(n))]);
    let mut inventory = inventory(vec![
        web(1),
        web(2),
        web(3),
        db1,
        host("bastion", &[], &[]),
        host("edge-fw", &["firewalls"], &[("wan", json!("eth0"))]),
    ]);
    let isp = Conduit {
        ends: ("internet".into(), "dmz".into()),
        both_ways: true,
        enforced_by: Some("edge-fw".into()),
        level: Some(3),
        out_of_band: false,
        span: Span::default(),
    };
    inventory.conduits.insert("isp-uplink".into(), isp);
    inventory
}

/// A step that runs a script on hosts.
pub fn run(id: &str, on: &str, script: &str) -> Step {
    Step { on: Some(located(on.to_owned())), ..step(id, Action::Run(located(script.to_owned()))) }
}

pub fn step(id: &str, action: Action) -> Step {
    Step {
        id: located(id.into()),
        title: None,
        on: None,
        needs: Vec::new(),
        when: None,
        severs: Vec::new(),
        level: None,
        reconnects: Vec::new(),
        watch: None,
        together: None,
        action,
        check: None,
        snapshot: None,
        verify: Vec::new(),
        undo: located(Undo::NotNeeded),
        env: BTreeMap::new(),
        requires: Vec::new(),
        becomes: None,
        idempotent: false,
        guard: None,
        approve: None,
        after: None,
        evidence: Vec::new(),
        deadline: None,
        timeout: TIMEOUT_DEFAULT,
        retry: Retry { attempts: 1, delay: Millis(0) },
        batch: Vec::new(),
        max_failures: None,
        estimate: None,
        span: Span::default(),
    }
}

pub fn needs(mut step: Step, on: &[(&str, bool)]) -> Step {
    let need =
        |(id, same_host): &(&str, bool)| located(Need { step: StepId::from(*id), same_host: *same_host });
    step.needs = on.iter().map(need).collect();
    step
}

pub fn phase(id: &str, steps: Vec<Step>) -> Phase {
    Phase {
        id: located(PhaseId::from(id)),
        title: None,
        on_failure: Policy::Stop,
        isolates: Vec::new(),
        steps,
    }
}

pub fn runbook(phases: Vec<Phase>) -> Runbook {
    Runbook {
        name: "isolate-and-restore".to_owned(),
        summary: None,
        params: BTreeMap::new(),
        vars: BTreeMap::new(),
        secrets: BTreeMap::new(),
        objectives: Vec::new(),
        phases,
        approvers: None,
        contacts: Vec::new(),
    }
}

/// Compiles with no choices; files hash to their own name.
pub fn compile(inventory: &Inventory, runbook: &Runbook) -> Result<(Plan, Problems), Problems> {
    compile_with(inventory, runbook, &Choices::default())
}

pub fn compile_with(
    inventory: &Inventory,
    runbook: &Runbook,
    choices: &Choices,
) -> Result<(Plan, Problems), Problems> {
    plan::compile(inventory, runbook, choices, &|file| match file {
        "missing" => Err("no such file".to_owned()),
        file => Ok(FileFacts { sha256: format!("sha256 of {file}") }),
    })
}

/// The one plan of one step in one phase.
pub fn plan_of(inventory: &Inventory, step: Step) -> Plan {
    compile(inventory, &runbook(vec![phase("only", vec![step])])).expect("it compiles").0
}

/// What is wrong with one step: codes and sentences.
pub fn wrong_with(inventory: &Inventory, step: Step) -> Vec<String> {
    said(compile(inventory, &runbook(vec![phase("only", vec![step])])))
}

pub fn said(result: Result<(Plan, Problems), Problems>) -> Vec<String> {
    let problems = match result {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    problems
        .0
        .iter()
        .map(|problem| match &problem.hint {
            Some(hint) => format!("{}: {} | {hint}", problem.code, problem.what),
            None => format!("{}: {}", problem.code, problem.what),
        })
        .collect()
}

/// A seeded generator of numbers: the same seed tells the same story.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

pub fn names(plan: &Plan) -> Vec<&str> {
    plan.hosts.iter().map(|host| HostName::as_str(&host.name)).collect()
}
