//! A picture of zones and conduits at one moment. What is cut is struck out; no meaning hangs on colour.

use super::dot::on_open_paths;
use super::layout::{Layout, Line, MARGIN, NAME_WIDTH, ZONE_HEIGHT, ZONE_WIDTH, layout};
use super::words::{hosts, moment, traits, zone};
use crate::model::names::HostName;
use crate::reach::outlook::{Outlook, Situation};
use crate::reach::{ConduitIx, ZoneIx};
use crate::report::words::so_many;
use std::fmt::Write as _;

/// So many characters of a name fit above its line.
const NAME_CHARS_MAX: usize = 24;
/// So many characters fit into a box.
const BOX_CHARS_MAX: usize = 25;
/// So many hosts are tried to fit into a box.
const HOSTS_SHOWN_MAX: usize = 3;
/// Room for the title above and the signs explained below.
const HEAD: f64 = 30.0;
const FOOT: f64 = 34.0;

/// How it looks in light and in dark. The names of classes begin with `w-`, so that a page may hold several pictures.
pub(super) const STYLE: &str = "\
.w-paper{fill:#fff}.w-zone{fill:#f6f7f9;stroke:#444;stroke-width:1.2}.w-outside{stroke-dasharray:6 4;fill:#fff4e5}\
.w-inner{fill:none;stroke:#444;stroke-width:1.2}.w-text{fill:#1b1b1b;font:12px system-ui,sans-serif}\
.w-name{font-weight:600;font-size:13px}.w-small{fill:#555;font-size:11px}\
.w-line{fill:none;stroke:#444;stroke-width:1.4}.w-arrow{fill:#444}.w-oob{stroke-dasharray:2 3}\
.w-cut .w-line{stroke:#8a8a8a;stroke-dasharray:7 5}.w-cut .w-arrow{fill:#8a8a8a}\
.w-cut .w-text{fill:#666;text-decoration:line-through}.w-cross{stroke:#1b1b1b;stroke-width:2.2}\
.w-open .w-line{stroke:#b00020;stroke-width:3}.w-open .w-arrow{fill:#b00020}.w-open .w-text{fill:#b00020;font-weight:600}\
@media (prefers-color-scheme:dark){.w-paper{fill:#16181c}.w-zone{fill:#22262d;stroke:#b8bcc4}.w-outside{fill:#33291a}\
.w-inner{stroke:#b8bcc4}.w-text{fill:#e8e8e8}.w-small{fill:#b0b4bc}.w-line{stroke:#b8bcc4}.w-arrow{fill:#b8bcc4}\
.w-cut .w-line{stroke:#747982}.w-cut .w-arrow{fill:#747982}.w-cut .w-text{fill:#9a9fa8}.w-cross{stroke:#e8e8e8}\
.w-open .w-line{stroke:#ff8a80}.w-open .w-arrow{fill:#ff8a80}.w-open .w-text{fill:#ff8a80}}\
@media print{.w-paper{fill:#fff}.w-zone{fill:#fff;stroke:#000}.w-outside{fill:#fff}.w-inner{stroke:#000}\
.w-text{fill:#000}.w-small{fill:#000}.w-line{stroke:#000}.w-arrow{fill:#000}.w-cross{stroke:#000}\
.w-cut .w-line{stroke:#777}.w-cut .w-text{fill:#444}.w-open .w-line{stroke:#000}.w-open .w-text{fill:#000}}";

/// A picture that stands on its own.
pub fn svg(outlook: &Outlook, site: &str, situation: &Situation) -> String {
    picture(outlook, site, situation, true)
}

