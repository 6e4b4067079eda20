//! `blackstart audit`: what whole journals show of what controls ask for.

use crate::cli::args::Args;
use crate::cli::due::{Judged, PolicyFlags, judge};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer, report};
use crate::journal::{RunDir, evidence};
use crate::model::event::Evidence;
use crate::report::past::audit::{Material, audit};
use crate::report::past::{Past, audit_html};
use clap::ValueEnum;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Write an audit: evidence from all runs, beside the controls that ask for it.
#[derive(Debug, clap::Args)]
pub struct Verb {
    #[command(flatten)]
    policy: PolicyFlags,
    /// html: one self-contained file. json: everything, see docs/REPORT.md.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write to this file instead of stdout.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum, Default)]
enum Format {
    /// For people: a page to read, print and keep.
    #[default]
    Html,
    /// For machines.
    Json,
}

/// Proves every run and every file of evidence, and writes what they show.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let Judged { policy, told, dirs, runs } = judge(&verb.policy, None, args)?;
    let altered = dirs.iter().zip(&runs).flat_map(|(dir, past)| altered(dir, past)).collect();
    let zone = policy.zone.clone().unwrap_or_else(TimeZone::system);
    let state_dir = files::state_dir(args)?.display().to_string();
    let told = audit(Material { policy: &policy, readiness: told, runs: &runs, altered, state_dir });
    let text = match verb.format {
        Format::Html => audit_html(&told, &zone),
        Format::Json => printer::json_text(&told) + "\n",
    };
    report::write(verb.out.as_deref(), &text)?;
    Ok(Exit::Completed)
}

/// What is wrong with a run's files of evidence, by run and file.
fn altered(dir: &RunDir, past: &Past) -> BTreeMap<(String, String), String> {
    let shown = past.shown.iter().flat_map(|shown| &shown.evidence);
    let checked = shown.filter_map(|told| {
        let file = Evidence {
            file: told.file.clone(),
            from: told.from.clone(),
            bytes: told.bytes,
            sha256: told.sha256.clone(),
        };
        Some(((past.id.to_string(), told.file.clone()), evidence::check(dir, &file).err()?))
    });
    checked.collect()
}
