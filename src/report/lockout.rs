//! Lock-outs in words: three lines each, for somebody who was woken for this. And as data.

use super::escape::line;
use super::words::so_many;
use crate::model::names::{HostIx, StepIx, TaskIx};
use crate::plan::Plan;
use crate::reach::lockout::{Finding, Gone, LegEnd, LockOuts, Moment, Remedy};
use serde_json::{Value, json};

/// Findings told in full; whoever mends these will look again.
const SHOWN_MAX: usize = 5;
/// Tasks of a story that are told one by one.
const STORY_MAX: usize = 6;

/// Findings, what could not be judged, and notes, as text; empty if there is nothing to say.
pub fn lock_outs(plan: &Plan, found: &LockOuts) -> String {
    let mut text = String::new();
    for finding in found.findings.iter().take(SHOWN_MAX) {
        text.push_str(&self::finding(plan, finding));
    }
    if let Some(more) = found.findings.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        text.push_str(&format!(
            "{} more; `blackstart plan --format json` lists all\n",
            so_many(more, "lock-out")
        ));
    }
    for unjudged in &found.unjudged {
        text.push_str(&format!("not judged: {unjudged}\n"));
    }
    for note in &found.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

/// One finding in three lines.
pub fn finding(plan: &Plan, finding: &Finding) -> String {
    let (what, story, remedies) = (what(plan, finding), story(plan, finding), help(plan, finding));
    format!("lock-out: {what}\n  {story}\n  {remedies}\n")
}

/// A finding in one sentence.
pub fn what(plan: &Plan, finding: &Finding) -> String {
    let step = &plan.steps[finding.step.at()];
    let on = match (plan.host_of(finding.tasks[0]), finding.tasks.len() - 1) {
        (None, _) => String::new(),
        (Some(host), 0) => format!(" on {}", host.name),
        (Some(host), more) => format!(" on {} and {more} more", host.name),
    };
    let own = plan.tasks[finding.tasks[0].at()].host == Some(finding.host);
    let host = &plan.hosts[finding.host.at()].name;
    let who = if own { host.to_string() } else { format!("{host}, where a probe of it starts,") };
    let when = match finding.moment {
        Moment::Run => "when it runs",
        Moment::Verify => "once it has run",
        Moment::Undo if step.severs.is_empty() => "when it is to be taken back",
        Moment::Undo => "when its cut is to be re-opened",
    };
    let jump = match finding.leg.to {
        LegEnd::Host(hop) if hop != finding.host => {
            format!(", because {} on the way is", plan.hosts[hop.at()].name)
        }
        LegEnd::NameServers => ", because nobody tells its address".to_owned(),
        LegEnd::Host(_) => String::new(),
    };
    format!("`{}`{on}: {who} is out of reach {when}{jump}", step.id)
}

/// The stretch, what cuts it, and an order in which it happens.
fn story(plan: &Plan, finding: &Finding) -> String {
    let leg = &finding.leg;
    let zones: Vec<String> = leg.to_zones.iter().map(ToString::to_string).collect();
    let stretch = format!("{} -> {}", leg.from_zone, zones.join(" or "));
    if finding.gone.is_empty() {
        return format!(
            "{stretch}: the inventory has no conduit from {} to {}",
            leg.from_zone,
            zones.join(" or ")
        );
    }
    let gone: Vec<String> = finding.gone.iter().map(|gone| self::gone(plan, gone, finding.moment)).collect();
    let order = order(plan, finding).map(|order| format!("; for instance {order}")).unwrap_or_default();
    format!("{stretch}: {}{order}", gone.join(", "))
}

fn gone(plan: &Plan, gone: &Gone, moment: Moment) -> String {
    match gone.by.as_slice() {
        [] if moment == Moment::Undo => format!("`{}` may be cut again by then", gone.conduit),
        [] => format!("`{}` is not reconnected yet", gone.conduit),
        by => format!("`{}` is cut by {}", gone.conduit, steps(plan, by, "or")),
    }
}

