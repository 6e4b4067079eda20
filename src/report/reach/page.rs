//! Ways before and after as one page that stands on its own: no scripts, nothing from elsewhere; light, dark, printed.

use super::svg::{STYLE as PICTURE_STYLE, escaped, picture};
use super::words::{
    chain, conduit, conduits, dependents, hosts, link, moment, moment_key, more, path_zones, service, sign,
    smallest, so_many_paths, traits, zone,
};
use crate::reach::ZoneIx;
use crate::reach::cut::SmallestCut;
use crate::reach::outlook::{How, Outlook, Situation, Verdict};
use crate::reach::paths::{Path, Paths};
use crate::report::story::html::page::POLICY;
use crate::report::words::so_many;
use std::fmt::Write as _;

/// So many hosts of a zone stand in the table; the others are counted.
const HOSTS_SHOWN_MAX: usize = 12;

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1b1b;--soft:#555;--rule:#c9ccd1;--band:#f3f4f6;--bad:#b00020;--good:#1b5e20}\
@media (prefers-color-scheme:dark){:root{--paper:#16181c;--ink:#e8e8e8;--soft:#b0b4bc;--rule:#434851;--band:#22262d;\
--bad:#ff8a80;--good:#a5d6a7}}\
*{box-sizing:border-box}body{margin:0 auto;padding:1.2rem;max-width:76rem;background:var(--paper);color:var(--ink);\
font:16px/1.45 system-ui,sans-serif}h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2.2rem 0 .4rem;\
border-top:2px solid var(--rule);padding-top:1rem}h3{font-size:1rem;margin:1.1rem 0 .3rem}p{margin:.3rem 0}\
ul,ol{margin:.3rem 0;padding-left:1.5rem}li{margin:.15rem 0}nav ul{list-style:none;padding:0}a{color:inherit}\
.soft{color:var(--soft)}.bad{color:var(--bad);font-weight:600}.good{color:var(--good);font-weight:600}\
.wide{overflow-x:auto}.wide:focus-visible{outline:3px solid currentColor}.wide svg{max-width:none;display:block}@media (min-width:50rem){.wide svg{max-width:100%;height:auto}}\
table{border-collapse:collapse;margin:.4rem 0}th,td{border:1px solid var(--rule);padding:.2rem .5rem;text-align:left;\
vertical-align:top}th{background:var(--band)}nav th{white-space:nowrap}nav td:nth-child(2){min-width:13rem}.ways td{text-align:center;min-width:2.2rem;white-space:nowrap}\
.ways thead th{writing-mode:vertical-rl;transform:rotate(180deg);vertical-align:bottom;text-align:left;padding:.5rem .2rem}\
.ways thead th:first-child{writing-mode:inherit;transform:none}\
.changed{background:var(--band);font-weight:700;outline:2px solid var(--ink);outline-offset:-2px}\
@media print{:root{--paper:#fff;--ink:#000;--soft:#333;--rule:#888;--band:#fff;--bad:#000;--good:#000}body{max-width:none;\
padding:0;font-size:11pt}.drawn,.site{break-before:page}.drawn h2,.site h2{border:0;margin-top:0;padding-top:0}h2,h3,p.soft{break-after:avoid}\
figure,table,li{break-inside:avoid}.wide{overflow:visible}.wide svg{max-width:100%;max-height:9cm;width:auto;height:auto}}figure{margin:.6rem 0}";

/// The page. `runbook` is the plan's, if there is one.
pub fn page(outlook: &Outlook, site: &str, runbook: Option<&str>) -> String {
    let of = runbook.map(|runbook| format!(" with {runbook}")).unwrap_or_default();
    let title = escaped(&format!("Ways on {site}{of}"));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}{PICTURE_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    if outlook.site.zones.is_empty() {
        out +=
            "<p>The inventory has no zones: nothing can be said of any way.</p>\n</main>\n</body>\n</html>\n";
        return out;
    }
    summary(outlook, &mut out);
    claims(outlook, &mut out);
    for situation in &outlook.situations {
        section(outlook, site, situation, &mut out);
    }
    out += "<section class=\"site\">\n<h2>Zones and conduits</h2>\n";
    zones(outlook, &mut out);
    conduits_table(outlook, &mut out);
    out + "</section>\n</main>\n</body>\n</html>\n"
}

fn summary(outlook: &Outlook, out: &mut String) {
    let _ = write!(out, "<nav aria-label=\"Moments\">\n{}", wide("div", "Moments, one by one"));
    *out += "<table>\n<thead><tr><th scope=\"col\">moment</th>\
             <th scope=\"col\">cut</th><th scope=\"col\">critical zones open</th><th scope=\"col\">services down</th></tr></thead>\n<tbody>\n";
    for situation in &outlook.situations {
        let open: Vec<&str> = situation.open.iter().map(|open| zone(outlook, open.zone)).collect();
        let lost = situation.survival.lost.iter();
        let lost: Vec<&str> = lost.map(|lost| outlook.services.get(lost.service).name.as_str()).collect();
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th><td>{}</td><td>{}</td><td>{}</td></tr>",
            anchor(situation),
            escaped(&moment(&situation.moment)),
            or_none(&conduits(outlook, &situation.cut).join(", ")),
            or_none(&open.join(", ")),
            or_none(&lost.join(", ")),
        );
    }
    *out += "</tbody>\n</table></div>\n</nav>\n";
}

