//! Brings evidence from a host into the run's directory: whole, hashed, and named in the journal.

use super::{Workshop, not_started};
use crate::drive::sink::JobSink;
use crate::journal::evidence;
use crate::model::event::{Evidence, Job};
use crate::model::runbook::Fetch;
use crate::model::{How, Outcome};
use crate::plan;
use crate::transport::work::Script;
use crate::transport::{FetchOrder, FetchWhat, Stop};
use std::io::Write;
use std::path::Path;

/// Evidence larger than this belongs to a forensic tool with its own disk.
const EVIDENCE_BYTES_MAX: u64 = evidence::EVIDENCE_BYTES_MAX;

impl Workshop {
    pub(super) async fn fetch(
        &self,
        job: Job,
        fetch: &Fetch,
        sink: &mut JobSink,
        stop: &mut Stop,
        found: &mut Vec<Evidence>,
    ) -> Outcome {
        let timeout = self.tools.plan.step_of(job.task).timeout;
        let privileged = self.tools.privileged(job.task);
        let (path, script, name);
        let (what, file_name, from) = match fetch {
            Fetch::File { path: template } => {
                path = plan::fill(template, &self.tools.values(job.task));
                (FetchWhat::File(&path), file_name_of(&path), path.clone())
            }
            Fetch::Output { script: text, name: wanted } => {
                script = Script {
                    guarded: false,
                    text: self.tools.rendered(job.task, job.attempt, text),
                    privileged,
                    claim: None,
                    timeout,
                };
                name = wanted;
                (
                    FetchWhat::Output(&script),
                    name.as_str(),
                    format!("output of `{}`", self.tools.plan.step_of(job.task).id),
                )
            }
        };
        let mut file = match evidence::evidence_file(&self.dir, &self.label(job.task), file_name) {
            Ok(file) => file,
            Err(error) => return not_started(error.to_string()),
        };
        let order = FetchOrder { what, privileged, timeout, bytes_max: EVIDENCE_BYTES_MAX };
        let mut into = Into(&mut file, None);
        let fetched = self.tools.remote(job.task).fetch(&order, &mut into, sink, stop).await;
        let trouble = into.1.take();
        match (fetched, trouble) {
            (_, Some(trouble)) => Outcome::Failed { how: How::Disagreed(trouble) },
            (Err(outcome), None) => outcome,
            (Ok(fetched), None) => match file.finish() {
                Err(error) => Outcome::Failed { how: How::Disagreed(error.to_string()) },
                Ok(whole) => {
                    let file = self.dir.relative(&whole.path);
                    found.push(Evidence { file, from, bytes: fetched.bytes, sha256: fetched.sha256 });
                    Outcome::Succeeded
                }
            },
        }
    }
}

fn file_name_of(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or("file")
}

/// Writes evidence, and remembers what went wrong in our own words.
struct Into<'a>(&'a mut evidence::WholeFile, Option<String>);

impl Write for Into<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.write(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                let said = error.to_string();
                self.1.get_or_insert(said);
                Err(std::io::Error::other(error.to_string()))
            }
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
