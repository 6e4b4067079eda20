//! A run over made-up hosts that answer at once, with the real loop, engine and journal: what is left when sshd costs
//! nothing. `made_up RUNBOOK INVENTORY STATE [STOP_AFTER]`: tells tasks and seconds as JSON; with STOP_AFTER, the run
//! is left, as by `kill -9`, once so many steps of hosts have ended.

#![allow(
    clippy::disallowed_methods,
    reason = "a clock of its own, a run of its own, and an end as by a crash"
)]

use blackstart::cli::args::{Choosing, Input as Files};
use blackstart::cli::{conduct, files};
use blackstart::drive::clock::Clock;
use blackstart::drive::fleet::Fleet;
use blackstart::drive::held::Held;
use blackstart::drive::job::Workshop;
use blackstart::drive::live::{Ending, Live, Parts};
use blackstart::drive::scrub::Scrubber;
use blackstart::drive::secrets::Secrets;
use blackstart::drive::signals::Signals;
use blackstart::drive::tools::Tools;
use blackstart::engine::{Engine, Input, Limits};
use blackstart::journal::{RunDir, Store};
use blackstart::model::Time;
use blackstart::model::event::{Mode, Verdict};
use blackstart::model::names::{HostIx, RunId};
use blackstart::plan::frozen::Origin;
use blackstart::plan::{self, Plan};
use blackstart::report;
use blackstart::transport::scripted::Reply;
use blackstart::transport::{Remote, Scripted, World};
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (runbook, inventory, state, stop_after) = match &args[..] {
        [runbook, inventory, state] => (runbook, inventory, state, None),
        [runbook, inventory, state, stop] => {
            (runbook, inventory, state, Some(stop.parse().expect("a number")))
        }
        _ => return println!("made_up RUNBOOK INVENTORY STATE [STOP_AFTER]: run by `make bench`"),
    };
    let input = Files { runbook: runbook.into(), inventory: inventory.into() };
    let plan = Arc::new(files::compile(&input, &all()).unwrap_or_else(|_| panic!("no plan")));
    let (dir, run) = begin(&plan, Path::new(state), &input);
    let tasks = plan.tasks.len();
    let start = Instant::now();
    conduct::on_runtime(carry_out(plan, &dir, run, stop_after)).unwrap_or_else(|_| panic!("no runtime"));
    let wall = start.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "tasks": tasks, "wall_s": wall, "tasks_per_s": tasks as f64 / wall }));
}

fn all() -> Choosing {
    Choosing { limit: None, extra: Vec::new(), phase: None, until: None, becomes: false }
}

fn begin(plan: &Plan, state: &Path, input: &Files) -> (RunDir, RunId) {
    let run = RunId(uuid::Uuid::now_v7().simple().to_string());
    let origin = Origin {
        runbook_file: input.runbook.display().to_string(),
        inventory_file: input.inventory.display().to_string(),
        at: Clock::start(Time::default()).now(),
        choices: Default::default(),
        drill: false,
        tabletop: false,
    };
    let store = Store::open(state).expect("a state directory");
    (store.create(&run, &plan::to_json(plan), &origin).expect("a run directory"), run)
}

async fn carry_out(plan: Arc<Plan>, dir: &RunDir, run: RunId, stop_after: Option<u64>) {
    let (done, state) = (Cell::new(0), dir.path().to_owned());
    let world = World::new(move |_, _| {
        done.set(done.get() + 1);
        if Some(done.get()) == stop_after {
            println!("{}", serde_json::json!({ "left": state }));
            std::process::exit(0);
        }
        Reply::exit(0)
    });
    let hosts = plan.hosts.iter().enumerate().map(|(ix, host)| {
        let host: Rc<dyn Remote> = Scripted::new(host.name.clone(), &world);
        (HostIx(u32::try_from(ix).expect("so many hosts")), host)
    });
    let fleet = Fleet::new(plan.clone(), run.clone(), Secrets::default(), None, Rc::new(|_, _| {}));
    let secrets = Secrets::default();
    let tools = Tools {
        plan: plan.clone(),
        run: run.clone(),
        fleet: Rc::new(fleet.with_hosts(hosts)),
        scrubber: Scrubber::new(&secrets),
        secrets,
    };
    let shop = Workshop {
        tools: Rc::new(tools),
        dir: dir.clone(),
        files_dir: ".".into(),
        held: Held::default().into(),
    };
    let mut display = report::ndjson(std::io::sink());
    let lock = dir.lock().expect("the lock");
    let live = Live::new(Parts {
        engine: Engine::new(plan.clone(), Limits::default()),
        writer: dir.append(&lock).expect("a journal"),
        shop: Rc::new(shop),
        clock: Clock::start(Time::default()),
        display: &mut display,
        watch: false,
        ask: false,
        baseline: false,
        services: None,
        by: "bench".to_owned(),
        news: mpsc::unbounded_channel(),
    });
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let first =
        Input::Begin { run, plan: plan::hash(&plan), mode: Mode::Live, by: "bench".to_owned(), version };
    let (ending, _) = live.carry_out(vec![first], Signals::listen().expect("signals")).await;
    assert!(matches!(ending, Ending::Verdict(Verdict::Completed)), "{ending:?}");
}
