//! The pages that are looked at: reports of runs that ended in every way, in every language, ways on a site, runbooks
//! on paper, an audit.

use crate::story::{restored, says, stories};
use blackstart::report::story::{self, Lang};
use std::path::Path;
use std::process::Command;

/// A page.
pub struct Page {
    pub name: String,
    pub text: String,
    /// Words at its end, which must not get lost on paper.
    pub last: String,
}

/// Every page there is.
pub fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    for lang in Lang::ALL {
        let all = stories(lang).into_iter().chain([("drill", restored::drill(lang))]);
        // The same in another language, where it differs in more than words.
        let all = all.filter(|(name, _)| lang == Lang::En || ["stuck", "waiting", "drill"].contains(name));
        for (name, story) in all {
            let last = story.journal.head.clone();
            pages.push(Page {
                name: format!("{name}-{}", lang.tag()),
                text: story::html(&story, &says(lang)),
                last,
            });
        }
    }
    pages.extend(shipped());
    pages
}

/// What the commands make of the shipped runbooks.
fn shipped() -> Vec<Page> {
    let state = tempfile::tempdir().expect("there is room");
    let lab = ["-i", "inventories/lab.yaml", "-e", "incident=drill"];
    let mut pages = Vec::new();
    for runbook in ["isolate-and-restore", "isolate-graduated", "reconnect"] {
        let file = format!("runbooks/{runbook}.yaml");
        let of =
            |verb: &str| typed(state.path(), &[&[verb, &file][..], &lab, &["--format", "html"]].concat());
        pages.push(page(format!("reach-{runbook}"), of("reach"), "Zones and conduits"));
        pages.push(page(format!("paper-{runbook}"), of("print"), "blackstart 0"));
        typed(state.path(), &[&["tabletop", &file][..], &lab].concat());
        let report = typed(state.path(), &["report", "--format", "html"]);
        pages.push(page(format!("tabletop-{runbook}"), report, "Journal head"));
    }
    let audit = typed(state.path(), &["audit", "--policy", "policies/lab.yaml", "--format", "html"]);
    pages.push(page("audit".to_owned(), audit, "tells what is due"));
    let site = typed(state.path(), &["reach", "-i", "inventories/lab.yaml", "--format", "html"]);
    pages.push(page("reach-site".to_owned(), site, "Zones and conduits"));
    pages
}

fn page(name: String, text: String, last: &str) -> Page {
    Page { name, text, last: last.to_owned() }
}

fn typed(state: &Path, words: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_blackstart"))
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("BLACKSTART_STATE", state)
        .output()
        .expect("it starts");
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("it prints text")
}
