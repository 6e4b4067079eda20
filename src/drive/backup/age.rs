//! Was a backup taken at a good time?

use crate::model::event::Seen;
use crate::model::runbook::Backup;
use crate::model::{Millis, Time};

/// Two clocks that both keep time are no further apart; a backup of a later time was not taken yet.
const CLOCKS_APART_MAX: Millis = Millis::from_secs(300);

/// What its age has to be, each with what it is.
pub(super) fn judged(backup: &Backup, taken: Time, now: Time) -> Vec<Seen> {
    let mut judged = Vec::new();
    if taken > now + CLOCKS_APART_MAX {
        let yet = format!("{taken}, which is yet to come");
        judged.push(seen("when it was taken".to_owned(), "in the past", &yet, false));
    }
    if let Some(max) = backup.max_age {
        let age = now.since(taken);
        let found = format!("{age}, taken {taken}");
        judged.push(seen("its age".to_owned(), &format!("at most {max}"), &found, age <= max));
    }
    if let Some(before) = &backup.before {
        judged.push(match moment("before", before) {
            Err(wrong) => wrong,
            Ok(limit) => {
                let (what, expected) =
                    ("it predates the trouble".to_owned(), format!("taken before {limit}"));
                seen(what, &expected, &format!("taken {taken}"), taken < limit)
            }
        });
    }
    judged
}

/// Reads a moment; what is wrong with a text that is none.
pub(super) fn moment(what: &str, text: &str) -> Result<Time, Seen> {
    Time::parse(text).ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        let found = format!("`{}` is none", shown.escape_debug());
        seen(what.to_owned(), "a time in RFC 3339", &found, false)
    })
}

/// What was looked at, and what was found.
pub(super) fn seen(what: String, expected: &str, seen: &str, agrees: bool) -> Seen {
    let (expected, seen) = (expected.to_owned(), seen.to_owned());
    Seen { what, expected, seen, agrees, ..Seen::default() }
}
