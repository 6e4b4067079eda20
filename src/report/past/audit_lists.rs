//! The lists of an audit: runs, records, backups, files of evidence, decisions.

use super::audit::{RunTold, run_anchor};
use super::audit_page::{badge, run_link};
use super::control::Standing;
use crate::model::{Millis, Time};
use crate::report::story::Says;
use crate::report::story::html::table::{Set, table, text};
use crate::report::story::told::Met;
use crate::report::words;
use maud::{Markup, html};

/// Runs whose journal is whole.
pub(super) fn runs(runs: &[RunTold], says: &Says) -> Markup {
    if runs.is_empty() {
        return html! { p { "None." } };
    }
    let heads = [
        ("Run", Set::Words),
        ("Runbook", Set::Words),
        ("Kind", Set::Words),
        ("State", Set::Words),
        ("Started", Set::Time),
        ("Took", Set::Number),
        ("Objectives", Set::Words),
        ("Cuts", Set::Words),
    ];
    let rows = runs.iter().map(|run| {
        vec![
            html! { span id=(run_anchor(&run.run)) { code { (run.short) } } },
            html! {
                (run.runbook) div class="dim moments" { "on " (run.inventory) }
                @if let Some(why) = &run.narrowed { div class="dim moments" { "in part: " (why) } }
            },
            text(run.mode.map_or("", words::mode)),
            text(&run.state),
            text(time(says, run.started_at)),
            text(run.started_at.map_or_else(String::new, |_| Millis(run.took_ms).to_string())),
            html! { ul class="lines" { @for one in &run.objectives {
                @if one.standing != Met::NotStarted { li { (says.met(one.standing)) ": " (one.name) } }
            } } },
            html! { ul class="lines" { @for cut in &run.cuts {
                li { (cut.conduit) @if cut.proved { ", proved" } @else { ", not proved" } }
            } } },
        ]
    });
    table("Runs", &heads, rows)
}

/// Chains, heads and plans.
pub(super) fn records(runs: &[RunTold]) -> Markup {
    if runs.is_empty() {
        return html! { p { "None." } };
    }
    let heads = [
        ("Run", Set::Words),
        ("Chain", Set::Words),
        ("Records", Set::Number),
        ("Head", Set::Hash),
        ("Plan", Set::Hash),
        ("Plan of today", Set::Words),
        ("Signatures", Set::Number),
    ];
    let rows = runs.iter().map(|run| {
        vec![
            run_link(&run.run, &run.short),
            html! {
                (badge(Standing::Satisfied, "whole"))
                @if let Some(bytes) = run.journal.torn_bytes {
                    div class="dim moments" { (bytes) " bytes of a record that was never committed" }
                }
            },
            text(run.journal.records),
            text(&run.journal.head),
            text(&run.journal.plan),
            text(match run.plan_of_today {
                Some(true) => "yes",
                Some(false) => "no, it has changed",
                None => "",
            }),
            text(run.signed),
        ]
    });
    html! {
        p { "Every record's hash fits it and those before it, every event follows from those before it, the plan is the one that the journal was begun with, and every signature holds. Whoever noted a head elsewhere at the time can compare it." }
        (table("Records", &heads, rows))
    }
}

/// Backups that were found whole.
pub(super) fn backups(runs: &[RunTold], says: &Says) -> Markup {
    let all: Vec<_> = runs.iter().flat_map(|run| run.backups.iter().map(move |seen| (run, seen))).collect();
    if all.is_empty() {
        return html! { p { "No run has looked at a backup and found it whole." } };
    }
    let heads = [
        ("Run", Set::Words),
        ("Gate", Set::Words),
        ("Found whole", Set::Time),
        ("Taken", Set::Time),
        ("Files", Set::Number),
        ("SHA-256 of its manifest", Set::Hash),
        ("Signed by", Set::Long),
    ];
    let rows = all.into_iter().map(|(run, seen)| {
        let signed = seen.signed_by.as_ref();
        vec![
            run_link(&run.run, &run.short),
            text(&seen.step),
            text(time(says, Some(seen.at))),
            text(time(says, Some(seen.taken))),
            text(seen.files),
            text(&seen.manifest_sha256),
            text(signed.map_or_else(|| "nobody".to_owned(), |(who, key)| format!("{who}, {key}"))),
        ]
    });
    table("Backups", &heads, rows)
}

/// Files of evidence, and whether they are as they came.
pub(super) fn evidence(runs: &[RunTold]) -> Markup {
    let all: Vec<_> = runs.iter().flat_map(|run| run.evidence.iter().map(move |file| (run, file))).collect();
    if all.is_empty() {
        return html! { p { "No run has fetched a file of evidence." } };
    }
    let heads = [
        ("Run", Set::Words),
        ("File", Set::Hash),
        ("From", Set::Long),
        ("Bytes", Set::Number),
        ("SHA-256", Set::Hash),
        ("As it came", Set::Long),
    ];
    let rows = all.into_iter().map(|(run, file)| {
        let host = file.file.host.as_deref().unwrap_or("controller");
        vec![
            run_link(&run.run, &run.short),
            text(&file.file.file),
            html! { (host) ": " (file.file.from) },
            text(file.file.bytes),
            text(&file.file.sha256),
            match &file.because {
                None => badge(Standing::Satisfied, "yes"),
                Some(because) => html! { (badge(Standing::NotShown, "no")) " " (because) },
            },
        ]
    });
    table("Files of evidence", &heads, rows)
}

/// What people decided.
pub(super) fn decisions(runs: &[RunTold], says: &Says) -> Markup {
    let all: Vec<_> = runs.iter().flat_map(|run| run.decisions.iter().map(move |one| (run, one))).collect();
    if all.is_empty() {
        return html! { p { "None is on record." } };
    }
    let heads = [
        ("Run", Set::Words),
        ("When", Set::Time),
        ("Who", Set::Words),
        ("About", Set::Long),
        ("Decision", Set::Long),
        ("Signed with", Set::Hash),
    ];
    let rows = all.into_iter().map(|(run, one)| {
        vec![
            run_link(&run.run, &run.short),
            text(time(says, Some(one.at))),
            text(&one.by),
            text(&one.about),
            html! { (one.decision) @if let Some(comment) = &one.comment { ": " (comment) } },
            text(one.key.clone().unwrap_or_default()),
        ]
    });
    table("Decisions and approvals", &heads, rows)
}

fn time(says: &Says, at: Option<Time>) -> String {
    at.map_or_else(String::new, |at| says.time(at))
}
