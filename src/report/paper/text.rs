//! The paper runbook as plain text: for line printers, and for copies that nobody has to trust a browser for. Pages end
//! with the plan's hash and a form feed.

use super::sheet::{CommandSheet, PhaseSheet, Sheet, StepSheet, UndoSheet};

/// Columns of a page; commands are never broken, whatever their length.
const COLUMNS: usize = 90;
/// Lines of a page without its foot: an A4 or letter page at ten points.
const LINES: usize = 62;
/// A blank at which no line is broken: a box stays beside its host.
const NO_BREAK: char = '\u{a0}';
/// Lines for people whom no file names.
const BLANK_CONTACTS: usize = 3;

/// The paper runbook as plain text.
pub fn text(sheet: &Sheet) -> String {
    let mut page = Page { blocks: Vec::new() };
    head(sheet, &mut page);
    for phase in &sheet.phases {
        self::phase(phase, &mut page);
    }
    set(&page.blocks, sheet)
}

/// Blocks of lines that stay together where they fit on a page; an empty one begins a page.
struct Page {
    blocks: Vec<Vec<String>>,
}

fn head(sheet: &Sheet, page: &mut Page) {
    let mut lines = vec![format!("RUNBOOK {} on {}", sheet.runbook, sheet.inventory)];
    lines.extend(sheet.about.iter().flat_map(|about| wrapped(about, 0)));
    lines.push(String::new());
    lines.push(format!("plan      {}", sheet.hash));
    lines.push(format!("expected  {}", sheet.expected));
    lines.push("run on    ____________________  by ____________________".to_owned());
    lines.extend(sheet.objectives.iter().flat_map(|one| wrapped(&format!("by when   {one}"), 10)));
    page.blocks.push(lines);
    let mut lines = vec!["WHOM TO CALL".to_owned()];
    lines.extend(sheet.contacts.iter().flat_map(|one| wrapped(&format!("  {}: {}", one.who, one.how), 6)));
    lines.extend(
        (0..BLANK_CONTACTS).map(|_| "  ______________________________  ____________________".to_owned()),
    );
    page.blocks.push(lines);
    let mut lines = vec!["HOW TO GET ONTO THE HOSTS".to_owned()];
    lines.extend(sheet.hosts.iter().map(|(name, way)| format!("  {name}: {way}")));
    page.blocks.push(lines);
}

fn phase(phase: &PhaseSheet, page: &mut Page) {
    page.blocks.push(Vec::new());
    let title = phase.title.as_ref().map(|title| format!(" · {title}")).unwrap_or_default();
    page.blocks.push(vec![
        format!("PHASE {}{title}", phase.name),
        format!("If a step fails: {}.", phase.if_a_step_fails),
    ]);
    for step in &phase.steps {
        page.blocks.push(self::step(step));
    }
}

fn step(step: &StepSheet) -> Vec<String> {
    let title = step.title.as_ref().map(|title| format!(" · {title}")).unwrap_or_default();
    let mut lines = wrapped(&format!("[ ] {}{title}", step.name), 4);
    lines.push(format!("    begun __:__  done __:__  by ______________  expected {}", step.expected));
    for (label, text) in &step.before {
        lines.extend(wrapped(&format!("    {label}: {text}"), 6));
    }
    for number in 1..=step.signatures {
        lines.push(format!("    consent {number}: ______________________________ at __:__"));
    }
    lines.extend(step.does.iter().flat_map(|does| wrapped(&format!("    {does}"), 6)));
    lines.extend(step.by_hand.iter().flat_map(|line| wrapped(&format!("      {line}"), 6)));
    let ticks: Vec<String> = step.hosts.iter().map(|host| format!("[{NO_BREAK}]{NO_BREAK}{host}")).collect();
    if !ticks.is_empty() {
        lines.extend(wrapped(&format!("    {}", ticks.join("   ")), 4));
    }
    lines.extend(step.commands.iter().flat_map(command));
    lines.extend(step.proof.iter().flat_map(|proof| wrapped(&format!("    [ ] proof: {proof}"), 8)));
    match &step.undo {
        UndoSheet::NotNeeded => {}
        UndoSheet::Impossible(why) => lines.extend(wrapped(&format!("    CANNOT BE TAKEN BACK: {why}"), 6)),
        UndoSheet::Commands(commands) => {
            lines.push("    [ ] to take it back".to_owned());
            lines.extend(commands.iter().flat_map(command));
        }
    }
    lines
}

fn command(command: &CommandSheet) -> Vec<String> {
    let on = if command.on.is_empty() { String::new() } else { format!(" on {}", command.on) };
    let same = if command.same_but { ": the same, but with" } else { ":" };
    let mut lines = wrapped(&format!("    {}{on}{same}", command.label), 6);
    lines.extend(command.lines.iter().map(|line| format!("      | {line}").trim_end().to_owned()));
    lines
}

/// A text in lines that fit, all but the first set in.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let start: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut lines = vec![start];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let word = &word.replace(NO_BREAK, " ");
        let last = lines.last_mut().expect("there is always one");
        let fits = console::measure_text_width(last) + 1 + console::measure_text_width(word) <= COLUMNS;
        if last.trim().is_empty() {
            last.push_str(word);
        } else if fits {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(format!("{:indent$}{word}", ""));
        }
    }
    lines
}

/// Sets blocks on pages, each with its foot.
fn set(blocks: &[Vec<String>], sheet: &Sheet) -> String {
    let mut pages: Vec<Vec<&str>> = vec![Vec::new()];
    for block in blocks {
        let here = pages.last_mut().expect("there is always one");
        let full = here.len() + block.len() + 1 > LINES && block.len() < LINES;
        if (block.is_empty() || full) && !here.is_empty() {
            pages.push(Vec::new());
        }
        for line in block.iter().map(String::as_str).chain((!block.is_empty()).then_some("")) {
            if pages.last().is_some_and(|page| page.len() >= LINES) {
                pages.push(Vec::new());
            }
            let here = pages.last_mut().expect("there is always one");
            if !(here.is_empty() && line.is_empty()) {
                here.push(line);
            }
        }
    }
    pages.retain(|page| !page.is_empty());
    let count = pages.len();
    let set = |(at, page): (usize, &Vec<&str>)| {
        format!("{}\n-- plan {}  page {} of {count}\n", page.join("\n"), sheet.hash, at + 1)
    };
    pages.iter().enumerate().map(set).collect::<Vec<_>>().join("\u{c}\n")
}
