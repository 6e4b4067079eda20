//! Compiles one step: its texts, its tasks, its waves.

use super::choices::Choices;
use super::frozen::{
    PlannedAction, PlannedNeed, PlannedStep, PlannedTask, PlannedTogether, PlannedUndo, PlannedVerify,
};
use super::select::{Selection, WHEN_IS_FALSE};
use super::texts::{Site, Texts};
use super::values::{Asked, Mishap, few};
use super::{cuts, gates, graph, level, waves};
use crate::model::Problem;
use crate::model::inventory::{Become, Host, Reach};
use crate::model::names::{HostIx, HostName, PhaseIx, StepIx, TaskIx};
use crate::model::place::{Located, Span};
use crate::model::probe::{Probe, ProbeKind};
use crate::model::runbook::{
    Action, Backup, Fetch, ManifestSignature, Step, Taken, Together, Undo, Upload, Verify, Watch,
};
use crate::model::{Millis, Problems};
use std::collections::BTreeMap;

/// Where a step stands in the plan.
pub struct StepPlace {
    /// Its own index.
    pub ix: StepIx,
    /// Its phase.
    pub phase: PhaseIx,
    /// How many tasks stand before its own.
    pub first_task: u32,
}

/// Compiles a step and appends its tasks.
#[allow(clippy::too_many_arguments)] // One step meets everything there is.
pub fn compile_step(
    site: &Site<'_>,
    selection: &Selection<'_>,
    choices: &Choices,
    step: &Step,
    place: StepPlace,
    on: Option<&[&Host]>,
    host_ixs: &BTreeMap<&HostName, HostIx>,
    needs: Vec<PlannedNeed>,
    tasks: &mut Vec<PlannedTask>,
    problems: &mut Problems,
) -> PlannedStep {
    let hosts: Vec<Option<&Host>> =
        on.map_or_else(|| vec![None], |hosts| hosts.iter().map(|host| Some(*host)).collect());
    let left_out = left_out(site, selection, step, &hosts, problems);
    let runs: Vec<bool> = left_out.iter().map(Option::is_none).collect();
    let running = runs.iter().filter(|runs| **runs).count();
    cuts::check(site.inventory, selection, step, &hosts, running, problems);
    level::check(site.inventory, step, problems);
    check_become(choices, step, &hosts, &runs, problems);
    check_guard(step, problems);

    let mut texts = Texts::new(site, step.id.value.as_str(), on.is_some(), running > 0);
    let action = action(&mut texts, step);
    let check = step.check.as_ref().map(|text| texts.script("check", text.span, &text.value));
    let snapshot = step.snapshot.as_ref().map(|text| texts.script("snapshot", text.span, &text.value));
    let verify = step
        .verify
        .iter()
        .enumerate()
        .map(|(ix, verify)| self::verify(&mut texts, ix, &verify.value, verify.span))
        .collect();
    let watch = step.watch.as_ref().map(|watch| self::watch(&mut texts, &watch.value));
    let undo = match &step.undo.value {
        Undo::By(text) => PlannedUndo::By(texts.script("undo", step.undo.span, text)),
        Undo::NotNeeded => PlannedUndo::NotNeeded,
        Undo::Impossible(why) => PlannedUndo::Impossible(texts.fixed("undo.impossible", step.undo.span, why)),
    };
    let env = environment(&mut texts, step, problems);
    for ((host, left_out), runs) in hosts.iter().zip(left_out).zip(&runs) {
        let values = match host {
            Some(host) if *runs => texts.values_on(&host.name),
            Some(_) | None => BTreeMap::new(),
        };
        let host = host.map(|host| host_ixs[&host.name]);
        tasks.push(PlannedTask { step: place.ix, host, left_out, values });
    }
    let (values, secrets, wrong) = texts.finish();
    problems.extend(wrong);

    gates::check_times(step, &action, &values, &tasks[place.first_task as usize..], problems);
    let waves = waves::waves(&step.batch, &runs);
    let watched = watch.as_ref().map_or(Millis(0), |watch| watch.length);
    let expected = graph::estimate(&action, waves.len(), step.approve.as_ref());
    let estimate = step.estimate.unwrap_or(Millis(expected.0.saturating_add(watched.0)));
    PlannedStep {
        id: step.id.value.clone(),
        title: step.title.clone(),
        phase: place.phase,
        first_task: TaskIx(place.first_task),
        tasks: hosts.len() as u32,
        needs,
        action,
        check,
        snapshot,
        verify,
        undo,
        env,
        values,
        secrets,
        requires: step.requires.clone(),
        becomes: step.becomes.or(choices.becomes.then_some(true)),
        idempotent: step.idempotent,
        severs: step.severs.iter().map(|conduit| conduit.value.clone()).collect(),
        level: level::of_step(site.inventory, step),
        reconnects: step.reconnects.iter().map(|conduit| conduit.value.clone()).collect(),
        guard: step.guard,
        approve: gates::approve(site, step),
        evidence: gates::evidence(site, step),
        deadline: gates::deadline(site, step),
        after: gates::after(site, step),
        timeout: step.timeout,
        retry: step.retry,
        max_failures: max_failures(step, running),
        waves,
        estimate,
        urgency: Millis(0),
        watch,
        together: step.together.as_ref().map(|together| planned(&together.value, running)),
    }
}

