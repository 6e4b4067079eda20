//! Pages in a browser, on screens of three widths, in light and dark, and on paper: what axe and the validator of the
//! W3C say of them, whether they ask for anything, and whether they fit.

mod browser;
mod made;

use browser::{Browser, Tab, piped};
use made::pages;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A telephone, a tablet, a desk.
const WIDTHS: [u32; 3] = [360, 800, 1400];
/// What `make test-deps` fetched.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/pages/node_modules");
/// What axe finds that keeps somebody from reading a page; how it was found is told with it.
const AXE: &str = "axe.run({ resultTypes: ['violations'] }).then(found => found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .map(one => `axe: ${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 200)).join(' … ')}`))";
/// The page is never wider than its screen: what must be wide scrolls by itself.
const WIDER: &str = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
/// A property of SVG 2 that the validator does not know.
const UNKNOWN_TO_THE_VALIDATOR: &str = "vector-effect";

fn tool(path: &str) -> PathBuf {
    let path = Path::new(TOOLS).join(path);
    assert!(path.exists(), "{} is missing: `make test-deps` fetches it", path.display());
    path
}

/// What is wrong with a page as a browser shows it.
fn troubles(tab: &mut Tab, page: &Path, axe: &str, last: &str) -> Vec<String> {
    let mut troubles = Vec::new();
    tab.screen(WIDTHS[2], false);
    tab.open(page);
    tab.evaluate(axe);
    for (width, dark, ask_axe) in [
        (WIDTHS[2], false, true),
        (WIDTHS[1], false, false),
        (WIDTHS[0], false, false),
        (WIDTHS[0], true, true),
    ] {
        tab.screen(width, dark);
        let wider = tab.evaluate(WIDER);
        if wider != 0 {
            troubles.push(format!("is {wider} pixels wider than a screen of {width}"));
        }
        if ask_axe {
            let found = tab.evaluate(AXE);
            let found = found.as_array().expect("a list").iter().filter_map(|one| one.as_str());
            troubles.extend(found.map(|one| format!("at {width}, dark {dark}: {one}")));
        }
    }
    let printed = piped(Command::new("pdftotext").args(["-layout", "-", "-"]), &tab.paper());
    let printed = String::from_utf8_lossy(&printed);
    // Paper breaks lines where it likes.
    let squeezed: String = printed.split_whitespace().collect();
    let last: String = last.split_whitespace().collect();
    if printed.matches('\u{c}').count() == 0 || !squeezed.contains(&last) {
        troubles.push(format!("on paper there is no `{last}`"));
    }
    troubles.extend(tab.strayed());
    troubles
}

/// What the validator of the W3C says of pages.
fn invalid(pages: &[PathBuf]) -> Vec<String> {
    let mut command = Command::new("java");
    command.arg("-jar").arg(tool("vnu-jar/build/dist/vnu.jar"));
    command.args(["--stdout", "--format", "gnu", "--exit-zero-always", "--filterpattern"]);
    command.arg(format!(".*{UNKNOWN_TO_THE_VALIDATOR}.*")).args(pages);
    let said = piped(&mut command, b"");
    String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()
}

fn axe() -> String {
    std::fs::read_to_string(tool("axe-core/axe.min.js")).expect("it is text")
}

#[test]
fn pages_are_valid_accessible_fit_their_screens_and_ask_for_nothing() {
    let desk = tempfile::tempdir().expect("there is room");
    let (axe, mut browser, mut paths, mut troubled) = (axe(), Browser::start(), Vec::new(), Vec::new());
    for page in pages() {
        let path = desk.path().join(format!("{}.html", page.name));
        std::fs::write(&path, &page.text).expect("there is room");
        let found = troubles(&mut browser.tab(), &path, &axe, &page.last);
        troubled.extend(found.into_iter().map(|one| format!("{}: {one}", page.name)));
        paths.push(path);
    }
    troubled.extend(invalid(&paths));
    assert!(troubled.is_empty(), "{}", troubled.join("\n"));
    assert!(paths.len() > 15, "{} pages", paths.len());
}

#[test]
fn pages_with_planted_faults_are_found_out() {
    let good = "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>t</title></head>\
                <body><main><h1>a</h1><p>the end</p></main></body></html>";
    let desk = tempfile::tempdir().expect("there is room");
    let (axe, mut browser, mut paths) = (axe(), Browser::start(), Vec::new());
    let mut look = |name: &str, text: &str| {
        let path = desk.path().join(name);
        std::fs::write(&path, text).expect("there is room");
        let found = troubles(&mut browser.tab(), &path, &axe, "the end");
        paths.push(path);
        found
    };
    assert_eq!(look("good.html", good), Vec::<String>::new());
    for (name, to, wanted) in [
        ("pale.html", "<p style='color:#bbb'>pale</p>", "color-contrast"),
        ("nameless.html", "<svg role=img width=9 height=9></svg>", "svg-img-alt"),
        ("wide.html", "<p style='width:1300px'>wide</p>", "wider than a screen of 800"),
        ("asking.html", "<p style='background:url(http://example.org/x.png)'>x</p>", "fetches"),
        ("hidden.html", "<style>@media print { p { display: none } }</style>", "on paper"),
    ] {
        let found = look(name, &good.replace("<h1>a</h1>", &format!("<h1>a</h1>{to}"))).join("\n");
        assert!(found.contains(wanted), "{name}: {found}");
    }
    let said = invalid(&paths).join("\n");
    assert!(
        said.contains("hidden.html") && !said.contains("good.html"),
        "a style in a body is no HTML: {said}"
    );
}

/// Not a test: writes every page as pictures and paper to `$PICTURES`, for eyes.
#[test]
#[ignore = "for eyes"]
fn picture_them() {
    let dir = PathBuf::from(std::env::var_os("PICTURES").expect("a directory to write to"));
    let mut browser = Browser::start();
    for page in pages() {
        let path = dir.join(format!("{}.html", page.name));
        std::fs::write(&path, &page.text).expect("there is room");
        let mut tab = browser.tab();
        tab.screen(WIDTHS[2], false);
        tab.open(&path);
        for (width, dark) in WIDTHS.into_iter().flat_map(|width| [(width, false), (width, true)]) {
            tab.screen(width, dark);
            let shade = if dark { "dark" } else { "light" };
            std::fs::write(dir.join(format!("{}-{width}-{shade}.png", page.name)), tab.picture())
                .expect("room");
        }
        std::fs::write(dir.join(format!("{}.pdf", page.name)), tab.paper()).expect("there is room");
    }
}