/// The witness, shortened to what cuts if it is long.
fn order(plan: &Plan, finding: &Finding) -> Option<String> {
    let witness = finding.witness.as_ref()?;
    let task = finding.tasks[0];
    let cuts = |other: &TaskIx| {
        let severs = &plan.step_of(*other).severs;
        *other == task || finding.gone.iter().any(|gone| severs.contains(&gone.conduit))
    };
    let mut parts: Vec<String> = Vec::new();
    if let Some(before) = witness.phase.at().checked_sub(1) {
        parts.push(format!("phase `{}` ends", plan.phases[before].id));
    }
    let long = witness.tasks.len() > STORY_MAX;
    let told = witness.tasks.iter().filter(|other| !long || cuts(other));
    parts.extend(told.map(|other| plan.task_name(*other)));
    if finding.moment == Moment::Undo {
        parts.push(format!("the undo of {}", plan.task_name(task)));
    }
    Some(parts.join(", then "))
}

/// What helps against a finding.
pub fn help(plan: &Plan, finding: &Finding) -> String {
    let remedies: Vec<String> =
        finding.remedies.iter().map(|remedy| self::remedy(plan, finding, remedy)).collect();
    match remedies.as_slice() {
        [] => "no single change was found that helps".to_owned(),
        [only] => format!("what helps: {only}"),
        [all @ .., last] => format!("what helps: {}; or {last}", all.join("; ")),
    }
}

fn remedy(plan: &Plan, finding: &Finding, remedy: &Remedy) -> String {
    match remedy {
        Remedy::Needs { steps: cutting, need } => {
            format!("let {} need `{}`", steps(plan, cutting, "and"), plan.steps[need.at()].id)
        }
        Remedy::Conduit { from, to } if finding.gone.is_empty() => {
            format!("a conduit from {from} to {to}, if there is one")
        }
        Remedy::Conduit { from, to } => format!("an `out_of_band` conduit from {from} to {to}"),
        Remedy::Guard { step } => {
            format!("a guard with `otherwise: revert` on `{}`", plan.steps[step.at()].id)
        }
    }
}

fn steps(plan: &Plan, steps: &[StepIx], last: &str) -> String {
    let names: Vec<String> = steps.iter().map(|step| format!("`{}`", plan.steps[step.at()].id)).collect();
    match names.as_slice() {
        [one] => one.clone(),
        [all @ .., end] => format!("{} {last} {end}", all.join(", ")),
        [] => String::new(),
    }
}

/// Everything as data.
pub fn lock_outs_json(plan: &Plan, found: &LockOuts) -> Value {
    let findings: Vec<Value> = found.findings.iter().map(|finding| finding_json(plan, finding)).collect();
    json!({ "findings": findings, "not_judged": found.unjudged, "notes": found.notes })
}

fn finding_json(plan: &Plan, finding: &Finding) -> Value {
    let host = |ix: HostIx| plan.hosts[ix.at()].name.to_string();
    let id = |step: &StepIx| plan.steps[step.at()].id.to_string();
    let names =
        |tasks: &[TaskIx]| -> Vec<String> { tasks.iter().map(|task| plan.task_name(*task)).collect() };
    let witness = finding.witness.as_ref().map(|witness| {
        let phases = plan.phases[..witness.phase.at()].iter().map(|phase| phase.id.to_string());
        json!({ "phases": phases.collect::<Vec<_>>(), "tasks": names(&witness.tasks) })
    });
    let gone: Vec<Value> = finding
        .gone
        .iter()
        .map(|gone| json!({ "conduit": gone.conduit, "by": gone.by.iter().map(id).collect::<Vec<_>>() }))
        .collect();
    let remedies: Vec<Value> = finding
        .remedies
        .iter()
        .map(|remedy| {
            let text = line(&self::remedy(plan, finding, remedy));
            match remedy {
                Remedy::Needs { steps, need } => json!({
                    "kind": "needs", "steps": steps.iter().map(id).collect::<Vec<_>>(), "need": id(need), "text": text,
                }),
                Remedy::Conduit { from, to } => json!({ "kind": "conduit", "from": from, "to": to, "text": text }),
                Remedy::Guard { step } => json!({ "kind": "guard", "step": id(step), "text": text }),
            }
        })
        .collect();
    json!({
        "step": id(&finding.step),
        "tasks": names(&finding.tasks),
        "moment": finding.moment.word(),
        "host": host(finding.host),
        "leg": {
            "from": finding.leg.from.map(host),
            "from_zone": finding.leg.from_zone,
            "to": match finding.leg.to { LegEnd::Host(ix) => Some(host(ix)), LegEnd::NameServers => None },
            "to_zones": finding.leg.to_zones,
        },
        "gone": gone,
        "witness": witness,
        "remedies": remedies,
        "what": what(plan, finding),
    })
}