/// A picture; `alone`: with its own styles, otherwise the page has them.
pub(super) fn picture(outlook: &Outlook, site: &str, situation: &Situation, alone: bool) -> String {
    let bones = layout(outlook);
    let (width, height) = (bones.width.max(LEGEND_WIDTH), bones.height + HEAD + FOOT);
    let title = format!("{site}, {}", moment(&situation.moment));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         role=\"img\" aria-label=\"{}\">\n",
        escaped(&title)
    );
    if alone {
        let _ = writeln!(out, "<style>{STYLE}</style>");
        let _ = writeln!(out, "<rect class=\"w-paper\" width=\"100%\" height=\"100%\"/>");
    }
    let _ = writeln!(out, "<title>{}</title>", escaped(&title));
    put_text(&mut out, MARGIN, 22.0, "w-text w-name", &title);
    let _ = writeln!(out, "<g transform=\"translate(0 {HEAD})\">");
    let open = on_open_paths(situation);
    for (at, line) in bones.lines.iter().enumerate() {
        conduit(&mut out, outlook, situation, ConduitIx(at), line, open.contains(&ConduitIx(at)));
    }
    for at in 0..outlook.site.zones.len() {
        put_zone(&mut out, outlook, &bones, ZoneIx(at));
    }
    out += "</g>\n";
    legend(&mut out, HEAD + bones.height);
    out + "</svg>\n"
}

fn put_zone(out: &mut String, outlook: &Outlook, bones: &Layout, ix: ZoneIx) {
    let (x, y) = bones.zones[ix.0];
    let is = outlook.site.zones[ix.0].traits;
    let outside = if is.external || is.assume_compromised { " w-outside" } else { "" };
    let all: Vec<&str> = outlook.hosts[ix.0].iter().map(|host| host.as_str()).collect();
    let _ = writeln!(out, "<g><title>{}: {}</title>", escaped(zone(outlook, ix)), escaped(&all.join(", ")));
    let _ = writeln!(
        out,
        "<rect class=\"w-zone{outside}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{ZONE_WIDTH}\" height=\"{ZONE_HEIGHT}\" rx=\"7\"/>"
    );
    if is.critical {
        let (x, y, width, height) = (x + 4.0, y + 4.0, ZONE_WIDTH - 8.0, ZONE_HEIGHT - 8.0);
        let _ = writeln!(
            out,
            "<rect class=\"w-inner\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>"
        );
    }
    let lines = [zone(outlook, ix).to_owned(), traits(outlook, ix), hosts_that_fit(&outlook.hosts[ix.0])];
    for (at, text) in lines.iter().filter(|text| !text.is_empty()).enumerate() {
        let class = if at == 0 { "w-text w-name" } else { "w-text w-small" };
        put_text(out, x + 12.0, y + 22.0 + 17.0 * at as f64, class, &shortened(text, BOX_CHARS_MAX));
    }
    *out += "</g>\n";
}

/// As many hosts as fit into a box; if not even one does, how many there are.
fn hosts_that_fit(of: &[HostName]) -> String {
    let shown = (1..=HOSTS_SHOWN_MAX).rev().map(|most| hosts(of, most));
    let fits = |text: &String| text.chars().count() <= BOX_CHARS_MAX;
    shown.into_iter().find(fits).unwrap_or_else(|| so_many(of.len(), "host"))
}

