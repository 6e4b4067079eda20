//! Keeps to this process what it remembers: secrets are in its memory and, if they were given so, in its environment.

use rustix::process::{DumpableBehavior, Resource, getrlimit, set_dumpable_behavior, setrlimit};

/// No core dump of this process is written, by whatever pattern, and no process of the same user looks into its
/// memory, its environment or its open files. What it starts may be looked into again, and writes no core by default.
pub fn keep_to_ourselves() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the memory of this process may be dumped");
    }
    let mut core = getrlimit(Resource::Core);
    core.current = Some(0);
    if let Err(error) = setrlimit(Resource::Core, core) {
        tracing::warn!(%error, "what this process starts may dump core");
    }
}
