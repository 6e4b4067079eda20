//! What a site looks like before and after: moments, claims, and the lab's site worked out by hand.

use crate::plan_site::{located, phase, run, runbook};
use blackstart::load;
use blackstart::model::inventory::Inventory;
use blackstart::model::place::Sources;
use blackstart::model::runbook::{Phase, Runbook, Step};
use blackstart::plan::{Choices, FileFacts, Plan, compile};
use blackstart::reach::Outlook;
use blackstart::reach::cut::SmallestCut;
use blackstart::reach::outlook::{How, Situation, Verdict};
use blackstart::report::Look;
use blackstart::report::reach::{self as report, broken_claims, moment_key, situation_named};

pub fn site() -> Inventory {
    let text = include_str!("../cmd/files/zones.yaml");
    load::inventory_text(&mut Sources::default(), "zones.yaml", text).value.expect("it is sound")
}

fn lab() -> Inventory {
    let text = include_str!("../../inventories/lab.yaml");
    load::inventory_text(&mut Sources::default(), "lab.yaml", text).value.expect("it is sound")
}

pub fn cut(id: &str, conduits: &[&str]) -> Step {
    Step {
        severs: conduits.iter().map(|conduit| located((*conduit).into())).collect(),
        ..run(id, "here", "true")
    }
}

fn isolating(mut phase: Phase, zones: &[&str]) -> Phase {
    phase.isolates = zones.iter().map(|zone| located((*zone).into())).collect();
    phase
}

pub fn planned(site: &Inventory, book: &Runbook, choices: &Choices) -> Plan {
    let files = |_: &str| -> Result<FileFacts, String> { Err("no file".into()) };
    compile(site, book, choices, &files).expect("it compiles").0
}

fn outlook_of(phases: Vec<Phase>) -> Outlook {
    let site = site();
    Outlook::of_plan(&site, &planned(&site, &runbook(phases), &Choices::default()), false)
}

fn moments(outlook: &Outlook) -> Vec<String> {
    outlook.situations.iter().map(|situation| moment_key(&situation.moment)).collect()
}

fn cuts(outlook: &Outlook, moment: &str) -> Vec<String> {
    let situation = situation_named(outlook, moment).expect("there is such a moment");
    situation.cut.iter().map(|at| outlook.site.conduits[at].name.to_string()).collect()
}

/// `core: office → core; internet → dmz → core` for each open zone, and its smallest cut.
fn open(outlook: &Outlook, situation: &Situation) -> Vec<(String, Vec<String>, Option<Vec<String>>)> {
    let name = |at: &blackstart::reach::ZoneIx| outlook.site.zone_name(*at).to_string();
    let names = |conduits: &Vec<blackstart::reach::ConduitIx>| -> Vec<String> {
        conduits.iter().map(|ix| outlook.site.conduit_name(*ix).to_string()).collect()
    };
    let told = situation.open.iter().map(|open| match &open.how {
        How::Held => (name(&open.zone), vec!["held".to_owned()], None),
        How::By { paths, smallest } => {
            let path = |path: &blackstart::reach::paths::Path| {
                let zones: Vec<String> = path.zones.iter().map(name).collect();
                let hops: Vec<String> = path.hops.iter().map(|hop| names(hop).join("|")).collect();
                format!("{} by {}", zones.join(" "), hops.join(" "))
            };
            let cut = match smallest {
                SmallestCut::Conduits(conduits) => Some(names(conduits)),
                SmallestCut::Impossible(_) => None,
            };
            (name(&open.zone), paths.listed.iter().map(path).collect(), cut)
        }
    });
    told.collect()
}

fn lost(outlook: &Outlook, situation: &Situation) -> Vec<String> {
    let name = |ix| outlook.services.get(ix).name.to_string();
    let chains = situation.survival.lost.iter().flat_map(|lost| &lost.chains);
    chains.map(|chain| chain.iter().map(|ix| name(*ix)).collect::<Vec<_>>().join(" > ")).collect()
}

