//! `blackstart probe`: carries probes out on their own, and changes nothing.

use crate::cli::args::{Args, Choosing, Format, Input as InputFlags};
use crate::cli::conduct;
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer, problems};
use crate::drive::probe_all::{self, Wanted};
use crate::load;
use crate::model::names::RunId;
use crate::model::place::Sources;
use crate::model::problem::nearest;
use crate::plan::{self, Plan};
use crate::report::probes::{counts, probes, probes_json};
use crate::transport::Stopper;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// Carry out probes alone, and compare what they see with what is expected. Changes nothing.
///
/// Every probe of the runbook is tried once, from where it says; without a runbook, those of the inventory's
/// services. Exit code 0: all agree. 21: one does not, and a person must look. 22: of some nobody can tell, because
/// their vantage point is in trouble.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The runbook.
    #[arg(value_name = "RUNBOOK")]
    runbook: Option<PathBuf>,
    /// The inventory.
    #[arg(short, long, value_name = "FILE")]
    inventory: PathBuf,
    #[command(flatten)]
    choosing: Choosing,
    /// Only probes that start from here: a host, or `controller`; may be repeated.
    #[arg(long, value_name = "HOST")]
    from: Vec<String>,
    /// Expect all to be open, as before any cut; otherwise what the runbook expects once it is carried out.
    #[arg(long)]
    before: bool,
    /// Probes at the same time.
    #[arg(short = 'f', long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=4096))]
    forks: u32,
    /// Ask for the sudo password once, for every host whose inventory names none.
    #[arg(short = 'K', long)]
    ask_become_pass: bool,
    /// json: one object on stdout.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What the controller is called among vantage points.
const CONTROLLER: &str = "the controller";

/// Looks, and says what agrees.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let plan = Arc::new(match &verb.runbook {
        Some(runbook) => {
            let input = InputFlags { runbook: runbook.clone(), inventory: verb.inventory.clone() };
            files::compile(&input, &verb.choosing)?
        }
        None => services(verb)?,
    });
    let rows = conduct::on_runtime(async {
        let (secrets, become_password) = conduct::secrets_of(&plan, verb.ask_become_pass).await?;
        // Nothing is claimed on any host, so this id is seen by nobody.
        let id = RunId(uuid::Uuid::now_v7().simple().to_string());
        let tools = Rc::new(conduct::tools(&plan, &id, secrets, become_password, Rc::new(|_, _| {})));
        let wanted = chosen(verb, probe_all::wanted(&tools, verb.before))?;
        let (stopper, stop) = Stopper::new();
        let look = probe_all::carry_out(tools.clone(), wanted, verb.forks, stop);
        let rows = tokio::select! {
            rows = look => Some(rows),
            _ = tokio::signal::ctrl_c() => None,
        };
        stopper.stop();
        tools.fleet.close().await;
        Ok::<_, CliError>(rows)
    })??;
    let Some(rows) = rows else {
        return Err(CliError::with(Exit::Stopped, "the probes were interrupted; nothing was changed"));
    };
    match verb.format {
        Format::Json => printer::json(&probes_json(&rows))?,
        Format::Text => printer::data(&probes(&rows, &printer::look_of_stdout(args)))?,
    }
    let counts = counts(&rows);
    Ok(match (counts.disagree, counts.untold) {
        (0, 0) => Exit::Completed,
        (0, _) => Exit::Stopped,
        (_, _) => Exit::Stuck,
    })
}

/// A plan of nothing but the services.
fn services(verb: &Verb) -> Result<Plan, CliError> {
    let mut sources = Sources::default();
    let loaded = load::inventory(&mut sources, &verb.inventory);
    let Some(inventory) = loaded.value else {
        return Err(CliError::Problems(loaded.problems, sources));
    };
    problems::print(&loaded.problems, &sources);
    let plan = plan::services_alone(&inventory).map_err(|problems| CliError::Problems(problems, sources))?;
    match plan.services.iter().any(|service| service.probe.is_some()) {
        true => Ok(plan),
        false => Err(CliError::usage(format!("no service of `{}` has a probe", plan.inventory))
            .hint("name a runbook, or give services a `probe`")),
    }
}

/// Those that start where `--from` says.
fn chosen(verb: &Verb, mut wanted: Vec<Wanted>) -> Result<Vec<Wanted>, CliError> {
    if wanted.is_empty() {
        return Err(CliError::usage("the runbook has no probe that would be carried out"));
    }
    for name in &verb.from {
        let name = as_vantage(name);
        if !wanted.iter().any(|probe| probe.from_name() == name) {
            let error = CliError::usage(format!("no probe starts from `{name}`"));
            return Err(match nearest(name, wanted.iter().map(Wanted::from_name)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("without `--from`, all are carried out"),
            });
        }
    }
    let is_named = |probe: &Wanted| verb.from.iter().any(|name| as_vantage(name) == probe.from_name());
    wanted.retain(|probe| verb.from.is_empty() || is_named(probe));
    Ok(wanted)
}

fn as_vantage(name: &str) -> &str {
    if name == "controller" { CONTROLLER } else { name }
}
