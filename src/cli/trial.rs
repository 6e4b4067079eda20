//! Compiles a runbook on trial, with stand-ins for parameters that are not known yet: what is wrong whatever they
//! will be is found before somebody has to give them.

use crate::model::runbook::{Param, ParamKind, Runbook};
use crate::model::{Inventory, Problem, Problems};
use crate::plan::{self, Choices, FileFacts, Plan};
use std::collections::BTreeMap;

/// Values that nobody writes by chance, so that problems which come of them are known by them.
const STAND_IN: &str = "stand-in-for-a-parameter";
const STAND_IN_NUMBER: &str = "190377551";

/// The problems of compiling that do not hang on what a parameter will be, and the plan if there is one. In it,
/// steps whose condition hangs on a parameter are left out.
pub fn problems(
    inventory: &Inventory,
    runbook: &Runbook,
    files: &dyn Fn(&str) -> Result<FileFacts, String>,
) -> (Problems, Option<Plan>) {
    let params = stand_ins(runbook);
    let mut runbook = runbook.clone();
    for step in runbook.phases.iter_mut().flat_map(|phase| &mut phase.steps) {
        // Who knows on which hosts it would run? Without any, its texts are checked and its values are not.
        if let Some(when) = step.when.as_mut().filter(|when| mentions(&when.value, &params)) {
            when.value = "false".to_owned();
        }
    }
    let choices = Choices { params: params.clone(), ..Choices::default() };
    let (found, plan) = match plan::compile(inventory, &runbook, &choices, files) {
        Ok((plan, warnings)) => (warnings, Some(plan)),
        Err(problems) => (problems, None),
    };
    (Problems(found.0.into_iter().filter(|problem| is_certain(problem, &params)).collect()), plan)
}

fn stand_ins(runbook: &Runbook) -> BTreeMap<String, String> {
    let unknown = runbook.params.iter().filter(|(_, param)| param.default.is_none());
    unknown.map(|(name, param)| (name.clone(), stand_in(param))).collect()
}

fn stand_in(param: &Param) -> String {
    match (param.choices.first(), param.kind) {
        (Some(serde_json::Value::String(choice)), _) => choice.clone(),
        (Some(choice), _) => choice.to_string(),
        (None, ParamKind::String) => STAND_IN.to_owned(),
        (None, ParamKind::Integer) => STAND_IN_NUMBER.to_owned(),
        (None, ParamKind::Boolean) => "true".to_owned(),
    }
}

fn mentions(text: &str, params: &BTreeMap<String, String>) -> bool {
    text.contains("params[") && !params.is_empty()
        || params.keys().any(|name| text.contains(&format!("params.{name}")))
}

fn is_certain(problem: &Problem, params: &BTreeMap<String, String>) -> bool {
    let stands_in = |what: &str| what.contains(STAND_IN) || what.contains(STAND_IN_NUMBER);
    let of_the_value = stands_in(&problem.what) || mentions(&problem.what, params);
    match problem.code {
        // Where an expression stands is wrong whatever it yields.
        "template-in-single-quotes"
        | "template-in-quoted-heredoc"
        | "template-in-heredoc-delimiter"
        | "template-after-backslash"
        | "template-after-dollar"
        | "template-in-inner-code"
        | "template-as-name"
        | "template-syntax" => true,
        "nothing-to-do" => params.is_empty(),
        _ => !of_the_value,
    }
}