/// Opens a frame that scrolls, by keyboard too, where the screen is too narrow for what is in it.
fn wide(element: &str, label: &str) -> String {
    format!("<{element} class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">", escaped(label))
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "<span class=\"soft\">none</span>".to_owned() } else { escaped(text) }
}

fn anchor(situation: &Situation) -> String {
    escaped(&moment_key(&situation.moment).replace(':', "-"))
}

fn claims(outlook: &Outlook, out: &mut String) {
    if outlook.claims.is_empty() {
        return;
    }
    *out += "<h2>What phases claim</h2>\n<ul>\n";
    for claim in &outlook.claims {
        let begin = escaped(&format!("phase {} isolates {}", claim.phase, zone(outlook, claim.zone)));
        let verdict = match &claim.verdict {
            Verdict::Holds => "<span class=\"good\">so it is</span>".to_owned(),
            Verdict::Broken(_) => "<span class=\"bad\">it is not so</span>".to_owned(),
            Verdict::NotMade { without } => {
                let steps: Vec<&str> = without.iter().map(|step| step.as_str()).collect();
                escaped(&format!("not claimed while {} is left out", steps.join(", ")))
            }
        };
        let _ = writeln!(out, "<li>{begin}: {verdict}</li>");
    }
    *out += "</ul>\n";
}

fn section(outlook: &Outlook, site: &str, situation: &Situation, out: &mut String) {
    let heading = moment(&situation.moment);
    let cut = conduits(outlook, &situation.cut);
    let said =
        if cut.is_empty() { "Nothing is cut.".to_owned() } else { format!("Cut: {}.", cut.join(", ")) };
    let like = outlook.situations.iter().find(|other| other.cut == situation.cut);
    let like = like.filter(|like| like.moment != situation.moment);
    // On paper, what has a picture begins a page.
    let class = if like.is_none() { " class=\"drawn\"" } else { "" };
    let (id, title) = (anchor(situation), escaped(&capital(&heading)));
    let _ = writeln!(out, "<section{class}>\n<h2 id=\"{id}\">{title}</h2>\n<p>{}</p>", escaped(&said));
    if let Some(like) = like {
        let _ = writeln!(
            out,
            "<p>The same as <a href=\"#{}\">{}</a>.</p>\n</section>",
            anchor(like),
            escaped(&moment(&like.moment))
        );
        return;
    }
    let drawn = picture(outlook, site, situation, false);
    let frame = wide("figure", &format!("Picture, {heading}"));
    let _ = writeln!(out, "{frame}\n{drawn}</figure>");
    open(outlook, situation, out);
    services(outlook, situation, out);
    matrix(outlook, situation, out);
    *out += "</section>\n";
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn open(outlook: &Outlook, situation: &Situation, out: &mut String) {
    *out += "<h3>Critical zones</h3>\n";
    if outlook.critical.is_empty() || outlook.outside.is_empty() {
        *out += "<p>No zone is critical, or none is outside: there are no paths to look for.</p>\n";
    } else if situation.open.is_empty() {
        *out += "<p class=\"good\">No path leads from outside into a critical zone.</p>\n";
    }
    for open in &situation.open {
        let name = escaped(zone(outlook, open.zone));
        match &open.how {
            How::Held => {
                let _ = writeln!(
                    out,
                    "<p><span class=\"bad\">Lost: {name}</span> is taken to be in the attacker's hands already.</p>"
                );
            }
            How::By { paths, smallest: cut } => {
                let count = so_many_paths(paths.listed.len(), paths.more);
                let _ = writeln!(
                    out,
                    "<p><span class=\"bad\">Open: {name}</span>, {count} from outside, shortest first:</p>"
                );
                path_list(outlook, paths, out);
                smallest_cut(outlook, "Smallest cut", cut, out);
            }
        }
    }
    if let Some(all) = &situation.smallest_for_all {
        smallest_cut(outlook, "To close all of them, cut", all, out);
    }
}

fn path_list(outlook: &Outlook, paths: &Paths, out: &mut String) {
    *out += "<ol>\n";
    for path in &paths.listed {
        let _ = writeln!(
            out,
            "<li>{}<br><span class=\"soft\">{}</span></li>",
            escaped(&path_zones(outlook, path)),
            escaped(&hops(outlook, path))
        );
    }
    *out += "</ol>\n";
    if let Some(more) = more(paths.more) {
        let _ = writeln!(out, "<p>and {more}</p>");
    }
}

/// What leads from each zone of a path to the next, with the hosts that then lie open.
fn hops(outlook: &Outlook, path: &Path) -> String {
    let hop = |(at, hop): (usize, &Vec<crate::reach::ConduitIx>)| {
        let by: Vec<String> = hop.iter().map(|ix| conduit(outlook, *ix)).collect();
        let next = path.zones[at + 1];
        let hosts = hosts(&outlook.hosts[next.0], HOSTS_SHOWN_MAX);
        let hosts = if hosts.is_empty() { String::new() } else { format!(" ({hosts})") };
        format!("by {} to {}{hosts}", by.join(" or "), zone(outlook, next))
    };
    path.hops.iter().enumerate().map(hop).collect::<Vec<_>>().join("; ")
}

fn smallest_cut(outlook: &Outlook, words: &str, cut: &SmallestCut, out: &mut String) {
    let _ = writeln!(out, "<p><b>{words}:</b> {}</p>", escaped(&smallest(outlook, cut)));
}

fn services(outlook: &Outlook, situation: &Situation, out: &mut String) {
    let survival = &situation.survival;
    *out += "<h3>Services</h3>\n";
    if survival.lost.is_empty() {
        *out += "<p>No service loses anything it needs.</p>\n";
        return;
    }
    *out += "<ul>\n";
    for lost in &survival.lost {
        let name = escaped(outlook.services.get(lost.service).name.as_str());
        for one in &lost.chains {
            let _ = writeln!(
                out,
                "<li><span class=\"bad\">Down: {name}</span> {}</li>",
                escaped(&chain(outlook, one))
            );
        }
    }
    *out += "</ul>\n<p><b>Bring inside first:</b></p>\n<ul>\n";
    for root in &survival.roots {
        let words = format!("{}, for {}", service(outlook, root.service), dependents(outlook, root));
        let _ = writeln!(out, "<li>{}</li>", escaped(&words));
    }
    *out += "</ul>\n";
}

fn matrix(outlook: &Outlook, situation: &Situation, out: &mut String) {
    let now = outlook.now();
    *out += "<h3>Zone by zone</h3>\n<p class=\"soft\">From the zone of a row to the zone of a column: # direct, \
             + only by pivoting, · not at all. A cell with a frame has changed: before → after.</p>\n";
    *out += &wide("div", &format!("Zone by zone, {}", moment(&situation.moment)));
    *out += "<table class=\"ways\">\n<thead><tr><th scope=\"col\">from \\ to</th>";
    for at in 0..outlook.site.zones.len() {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(zone(outlook, ZoneIx(at))));
    }
    *out += "</tr></thead>\n<tbody>\n";
    for (from, row) in situation.matrix.rows().iter().enumerate() {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escaped(zone(outlook, ZoneIx(from))));
        for (to, is) in row.iter().enumerate() {
            let was = now.matrix.link(ZoneIx(from), ZoneIx(to));
            let (from, to) = (zone(outlook, ZoneIx(from)), zone(outlook, ZoneIx(to)));
            let _ = match was == *is {
                true => write!(out, "<td title=\"{from} to {to}: {}\">{}</td>", link(*is), sign(*is)),
                false => write!(
                    out,
                    "<td class=\"changed\" title=\"{from} to {to}: {} before, {} after\">{} → {}</td>",
                    link(was),
                    link(*is),
                    sign(was),
                    sign(*is)
                ),
            };
        }
        *out += "</tr>\n";
    }
    *out += "</tbody>\n</table></div>\n";
}

