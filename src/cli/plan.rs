//! `blackstart plan`: what a run would do, without contacting anything.

use crate::cli::args::{Args, Choosing, Format, Input};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer};
use crate::plan;
use crate::report::plan_text;

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
    /// json: the frozen plan itself.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Compiles the plan and shows it.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let plan = files::compile(&verb.input, &verb.choosing)?;
    match verb.format {
        Format::Json => printer::data(&plan::to_json(&plan))?,
        Format::Text => {
            printer::data(&plan_text::text(&plan, &printer::look_of_stdout(args), verb.commands))?
        }
    }
    Ok(Exit::Completed)
}
