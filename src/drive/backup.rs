//! Looks at a backup on the host that holds it: whole, signed, young enough, older than the trouble. What proves it is
//! brought to the controller, judged there and kept as evidence; on the host nothing is changed.

mod age;
pub(in crate::drive) mod foreseen;

use crate::drive::clock::Clock;
use crate::drive::job::Workshop;
use crate::drive::manifest::Manifest;
use crate::drive::sink::JobSink;
use crate::drive::tools::Tools;
use crate::journal::evidence;
use crate::model::event::{BackupSeen, Evidence, Facts, Job};
use crate::model::names::TaskIx;
use crate::model::runbook::{Backup, ManifestSignature, Taken};
use crate::model::secret::Secret;
use crate::model::{How, Outcome, Time};
use crate::plan::fill;
use crate::signing::{AllowedSigners, envelope};
use crate::transport::work::Script;
use crate::transport::{FetchOrder, FetchWhat, Stop};
use sha2::{Digest, Sha256};
use std::path::Path;

/// A hundred thousand files with long names.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Signatures and times are short.
const SMALL_BYTES_MAX: u64 = 64 * 1024;
/// Lines about files that do not fit, of which a person reads the first few.
const AMISS_BYTES_MAX: u64 = 128 * 1024;
/// A look at one backup.
struct Look<'a> {
    shop: &'a Workshop,
    job: Job,
    facts: &'a mut Facts,
}

/// A file that was brought, with what it holds.
struct Brought {
    bytes: Vec<u8>,
    sha256: String,
}

impl Workshop {
    /// Carries the look out. Everything that is wrong with the backup is said; the outcome says the first of it.
    pub(super) async fn backup(
        &self,
        job: Job,
        backup: &Backup,
        sink: &mut JobSink,
        stop: &mut Stop,
        facts: &mut Facts,
    ) -> Outcome {
        let backup = filled(&self.tools, job.task, backup);
        let mut look = Look { shop: self, job, facts };
        match look.judge(&backup, sink, stop).await {
            Err(outcome) => outcome,
            Ok(seen) => match look.facts.probes.iter().find(|seen| !seen.agrees) {
                Some(wrong) => disagreed(format!("{}: {}", wrong.what, wrong.seen)),
                None => {
                    look.facts.backup = seen.map(Box::new);
                    Outcome::Succeeded
                }
            },
        }
    }
}

/// The texts of a backup, as they are for this task.
fn filled(tools: &Tools, task: TaskIx, backup: &Backup) -> Backup {
    let values = tools.values(task);
    let fill = |text: &String| fill(text, &values);
    Backup {
        manifest: fill(&backup.manifest),
        files_in: backup.files_in.as_ref().map(fill),
        taken: match &backup.taken {
            Taken::ManifestTime => Taken::ManifestTime,
            Taken::At(text) => Taken::At(fill(text)),
            Taken::File(path) => Taken::File(fill(path)),
        },
        max_age: backup.max_age,
        before: backup.before.as_ref().map(fill),
        signature: backup
            .signature
            .as_ref()
            .map(|signature| ManifestSignature { file: fill(&signature.file), ..signature.clone() }),
    }
}

/// Where relative names in its manifest start.
fn files_in(backup: &Backup) -> &str {
    let own = Path::new(&backup.manifest).parent().and_then(Path::to_str).unwrap_or("/");
    backup.files_in.as_deref().unwrap_or(own)
}