fn conduit(
    out: &mut String,
    outlook: &Outlook,
    situation: &Situation,
    ix: ConduitIx,
    line: &Line,
    open: bool,
) {
    let conduit = &outlook.site.conduits[ix.0];
    let cut = situation.cut.has(ix.0) && !conduit.out_of_band;
    let class = if cut {
        " class=\"w-cut\""
    } else if open {
        " class=\"w-open\""
    } else {
        ""
    };
    let by = conduit.enforced_by.as_ref().map(|host| format!(", enforced by {host}")).unwrap_or_default();
    let state = match (cut, conduit.out_of_band, open) {
        (true, _, _) => "cut",
        (false, true, _) => "out of band",
        (false, false, true) => "on an open path",
        (false, false, false) => "open",
    };
    let arrow = if conduit.both_ways { "and" } else { "to" };
    let (from, to) = (zone(outlook, conduit.from), zone(outlook, conduit.to));
    let _ = writeln!(
        out,
        "<g{class}><title>{}</title>",
        escaped(&format!("{}: {from} {arrow} {to}, {state}{by}", conduit.name))
    );
    let dotted = if conduit.out_of_band { " w-oob" } else { "" };
    let _ = writeln!(out, "<path class=\"w-line{dotted}\" d=\"{}\"/>", curve(line));
    let (first, last) = (line.points[0], line.points[line.points.len() - 1]);
    let ends = [
        (first, line.points[1], line.backwards),
        (last, line.points[line.points.len() - 2], !line.backwards),
    ];
    for (tip, behind, leads_there) in ends {
        if conduit.both_ways || leads_there {
            let back = if behind.0 > tip.0 { 8.0 } else { -8.0 };
            let (x, y) = tip;
            let _ = writeln!(out, "<path class=\"w-arrow\" d=\"M{x:.1} {y:.1}l{back} -4v8z\"/>");
        }
    }
    let mut label = shortened(conduit.name.as_str(), NAME_CHARS_MAX - 4);
    if let Some(level) = conduit.level {
        let _ = write!(label, " L{level}");
    }
    let (x, y) = line.name;
    let (dx, dy) = if line.turns { (12.0, 4.0) } else { (2.0, -4.0) };
    put_text(out, x + dx, y + dy, "w-text", &label);
    if cut {
        let (x, y) = match (line.turns, line.points.as_slice()) {
            (true, [(_, y0), _, (_, y2)]) => (x, turning(*y0, y, *y2)),
            _ => (x + NAME_WIDTH - 12.0, y),
        };
        let _ = writeln!(
            out,
            "<path class=\"w-cross\" d=\"M{:.1} {:.1}l12 12m0 -12l-12 12\"/>",
            x - 6.0,
            y - 6.0
        );
    }
    *out += "</g>\n";
}

/// Straight along names, and bent between them; or out and back.
fn curve(line: &Line) -> String {
    if let ([(x0, y0), (x1, y1), (x2, y2)], true) = (line.points.as_slice(), line.turns) {
        // Between the two ends even if the name found no room there: a line that overshoots has a corner.
        let y1 = turning(*y0, *y1, *y2);
        return format!("M{x0:.1} {y0:.1}Q{x1:.1} {y0:.1} {x1:.1} {y1:.1}Q{x1:.1} {y2:.1} {x2:.1} {y2:.1}");
    }
    let mut path = format!("M{:.1} {:.1}", line.points[0].0, line.points[0].1);
    for pair in line.points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let middle = (x0 + x1) / 2.0;
        let _ = match (y0 - y1).abs() < LEVEL_MAX {
            true => write!(path, "L{x1:.1} {y1:.1}"),
            false => write!(path, "C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {x1:.1} {y1:.1}"),
        };
    }
    path
}

/// Where a line turns round: as near to its name as it can be without a corner.
fn turning(from: f64, name: f64, to: f64) -> f64 {
    let middle = (from + to) / 2.0;
    let room = ((from - to).abs() / 2.0 - TURN).max(0.0);
    name.clamp(middle - room, middle + room)
}

/// A turn needs so much height.
const TURN: f64 = 12.0;

/// Less than this is level to the eye.
const LEVEL_MAX: f64 = 0.5;
const LEGEND_WIDTH: f64 = 720.0;

fn legend(out: &mut String, top: f64) {
    let y = top + 14.0;
    let signs = [
        ("", "w-line", "open"),
        ("w-open", "w-line", "on an open path into a critical zone"),
        ("w-cut", "w-line", "cut"),
        ("", "w-line w-oob", "out of band, never cut"),
    ];
    let mut x = MARGIN;
    for (group, class, words) in signs {
        let _ = writeln!(out, "<g class=\"{group}\"><path class=\"{class}\" d=\"M{x:.1} {y:.1}h34\"/>");
        if group == "w-cut" {
            let _ = writeln!(
                out,
                "<path class=\"w-cross\" d=\"M{:.1} {:.1}l10 10m0 -10l-10 10\"/>",
                x + 12.0,
                y - 5.0
            );
        }
        out.push_str("</g>\n");
        put_text(out, x + 42.0, y + 4.0, "w-text w-small", words);
        x += 62.0 + 6.2 * words.len() as f64;
    }
}

fn put_text(out: &mut String, x: f64, y: f64, class: &str, text: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text));
}

fn shortened(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max - 1).chain(['…']).collect()
}

/// Text in markup.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in crate::report::escape::line(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
