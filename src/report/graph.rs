//! The plan as a drawing: steps in the boxes of their phases, arrows from what is needed to what needs it.

use super::host_list::{by_number, host_list};
use crate::model::names::{PhaseIx, StepIx};
use crate::plan::frozen::{Plan, PlannedAction, PlannedStep};
use crate::plan::graph::{critical_path, runs};
use std::collections::BTreeSet;

/// Host entries in a box.
const HOSTS_SHOWN_MAX: usize = 3;

/// An arrow between two steps, with a word about it.
struct Arrow {
    from: StepIx,
    to: StepIx,
    word: Option<String>,
}

/// What a box says: the step's name, its title, its hosts, what is special.
fn box_lines(plan: &Plan, ix: StepIx) -> Vec<String> {
    let step = &plan.steps[ix.at()];
    let mut names: Vec<&str> = plan
        .tasks_of(ix)
        .filter(|task| plan.tasks[task.at()].left_out.is_none())
        .filter_map(|task| plan.host_of(task))
        .map(|host| host.name.as_str())
        .collect();
    by_number(&mut names);
    let mut lines = vec![step.id.to_string()];
    lines.extend(step.title.clone());
    if !names.is_empty() {
        lines.push(host_list(&names, HOSTS_SHOWN_MAX));
    }
    if !step.severs.is_empty() {
        let cut: Vec<&str> = step.severs.iter().map(|conduit| conduit.as_str()).collect();
        lines.push(format!("✂ cuts {}", cut.join(", ")));
    }
    if let Some(approve) = &step.approve {
        let people = if approve.people == 1 { "1 person consents" } else { "people consent" };
        let count = if approve.people == 1 { String::new() } else { format!("{} ", approve.people) };
        lines.push(format!("gate: {count}{people}"));
    }
    if !runs(plan, ix) {
        lines.push("left out".to_owned());
    }
    lines
}

fn arrows(plan: &Plan) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    for (ix, step) in plan.steps.iter().enumerate() {
        let to = StepIx(ix as u32);
        for need in &step.needs {
            arrows.push(Arrow { from: need.step, to, word: need.same_host.then(|| "same host".to_owned()) });
        }
        if let Some(after) = step.after {
            arrows.push(Arrow { from: after.step, to, word: Some(format!("at least {}", after.at_least)) });
        }
    }
    arrows
}

/// Asks a person, or waits for one.
fn is_gate(step: &PlannedStep) -> bool {
    step.approve.is_some() || matches!(step.action, PlannedAction::Manual(_))
}

/// For Graphviz.
pub fn dot(plan: &Plan) -> String {
    let critical: BTreeSet<StepIx> = critical_path(plan).into_iter().collect();
    let quoted = |text: &str| format!("\"{}\"", dot_escaped(text));
    let mut out = format!("digraph {} {{\n", quoted(&plan.runbook));
    out.push_str("  rankdir=LR; compound=true; newrank=true;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    for (at, phase) in plan.phases.iter().enumerate() {
        let title = phase.title.as_ref().map(|title| format!(": {title}")).unwrap_or_default();
        let label = quoted(&format!("{}. {}{title}", at + 1, phase.id));
        out.push_str(&format!("  subgraph cluster_{at} {{\n    label={label};\n"));
        for ix in plan.steps_of(PhaseIx(at as u32)) {
            let step = &plan.steps[ix.at()];
            let lines: Vec<String> = box_lines(plan, ix).iter().map(|line| dot_escaped(line)).collect();
            let mut looks = Vec::new();
            if !step.severs.is_empty() {
                looks.push("color=red");
            }
            if is_gate(step) {
                looks.push("shape=octagon");
            }
            if critical.contains(&ix) {
                looks.push("penwidth=2");
            }
            if !runs(plan, ix) {
                looks.push("style=\"rounded,dashed\"");
            }
            let looks: String = looks.iter().map(|look| format!(", {look}")).collect();
            out.push_str(&format!("    s{} [label=\"{}\"{looks}];\n", ix.0, lines.join("\\n")));
        }
        out.push_str("  }\n");
    }
    for arrow in arrows(plan) {
        let word = arrow.word.map(|word| format!(" [label={}]", quoted(&word))).unwrap_or_default();
        out.push_str(&format!("  s{} -> s{}{word};\n", arrow.from.0, arrow.to.0));
    }
    for (at, pair) in plan.phases.windows(2).enumerate() {
        // From box to box: a phase starts when the one before it has ended well.
        let last = pair[0].first_step.0 + pair[0].steps - 1;
        let next = pair[1].first_step.0;
        out.push_str(&format!(
            "  s{last} -> s{next} [ltail=cluster_{at}, lhead=cluster_{}, style=dashed, color=gray];\n",
            at + 1
        ));
    }
    out.push_str("}\n");
    out
}

/// Quotes and backslashes are text; so is a line break, which a label would otherwise obey.
fn dot_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// For Mermaid, in Markdown.
pub fn mermaid(plan: &Plan) -> String {
    let critical: BTreeSet<StepIx> = critical_path(plan).into_iter().collect();
    let mut out = String::from("flowchart LR\n");
    for (at, phase) in plan.phases.iter().enumerate() {
        let title = phase.title.as_ref().map(|title| format!(": {title}")).unwrap_or_default();
        let label = mermaid_escaped(&format!("{}. {}{title}", at + 1, phase.id));
        out.push_str(&format!("  subgraph p{at}[\"{label}\"]\n"));
        for ix in plan.steps_of(PhaseIx(at as u32)) {
            let step = &plan.steps[ix.at()];
            let lines: Vec<String> = box_lines(plan, ix).iter().map(|line| mermaid_escaped(line)).collect();
            let (open, close) = if is_gate(step) { ("{{", "}}") } else { ("(", ")") };
            out.push_str(&format!("    s{}{open}\"{}\"{close}\n", ix.0, lines.join("<br>")));
        }
        out.push_str("  end\n");
    }
    for arrow in arrows(plan) {
        let word = arrow.word.map(|word| format!("|\"{}\"|", mermaid_escaped(&word))).unwrap_or_default();
        out.push_str(&format!("  s{} -->{word} s{}\n", arrow.from.0, arrow.to.0));
    }
    for at in 1..plan.phases.len() {
        out.push_str(&format!("  p{} -.-> p{at}\n", at - 1));
    }
    let of = |wanted: &dyn Fn(StepIx) -> bool| -> Vec<String> {
        (0..plan.steps.len() as u32)
            .map(StepIx)
            .filter(|ix| wanted(*ix))
            .map(|ix| format!("s{}", ix.0))
            .collect()
    };
    let classes = [
        ("cut", "stroke:#c00", of(&|ix| !plan.steps[ix.at()].severs.is_empty())),
        ("critical", "stroke-width:3px", of(&|ix| critical.contains(&ix))),
        ("leftout", "stroke-dasharray:4", of(&|ix| !runs(plan, ix))),
    ];
    for (name, look, members) in classes.iter().filter(|(_, _, members)| !members.is_empty()) {
        out.push_str(&format!("  classDef {name} {look}\n  class {} {name}\n", members.join(",")));
    }
    out
}

/// Everything that Mermaid, or the HTML it makes, could take for markup, as an entity.
fn mermaid_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | ';' | '`' | '\\' | '*' | '_' | '[' | ']' | '{' | '}' | '('
            | ')' | '|' => {
                escaped.push_str(&format!("#{};", u32::from(c)));
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
