//! `blackstart print`: the runbook on paper, for when there is no screen.

use crate::cli::args::{Choosing, Input};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, report};
use crate::report::escape::line;
use crate::report::paper::{self, Contact, Sheet};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Put a runbook on paper.
#[derive(Debug, Args)]
pub struct Verb {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    choosing: Choosing,
    /// html: a page made for paper. text: plain text in pages, for any printer. By default html, and text on a terminal.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write to this file instead of stdout.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// HTML.
    Html,
    /// Plain text.
    Text,
}

/// Compiles the plan and puts it on paper.
pub fn carry_out(verb: &Verb) -> Result<Exit, CliError> {
    let compiled = files::compiled(&verb.input, &verb.choosing)?;
    let contacts = compiled.runbook.contacts.iter().chain(&compiled.inventory.contacts);
    let contacts = contacts.map(|(who, how)| Contact { who: line(who), how: line(how) }).collect();
    let sheet = Sheet::of(&compiled.plan, contacts);
    let plain = report::is_read_at_once(verb.out.as_deref());
    let text = match verb.format.unwrap_or(if plain { Format::Text } else { Format::Html }) {
        Format::Html => paper::html(&sheet),
        Format::Text => paper::text(&sheet),
    };
    report::write(verb.out.as_deref(), &text)?;
    Ok(Exit::Completed)
}
