//! `blackstart reach`: who gets where on a site, before and after; with a runbook or without one.

use crate::cli::args::{Args, Choosing, Input};
use crate::cli::error::{CliError, Exit};
use crate::cli::{claims, files, printer, problems};
use crate::load;
use crate::model::place::Sources;
use crate::reach::Outlook;
use crate::reach::outlook::Situation;
use crate::report::reach as report;
use clap::ValueEnum;
use std::path::PathBuf;

/// Show who gets where, before and after.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The runbook; without one, the site as it is and at each level of isolation.
    #[arg(value_name = "RUNBOOK")]
    runbook: Option<PathBuf>,
    /// The inventory.
    #[arg(short, long, value_name = "FILE")]
    inventory: PathBuf,
    #[command(flatten)]
    choosing: Choosing,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// For pictures, the moment: `now`, the name of a phase, or `level:N`. By default the last one of the plan, without
    /// a runbook the highest level.
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
    /// One page that stands on its own, with pictures.
    Html,
    /// A picture of zones and conduits.
    Svg,
    /// The same for Graphviz.
    Dot,
}

/// Looks at the site, and at what the runbook makes of it.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    if verb.at.is_some() && !matches!(verb.format, Format::Svg | Format::Dot) {
        return Err(CliError::usage("`--at` goes with `--format svg` and `--format dot`")
            .hint("the other formats show every moment"));
    }
    let Some(runbook) = &verb.runbook else { return of_site(verb, args) };
    let input = Input { runbook: runbook.clone(), inventory: verb.inventory.clone() };
    let compiled = files::compiled(&input, &verb.choosing)?;
    let outlook = claims::outlook(&compiled, &verb.choosing);
    show(verb, args, &outlook, &compiled.plan.inventory, Some(&compiled.plan.runbook))?;
    let broken = claims::problems(&outlook, &compiled.runbook);
    match broken.0.is_empty() {
        true => Ok(Exit::Completed),
        false => Err(CliError::Unsafe(broken, compiled.sources)),
    }
}

fn of_site(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let Choosing { limit, extra, phase, until, becomes } = &verb.choosing;
    if limit.is_some() || phase.is_some() || until.is_some() || !extra.is_empty() || *becomes {
        let error = CliError::usage("without a runbook there is nothing to choose from");
        return Err(error.hint("name a runbook; for a picture of one level: `--format svg --at level:N`"));
    }
    let mut sources = Sources::default();
    let loaded = load::inventory(&mut sources, &verb.inventory);
    let Some(inventory) = loaded.value else {
        return Err(CliError::Problems(loaded.problems, sources));
    };
    problems::print(&loaded.problems, &sources);
    show(verb, args, &Outlook::of_inventory(&inventory), &inventory.name, None)?;
    Ok(Exit::Completed)
}

fn show(
    verb: &Verb,
    args: &Args,
    outlook: &Outlook,
    site: &str,
    runbook: Option<&str>,
) -> Result<(), CliError> {
    match verb.format {
        Format::Text => printer::data(&report::text(outlook, site, runbook, &printer::look_of_stdout(args)))?,
        Format::Json => printer::json(&report::json(outlook, site, runbook))?,
        Format::Html => printer::data(&report::page(outlook, site, runbook))?,
        Format::Svg => printer::data(&report::svg(outlook, site, moment(verb, outlook, runbook)?))?,
        Format::Dot => printer::data(&report::dot(outlook, site, moment(verb, outlook, runbook)?))?,
    }
    Ok(())
}

fn moment<'a>(verb: &Verb, outlook: &'a Outlook, runbook: Option<&str>) -> Result<&'a Situation, CliError> {
    let Some(key) = &verb.at else {
        let last = outlook.situations.last().unwrap_or_else(|| outlook.now());
        return Ok(if runbook.is_some() { outlook.end() } else { last });
    };
    report::situation_named(outlook, key).ok_or_else(|| {
        let keys: Vec<String> =
            outlook.situations.iter().map(|one| report::moment_key(&one.moment)).collect();
        CliError::usage(format!("`--at {key}` is no moment here"))
            .hint(format!("there are: {}", keys.join(", ")))
    })
}