fn planned(together: &Together, running: usize) -> PlannedTogether {
    let quorum = together.quorum.map(|quorum| waves::at_least_one(quorum, running) as u32);
    PlannedTogether { quorum, within: together.within }
}

/// Whoever asks for a quorum and says nothing else tolerates the rest.
fn max_failures(step: &Step, running: usize) -> u32 {
    let quorum = step.together.as_ref().and_then(|together| together.value.quorum);
    match (step.max_failures, quorum) {
        (Some(share), _) => waves::failures_allowed(share, running),
        (None, Some(quorum)) => running.saturating_sub(waves::at_least_one(quorum, running)) as u32,
        (None, None) => 0,
    }
}

/// Why each task is left out, if it is.
fn left_out(
    site: &Site<'_>,
    selection: &Selection<'_>,
    step: &Step,
    hosts: &[Option<&Host>],
    problems: &mut Problems,
) -> Vec<Option<String>> {
    let chosen = |host: &Option<&Host>| match (selection.step_left_out(step), host) {
        (Some(reason), _) => Some(reason.to_owned()),
        (None, Some(host)) => selection.host_left_out(&host.name),
        (None, None) => None,
    };
    let mut left_out: Vec<Option<String>> = hosts.iter().map(chosen).collect();
    let Some(when) = &step.when else { return left_out };
    let wrong = |mishap: &Mishap, on: &[String], problems: &mut Problems| {
        let on = if on.is_empty() { String::new() } else { format!(" (on {})", few(on)) };
        let what = format!("step `{}`, `when: {}`: {}{on}", step.id.value, when.value, mishap.what);
        let problem = Problem::error(mishap.code, what).at(when.span);
        problems.push(match &mishap.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    };
    let has_host = step.on.is_some();
    let asked = match Asked::read(&site.engine, &when.value, has_host) {
        Ok(asked) => asked,
        Err(mishap) => {
            wrong(&mishap, &[], problems);
            return left_out;
        }
    };
    let reason = || Some(format!("{WHEN_IS_FALSE}{}", when.value));
    if !asked.per_host {
        if left_out.iter().any(Option::is_none) {
            match asked.truth(&site.values, None) {
                Ok(true) => {}
                Ok(false) => {
                    left_out.iter_mut().filter(|reason| reason.is_none()).for_each(|one| *one = reason())
                }
                Err(mishap) => wrong(&mishap, &[], problems),
            }
        }
        return left_out;
    }
    let mut mishaps: BTreeMap<Mishap, Vec<String>> = BTreeMap::new();
    for (host, left_out) in hosts.iter().zip(&mut left_out) {
        if let (Some(host), None) = (host, &left_out) {
            match asked.truth(&site.values, Some(&host.name)) {
                Ok(true) => {}
                Ok(false) => *left_out = reason(),
                Err(mishap) => mishaps.entry(mishap).or_default().push(host.name.to_string()),
            }
        }
    }
    mishaps.iter().for_each(|(mishap, on)| wrong(mishap, on, problems));
    left_out
}

fn action(texts: &mut Texts<'_>, step: &Step) -> PlannedAction {
    let span = step.span;
    match &step.action {
        Action::Run(text) => PlannedAction::Run(texts.script("run", text.span, &text.value)),
        Action::Upload(upload) => PlannedAction::Upload(Upload {
            file: texts.plain("upload.file", span, &upload.file),
            to: texts.plain("upload.to", span, &upload.to),
            mode: upload.mode,
            owner: upload.owner.as_ref().map(|owner| texts.plain("upload.owner", span, owner)),
            sha256: texts.digest("upload.file", span, &upload.file),
        }),
        Action::Fetch(Fetch::File { path }) => {
            PlannedAction::Fetch(Fetch::File { path: texts.plain("fetch.path", span, path) })
        }
        Action::Fetch(Fetch::Output { script, name }) => PlannedAction::Fetch(Fetch::Output {
            script: texts.script("fetch.output", span, script),
            name: texts.fixed("fetch.name", span, name),
        }),
        Action::Manual(text) => PlannedAction::Manual(texts.plain("manual", text.span, &text.value)),
        Action::Wait(length) => PlannedAction::Wait(*length),
        Action::Probe(located) => PlannedAction::Probe(probe(texts, "probe", &located.value, located.span)),
        Action::Backup(located) => PlannedAction::Backup(backup(texts, &located.value, located.span)),
    }
}

fn backup(texts: &mut Texts<'_>, backup: &Backup, span: Span) -> Backup {
    let plain = |texts: &mut Texts<'_>, key: &str, text: &String| texts.plain(key, span, text);
    Backup {
        manifest: plain(texts, "backup.manifest", &backup.manifest),
        files_in: backup.files_in.as_ref().map(|dir| plain(texts, "backup.files_in", dir)),
        taken: match &backup.taken {
            Taken::ManifestTime => Taken::ManifestTime,
            Taken::At(text) => Taken::At(plain(texts, "backup.taken", text)),
            Taken::File(path) => Taken::File(plain(texts, "backup.taken_at", path)),
        },
        max_age: backup.max_age,
        before: backup.before.as_ref().map(|text| plain(texts, "backup.before", text)),
        signature: backup.signature.as_ref().map(|signature| ManifestSignature {
            file: plain(texts, "backup.signature.file", &signature.file),
            ..signature.clone()
        }),
    }
}

fn verify(texts: &mut Texts<'_>, ix: usize, verify: &Verify, span: Span) -> PlannedVerify {
    let label = format!("verify[{}]", ix + 1);
    match verify {
        Verify::Script(text) => PlannedVerify::Script(texts.script(&label, span, text)),
        Verify::Probe(one) => PlannedVerify::Probe(probe(texts, &label, one, span)),
    }
}

fn watch(texts: &mut Texts<'_>, watch: &Watch<Located<Probe>>) -> Watch<Probe> {
    let probes = watch.probes.iter().enumerate();
    let probes = probes.map(|(ix, one)| probe(texts, &format!("watch[{}]", ix + 1), &one.value, one.span));
    Watch { length: watch.length, every: watch.every, tolerate: watch.tolerate, probes: probes.collect() }
}

fn probe(texts: &mut Texts<'_>, label: &str, probe: &Probe, span: Span) -> Probe {
    let what = match &probe.what {
        ProbeKind::Tcp { host, port } => {
            ProbeKind::Tcp { host: texts.target(&format!("{label}.tcp"), span, host), port: *port }
        }
        ProbeKind::Http { host, port, path, status, contains } => {
            let label = format!("{label}.http");
            ProbeKind::Http {
                host: texts.target(&label, span, host),
                port: *port,
                path: texts.plain(&label, span, path),
                status: *status,
                contains: contains.as_ref().map(|text| texts.plain(&format!("{label}.contains"), span, text)),
            }
        }
        ProbeKind::Command { script } => {
            ProbeKind::Command { script: texts.script(&format!("{label}.command"), span, script) }
        }
        ProbeKind::Icmp { host } => {
            ProbeKind::Icmp { host: texts.target(&format!("{label}.icmp"), span, host) }
        }
        ProbeKind::Dns { name, server, port, record, answer, transport } => {
            let label = format!("{label}.dns");
            ProbeKind::Dns {
                name: texts.plain(&format!("{label}.name"), span, name),
                server: texts.target(&format!("{label}.server"), span, server),
                port: *port,
                record: *record,
                answer: answer.as_ref().map(|text| texts.plain(&format!("{label}.answer"), span, text)),
                transport: *transport,
            }
        }
    };
    Probe { what, ..probe.clone() }
}

fn environment(texts: &mut Texts<'_>, step: &Step, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (name, text) in &step.env {
        let id = &step.id.value;
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let what = format!("step `{id}`: `env.{name}` is no name for a variable of the environment");
            problems
                .push(Problem::error("bad-env-name", what).at(text.span).hint("use letters, digits and `_`"));
            continue;
        }
        if name.starts_with("bs_") || name.starts_with("BLACKSTART_") {
            let what = format!(
                "step `{id}`: `env.{name}`: names that start with `bs_` or `BLACKSTART_` are blackstart's own"
            );
            problems.push(Problem::error("bad-env-name", what).at(text.span).hint("take another name"));
            continue;
        }
        let dollar =
            text.value.split('$').skip(1).any(|rest| {
                rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '{' | '(' | '_'))
            });
        if dollar {
            let what =
                format!("step `{id}`: `env.{name}` holds a `$`, which is meant as it is and not expanded");
            let hint = "to use a variable of the host, set it in the script";
            problems.push(Problem::warning("env-dollar", what).at(text.span).hint(hint));
        }
        env.insert(name.clone(), texts.environment(name, text.span, &text.value));
    }
    env
}

