"""Faults of the lock-out analysis: name, file of src/reach, exact text, what stands there instead."""

FAULTS = [
    ("lockout-waves-order-nothing", "lockout/order.rs", "                later_waves.add(&this_wave.1);\n", ""),
    ("lockout-one-host-is-all-hosts", "lockout/order.rs", "if classes.all[class].tasks.len() == 1 {", "if true {"),
    ("lockout-left-out-orders", "lockout/order.rs", "kind == Kind::Backwards || classes.all[class].runs", "true"),
    ("lockout-wait-holds-an-undo", "lockout/order.rs", "if let (Some(after), Kind::Forwards) = (step.after, kind) {", "if let Some(after) = step.after {"),
    ("lockout-later-phases-forgotten", "lockout/order.rs", "let mut of_phase = later[phase + 1].clone();", "let mut of_phase = none.clone();"),
    ("lockout-one-way-leads-back", "site.rs", "            if conduit.both_ways {", "            if true {"),
    ("lockout-own-cut-forgotten", "lockout/cuts.rs", "let itself = moment != Moment::Run", "let itself = moment == Moment::Undo"),
    ("lockout-cut-of-another-host-forgotten", "lockout/cuts.rs", "let others = classes.all[class].tasks.len() > 1;", "let others = false;"),
    ("lockout-one-cut-of-two-is-enough", "lockout/legs.rs", "self.conduits.iter().all(|conduit|", "self.conduits.iter().any(|conduit|"),
    ("lockout-jump-host-forgotten", "lockout/legs.rs", "for hop in &host.hops {", "for hop in host.hops.last() {"),
    ("lockout-watch-asks-nobody", "lockout/legs.rs", "for probe in planned.watch.iter().flat_map(|watch| &watch.probes) {", "for probe in planned.watch.iter().flat_map(|watch| &watch.probes).take(0) {"),
    ("lockout-reconnected-by-one-of-many", "lockout/reconnect.rs", "plan.tasks_of(other).filter(runs).all(|task| earlier.contains(&task))", "plan.tasks_of(other).filter(runs).any(|task| earlier.contains(&task))"),
    ("lockout-cut-after-reconnecting-forgotten", "lockout/reconnect.rs", "done && (cutters.is_empty() || tasks.iter().all(cut_before))", "done"),
    ("lockout-closed-at-the-start-forgotten", "lockout/reconnect.rs", "if open { cut.remove(*conduit) } else { cut.insert(*conduit) }", "if open { cut.remove(*conduit) }"),
    ("lockout-witness-cuts-too-early", "lockout/witness.rs", "!late.is_empty() && (late.contains(&task) || !self.before(task).is_disjoint(late))", "false"),
    ("lockout-impossible-undo-holds-nothing", "lockout/witness.rs", "matches!(step.undo, PlannedUndo::Impossible(_))", "false"),
    ("lockout-witness-too-long", "lockout/witness.rs", "if able.iter().all(|ways| is_cut(ways, &without)) {", "if false {"),
    ("lockout-remedy-unproved", "lockout/remedy.rs", "if after.as_ref().is_some_and(|after| helps(finding, &before, after)) {", "if after.is_some() {"),
]
