//! `blackstart plan`: what a run would do, without contacting anything.

use crate::cli::args::{Args, Choosing, Format, Input};
use crate::cli::dangers::Dangers;
use crate::cli::error::{CliError, Exit};
use crate::cli::{claims, files, printer, problems};
use crate::plan::{self, Plan};
use crate::report::{plan_text, reach};

/// Show what a run would do.
#[derive(Debug, clap::Args)]
pub struct Verb {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    choosing: Choosing,
    /// Also the exact commands for each host; secrets show as ****.
    #[arg(short, long)]
    commands: bool,
    /// json: the frozen plan itself; lock-outs stand under `lock_outs`.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Compiles the plan and shows it.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let compiled = files::compiled(&verb.input, &verb.choosing)?;
    let plan = &compiled.plan;
    let (dangers, ways) = (Dangers::of(plan), claims::outlook(&compiled, &verb.choosing));
    match verb.format {
        Format::Json => printer::data(&with(plan, &dangers))?,
        Format::Text => {
            let look = printer::look_of_stdout(args);
            let text = plan_text::text(plan, &look, verb.commands);
            printer::data(&(text + &reach::in_short(&ways, &look)))?;
            dangers.say(plan);
        }
    }
    // Shown all the same: who is to mend a plan must see it.
    let broken = claims::problems(&ways, &compiled.runbook);
    problems::print(&broken, &compiled.sources);
    Ok(if broken.any_error() { Exit::Unsafe } else { dangers.exit() })
}

/// The frozen plan as it is hashed; if it is dangerous, with one more key that says so.
fn with(plan: &Plan, dangers: &Dangers) -> String {
    let frozen = plan::to_json(plan);
    match (dangers.json(plan), frozen.strip_suffix('}')) {
        (Some(dangers), Some(open)) => format!("{open},\"lock_outs\":{dangers}}}"),
        (None, _) | (_, None) => frozen,
    }
}
