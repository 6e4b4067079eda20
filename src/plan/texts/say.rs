//! Puts into words what is wrong with an expression in a text.

use super::Where;
use crate::model::Problem;
use crate::plan::shell::Refusal;
use crate::plan::values::{Mishap, few};

/// An expression that has no usable value, on these hosts.
pub(super) fn said(step: &str, at: &Where, thing: &str, mishap: &Mishap, hosts: &[String]) -> Problem {
    let on = match hosts {
        [] => String::new(),
        hosts => format!(" (on {})", few(hosts)),
    };
    let what = format!("step `{step}`, {}: {thing}: {}{on}", at.label, mishap.what);
    let problem = Problem::error(mishap.code, what).at(at.span);
    match &mishap.hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// An expression that stands where no value may stand.
pub(super) fn refused(step: &str, at: &Where, source: &str, why: Refusal) -> Problem {
    let (code, what, hint) = match why {
        Refusal::SingleQuotes => (
            "template-in-single-quotes",
            "stands between single quotes, where a shell expands nothing",
            format!("end the quotes before it and begin them again after it: 'a '{{{{ {source} }}}}' b'"),
        ),
        Refusal::QuotedHeredoc => (
            "template-in-quoted-heredoc",
            "stands in a here-document with a quoted delimiter, where a shell expands nothing",
            "write the delimiter without quotes, and a backslash before each other `$` and backquote of the text".into(),
        ),
        Refusal::Delimiter => (
            "template-in-heredoc-delimiter",
            "stands in the delimiter of a here-document, which a shell does not expand",
            "write the delimiter out".into(),
        ),
        Refusal::Backslash => (
            "template-after-backslash",
            "stands right after a backslash, which would take its quotes away",
            "leave the backslash out: a value needs no quoting by hand".into(),
        ),
        Refusal::Dollar => (
            "template-after-dollar",
            "stands right after a `$`",
            format!("write {{{{ {source} }}}} without the `$`, or `\\$` for a dollar sign"),
        ),
        Refusal::InnerCode => (
            "template-in-inner-code",
            "stands in a text that a second interpreter reads as code, and would run what the value says",
            format!(
                "hand it over as an argument, sh -c 'echo \"$1\"' sh {{{{ {source} }}}}, or in the environment: env: {{ NAME: \"{{{{ {source} }}}}\" }}"
            ),
        ),
        Refusal::Name => (
            "template-as-name",
            "stands where a shell expects the name of a variable, and might run what the value says",
            "write the name out".into(),
        ),
    };
    Problem::error(code, format!("step `{step}`, {}: `{{{{ {source} }}}}` {what}", at.label))
        .at(at.span)
        .hint(hint)
}