fn zones(outlook: &Outlook, out: &mut String) {
    *out += &wide("div", "Zones");
    *out += "<table>\n<thead><tr><th scope=\"col\">zone</th><th scope=\"col\">stands for</th>\
             <th scope=\"col\">hosts</th></tr></thead>\n<tbody>\n";
    for (at, of) in outlook.hosts.iter().enumerate() {
        let ix = ZoneIx(at);
        let count = if of.is_empty() { String::new() } else { format!("{}: ", so_many(of.len(), "host")) };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            escaped(zone(outlook, ix)),
            escaped(&traits(outlook, ix)),
            escaped(&format!("{count}{}", hosts(of, HOSTS_SHOWN_MAX)))
        );
    }
    *out += "</tbody>\n</table></div>\n";
}

fn conduits_table(outlook: &Outlook, out: &mut String) {
    *out += &wide("div", "Conduits");
    *out += "<table>\n<thead><tr><th scope=\"col\">conduit</th><th scope=\"col\">between</th>\
             <th scope=\"col\">enforced by</th><th scope=\"col\">level</th><th scope=\"col\">cut</th></tr></thead>\n<tbody>\n";
    for (at, one) in outlook.site.conduits.iter().enumerate() {
        let arrow = if one.both_ways { "↔" } else { "→" };
        let cut = outlook.situations.iter().find(|situation| situation.cut.has(at));
        let cut = match (one.out_of_band, cut) {
            (true, _) => "never: out of band".to_owned(),
            (false, Some(situation)) => moment(&situation.moment),
            (false, None) => "never".to_owned(),
        };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{} {arrow} {}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(one.name.as_str()),
            escaped(zone(outlook, one.from)),
            escaped(zone(outlook, one.to)),
            escaped(one.enforced_by.as_ref().map_or("", |host| host.as_str())),
            one.level.map_or(String::new(), |level| level.to_string()),
            escaped(&cut)
        );
    }
    *out += "</tbody>\n</table></div>\n";
}
