//! Turns parameters given as text into values of their declared kind.

use crate::model::problem::nearest;
use crate::model::runbook::{Param, ParamKind, Runbook};
use crate::model::{Problem, Problems};
use serde_json::Value;
use std::collections::BTreeMap;

/// The parameters as given or defaulted. One that is neither given nor defaulted nor required stays undefined.
pub fn params(
    runbook: &Runbook,
    given: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> BTreeMap<String, Value> {
    for name in given.keys().filter(|name| !runbook.params.contains_key(*name)) {
        problems.push(unknown(runbook, name));
    }
    let mut values = BTreeMap::new();
    for (name, param) in &runbook.params {
        match given.get(name) {
            Some(text) => match converted(name, param, text) {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(problem) => problems.push(problem),
            },
            None => match &param.default {
                Some(value) => {
                    values.insert(name.clone(), value.clone());
                }
                None if param.required => problems.push(
                    Problem::error("param-missing", format!("parameter `{name}` must be given"))
                        .at(param.span)
                        .hint(missing_hint(name, param)),
                ),
                None => {}
            },
        }
    }
    values
}

fn missing_hint(name: &str, param: &Param) -> String {
    let what = param.description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    match choices(param) {
        Some(choices) => format!("add `-e {name}=VALUE`{what}; VALUE is one of {choices}"),
        None => format!("add `-e {name}=VALUE`{what}"),
    }
}

fn unknown(runbook: &Runbook, name: &str) -> Problem {
    let problem =
        Problem::error("unknown-param", format!("`-e {name}=…`: the runbook has no parameter `{name}`"));
    let names: Vec<&str> = runbook.params.keys().map(String::as_str).collect();
    match (nearest(name, names.iter().copied()), names.as_slice()) {
        (Some(near), _) => problem.hint(format!("did you mean `{near}`?")),
        (None, []) => problem.hint("this runbook takes no parameters"),
        (None, names) => problem.hint(format!("it has: {}", super::values::few(names))),
    }
}

fn converted(name: &str, param: &Param, text: &str) -> Result<Value, Problem> {
    let wrong = |what: &str, hint: String| {
        let what = format!("`-e {name}={text}`: `{name}` is {what}");
        Problem::error("param-type", what).at(param.span).hint(hint)
    };
    let value = match param.kind {
        ParamKind::String => Value::from(text),
        ParamKind::Integer => {
            let number: i64 = text
                .parse()
                .map_err(|_| wrong("a whole number", format!("give digits only, such as `-e {name}=3`")))?;
            Value::from(number)
        }
        ParamKind::Boolean => {
            let truth: bool = text
                .parse()
                .map_err(|_| wrong("true or false", format!("give `-e {name}=true` or `-e {name}=false`")))?;
            Value::from(truth)
        }
    };
    match choices(param) {
        Some(choices) if !param.choices.contains(&value) => {
            let what = format!("`-e {name}={text}`: that is not among the choices");
            let problem = Problem::error("param-choice", what).at(param.span);
            let texts: Vec<String> = param.choices.iter().map(shown).collect();
            Err(match nearest(text, texts.iter().map(String::as_str)) {
                Some(near) => problem.hint(format!("did you mean `{near}`? The choices are {choices}")),
                None => problem.hint(format!("the choices are {choices}")),
            })
        }
        Some(_) | None => Ok(value),
    }
}

fn choices(param: &Param) -> Option<String> {
    let texts: Vec<String> = param.choices.iter().map(|choice| format!("`{}`", shown(choice))).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