impl Look<'_> {
    async fn judge(
        &mut self,
        backup: &Backup,
        sink: &mut JobSink,
        stop: &mut Stop,
    ) -> Result<Option<BackupSeen>, Outcome> {
        let manifest = &backup.manifest;
        let list = self.bring(manifest, MANIFEST_BYTES_MAX, sink, stop).await?;
        let files = Manifest::read(&list.bytes).map_err(|why| disagreed(format!("{manifest}: {why}")))?;
        let signed_by = match &backup.signature {
            None => None,
            Some(signature) => self.signature(signature, manifest, &list, sink, stop).await?,
        };
        let files_in = files_in(backup);
        let changed = self.sums(manifest, files_in, &list, files.files(), sink, stop).await?;
        let taken = match &backup.taken {
            Taken::ManifestTime => changed,
            Taken::At(text) => self.moment("taken", text),
            Taken::File(path) => {
                let told = self.bring(path, SMALL_BYTES_MAX, sink, stop).await?;
                if backup.signature.is_some() {
                    let listed = files.sha256_of(Path::new(path), Path::new(files_in));
                    let covered = listed == Some(told.sha256.as_str());
                    let seen = if covered { "yes" } else { "no: anybody could have written it" };
                    self.saw(format!("{path} is among the signed files"), "yes", seen, covered);
                }
                let text =
                    String::from_utf8_lossy(&told.bytes).lines().next().unwrap_or("").trim().to_owned();
                self.moment(path, &text)
            }
        };
        let Some(taken) = taken else { return Ok(None) };
        self.facts.probes.extend(age::judged(backup, taken, now()));
        Ok(Some(BackupSeen { taken, files: files.files(), manifest_sha256: list.sha256, signed_by }))
    }

    fn moment(&mut self, what: &str, text: &str) -> Option<Time> {
        age::moment(what, text).map_err(|seen| self.facts.probes.push(seen)).ok()
    }

    async fn signature(
        &mut self,
        signature: &ManifestSignature,
        manifest: &str,
        list: &Brought,
        sink: &mut JobSink,
        stop: &mut Stop,
    ) -> Result<Option<(String, String)>, Outcome> {
        let armoured = self.bring(&signature.file, SMALL_BYTES_MAX, sink, stop).await?;
        let signer = signer(signature, &String::from_utf8_lossy(&armoured.bytes), &list.bytes);
        let seen = match &signer {
            Ok((principal, key)) => format!("by {principal} ({key})"),
            Err(why) => format!("{}: {why}", signature.file),
        };
        self.saw(format!("signature of {manifest}"), "by somebody who may sign", &seen, signer.is_ok());
        Ok(signer.ok())
    }

    /// Compares every file with its checksum, on the host. Says when the manifest was last changed.
    async fn sums(
        &mut self,
        manifest: &str,
        files_in: &str,
        list: &Brought,
        files: u64,
        sink: &mut JobSink,
        stop: &mut Stop,
    ) -> Result<Option<Time>, Outcome> {
        let script = Script {
            guarded: false,
            text: Secret::new(comparing(manifest, files_in, &list.sha256).map_err(not_started)?),
            privileged: self.shop.tools.privileged(self.job.task),
            claim: None,
            timeout: self.shop.tools.plan.step_of(self.job.task).timeout,
        };
        let order = FetchOrder {
            what: FetchWhat::Output(&script),
            privileged: script.privileged,
            timeout: script.timeout,
            bytes_max: AMISS_BYTES_MAX,
        };
        let mut said = Vec::new();
        self.shop.tools.remote(self.job.task).fetch(&order, &mut said, sink, stop).await?;
        let said = String::from_utf8_lossy(&said);
        let mut lines = said.lines();
        let changed =
            lines.next().and_then(|secs| secs.trim().parse::<u64>().ok()).map(|secs| Time(secs * 1000));
        let amiss: Vec<&str> = lines.collect();
        let seen = if amiss.is_empty() { "all fit".to_owned() } else { amiss.join("; ") };
        let what = format!("checksums of {files} files in {files_in}");
        self.saw(what, "all fit", &seen, amiss.is_empty());
        Ok(changed)
    }

    fn saw(&mut self, what: String, expected: &str, seen: &str, agrees: bool) {
        self.facts.probes.push(age::seen(what, expected, seen, agrees));
    }

    /// Brings a file here and keeps it as evidence.
    async fn bring(
        &mut self,
        path: &str,
        bytes_max: u64,
        sink: &mut JobSink,
        stop: &mut Stop,
    ) -> Result<Brought, Outcome> {
        let (shop, job) = (self.shop, self.job);
        let order = FetchOrder {
            what: FetchWhat::File(path),
            privileged: shop.tools.privileged(job.task),
            timeout: shop.tools.plan.step_of(job.task).timeout,
            bytes_max,
        };
        let mut bytes = Vec::new();
        let fetched = shop.tools.remote(job.task).fetch(&order, &mut bytes, sink, stop).await;
        let fetched = fetched.map_err(|outcome| match outcome {
            Outcome::Failed { how: How::Exit(_) } => {
                disagreed(format!("{path} is not there, or cannot be read"))
            }
            Outcome::Failed { how: How::Disagreed(why) } => disagreed(format!("{path}: {why}")),
            other => other,
        })?;
        let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or("file");
        let kept = evidence::evidence_file(&shop.dir, &shop.label(job.task), name)
            .and_then(|mut file| file.write(&bytes).map(|()| file)?.finish());
        let whole = kept.map_err(|error| disagreed(error.to_string()))?;
        self.facts.evidence.push(Evidence {
            file: shop.dir.relative(&whole.path),
            from: path.to_owned(),
            bytes: fetched.bytes,
            sha256: fetched.sha256,
        });
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Brought { bytes, sha256 })
    }
}

/// Who signed, and with which key. The key must still be good: when a backup was signed, only its signer says.
fn signer(signature: &ManifestSignature, armoured: &str, list: &[u8]) -> Result<(String, String), String> {
    let proof = envelope::check(armoured, &signature.namespace, list)?;
    let allowed = AllowedSigners::read(&signature.signers.text)
        .map_err(|bad| format!("line {} of the allowed signers: {}", bad[0].line, bad[0].what))?;
    let names = allowed.principals_of(&proof, &signature.namespace, now());
    let key = proof.fingerprint();
    match names.into_iter().next() {
        Some(name) => Ok((name, key)),
        None => Err(format!("nobody who may sign has the key {key}")),
    }
}

/// A script that prints when the manifest was last changed, and a line for everything that does not fit.
fn comparing(manifest: &str, files_in: &str, sha256: &str) -> Result<String, String> {
    let (manifest, files_in) = (quoted(manifest)?, quoted(files_in)?);
    Ok(format!(
        "LC_ALL=C; export LC_ALL\n\
         m={manifest}\n\
         stat -c %Y -- \"$m\" 2>/dev/null || date -r \"$m\" +%s || exit 1\n\
         h=$(sha256sum < \"$m\") || {{ echo 'there is no sha256sum on this host'; exit 0; }}\n\
         [ \"${{h%% *}}\" = {sha256} ] || {{ echo 'the manifest was changed meanwhile'; exit 0; }}\n\
         cd -- {files_in} 2>/dev/null || {{ echo {files_in}': no such directory'; exit 0; }}\n\
         o=$(sha256sum -c \"$m\" 2>&1); s=$?\n\
         printf '%s\\n' \"$o\" | grep -v ': OK$' | head -n 20\n\
         [ \"$s\" = 0 ] || printf '%s\\n' 'not every file fits'\n\
         exit 0\n"
    ))
}

fn quoted(path: &str) -> Result<String, String> {
    let quoted = shlex::try_quote(path).map_err(|_| format!("`{}` is no path", path.escape_debug()))?;
    Ok(quoted.into_owned())
}

fn now() -> Time {
    Clock::start(Time::default()).now()
}

fn disagreed(what: String) -> Outcome {
    Outcome::Failed { how: How::Disagreed(what) }
}

fn not_started(because: String) -> Outcome {
    Outcome::NotStarted { because, try_again: false }
}
