//! Keys that a shape does not know: slips, words from elsewhere, and keys of another file.

use super::Decoder;
use crate::load::sink::quoted_list;
use crate::load::yaml::{Node, Value};
use crate::model::Problem;
use crate::model::problem::nearest;

/// Keys of another file, with where they belong.
const ANOTHER_FILE: &[(&str, &str)] =
    &[("injects", "it stands in a scenario: `blackstart tabletop --scenario FILE`")];

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
        let elsewhere = ELSEWHERE.iter().find(|(other, ours)| other == name && fields.contains(ours));
        let known = || format!("known keys: {}", quoted_list(fields.iter().copied()));
        let another_file = ANOTHER_FILE.iter().find(|(other, _)| other == name);
        let hint = match (elsewhere, another_file) {
            (Some((_, ours)), _) => format!("here it is called `{ours}`"),
            (None, Some((_, where_to))) => (*where_to).to_owned(),
            (None, None) => nearest(name, fields.iter().copied())
                .map_or_else(known, |near| format!("did you mean `{near}`?")),
        };
        let what = format!("{} has no key `{name}`", self.called());
        self.sink.push(Problem::error("unknown-key", what).at(at).hint(hint));
        false
    }
}
