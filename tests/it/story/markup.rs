//! The page as browsers take it: well-formed, self-contained, accessible in its structure, and deaf to whatever hosts
//! and people wrote.

use super::{says, stories, story_of, told};
use crate::report::stuck;
use crate::report_site::{Reply, Run, alice_and_bob};
use blackstart::model::event::{Event, Facts, Job, JobKind};
use blackstart::report::story::{self, Lang};
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document, tree_builder::TreeBuilderOpts};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use std::collections::{BTreeMap, BTreeSet};

/// An element: name, attributes, depth-first.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attrs: BTreeMap<String, String>,
    pub text: String,
}

/// Parses a page and gives its elements; anything that a validator of syntax would complain of is an error.
pub fn elements(page: &str) -> Vec<Element> {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts { exact_errors: true, ..TreeBuilderOpts::default() },
        ..ParseOpts::default()
    };
    let dom = parse_document(RcDom::default(), options).one(page);
    let errors = dom.errors.borrow();
    assert!(errors.is_empty(), "{errors:?}");
    let mut elements = Vec::new();
    walk(&dom.document, &mut elements);
    elements
}

fn walk(node: &Handle, elements: &mut Vec<Element>) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attrs = attrs.borrow();
        let attrs = attrs.iter().map(|attr| (attr.name.local.to_string(), attr.value.to_string())).collect();
        elements.push(Element { name: name.local.to_string(), attrs, text: text(node) });
    }
    for child in node.children.borrow().iter() {
        walk(child, elements);
    }
}

fn text(node: &Handle) -> String {
    match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => node.children.borrow().iter().map(text).collect(),
    }
}

fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for lang in Lang::ALL {
        for (name, story) in stories(lang) {
            pages.push((format!("{name}-{}", lang.tag()), story::html(&story, &says(lang))));
        }
    }
    pages
}

/// What is wrong with a page's structure.
pub fn troubles(page: &str) -> Vec<String> {
    let mut troubles = Vec::new();
    let elements = elements(page);
    let mut ids = BTreeSet::new();
    let mut level = 0;
    for element in &elements {
        let get = |name: &str| element.attrs.get(name).map(String::as_str);
        if let Some(id) = get("id")
            && !ids.insert(id)
        {
            troubles.push(format!("two elements are called {id}"));
        }
        for (name, value) in &element.attrs {
            let points_out = matches!(name.as_str(), "src" | "srcset" | "action" | "poster" | "data")
                || name == "href" && !value.starts_with('#')
                || value.contains("url(") && !value.contains("url(#");
            if points_out || name.starts_with("on") {
                troubles.push(format!("{} has {name}={value}", element.name));
            }
        }
        match element.name.as_str() {
            "script" | "link" | "iframe" | "object" | "embed" | "img" | "base" | "form" => {
                troubles.push(format!("there is a {}", element.name));
            }
            "h1" | "h2" | "h3" => {
                let this = element.name[1..].parse::<u32>().unwrap();
                if this > level + 1 {
                    troubles.push(format!("{} follows a heading of level {level}", element.text));
                }
                level = this;
            }
            "svg" if get("aria-hidden") != Some("true") && get("aria-label").is_none_or(str::is_empty) => {
                troubles.push("a drawing has no name".to_owned());
            }
            "th" if get("scope").is_none() => troubles.push(format!("th {} has no scope", element.text)),
            "html" if get("lang").is_none() => troubles.push("no language".to_owned()),
            "style" if element.text.contains("url(") || element.text.contains("@import") => {
                troubles.push("the style fetches something".to_owned());
            }
            _ => {}
        }
    }
    for element in elements.iter().filter(|element| element.name == "a") {
        let target = element.attrs["href"].trim_start_matches('#');
        if !ids.contains(target) {
            troubles.push(format!("nothing is called {target}"));
        }
    }
    let count = |name: &str| elements.iter().filter(|element| element.name == name).count();
    if (count("h1"), count("main"), count("title") > 0) != (1, 1, true) {
        troubles.push("a page has one h1, one main and a title".to_owned());
    }
    if count("caption") != count("table") {
        troubles.push("a table has no caption".to_owned());
    }
    troubles
}

