//! What a dry run can know of a backup without reading all of it: whether everything that its look wants is there, and
//! whether it was taken at a good time. Nothing is kept.

use super::{AMISS_BYTES_MAX, age, files_in, filled, now, quoted};
use crate::drive::tools::Tools;
use crate::model::names::TaskIx;
use crate::model::runbook::{Backup, Taken};
use crate::model::secret::Secret;
use crate::model::{Millis, Outcome, Time};
use crate::transport::work::{NoSink, Script};
use crate::transport::{FetchOrder, FetchWhat, Stop};

/// So many files that are missing are named: a person reads the first few.
const NAMED_MAX: usize = 5;
/// Looking whether files are there takes seconds, however many there are.
const LIMIT_MAX: Millis = Millis::from_secs(120);

/// What was found of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::drive) enum Foreseen {
    /// All is there; says what its look will read.
    Fine(String),
    /// The look would fail, as things are; says why.
    Amiss(String),
    /// The host could not be asked.
    Untold(Outcome),
}

/// Looks, and changes nothing.
pub(in crate::drive) async fn foresee(
    tools: &Tools,
    task: TaskIx,
    backup: &Backup,
    stop: &mut Stop,
) -> Foreseen {
    let backup = filled(tools, task, backup);
    let text = match looking(&backup) {
        Ok(text) => text,
        Err(why) => return Foreseen::Amiss(why),
    };
    let script = Script {
        guarded: false,
        text: Secret::new(text),
        privileged: tools.privileged(task),
        claim: None,
        timeout: tools.plan.step_of(task).timeout.min(LIMIT_MAX),
    };
    let order = FetchOrder {
        what: FetchWhat::Output(&script),
        privileged: script.privileged,
        timeout: script.timeout,
        bytes_max: AMISS_BYTES_MAX,
    };
    let mut said = Vec::new();
    match tools.remote(task).fetch(&order, &mut said, &mut NoSink, stop).await {
        Err(outcome) => Foreseen::Untold(outcome),
        Ok(_) => judged(&backup, &String::from_utf8_lossy(&said), now()),
    }
}

/// Judges what the host said.
fn judged(backup: &Backup, said: &str, now: Time) -> Foreseen {
    let all = |word: &'static str| said.lines().filter_map(move |line| line.strip_prefix(word));
    let one = |word: &'static str| all(word).next().unwrap_or("").trim();
    let mut amiss: Vec<String> = all("amiss ").map(str::to_owned).collect();
    let taken = match &backup.taken {
        Taken::ManifestTime => Ok(one("changed ").parse::<u64>().ok().map(|secs| Time(secs * 1000))),
        Taken::At(text) => age::moment("taken", text).map(Some),
        // What is not there is said already.
        Taken::File(_) if one("says ").is_empty() && !amiss.is_empty() => Ok(None),
        Taken::File(path) => age::moment(path, one("says ")).map(Some),
    };
    let wrong = match &taken {
        Err(wrong) => vec![wrong.clone()],
        Ok(None) => Vec::new(),
        Ok(Some(taken)) => age::judged(backup, *taken, now),
    };
    let wrong = wrong.iter().filter(|seen| !seen.agrees);
    amiss.extend(wrong.map(|seen| format!("{}: {}, wanted {}", seen.what, seen.seen, seen.expected)));
    if !amiss.is_empty() {
        return Foreseen::Amiss(amiss.join("; "));
    }
    let (files, manifest) = (one("files "), &backup.manifest);
    let taken = taken.ok().flatten().map(|taken| format!(", taken {taken}")).unwrap_or_default();
    Foreseen::Fine(format!(
        "compares {files} files with {manifest}{taken}; whether they fit shows when it runs"
    ))
}

/// A script that tells what is there: `amiss WHAT`, `changed SECONDS`, `says FIRST LINE`, `files COUNT`.
fn looking(backup: &Backup) -> Result<String, String> {
    let (manifest, files_in) = (quoted(&backup.manifest)?, quoted(files_in(backup))?);
    let mut wanted = String::new();
    if let Some(signature) = &backup.signature {
        wanted += &format!("there {}\n", quoted(&signature.file)?);
    }
    if let Taken::File(path) = &backup.taken {
        let path = quoted(path)?;
        wanted += &format!("there {path} && printf 'says %s\\n' \"$(head -n 1 <{path})\"\n");
    }
    Ok(format!(
        "LC_ALL=C; export LC_ALL\n\
         amiss() {{ printf 'amiss %s\\n' \"$1\"; }}\n\
         there() {{ [ -f \"$1\" ] && [ -r \"$1\" ] || {{ amiss \"$1 is not there, or cannot be read\"; return 1; }}; }}\n\
         command -v sha256sum >/dev/null 2>&1 || amiss 'there is no sha256sum on this host'\n\
         {wanted}m={manifest}\n\
         there \"$m\" || exit 0\n\
         printf 'changed %s\\n' \"$(stat -c %Y -- \"$m\" 2>/dev/null || date -r \"$m\" +%s)\"\n\
         cd -- {files_in} 2>/dev/null || {{ amiss {files_in}': no such directory'; exit 0; }}\n\
         n=0 gone=0\n\
         while IFS= read -r l || [ -n \"$l\" ]; do\n\
         \x20 case $l in ''|'#'*) continue ;; esac\n\
         \x20 n=$((n + 1))\n\
         \x20 # Names with escapes in them are left to sha256sum.\n\
         \x20 case $l in '\\'*) continue ;; esac\n\
         \x20 f=${{l#* }} f=${{f#?}}\n\
         \x20 [ -r \"$f\" ] && continue\n\
         \x20 gone=$((gone + 1))\n\
         \x20 [ \"$gone\" -gt {NAMED_MAX} ] || amiss \"$f is listed and not there, or cannot be read\"\n\
         done <\"$m\"\n\
         [ \"$gone\" -le {NAMED_MAX} ] || amiss \"and $((gone - {NAMED_MAX})) files more\"\n\
         [ \"$n\" -gt 0 ] || amiss \"$m lists no file\"\n\
         printf 'files %s\\n' \"$n\"\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup() -> Backup {
        Backup {
            manifest: "/b/SUMS".to_owned(),
            files_in: None,
            taken: Taken::ManifestTime,
            max_age: Some(Millis::from_secs(60)),
            before: None,
            signature: None,
        }
    }

    #[test]
    fn what_a_host_says_of_a_backup_is_judged() {
        let now = Time(1_000_000_000);
        let fine = judged(&backup(), "changed 999999\nfiles 3\n", now);
        let words = "compares 3 files with /b/SUMS, taken 1970-01-12T13:46:39.000Z; whether they fit shows when it runs";
        assert_eq!(fine, Foreseen::Fine(words.to_owned()));
        let old = judged(&backup(), "changed 999000\nfiles 3\n", now);
        let words = "its age: 16m 40s, taken 1970-01-12T13:30:00.000Z, wanted at most 1m 00s";
        assert_eq!(old, Foreseen::Amiss(words.to_owned()));
        let gone = judged(&backup(), "amiss /b/SUMS is not there, or cannot be read\n", now);
        assert_eq!(gone, Foreseen::Amiss("/b/SUMS is not there, or cannot be read".to_owned()));
        let file = Backup { taken: Taken::File("/b/when".to_owned()), ..backup() };
        let soon = judged(&file, "says soon\nchanged 999999\nfiles 3\n", now);
        assert_eq!(soon, Foreseen::Amiss("/b/when: `soon` is none, wanted a time in RFC 3339".to_owned()));
    }
}
