//! The audit as one HTML file, in the dress of reports: printable, readable without scripts, in light and dark, with
//! nothing to fetch.

use super::audit::{Audit, duty_anchor, items_anchor, run_anchor};
use super::audit_lists;
use super::control::{ControlTold, Line, Standing};
use super::readiness::{Due, DutyTold, ItemsTold};
use crate::report::story::html::page::page_with;
use crate::report::story::html::table::{Set, table, text};
use crate::report::story::{Lang, Says};
use crate::report::words;
use jiff::tz::TimeZone;
use maud::{Markup, PreEscaped, html};

/// What the dress of reports lacks.
const STYLE: &str = "
.a-satisfied { color: var(--good); background: var(--good-fill); }
.a-partly { color: var(--warn); background: var(--warn-fill); }
.a-not_shown { color: var(--bad); background: var(--bad-fill); font-weight: 700; }
ul.lines { list-style: none; margin: 0; padding: 0; }
ul.lines li { margin: 0 0 .2rem; padding-left: 1.3rem; text-indent: -1.3rem; }
tr:target, :target { outline: 2px solid var(--link); outline-offset: 2px; }
td .moments { min-width: 0; }
.controls tbody th { width: 13rem; }
.controls td:nth-child(2) { width: 8rem; }
@media (max-width: 40rem) { .controls tbody th, .controls td:nth-child(2) { width: auto; } }
";

/// The parts of the page: anchor and title.
const PARTS: &[(&str, &str)] = &[
    ("controls", "Controls"),
    ("gaps", "Gaps"),
    ("duties", "What must be done, and when it was done last"),
    ("items", "After-action items"),
    ("runs", "Runs"),
    ("records", "Records"),
    ("backups", "Backups"),
    ("evidence", "Files of evidence"),
    ("decisions", "Decisions and approvals"),
    ("broken", "What is no evidence"),
    ("limits", "What this page shows, and what it does not"),
];

/// The audit as HTML, times in this zone.
pub fn audit_html(audit: &Audit, zone: &TimeZone) -> String {
    let page = Page { audit, says: Says { lang: Lang::En, zone: zone.clone() } };
    let body = html! {
        (page.head())
        nav aria-label="Contents" { ul { @for (anchor, title) in PARTS { li { a href={ "#" (anchor) } { (title) } } } } }
        main {
            @for (anchor, title) in PARTS {
                section {
                    h2 id=(anchor) { (title) }
                    (page.part(anchor))
                }
            }
        }
        footer {
            p { "blackstart " (audit.told_by) " · policy " (audit.readiness.policy) " · " (page.says.time(audit.readiness.at)) }
        }
    };
    let title = format!("Audit: {} ({})", audit.readiness.policy, audit.readiness.day);
    page_with(&title, Lang::En, &html! { style { (PreEscaped(STYLE)) } }, &body)
}

struct Page<'a> {
    audit: &'a Audit,
    says: Says,
}

