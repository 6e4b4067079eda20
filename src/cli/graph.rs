//! `blackstart graph`: the plan as DOT or Mermaid.

use crate::cli::args::{Choosing, Input};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer};
use crate::report::graph;
use clap::{Args, ValueEnum};

/// Draw the plan as a graph.
#[derive(Debug, Args)]
pub struct Verb {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    choosing: Choosing,
    /// The language to draw in.
    #[arg(long, value_enum, default_value_t = Language::Dot)]
    format: Language,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    /// Graphviz.
    Dot,
    /// Mermaid, for Markdown.
    Mermaid,
}

/// Compiles the plan and draws it.
pub fn carry_out(verb: &Verb) -> Result<Exit, CliError> {
    let plan = files::compile(&verb.input, &verb.choosing)?;
    printer::data(&match verb.format {
        Language::Dot => graph::dot(&plan),
        Language::Mermaid => graph::mermaid(&plan),
    })?;
    Ok(Exit::Completed)
}
