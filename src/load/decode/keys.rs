//! Keys that a shape does not know: slips, words from elsewhere, and what is not built yet.

use super::Decoder;
use crate::load::sink::quoted_list;
use crate::load::yaml::{Node, Value};
use crate::model::Problem;
use crate::model::problem::nearest;

/// Keys of the design that are not built yet, with what ignoring them would mean.
const NOT_BUILT: &[(&str, &str)] = &[("injects", "exercise events would silently not happen")];

/// What people call our keys elsewhere.
const ELSEWHERE: &[(&str, &str)] = &[
    ("hosts", "on"),
    ("depends_on", "needs"),
    ("shell", "run"),
    ("command", "run"),
    ("script", "run"),
    ("rollback", "undo"),
    ("unless", "check"),
    ("serial", "batch"),
    ("max_fail_percentage", "max_failures"),
    ("retries", "retry"),
    ("title", "name"),
    ("tasks", "steps"),
    ("description", "summary"),
    ("ansible_host", "address"),
    ("ansible_port", "port"),
    ("ansible_user", "user"),
    ("hostname", "address"),
    ("proxy_jump", "jump"),
    ("children", "hosts"),
];

impl Decoder<'_> {
    /// Is this a key of the shape? If not, it is reported.
    pub(super) fn knows(&self, key: &Node, fields: &'static [&'static str]) -> bool {
        let Value::Text(name) = &key.value else { return false };
        if fields.contains(&name.as_str()) {
            return true;
        }
        let at = self.sink.span(key.offset, key.len);
        if let Some((_, why)) = NOT_BUILT.iter().find(|(not_built, _)| not_built == name) {
            let what = format!("`{name}` is not built yet: {why}");
            self.sink.push(Problem::error("not-supported-yet", what).at(at));
            return false;
        }
        let elsewhere = ELSEWHERE.iter().find(|(other, ours)| other == name && fields.contains(ours));
        let known = || format!("known keys: {}", quoted_list(fields.iter().copied()));
        let hint = match elsewhere {
            Some((_, ours)) => format!("here it is called `{ours}`"),
            None => nearest(name, fields.iter().copied())
                .map_or_else(known, |near| format!("did you mean `{near}`?")),
        };
        let what = format!("{} has no key `{name}`", self.called());
        self.sink.push(Problem::error("unknown-key", what).at(at).hint(hint));
        false
    }
}