impl Page<'_> {
    fn head(&self) -> Markup {
        let told = &self.audit.readiness;
        let count =
            |standing: Standing| self.audit.controls.iter().filter(|one| one.standing == standing).count();
        let all = self.audit.controls.len();
        let (satisfied, partly) = (count(Standing::Satisfied), count(Standing::Partly));
        let not_shown = count(Standing::NotShown);
        let (overdue, gaps) = (told.overdue, self.audit.gaps.len());
        let gap = match (overdue, gaps) {
            (0, 0) => "Nothing is overdue, broken or altered.".to_owned(),
            (0, 1) => "There is 1 gap.".to_owned(),
            (0, gaps) => format!("There are {gaps} gaps."),
            (overdue, gaps) => format!("Overdue: {overdue}; gaps in all: {gaps}."),
        };
        let lead = format!(
            "Of {all} controls, runs show all that was looked for of {satisfied}, some of {partly}, and nothing of {not_shown}. {gap}",
        );
        let class = match (overdue, gaps, satisfied == all) {
            (0, 0, true) => "lead good",
            (0, _, _) => "lead warn",
            (..) => "lead bad",
        };
        let facts = [
            ("Policy", told.policy.clone()),
            ("Told for", self.says.time(told.at)),
            ("Runs", self.audit.state_dir.clone()),
            ("Journals that are whole", self.audit.runs.len().to_string()),
            ("Directories that are no evidence", told.broken.len().to_string()),
        ];
        html! {
            header {
                h1 { "Audit: " (told.policy) }
                @if let Some(summary) = &told.summary { p { (summary) } }
                p class=(class) { (lead) }
                dl class="facts" {
                    @for (label, fact) in facts { div { dt { (label) } dd { (fact) } } }
                }
            }
        }
    }

    fn part(&self, anchor: &str) -> Markup {
        let (told, runs) = (&self.audit.readiness, &self.audit.runs);
        match anchor {
            "controls" => self.controls(),
            "gaps" => html! {
                @if self.audit.gaps.is_empty() { p { "None: nothing is overdue, broken or altered." } }
                @else { ul { @for gap in &self.audit.gaps { li { a href={ "#" (gap.see) } { (gap.what) } } } } }
            },
            "duties" => self.duties(&told.duties),
            "items" => self.items(&told.improve),
            "runs" => audit_lists::runs(runs, &self.says),
            "records" => audit_lists::records(runs),
            "backups" => audit_lists::backups(runs, &self.says),
            "evidence" => audit_lists::evidence(runs),
            "decisions" => audit_lists::decisions(runs, &self.says),
            "broken" => html! {
                @if told.broken.is_empty() { p { "Every directory among the runs is a run whose journal is whole." } }
                @else {
                    p { "These directories lie among the runs and show nothing. What they hold counts for no control." }
                    ul { @for one in &told.broken { li { code { (one.run) } ": " (one.because) } } }
                }
            },
            _ => self.limits(),
        }
    }

    fn controls(&self) -> Markup {
        let mut frameworks: Vec<&str> = Vec::new();
        for control in &self.audit.controls {
            if !frameworks.contains(&control.framework.as_str()) {
                frameworks.push(&control.framework);
            }
        }
        let heads =
            [("Control", Set::Words), ("Shown", Set::Words), ("What was looked for, and found", Set::Long)];
        html! {
            p { "What a control asks for is told in words of our own, not in those of the framework; a control is more than what runs can show of it." }
            @for framework in frameworks {
                h3 { (framework) }
                div class="controls" {
                    (table(framework, &heads, self.audit.controls.iter().filter(|one| one.framework == framework).map(control)))
                }
            }
        }
    }

    fn duties(&self, duties: &[DutyTold]) -> Markup {
        if duties.is_empty() {
            return html! { p { "The policy asks for none." } };
        }
        let heads = [
            ("What", Set::Long),
            ("Every", Set::Time),
            ("Last done", Set::Time),
            ("Due", Set::Time),
            ("Standing", Set::Words),
            ("By run", Set::Words),
            ("Owner", Set::Words),
        ];
        let rows = duties.iter().enumerate().map(|(at, duty)| {
            let last = duty.last.as_ref();
            vec![
                html! {
                    span id=(duty_anchor(at)) { (duty.what) }
                    @if !duty.control.is_empty() { div class="dim moments" { "for " (duty.control.join(", ")) } }
                    @for one in &duty.not_counted {
                        div class="dim moments" {
                            "Newer, and not counted: run " (run_link(&one.run, &one.short)) ": " (one.because)
                        }
                    }
                },
                text(&duty.every),
                text(last.map_or_else(|| "never".to_owned(), |last| last.day.to_string())),
                text(duty.due_on.map_or_else(String::new, |due| due.to_string())),
                due_badge(duty.standing),
                html! {
                    @if let Some(last) = last {
                        (run_link(&last.run, &last.short))
                        div class="dim moments" {
                            (last.mode.map_or("", words::mode)) ", " (last.state)
                            @if last.objectives > 0 { ", " (last.objectives_met) " of " (last.objectives) " objectives met" }
                            @if last.plan_of_today == Some(false) { ", of another plan than today's" }
                        }
                    }
                },
                text(duty.owner.clone().unwrap_or_default()),
            ]
        });
        table("Duties", &heads, rows)
    }

    fn items(&self, items: &[ItemsTold]) -> Markup {
        if items.is_empty() {
            let asked = self.audit.readiness.asks_to_improve;
            let none = "No run that has ended has after-action items.";
            return html! { p { @if asked { (none) } @else { "The policy does not ask for them to be closed." } } };
        }
        let heads = [
            ("Run", Set::Words),
            ("Seen, and to be done", Set::Long),
            ("Due", Set::Time),
            ("Standing", Set::Long),
        ];
        let rows = items.iter().map(|one| {
            let said = match (&one.closed, one.standing) {
                (Some(closed), _) => html! {
                    "Closed on " (closed.on.to_string()) ", by the word of " (closed.by)
                    @if !closed.in_time { strong { ", too late" } }
                    @if let Some(note) = &closed.note { ": " (note) }
                },
                (None, Some(due)) => due_badge(due),
                (None, None) => html! {},
            };
            vec![
                html! {
                    span id=(items_anchor(&one.run)) { (run_link(&one.run, &one.short)) }
                    div class="dim moments" { (one.runbook) ", " (one.mode.map_or("", words::mode)) }
                },
                html! { ul class="lines" { @for (seen, todo) in &one.items { li { (seen) " " span class="dim" { (todo) } } } } },
                text(one.due_on.map_or_else(String::new, |due| due.to_string())),
                said,
            ]
        });
        html! {
            p { "No run shows that an item is closed: where one is, it is by the word of whoever the policy names." }
            (table("After-action items", &heads, rows))
        }
    }

    fn limits(&self) -> Markup {
        html! {
            p { "It is told from the journals in one state directory, by the policy named above, and from nothing else: what was done without blackstart, or on another controller, is not here. Where a control asks for every plan, or every backup, it is looked for in those that the policy names." }
            p { "A chain of hashes shows that a journal was not altered since its head was noted elsewhere. Whoever may write in the directory and knows no head that was noted can be fooled by a journal that was written anew as a whole." }
            p { "To look for yourself: " code { "blackstart verify RUN" } " checks a journal and prints its head, " code { "blackstart report RUN" } " tells a run in full, and " code { "blackstart due --policy FILE" } " tells what is due." }
        }
    }
}