/// Guards are armed and confirmed one by one, which hosts that fire at one moment cannot wait for.
fn check_guard(step: &Step, problems: &mut Problems) {
    if step.guard.is_some() && step.together.is_some() {
        let what = format!("step `{}` has both `guard` and `together`", step.id.value);
        problems.push(Problem::error("guard-together", what).at(step.id.span).hint("take one of them out"));
    }
}

/// Who is to become another user must be told how.
fn check_become(
    choices: &Choices,
    step: &Step,
    hosts: &[Option<&Host>],
    runs: &[bool],
    problems: &mut Problems,
) {
    let scripted = match &step.action {
        Action::Run(_) | Action::Upload(_) | Action::Fetch(_) | Action::Backup(_) => true,
        Action::Manual(_) | Action::Wait(_) | Action::Probe(_) => false,
    };
    if !scripted || !step.becomes.unwrap_or(choices.becomes) {
        return;
    }
    let cannot = |host: &&Host| {
        let root = matches!(&host.reach, Reach::Ssh(ssh) if ssh.user.as_deref() == Some("root"));
        *super::hosts::becomes(&host.reach) == Become::No && !root
    };
    let hosts = hosts.iter().zip(runs).filter(|(_, runs)| **runs).filter_map(|(host, _)| *host);
    let without: Vec<&str> = hosts.filter(cannot).map(|host| host.name.as_str()).collect();
    if !without.is_empty() {
        let what = format!(
            "step `{}` is to become another user, and the inventory does not say how: it becomes root by sudo on {}",
            step.id.value,
            few(&without)
        );
        let hint =
            "set `become: sudo` for these hosts to say that it is meant; `-K` asks for sudo's password";
        problems.push(Problem::warning("become-unknown", what).at(step.id.span).hint(hint));
    }
}