#[test]
fn every_page_is_well_formed_and_fetches_nothing() {
    for (name, page) in pages() {
        assert_eq!(troubles(&page), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn planted_faults_of_a_page_are_found() {
    let good = "<!DOCTYPE html><html lang=en><head><title>t</title></head><body><main><h1>a</h1></main></body></html>";
    assert_eq!(troubles(good), Vec::<String>::new());
    for (from, to) in [
        ("<h1>a", "<h1>a</h1><img src=http://e/x.png><h1>"),
        ("<h1>a", "<h1>a</h1><h3>b</h3><h1>"),
        ("<h1>a", "<h1>a</h1><a href=#nowhere>x</a><h1>"),
        ("<h1>a", "<h1>a</h1><svg></svg><h1>"),
        ("<h1>a", "<h1 onclick=x>a"),
        ("</title>", "</title><style>@import 'x'</style>"),
    ] {
        assert!(!troubles(&good.replace(from, to)).is_empty(), "{to}");
    }
    let broken = std::panic::catch_unwind(|| elements(&good.replace("</main>", "</div>")));
    assert!(broken.is_err(), "an end tag that ends nothing is found");
}

/// Texts that would do harm if anything took them for markup, a link, a command to a terminal or a direction to write.
pub const HOSTILE: &str = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload=x &lt; \u{202e}evil\x1b[2J ]]> | `x` [l](javascript:x) ![i](http://evil.example/i.png)\u{0}";

fn hostile(_: &str, _: &str, job: Job) -> Reply {
    let reply = Reply::exit(1, 1, HOSTILE);
    match job.kind {
        JobKind::Check => reply,
        _ => Reply { facts: Facts { tail: HOSTILE.repeat(3), ..reply.facts.clone() }, ..reply },
    }
}

#[test]
fn nothing_that_a_host_or_a_person_wrote_is_markup() {
    let mut run = Run { world: &hostile, people: &alice_and_bob, ..stuck() };
    run.plan.summary = Some(HOSTILE.to_owned());
    run.plan.runbook = HOSTILE.to_owned();
    run.plan.inventory = HOSTILE.to_owned();
    run.plan.params.insert(HOSTILE.to_owned(), HOSTILE.into());
    run.plan.objectives[0].name = HOSTILE.to_owned();
    for step in &mut run.plan.steps {
        step.title = Some(HOSTILE.to_owned());
    }
    for phase in &mut run.plan.phases {
        phase.title = Some(HOSTILE.to_owned());
    }
    let (mut events, _) = run.events();
    if let Event::RunStarted { by, version, .. } = &mut events[0].1 {
        (*by, *version) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    }
    for lang in Lang::ALL {
        let told = told(run.plan.clone(), &events, false, lang);
        let page = story::html(&told, &says(lang));
        assert_eq!(troubles(&page), Vec::<String>::new());
        assert!(page.contains("&lt;script&gt;alert(1)"), "it is shown");
        for text in [page, story::markdown(&told, &says(lang)), story::junit(&told, &says(lang))] {
            let controls = text.chars().filter(|c| c.is_control() && *c != '\n').count();
            assert!(
                controls == 0 && !text.contains('\u{202e}'),
                "what reorders or controls is shown by number"
            );
            assert!(!text.contains("<script") && !text.contains("<img"), "no tag of theirs");
        }
        let markdown = story::markdown(&told, &says(lang));
        let live = markdown.replace("\\]", "").replace("\\[", "").replace("\\!", "");
        assert!(!live.contains("](") && !live.contains("!["), "no link, no picture");
        assert!(!markdown.contains("http://"), "nothing that becomes a link by itself");
    }
}

#[test]
fn junit_is_well_formed_xml() {
    let run = Run { world: &hostile, ..stuck() };
    for lang in Lang::ALL {
        let xml = story::junit(&story_of(&run, lang), &says(lang));
        let mut open = Vec::new();
        for tag in xml.split('<').skip(2).map(|rest| rest.split('>').next().unwrap_or_default()) {
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name.to_owned()), "{xml}"),
                None if tag.ends_with('/') => {}
                None => open.push(tag.split_whitespace().next().unwrap_or_default().to_owned()),
            }
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        }
        assert!(open.is_empty(), "{open:?}");
    }
}
