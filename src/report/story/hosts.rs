//! The hosts of a run: how each is reached, as whom it let us in, and what became of its tasks.

use super::ledger::Host;
use super::told::Fate;
use crate::model::inventory::{Become, Reach};
use crate::model::names::{HostIx, TaskIx};
use crate::plan::frozen::PlannedHost;
use crate::report::escape::line;
use crate::report::timeline::Timeline;
use std::collections::BTreeMap;

/// The controller, if it has tasks of its own, then all hosts of the plan.
pub(super) fn hosts(timeline: &Timeline, fates: &[Fate]) -> Vec<Host> {
    let (state, plan) = (&timeline.state, timeline.state.plan());
    let mut hosts: BTreeMap<Option<HostIx>, Host> = BTreeMap::new();
    for (ix, planned) in plan.hosts.iter().enumerate() {
        let ix = HostIx(ix as u32);
        let (first, connections) = timeline.reached.get(&ix).map_or((None, 0), |(at, n)| (Some(*at), *n));
        let host = Host {
            name: Some(planned.name.to_string()),
            zone: planned.zone.as_ref().map(ToString::to_string),
            login: login(planned),
            reached: state.host_reached(ix).map(line),
            first_reached_at: first,
            connections,
            counts: BTreeMap::new(),
            time_ms: 0,
        };
        hosts.insert(Some(ix), host);
    }
    for (ix, planned) in plan.tasks.iter().enumerate() {
        let task = state.task(TaskIx(ix as u32));
        let host = hosts.entry(planned.host).or_insert_with(|| Host {
            name: None,
            zone: None,
            login: String::new(),
            reached: None,
            first_reached_at: None,
            connections: 0,
            counts: BTreeMap::new(),
            time_ms: 0,
        });
        *host.counts.entry(fates[ix]).or_default() += 1;
        if let (Some(started), Some(ended)) = (task.started_at(), task.ended_at()) {
            host.time_ms += ended.since(started).0;
        }
    }
    hosts.into_values().collect()
}

/// `ops@10.20.0.5:2222 via bastion, sudo root`.
fn login(host: &PlannedHost) -> String {
    match &host.reach {
        Reach::Local(becomes) => format!("local{}", becoming(becomes)),
        Reach::Ssh(ssh) => {
            let user = ssh.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
            let address = match ssh.address.contains(':') {
                true => format!("[{}]", ssh.address),
                false => ssh.address.clone(),
            };
            let port = ssh.port.map(|port| format!(":{port}")).unwrap_or_default();
            let jump = ssh.jump.as_ref().map(|jump| format!(" via {jump}")).unwrap_or_default();
            line(&format!("{user}{address}{port}{jump}{}", becoming(&ssh.becomes)))
        }
    }
}

fn becoming(becomes: &Become) -> String {
    match becomes {
        Become::No => String::new(),
        Become::Sudo { user, .. } => format!(", sudo {}", line(user)),
    }
}
