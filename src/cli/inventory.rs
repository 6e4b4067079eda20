//! `blackstart inventory`: what is where, and what a pattern matches.

use crate::cli::args::{Args, Format};
use crate::cli::error::{CliError, Exit};
use crate::cli::{printer, problems};
use crate::load;
use crate::model::inventory::{Host, Inventory, Reach};
use crate::model::pattern::Pattern;
use crate::model::place::Sources;
use crate::model::problem::nearest;
use crate::report::Look;
use crate::report::table::{Align, Table};
use crate::report::words::so_many;
use std::path::PathBuf;

/// List hosts, groups, zones and conduits, or the hosts a pattern matches.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The inventory.
    #[arg(short, long, value_name = "FILE")]
    inventory: PathBuf,
    /// Only hosts that this pattern matches.
    #[arg(value_name = "PATTERN", default_value = "all")]
    pattern: String,
    /// json: the hosts as an array on stdout.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Reads the inventory and lists it.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let mut sources = Sources::default();
    let loaded = load::inventory(&mut sources, &verb.inventory);
    let Some(inventory) = loaded.value else {
        return Err(CliError::Problems(loaded.problems, sources));
    };
    problems::print(&loaded.problems, &sources);
    let pattern = Pattern::parse(&verb.pattern)
        .map_err(|error| CliError::usage(format!("host pattern `{}`: {}", verb.pattern, error.what)))?;
    let hosts = pattern.select(&inventory);
    if hosts.is_empty() {
        let error = CliError::usage(format!("host pattern `{}` matches no host", verb.pattern));
        let hosts = inventory.hosts.keys().map(|host| host.as_str());
        let names = hosts.chain(inventory.groups.keys().map(|group| group.as_str()));
        return Err(match nearest(&verb.pattern, names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("without a pattern, all hosts are listed with their groups"),
        });
    }
    match verb.format {
        Format::Json => printer::json(&hosts.iter().map(|host| as_json(host)).collect::<Vec<_>>())?,
        Format::Text => printer::data(&as_text(&inventory, &hosts, &printer::look_of_stdout(args)))?,
    }
    Ok(Exit::Completed)
}

fn address(host: &Host) -> &str {
    match &host.reach {
        Reach::Local(_) => "local",
        Reach::Ssh(ssh) => &ssh.address,
    }
}

fn as_json(host: &Host) -> serde_json::Value {
    serde_json::json!({
        "name": host.name, "address": address(host), "zone": host.zone, "groups": host.groups,
        "vars": host.vars, "reach": host.reach,
    })
}

fn as_text(inventory: &Inventory, hosts: &[&Host], look: &Look) -> String {
    let mut table = Table::new(["host", "address", "zone", "groups"].map(|head| (head, Align::Left)));
    for host in hosts {
        let zone = host.zone.as_ref().map_or("-", |zone| zone.as_str());
        let groups: Vec<&str> = host.groups.iter().map(|group| group.as_str()).collect();
        table.row(vec![host.name.to_string(), address(host).to_owned(), zone.to_owned(), groups.join(", ")]);
    }
    let mut text =
        format!("{}: {} of {}\n\n", inventory.name, hosts.len(), so_many(inventory.hosts.len(), "host"));
    text += &table.render(look);
    if !inventory.conduits.is_empty() {
        text += &format!("\n{}", conduits(inventory).render(look));
    }
    text
}

fn conduits(inventory: &Inventory) -> Table {
    let mut table =
        Table::new(["conduit", "between", "enforced by", "level"].map(|head| (head, Align::Left)));
    for (name, conduit) in &inventory.conduits {
        let arrow = if conduit.both_ways { "<->" } else { "->" };
        let by = conduit.enforced_by.as_ref().map_or("-", |host| host.as_str());
        let by = if conduit.out_of_band { "out of band" } else { by };
        table.row(vec![
            name.to_string(),
            format!("{} {arrow} {}", conduit.ends.0, conduit.ends.1),
            by.to_owned(),
            conduit.level.map_or("-".to_owned(), |level| level.to_string()),
        ]);
    }
    table
}
