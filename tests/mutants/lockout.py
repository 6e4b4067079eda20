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
    ("lockout-impossible-undo-holds-nothing", "lockout/witness.rs", "matches!(step.undo, PlannedUndo::Impossible(_))", "false"),
    ("lockout-witness-too-long", "lockout/witness.rs", "if able.iter().all(|ways| is_cut(ways, &without)) {", "if false {"),
    ("lockout-remedy-unproved", "lockout/remedy.rs", "if after.as_ref().is_some_and(|after| helps(finding, &before, after)) {", "if after.is_some() {"),
]
