//! One verb a file: reads flags, calls the rooms, prints, chooses the exit code.

pub mod abort;
pub mod approve;
pub mod consent;
pub mod args;
pub mod audit;
pub mod claims;
pub mod completions;
pub mod conduct;
pub mod dangers;
pub mod descriptors;
pub mod due;
pub mod error;
pub mod files;
pub mod graph;
pub mod history;
pub mod inventory;
pub mod man;
pub mod memory;
pub mod past;
pub mod plan;
pub mod print;
pub mod printer;
pub mod probe;
pub mod problems;
pub mod reach;
pub mod report;
pub mod resume;
pub mod rollback;
pub mod run;
pub mod runs;
pub mod schema;
pub mod screen;
pub mod show;
mod session;
pub mod tabletop;
pub mod trial;
pub mod validate;
pub mod verify;

use args::{Args, Verb};
use clap::Parser;
use error::Exit;
use std::process::ExitCode;

/// Reads the command line, carries it out, and says how it went.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // `--help` and `--version` come here too, with exit code 0.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Completed };
            let _ = error.print();
            return code.into();
        }
    };
    printer::start_log(args.verbose);
    memory::keep_to_ourselves();
    let result = match &args.verb {
        Verb::Validate(verb) => validate::carry_out(verb),
        Verb::Plan(verb) => plan::carry_out(verb, &args),
        Verb::Graph(verb) => graph::carry_out(verb),
        Verb::Reach(verb) => reach::carry_out(verb, &args),
        Verb::Inventory(verb) => inventory::carry_out(verb, &args),
        Verb::Probe(verb) => probe::carry_out(verb, &args),
        Verb::Tabletop(verb) => tabletop::carry_out(verb, &args),
        Verb::Run(verb) => run::carry_out(verb, &args),
        Verb::Resume(verb) => resume::carry_out(verb, &args),
        Verb::Rollback(verb) => rollback::carry_out(verb, &args),
        Verb::Approve(verb) => approve::carry_out(verb, &args),
        Verb::Abort(verb) => abort::carry_out(verb, &args),
        Verb::Runs(verb) => runs::carry_out(verb, &args),
        Verb::History(verb) => history::carry_out(verb, &args),
        Verb::Due(verb) => due::carry_out(verb, &args),
        Verb::Audit(verb) => audit::carry_out(verb, &args),
        Verb::Show(verb) => show::carry_out(verb, &args),
        Verb::Print(verb) => print::carry_out(verb),
        Verb::Report(verb) => report::carry_out(verb, &args),
        Verb::Verify(verb) => verify::carry_out(verb, &args),
        Verb::Schema(verb) => schema::carry_out(verb),
        Verb::Completions(verb) => completions::carry_out(verb),
        Verb::Man(verb) => man::carry_out(verb),
    };
    let exit = match result {
        Ok(exit) => exit,
        Err(error) => {
            error.print();
            error.exit()
        }
    };
    screen::show_the_rest();
    exit.into()
}