fn roots(outlook: &Outlook, situation: &Situation) -> Vec<String> {
    let name = |ix: &blackstart::reach::survival::ServiceIx| outlook.services.get(*ix).name.to_string();
    let roots = situation.survival.roots.iter();
    roots
        .map(|root| {
            let of = root.dependents.iter().map(name).collect::<Vec<_>>().join(", ");
            format!("{}: {of}", name(&root.service))
        })
        .collect()
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn there_is_a_moment_for_each_phase_that_cuts_and_for_each_level() {
    let outlook = outlook_of(vec![
        phase("look", vec![run("look", "here", "true")]),
        phase("first", vec![cut("a", &["vendor-vpn"]), cut("b", &["office-core"])]),
        phase("between", vec![run("rest", "here", "true")]),
        phase("again", vec![cut("c", &["vendor-vpn"])]),
        phase("last", vec![cut("d", &["isp-uplink", "mgmt-out", "console"])]),
    ]);
    // What is cut already is not cut again, and what is out of band never is.
    assert_eq!(moments(&outlook), ["now", "first", "last", "level:1", "level:2", "level:3"]);
    assert_eq!(cuts(&outlook, "now"), strings(&[]));
    assert_eq!(cuts(&outlook, "first"), ["office-core", "vendor-vpn"]);
    assert_eq!(cuts(&outlook, "last"), ["isp-uplink", "mgmt-out", "office-core", "vendor-vpn"]);
    assert_eq!(cuts(&outlook, "level:1"), ["vendor-vpn"]);
    assert_eq!(cuts(&outlook, "level:3"), ["isp-uplink", "mgmt-out", "office-core", "vendor-vpn"]);
    assert_eq!(moment_key(&outlook.end().moment), "last");
    assert!(outlook.end().open.is_empty());
}

#[test]
fn what_is_reconnected_was_cut_before() {
    let again = |id: &str, conduit: &str| Step {
        reconnects: vec![located(conduit.into())],
        ..run(id, "here", "true")
    };
    let outlook = outlook_of(vec![
        phase("vendors", vec![again("a", "vendor-vpn")]),
        phase("provider", vec![again("b", "isp-uplink"), cut("c", &["office-core"])]),
    ]);
    assert_eq!(moments(&outlook), ["now", "vendors", "provider", "level:1", "level:2", "level:3"]);
    assert_eq!(cuts(&outlook, "now"), ["isp-uplink", "vendor-vpn"]);
    assert_eq!(cuts(&outlook, "vendors"), ["isp-uplink"]);
    assert_eq!(cuts(&outlook, "provider"), ["office-core"]);
}

#[test]
fn steps_that_are_left_out_cut_nothing() {
    let mut off = cut("b", &["office-core"]);
    off.when = Some(located("false".into()));
    let outlook = outlook_of(vec![phase("first", vec![cut("a", &["vendor-vpn"]), off])]);
    assert_eq!(cuts(&outlook, "first"), ["vendor-vpn"]);
    let paths = open(&outlook, outlook.end());
    assert_eq!(
        paths,
        [(
            "core".to_owned(),
            strings(&["office core by office-core", "internet dmz core by isp-uplink dmz-core"]),
            // The uplink rather than what lies behind it: somebody enforces that.
            Some(strings(&["isp-uplink", "office-core"]))
        )]
    );
}

#[test]
fn a_claim_holds_or_is_refused_with_paths_and_the_smallest_cut() {
    let outlook = outlook_of(vec![
        isolating(phase("first", vec![cut("a", &["vendor-vpn", "office-core"])]), &["core", "management"]),
        isolating(phase("last", vec![cut("b", &["isp-uplink", "mgmt-out"])]), &["core", "dmz"]),
    ]);
    let verdicts: Vec<bool> = outlook.claims.iter().map(|claim| claim.verdict == Verdict::Holds).collect();
    assert_eq!(verdicts, [false, false, true, true]);
    let told: Vec<(String, String)> =
        broken_claims(&outlook).into_iter().map(|claim| (claim.what, claim.hint)).collect();
    assert_eq!(told.len(), 2);
    assert_eq!(
        told[0],
        (
            "phase `first` isolates `core`, but 1 path still leads there from outside:\n\
             internet → dmz → core by isp-uplink (on here), then dmz-core"
                .to_owned(),
            "the smallest cut that makes it so: isp-uplink (on here)".to_owned()
        )
    );
    // The console into management survives every cut, but it takes an attacker in core to use it.
    assert_eq!(told[1].1, "the smallest cut that makes it so: isp-uplink (on here)");
}

#[test]
fn a_claim_is_not_made_for_what_the_operator_left_out() {
    let site = site();
    let book = runbook(vec![
        isolating(phase("first", vec![cut("a", &["vendor-vpn"]), cut("b", &["isp-uplink"])]), &["dmz"]),
        isolating(phase("rest", vec![run("rest", "here", "true")]), &["dmz"]),
    ]);
    let stopped = Choices { until: Some("level:1".into()), ..Choices::default() };
    let outlook = Outlook::of_plan(&site, &planned(&site, &book, &stopped), true);
    assert!(
        outlook.claims.iter().all(|claim| claim.verdict == Verdict::NotMade { without: vec!["b".into()] }),
        "{:?}",
        outlook.claims
    );
    assert!(broken_claims(&outlook).is_empty());
    // Stopping where nothing is left out leaves nothing open either.
    let all = Choices { until: Some("level:3".into()), ..Choices::default() };
    let outlook = Outlook::of_plan(&site, &planned(&site, &book, &all), true);
    assert!(matches!(outlook.claims[0].verdict, Verdict::Broken(_)), "office still gets to dmz through core");
}

/// Worked out by hand from the conduits of `inventories/lab.yaml`. Attackers stand on the internet, at the partners' and
/// in the office; nothing leads into management, so that the perimeter behind it stays shut at all times.
#[test]
fn the_lab_is_as_worked_out_by_hand() {
    let outlook = Outlook::of_inventory(&lab());
    assert_eq!(moments(&outlook), ["now", "level:1", "level:2", "level:3"]);
    let at = |moment: &str| situation_named(&outlook, moment).expect("there is such a moment");
    let core = |paths: &[&str], cut: &[&str]| vec![("core".to_owned(), strings(paths), Some(strings(cut)))];
    assert_eq!(
        open(&outlook, at("now")),
        core(
            &[
                "office core by office-core",
                "partners core by vendor-vpn",
                "internet dmz core by isp-uplink|isp2-uplink dmz-core",
                "office dmz core by office-dmz dmz-core",
            ],
            &["dmz-core", "office-core", "vendor-vpn"]
        )
    );
    assert_eq!(
        open(&outlook, at("level:1")),
        core(
            &[
                "office core by office-core",
                "internet dmz core by isp-uplink|isp2-uplink dmz-core",
                "office dmz core by office-dmz dmz-core",
            ],
            &["dmz-core", "office-core"]
        )
    );
    assert_eq!(
        open(&outlook, at("level:2")),
        core(&["internet dmz core by isp-uplink|isp2-uplink dmz-core"], &["dmz-core"])
    );
    assert_eq!(open(&outlook, at("level:3")), []);
    for moment in ["now", "level:1", "level:2"] {
        assert_eq!(lost(&outlook, at(moment)), strings(&[]), "{moment}");
    }
    // The portal in the DMZ still gets to the records in the core, but not to the web.
    assert_eq!(lost(&outlook, at("level:3")), ["public-records > web-access"]);
    assert_eq!(roots(&outlook, at("level:3")), ["web-access: public-records"]);
}

#[test]
fn a_need_that_is_met_through_other_zones_lasts_as_long_as_a_way_does() {
    let outlook = Outlook::of_inventory(&site());
    let at = |moment: &str| situation_named(&outlook, moment).expect("there is such a moment");
    // The core has no conduit to the internet: it gets there through the DMZ, until level 3.
    assert_eq!(lost(&outlook, at("now")), strings(&[]));
    assert_eq!(lost(&outlook, at("level:2")), strings(&[]));
    assert_eq!(lost(&outlook, at("level:3")), ["records > cloud-idp"]);
    let mut alone = site();
    alone.conduits.clear();
    let outlook = Outlook::of_inventory(&alone);
    // Nothing leads anywhere even today, and that is said.
    assert_eq!(
        lost(&outlook, outlook.now()),
        ["records > cloud-idp", "records > records-db > dns", "records-db > dns"]
    );
    assert_eq!(roots(&outlook, outlook.now()), ["cloud-idp: records", "dns: records, records-db"]);
}

#[test]
fn pages_and_pictures_are_as_they_were_looked_at() {
    let outlook = outlook_of(vec![
        isolating(phase("first", vec![cut("a", &["vendor-vpn", "office-core"])]), &["core"]),
        isolating(phase("last", vec![cut("b", &["isp-uplink", "mgmt-out"])]), &["core", "dmz"]),
    ]);
    let first = situation_named(&outlook, "first").expect("there is such a moment");
    let page = report::page(&outlook, "ministry-office", Some("isolate"));
    snapbox::assert_data_eq!(&page, snapbox::file!["outlook/page.html"].raw());
    let svg = report::svg(&outlook, "ministry-office", first);
    snapbox::assert_data_eq!(&svg, snapbox::file!["outlook/first.svg"].raw());
    snapbox::assert_data_eq!(
        report::dot(&outlook, "ministry-office", first),
        snapbox::file!["outlook/first.dot"].raw()
    );
    for text in [&page, &svg] {
        for foreign in ["<script", "src=", "@import", "url(", "<link"] {
            assert!(!text.contains(foreign), "a page stands on its own: {foreign}");
        }
        assert_eq!(text.matches("://").count(), text.matches("http://www.w3.org/2000/svg").count());
        assert_balanced(text);
    }
}

/// Every element that is opened is closed, in order.
fn assert_balanced(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in text.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag ends");
        let name = tag.split([' ', '\n']).next().expect("it has a name");
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') || ["!doctype", "meta", "br"].contains(&name) => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn names_in_a_picture_do_not_cover_each_other() {
    let (site, _) = large();
    for outlook in [Outlook::of_inventory(&lab()), Outlook::of_inventory(&site)] {
        let svg = report::svg(&outlook, "x", outlook.now());
        let mut places: Vec<(f64, f64)> = Vec::new();
        for text in svg.split("<text class=\"w-text\" ").skip(1) {
            let number = |name: &str| -> f64 {
                let rest = &text[text.find(&format!("{name}=\"")).expect("it is there") + name.len() + 2..];
                rest[..rest.find('"').expect("it ends")].parse().expect("it is a number")
            };
            places.push((number("x"), number("y")));
        }
        assert_eq!(places.len(), outlook.site.conduits.len());
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        // In one column of names, a line of text lies between any two.
        for (at, (x, y)) in places.iter().enumerate() {
            let near = |other: &&(f64, f64)| (other.0 - x).abs() < 20.0 && (other.1 - y).abs() < 13.0;
            assert_eq!(places[at + 1..].iter().find(near), None, "{x} {y}");
        }
    }
}

#[test]
fn a_dozen_zones_fit_eighty_columns_and_sixty_are_parted() {
    let mut text = "version: 1\nname: dozen\nhosts: { here: { connection: local } }\nzones:\n".to_owned();
    (0..12).for_each(|zone| text += &format!("  a-zone-of-long-name-{zone}: {{}}\n"));
    let site = load::inventory_text(&mut Sources::default(), "dozen.yaml", &text);
    let look = Look { columns: Some(80), ..Look::plain("") };
    for (site, blocks) in [(site.value.expect("it is sound"), 1), (large().0, 4)] {
        let outlook = Outlook::of_inventory(&site);
        let text = report::text(&outlook, "x", None, &look);
        assert!(text.lines().all(|line| console::measure_text_width(line) <= 80), "{text}");
        let now = text.split("AS IT IS").nth(1).and_then(|text| text.split("AT LEVEL").next()).unwrap_or("");
        let last = outlook.site.zones.len().to_string();
        let last = outlook.site.zones.last().map(|zone| format!("{last} {}", &zone.name.as_str()[..2]));
        assert_eq!(now.matches(&last.unwrap_or_default()).count(), blocks, "{now}");
    }
}

/// Sixty zones, two hundred conduits, a thousand hosts and five hundred steps in twelve phases.
#[test]
fn a_large_site_is_looked_at_in_no_time() {
    let (site, book) = large();
    let plan = planned(&site, &book, &Choices::default());
    let began = std::time::Instant::now();
    let outlook = Outlook::of_plan(&site, &plan, false);
    let took = began.elapsed();
    println!("{} moments in {took:?}", outlook.situations.len());
    let began = std::time::Instant::now();
    let page = report::page(&outlook, "large", None);
    println!("a page of {} bytes in {:?}", page.len(), began.elapsed());
    assert!(outlook.situations.len() > 12 && outlook.now().open.len() == 6);
}

fn large() -> (Inventory, Runbook) {
    let mut text = "version: 1\nname: large\nzones:\n".to_owned();
    for zone in 0..60 {
        let what = match zone {
            0..=3 => "trust: external",
            4 => "assume_compromised: true",
            54..=59 => "critical: true",
            _ => "",
        };
        text += &format!("  z{zone}: {{ {what} }}\n");
    }
    text += "conduits:\n";
    for conduit in 0..200 {
        // Mostly inwards, by steps of different widths, so that there are many paths of many lengths.
        let from = conduit * 7 % 54;
        let to = (from + 1 + conduit * 5 % 11).min(59);
        let level = conduit % 4;
        let level = if level == 0 { String::new() } else { format!(", level: {level}") };
        text += &format!("  c{conduit}: {{ between: [z{from}, z{to}], enforced_by: h{conduit}{level} }}\n");
    }
    text += "services:\n";
    for service in 0..200 {
        let needs = if service < 3 {
            String::new()
        } else {
            format!(", needs: [s{}, s{}]", service / 2, service / 3)
        };
        text += &format!("  s{service}: {{ on: h{}{needs} }}\n", service * 5);
    }
    text += "hosts:\n";
    for host in 0..1000 {
        text +=
            &format!("  h{host}: {{ address: 10.0.{}.{}, zone: z{} }}\n", host / 250, host % 250, host % 60);
    }
    let loaded = load::inventory_text(&mut Sources::default(), "large.yaml", &text);
    let site = loaded.value.unwrap_or_else(|| panic!("{:?}", loaded.problems));
    let phases = (0..12).map(|at| {
        let steps = (0..42).map(|step| {
            let (id, on) = (format!("s{at}-{step}"), format!("h{}", at * 42 + step));
            let severs = if step < 12 {
                vec![located(format!("c{}", at * 12 + step).as_str().into())]
            } else {
                vec![]
            };
            Step { severs, ..run(&id, &on, "true") }
        });
        phase(&format!("p{at}"), steps.collect())
    });
    (site, runbook(phases.collect()))
}
