//! Open zones, lost services and claims, for the report, for `plan`, and for a refusal.

use super::words::{
    chain, dependents, moment, more, path_conduits, path_zones, service, smallest, so_many_paths, zone,
};
use crate::model::names::{PhaseId, ZoneName};
use crate::reach::outlook::{How, Moment, Open, Outlook, Situation, Verdict};
use crate::reach::survival::{Lost, Root};
use crate::report::look::Look;
use crate::report::plan_text::Page;
use crate::report::words::so_many;
use console::Style;

/// Where the lines of a section begin.
const INDENT: usize = 2;

/// Critical zones that attackers still get into: every path, and what would have to be cut.
pub(super) fn open(outlook: &Outlook, situation: &Situation, page: &mut Page<'_>) {
    if let Some(why) = nothing_to_judge(outlook) {
        page.wrapped(INDENT, INDENT, why);
        return;
    }
    if situation.open.is_empty() {
        page.wrapped(INDENT, INDENT, "No path leads from outside into a critical zone.");
    }
    for open in &situation.open {
        open_zone(outlook, open, page);
    }
    if let Some(all) = &situation.smallest_for_all {
        page.wrapped(INDENT, INDENT + 2, &format!("to close all of them, cut: {}", smallest(outlook, all)));
    }
}

fn nothing_to_judge(outlook: &Outlook) -> Option<&'static str> {
    match () {
        () if outlook.critical.is_empty() => {
            Some("No zone is `critical`: there is nothing that paths are looked for into.")
        }
        () if outlook.outside.is_empty() => {
            Some("No zone is external or assumed to be compromised: nobody is looked out for.")
        }
        () => None,
    }
}

fn open_zone(outlook: &Outlook, open: &Open, page: &mut Page<'_>) {
    let name = zone(outlook, open.zone);
    let painted = |page: &Page<'_>, text: &str| page.look.paint(Style::new().red().bold(), text);
    match &open.how {
        How::Held => {
            let word = painted(page, "LOST");
            page.wrapped(
                INDENT,
                INDENT + 2,
                &format!("{word} {name}: it is taken to be in the attacker's hands already"),
            );
        }
        How::By { paths, smallest: cut } => {
            let word = painted(page, "OPEN");
            let count = so_many_paths(paths.listed.len(), paths.more);
            page.wrapped(INDENT, INDENT + 2, &format!("{word} {name}: {count} from outside, shortest first"));
            for path in &paths.listed {
                page.wrapped(INDENT + 2, INDENT + 4, &path_zones(outlook, path));
                page.wrapped(INDENT + 6, INDENT + 6, &format!("by {}", path_conduits(outlook, path)));
            }
            if let Some(more) = more(paths.more) {
                page.wrapped(INDENT + 2, INDENT + 4, &more);
            }
            page.wrapped(INDENT + 2, INDENT + 4, &format!("smallest cut: {}", smallest(outlook, cut)));
        }
    }
}

/// Services that lose something, and what would have to be brought inside first.
pub(super) fn lost(outlook: &Outlook, situation: &Situation, page: &mut Page<'_>) {
    let survival = &situation.survival;
    for lost in &survival.lost {
        let name = &outlook.services.get(lost.service).name;
        let word = page.look.paint(Style::new().red().bold(), "DOWN");
        for one in &lost.chains {
            page.wrapped(INDENT, INDENT + 2, &format!("{word} {name}: {}", chain(outlook, one)));
        }
    }
    for root in &survival.roots {
        let words = format!(
            "bring inside first: {}, for {}",
            service(outlook, root.service),
            dependents(outlook, root)
        );
        page.wrapped(INDENT, INDENT + 2, &words);
    }
}