fn control(control: &ControlTold) -> Vec<Markup> {
    let word = match control.standing {
        Standing::Satisfied => "satisfied",
        Standing::Partly => "partly",
        Standing::NotShown => "not shown",
    };
    vec![
        html! { span id={ "control-" (control.id) } { (control.id) } },
        badge(control.standing, word),
        html! {
            div { (control.asks) }
            ul class="lines" { @for line in &control.lines { (found(line)) } }
        },
    ]
}

fn found(line: &Line) -> Markup {
    html! {
        li {
            span aria-hidden="true" { (sign(line.standing)) " " }
            span class="vh" { (match line.standing {
                Standing::Satisfied => "shown: ",
                Standing::Partly => "partly: ",
                Standing::NotShown => "not shown: ",
            }) }
            @if let Some(see) = &line.see { a href={ "#" (see) } { (line.said) } } @else { (line.said) }
        }
    }
}

fn sign(standing: Standing) -> &'static str {
    match standing {
        Standing::Satisfied => "✓",
        Standing::Partly => "◐",
        Standing::NotShown => "✗",
    }
}

/// How much is shown, as a badge: a sign and a word, and colour besides.
pub(super) fn badge(standing: Standing, word: &str) -> Markup {
    let class = match standing {
        Standing::Satisfied => "fate a-satisfied",
        Standing::Partly => "fate a-partly",
        Standing::NotShown => "fate a-not_shown",
    };
    html! { span class=(class) { span aria-hidden="true" { (sign(standing)) " " } (word) } }
}

fn due_badge(due: Due) -> Markup {
    match due {
        Due::InTime => badge(Standing::Satisfied, "in time"),
        Due::Soon => badge(Standing::Partly, "soon"),
        Due::Overdue => badge(Standing::NotShown, "overdue"),
        Due::Never => badge(Standing::NotShown, "never done"),
    }
}

/// A run that is told further down.
pub(super) fn run_link(run: &str, short: &str) -> Markup {
    html! { a href={ "#" (run_anchor(run)) } { code { (short) } } }
}
