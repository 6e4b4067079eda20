//! Ways before and after, as text that fits eighty columns and means the same without colour.

use super::sections;
use super::words::{moment, sign, traits, zone};
use crate::reach::ZoneIx;
use crate::reach::outlook::{Moment, Outlook, Situation};
use crate::report::escape::line;
use crate::report::look::Look;
use crate::report::plan_text::Page;
use crate::report::table::{Align, Table};
use crate::report::words::so_many;

/// So many hosts of a zone tell which zone is meant.
const HOSTS_SHOWN_MAX: usize = 4;
/// A cell of the matrix: what was, an arrow, what is.
const CELL: usize = 3;
/// Longer names of zones are cut in the matrix; its first table has them whole.
const LABEL_MAX: usize = 16;

/// Everything, for a screen. `runbook` is the plan's, if there is one.
pub fn text(outlook: &Outlook, site: &str, runbook: Option<&str>, look: &Look) -> String {
    let mut page = Page::new(look);
    let of = runbook.map(|runbook| format!(" with {}", look.bold(&line(runbook)))).unwrap_or_default();
    page.line(0, &format!("Ways on {}{of}", look.bold(&line(site))));
    if outlook.site.zones.is_empty() {
        page.blank();
        page.wrapped(2, 2, "The inventory has no zones: nothing can be said of any way.");
        return page.done();
    }
    page.blank();
    page.table(&zones(outlook));
    page.blank();
    page.table(&conduits(outlook));
    page.blank();
    legend(&mut page);
    let mut told: Vec<&Situation> = Vec::new();
    for situation in &outlook.situations {
        page.blank();
        let like = told.iter().find(|other| other.cut == situation.cut);
        heading(outlook, situation, &mut page);
        match like {
            Some(like) => {
                page.wrapped(2, 2, &format!("the same is cut as {}", same_as(like)));
            }
            None => {
                sections::open(outlook, situation, &mut page);
                sections::lost(outlook, situation, &mut page);
                page.blank();
                matrix(outlook, situation, &mut page);
            }
        }
        told.push(situation);
    }
    sections::claims(outlook, true, &mut page);
    page.done()
}

/// Where the same has been told.
fn same_as(situation: &Situation) -> String {
    match &situation.moment {
        Moment::Now => "before: nothing".to_owned(),
        Moment::Phase { .. } | Moment::Level(_) => moment(&situation.moment),
    }
}

fn zones(outlook: &Outlook) -> Table {
    let heads = [("", Align::Right), ("zone", Align::Left), ("", Align::Left), ("hosts", Align::Left)];
    let mut table = Table::new(heads);
    for (at, hosts) in outlook.hosts.iter().enumerate() {
        let ix = ZoneIx(at);
        table.row(vec![
            (at + 1).to_string(),
            zone(outlook, ix).to_owned(),
            traits(outlook, ix),
            super::words::hosts(hosts, HOSTS_SHOWN_MAX),
        ]);
    }
    table
}

fn conduits(outlook: &Outlook) -> Table {
    let heads = ["conduit", "between", "enforced by", "level", "cut in"].map(|head| (head, Align::Left));
    let mut table = Table::new(heads);
    for (at, conduit) in outlook.site.conduits.iter().enumerate() {
        let arrow = if conduit.both_ways { "<->" } else { "->" };
        let cut = outlook.situations.iter().find(|situation| situation.cut.has(at));
        let cut = match (conduit.out_of_band, cut) {
            (true, _) => "never: out of band".to_owned(),
            // Whole sentences would not fit on a narrow terminal, and this column is the one that counts.
            (false, Some(situation)) => match &situation.moment {
                Moment::Phase { id, .. } => id.to_string(),
                other @ (Moment::Now | Moment::Level(_)) => moment(other),
            },
            (false, None) => "never".to_owned(),
        };
        table.row(vec![
            conduit.name.to_string(),
            format!("{} {arrow} {}", zone(outlook, conduit.from), zone(outlook, conduit.to)),
            conduit.enforced_by.as_ref().map_or("-".to_owned(), ToString::to_string),
            conduit.level.map_or("-".to_owned(), |level| level.to_string()),
            cut,
        ]);
    }
    table
}

fn legend(page: &mut Page<'_>) {
    page.wrapped(
        0,
        0,
        "From the zone of a row to the zone of a column: # direct, + only by pivoting, · not at all; #>· was \
         direct before anything was cut and is not reached any more.",
    );
}

fn heading(outlook: &Outlook, situation: &Situation, page: &mut Page<'_>) {
    let cut = super::words::conduits(outlook, &situation.cut);
    let said = match &situation.moment {
        Moment::Now => "AS IT IS".to_owned(),
        Moment::Phase { id, .. } => format!("AFTER PHASE {id}"),
        Moment::Level(level) => format!("AT LEVEL {level}"),
    };
    let said = match cut.len() {
        0 => format!("{}  nothing is cut", page.look.bold(&said)),
        _ => format!("{}  cut: {}", page.look.bold(&said), cut.join(", ")),
    };
    page.wrapped(0, 2, &said);
}

/// Blocks of columns that fit.
fn matrix(outlook: &Outlook, situation: &Situation, page: &mut Page<'_>) {
    let zones = outlook.site.zones.len();
    let number = zones.to_string().len();
    let name =
        outlook.site.zones.iter().map(|zone| zone.name.as_str().len()).max().unwrap_or(0).min(LABEL_MAX);
    let label = 2 + number + 1 + name + 1;
    let fit = (page.columns().saturating_sub(label) / (CELL + 1)).max(1);
    for first in (0..zones).step_by(fit) {
        let columns = first..zones.min(first + fit);
        if first > 0 {
            page.blank();
        }
        let heads: String = columns.clone().map(|at| format!(" {:^CELL$}", at + 1)).collect();
        page.line(0, &format!("{}{}", " ".repeat(label), page.look.bold(&heads)));
        for from in 0..zones {
            let cells: String = columns
                .clone()
                .map(|to| format!(" {}", cell(outlook, situation, ZoneIx(from), ZoneIx(to))))
                .collect();
            let shown: String = zone(outlook, ZoneIx(from)).chars().take(name).collect();
            page.line(2, &format!("{:>number$} {shown:<name$} {cells}", from + 1));
        }
    }
    if situation.cut.is_empty() {
        return;
    }
    let changed = changed(outlook, situation);
    let pairs = zones * (zones - 1);
    page.line(2, &format!("{changed} of {} changed", so_many(pairs, "way")));
}

fn cell(outlook: &Outlook, situation: &Situation, from: ZoneIx, to: ZoneIx) -> String {
    let (was, is) = (outlook.now().matrix.link(from, to), situation.matrix.link(from, to));
    match was == is {
        true => format!("{:^CELL$}", sign(is)),
        false => format!("{}>{}", sign(was), sign(is)),
    }
}

fn changed(outlook: &Outlook, situation: &Situation) -> usize {
    let rows = outlook.now().matrix.rows().iter().zip(situation.matrix.rows());
    rows.map(|(was, is)| was.iter().zip(is).filter(|(was, is)| was != is).count()).sum()
}
