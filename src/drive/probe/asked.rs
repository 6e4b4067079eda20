//! A probe made ready to be carried out: its texts filled, its vantage point found, its name settled.

use crate::drive::tools::{self, Tools};
use crate::model::Millis;
use crate::model::names::{HostIx, TaskIx};
use crate::model::probe::{DNS_PORT, Expect, Probe, ProbeKind, Vantage};
use crate::model::secret::Secret;
use crate::plan::{self, Plan};
use sha2::{Digest, Sha256};

/// Hexadecimal digits that name a probe: no two of a plan share them by chance.
const ID_DIGITS: usize = 16;

/// A probe, ready.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Equal for the same target from the same vantage point, whatever is expected and however long it may take.
    pub id: String,
    /// What is tried from where, for people: `tcp 203.0.113.10:443 from office-pc`.
    pub what: String,
    /// The target alone, for people.
    pub target: String,
    /// The vantage point, for people.
    pub from_name: String,
    /// What is tried.
    pub kind: ProbeKind,
    /// For a command: the complete script.
    pub script: Option<Secret>,
    /// Where it starts; why it cannot, if the plan does not know the host.
    pub from: Result<From, String>,
    /// What must be seen.
    pub expect: Expect,
    /// How long one try may take.
    pub timeout: Millis,
    /// How long to go on trying.
    pub within: Millis,
}

/// Where a probe starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum From {
    /// Where blackstart runs.
    Controller,
    /// A host of the plan.
    Host(HostIx),
}

impl Asked {
    /// A probe of a task.
    pub fn of_task(tools: &Tools, task: TaskIx, attempt: u32, probe: &Probe) -> Self {
        let filled = plan::fill_probe(probe, &tools.values(task));
        let (script, told) = match &filled.what {
            ProbeKind::Command { script } => {
                let told = plan::render_script(&tools.plan, task, script, &|_| None);
                (Some(tools.rendered(task, attempt, script)), told)
            }
            ProbeKind::Tcp { .. }
            | ProbeKind::Http { .. }
            | ProbeKind::Icmp { .. }
            | ProbeKind::Dns { .. } => (None, String::new()),
        };
        Self::ready(&tools.plan, filled, script, &told, tools.host_ix(task))
    }

    /// A probe of a task as it is known without hosts and secrets: it has the same name, and cannot be carried out.
    pub fn on_paper(plan: &Plan, task: TaskIx, probe: &Probe) -> Self {
        let filled = plan::fill_probe(probe, &tools::values(plan, task));
        let told = match &filled.what {
            ProbeKind::Command { script } => plan::render_script(plan, task, script, &|_| None),
            ProbeKind::Tcp { .. }
            | ProbeKind::Http { .. }
            | ProbeKind::Icmp { .. }
            | ProbeKind::Dns { .. } => String::new(),
        };
        Self::ready(plan, filled, None, &told, plan.tasks[task.at()].host)
    }

    /// The probe of a service, which belongs to no task and holds no templates.
    pub fn of_service(plan: &Plan, probe: &Probe) -> Self {
        let script = match &probe.what {
            ProbeKind::Command { script } => Some(Secret::new(script.clone())),
            ProbeKind::Tcp { .. }
            | ProbeKind::Http { .. }
            | ProbeKind::Icmp { .. }
            | ProbeKind::Dns { .. } => None,
        };
        Self::ready(plan, probe.clone(), script, "", None)
    }

    /// The same, tried once.
    pub fn once(self) -> Self {
        Self { within: Millis(0), ..self }
    }

    fn ready(
        plan: &Plan,
        probe: Probe,
        script: Option<Secret>,
        told: &str,
        task_host: Option<HostIx>,
    ) -> Self {
        let from = match &probe.from {
            None | Some(Vantage::Controller) => Ok(From::Controller),
            Some(Vantage::Task) => Ok(task_host.map_or(From::Controller, From::Host)),
            Some(Vantage::Host(name)) => plan
                .host_named(name.as_str())
                .map(From::Host)
                .ok_or_else(|| format!("host `{name}` is not in the plan")),
        };
        let from_name = match (&from, &probe.from) {
            (Ok(From::Host(ix)), _) => plan.hosts[ix.at()].name.to_string(),
            (Err(_), Some(Vantage::Host(name))) => name.to_string(),
            (Ok(From::Controller) | Err(_), _) => "the controller".to_owned(),
        };
        let target = target(&probe.what);
        let named = serde_json::to_string(&(&probe.what, told, &from_name))
            .expect("a probe has only texts and numbers in it");
        let digest = Sha256::digest(named);
        let mut id: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        id.truncate(ID_DIGITS);
        Self {
            id,
            what: format!("{target} from {from_name}"),
            target,
            from_name,
            kind: probe.what,
            script,
            from,
            expect: probe.expect,
            timeout: probe.timeout,
            within: probe.within,
        }
    }
}

/// What is tried, in words. Of a command its first line as the runbook has it: values and secrets stay out.
fn target(kind: &ProbeKind) -> String {
    match kind {
        ProbeKind::Tcp { host, port } => format!("tcp {}:{port}", bracketed(host)),
        ProbeKind::Http { host, port, path, .. } => format!("http://{}:{port}{path}", bracketed(host)),
        ProbeKind::Command { script } => format!("command `{}`", script.lines().next().unwrap_or_default()),
        ProbeKind::Icmp { host } => format!("icmp {host}"),
        ProbeKind::Dns { name, server, port, record, .. } => {
            let port = if *port == DNS_PORT { String::new() } else { format!(":{port}") };
            format!("dns {} {name} at {}{port}", record.word(), bracketed(server))
        }
    }
}

/// An IPv6 address in brackets, as a port after it needs.
pub fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
