//! Makes sure before a run starts that as many files and connections may be open as it can need.

use crate::cli::error::{CliError, Exit};
use crate::plan::Plan;
use crate::transport::LANES_MAX;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Journal, lock, inbox, terminal, signals, the runtime's own, and some for what a person does beside.
const OWN: u64 = 48;
/// A connection, and a fresh one that proves the way back or ends a job.
const EACH_HOST: u64 = 2;
/// The two files that keep its output.
const EACH_JOB: u64 = 2;

/// Raises the soft limit if need be; refuses where the hard one is too low. A run that finds out in its
/// midst leaves hosts out, and half a cut is worse than one that was not begun.
pub fn make_room(plan: &Plan, jobs_at_once: u32) -> Result<(), CliError> {
    let hosts = plan.hosts.len() as u64;
    let jobs = u64::from(jobs_at_once).min(LANES_MAX as u64 * hosts);
    let needed = OWN + EACH_HOST * hosts + EACH_JOB * jobs;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(needed), ..limit };
    if limit.maximum.is_none_or(|maximum| maximum >= needed) && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let may = limit.maximum.or(limit.current).unwrap_or_default();
    let what = format!(
        "this process may open {may} files at once, and a run on {hosts} {} can need {needed}: nothing was started",
        if hosts == 1 { "host" } else { "hosts" },
    );
    Err(CliError::with(Exit::Unexpected, what)
        .hint(format!("raise the limit (`ulimit -Hn {needed}`), or run on fewer hosts with `--limit`")))
}