/// What phases claim to isolate, and whether it is so.
/// `by`: also the paths that speak against one.
pub(super) fn claims(outlook: &Outlook, by: bool, page: &mut Page<'_>) {
    if outlook.claims.is_empty() {
        return;
    }
    page.blank();
    page.line(0, &page.look.bold("CLAIMS"));
    for claim in &outlook.claims {
        let name = zone(outlook, claim.zone);
        let begin = format!("phase {} isolates {name}", claim.phase);
        match &claim.verdict {
            Verdict::Holds => {
                page.wrapped(INDENT, INDENT + 2, &format!("{begin}: so it is, no path is left"))
            }
            Verdict::NotMade { without } => {
                let steps: Vec<&str> = without.iter().map(|step| step.as_str()).collect();
                let words = format!("{begin}: not claimed while {} is left out", steps.join(", "));
                page.wrapped(INDENT, INDENT + 2, &words);
            }
            Verdict::Broken(how) => {
                page.wrapped(INDENT, INDENT + 2, &format!("{begin}: IT IS NOT SO"));
                if by {
                    open_zone(outlook, &Open { zone: claim.zone, how: how.clone() }, page);
                }
            }
        }
    }
}

/// For `plan`: what stays open and what is lost when the plan has ended well. Empty if there is nothing to say.
pub fn in_short(outlook: &Outlook, look: &Look) -> String {
    let mut page = Page::new(look);
    let end = outlook.end();
    let cuts = end.moment != Moment::Now;
    let before = outlook.now();
    if !cuts && outlook.claims.is_empty() {
        return String::new();
    }
    page.blank();
    page.line(0, &format!("{}  {}", look.bold("WAYS"), moment(&end.moment)));
    if nothing_to_judge(outlook).is_none() {
        open(outlook, end, &mut page);
    }
    let new = |lost: &&Lost| !before.survival.lost.contains(lost);
    let lost: Vec<&str> = end
        .survival
        .lost
        .iter()
        .filter(new)
        .map(|lost| outlook.services.get(lost.service).name.as_str())
        .collect();
    if !lost.is_empty() {
        let word = look.paint(Style::new().red().bold(), "DOWN");
        page.wrapped(INDENT, INDENT + 2, &format!("{word} {}", lost.join(", ")));
        let of_before =
            |root: &&Root| before.survival.roots.iter().any(|other| other.service == root.service);
        let roots = end.survival.roots.iter().filter(|root| !of_before(root));
        let roots: Vec<String> = roots.map(|root| service(outlook, root.service)).collect();
        page.wrapped(INDENT, INDENT + 2, &format!("bring inside first: {}", roots.join("; ")));
    }
    claims(outlook, false, &mut page);
    page.done()
}

/// A claim that is not so, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenClaim {
    /// Whose.
    pub phase: PhaseId,
    /// Which zone.
    pub zone: ZoneName,
    /// What is wrong, path by path.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// Claims that are not so, as a refusal tells them.
pub fn broken_claims(outlook: &Outlook) -> Vec<BrokenClaim> {
    let said = outlook.broken().map(|(claim, how)| {
        let name = zone(outlook, claim.zone);
        let begin = format!("phase `{}` isolates `{name}`", claim.phase);
        let (what, hint) = match how {
            How::Held => (
                format!("{begin}, which is taken to be in the attacker's hands already"),
                "take the zone out of `isolates`".to_owned(),
            ),
            How::By { paths, smallest: cut } => {
                let count = so_many_paths(paths.listed.len(), paths.more);
                let verb = if count == so_many(1, "path") { "leads" } else { "lead" };
                let mut what = format!("{begin}, but {count} still {verb} there from outside:");
                for path in &paths.listed {
                    what += &format!("\n{} by {}", path_zones(outlook, path), path_conduits(outlook, path));
                }
                what.extend(more(paths.more).map(|more| format!("\n{more}")));
                (what, format!("the smallest cut that makes it so: {}", smallest(outlook, cut)))
            }
        };
        BrokenClaim {
            phase: claim.phase.clone(),
            zone: outlook.site.zone_name(claim.zone).clone(),
            what,
            hint,
        }
    });
    said.collect()
}
