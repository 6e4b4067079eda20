//! A run that has everything to tell: zones, services, probes, guards, evidence, a backup, an accepted risk.

use super::told;
use crate::report::well;
use crate::report_site::{Reply, Run, nothing_goes_wrong};
use blackstart::model::event::{BackupSeen, Before, Event, Evidence, Facts, Job, JobKind, Seen, Stands};
use blackstart::model::guard::{GuardSeen, HeldBy, Otherwise};
use blackstart::model::inventory::ServicePlace;
use blackstart::model::{Millis, Time};
use blackstart::plan::frozen::{PlannedService, PlannedVerify};
use blackstart::plan::site::{PlannedConduit, PlannedZone};
use blackstart::report::story::{Lang, Story};

/// The story of the run.
pub fn rich(lang: Lang) -> Story {
    let (run, events) = run_and_events();
    told(run.plan, &events, false, lang)
}

/// The run and its events.
pub fn run_and_events() -> (Run<'static>, Vec<(Time, Event)>) {
    let mut run = Run { world: &world, ..well() };
    zones(&mut run);
    let (mut events, _) = run.events();
    let start = events[0].0;
    let after = |secs: u64| start + Millis::from_secs(secs);
    let risk = Event::RiskAccepted {
        what: "the way to edge-fw may be lost".to_owned(),
        by: "alice".to_owned(),
        because: "there is a console".to_owned(),
    };
    let looked = Seen { agrees: false, seen: "open".to_owned(), ..probe() };
    // The engine tells a probe's worth from a look before the first cut, which this world has no part in.
    for (_, event) in &mut events {
        if let Event::JobEnded { job, facts, .. } = event
            && run.plan.step_of(job.task).id.as_str() == "cut-isp"
        {
            facts.probes.iter_mut().for_each(|seen| seen.before = Some(Before::Open));
        }
    }
    guards(&run, &mut events);
    events.insert(1, (start, risk));
    events.insert(2, (start, Event::Baseline { probes: vec![looked], because: String::new() }));
    for (secs, service, stands) in [
        (1, "records", Stands::Up),
        (1, "cloud-idp", Stands::Up),
        (5, "cloud-idp", Stands::Down),
        (6, "records", Stands::Down),
        (156, "records", Stands::Up),
        (200, "records", Stands::Unknown),
    ] {
        let at = after(secs);
        let place = events.iter().position(|(time, _)| *time > at).expect("the run goes on");
        let seen = Event::ServiceSeen { service: service.into(), stands, because: "tcp".to_owned() };
        events.insert(place, (at, seen));
    }
    (run, events)
}

fn world(step: &str, host: &str, job: Job) -> Reply {
    let reply = nothing_goes_wrong(step, host, job);
    let facts = match (step, job.kind) {
        ("cut-isp" | "cut-vpn", JobKind::Verify) => Facts { probes: vec![probe()], ..Facts::default() },
        ("stop-db", JobKind::Run) => Facts {
            evidence: vec![Evidence {
                file: "evidence/16-stop-db/var_log_auth.log".to_owned(),
                from: "/var/log/auth.log".to_owned(),
                bytes: 4_711,
                sha256: "ab".repeat(32),
            }],
            ..Facts::default()
        },
        ("restore-db", JobKind::Run) => Facts {
            backup: Some(Box::new(BackupSeen {
                taken: Time(1_795_000_000_000),
                files: 12,
                manifest_sha256: "cd".repeat(32),
                signed_by: Some(("backup@example".to_owned(), "SHA256:key".to_owned())),
            })),
            ..Facts::default()
        },
        _ => return reply,
    };
    Reply { facts, ..reply }
}

/// What guards said: these steps have none, so that the engine asks for no word of them.
fn guards(run: &Run, events: &mut [(Time, Event)]) {
    for (_, event) in events {
        let Event::JobEnded { job: job @ Job { kind: JobKind::Run, .. }, facts, .. } = event else {
            continue;
        };
        let left = Millis::from_secs(55);
        let (held_by, otherwise) = (HeldBy::Systemd, Otherwise::Hold);
        facts.guard = match run.plan.step_of(job.task).id.as_str() {
            "cut-vpn" => Some(GuardSeen::Armed { held_by, otherwise, left, tested: None }),
            "first-reset" => Some(GuardSeen::Lost { because: "the host restarted".to_owned() }),
            _ => None,
        };
    }
}

fn probe() -> Seen {
    Seen {
        what: "tcp 203.0.113.10:443 from office-pc".to_owned(),
        expected: "closed".to_owned(),
        seen: "closed: no answer within 2s".to_owned(),
        agrees: true,
        probe: "tcp 203.0.113.10:443 from office-pc".to_owned(),
        before: None,
    }
}

fn zones(run: &mut Run) {
    let plan = &mut run.plan;
    let zone = |external, critical| PlannedZone { external, critical, ..PlannedZone::default() };
    for (name, traits) in [
        ("internet", zone(true, false)),
        ("partners", zone(true, false)),
        ("dmz", zone(false, false)),
        ("core", zone(false, true)),
    ] {
        plan.site.zones.insert(name.into(), traits);
    }
    for (name, from, to) in
        [("isp-uplink", "internet", "dmz"), ("vendor-vpn", "partners", "core"), ("dmz-core", "dmz", "core")]
    {
        let conduit = PlannedConduit {
            from: from.into(),
            to: to.into(),
            both_ways: true,
            enforced_by: None,
            level: None,
            out_of_band: false,
        };
        plan.site.conduits.insert(name.into(), conduit);
    }
    let service = |name: &str, place, rto| PlannedService {
        name: name.into(),
        place,
        needs: Vec::new(),
        rto,
        probe: None,
    };
    plan.services = vec![
        service("cloud-idp", ServicePlace::Zone("internet".into()), None),
        service("records", ServicePlace::Host("app1".into()), Some(Millis::from_secs(120))),
    ];
    for step in &mut plan.steps[..2] {
        step.verify = vec![PlannedVerify::Script("true".to_owned())];
    }
}
