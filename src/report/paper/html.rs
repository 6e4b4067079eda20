//! The paper runbook as a page made for paper: black on white, boxes to tick, the plan's hash in every margin.

use super::sheet::{CommandSheet, Contact, PhaseSheet, Sheet, StepSheet, UndoSheet};
use crate::report::story::Lang;
use crate::report::story::html::page::page_with;
use maud::{Markup, PreEscaped, html};

/// What paper needs besides the style of every page.
const STYLE: &str = include_str!("paper.css");

/// The paper runbook as HTML.
pub fn html(sheet: &Sheet) -> String {
    // The hash is hexadecimal digits: nothing in it can end the text of the margin.
    let margin = format!(
        "@page {{ @bottom-left {{ content: \"Plan {}\"; font: 8pt monospace; }} @bottom-right {{ content: counter(page) \" / \" counter(pages); font: 8pt monospace; }} }}",
        sheet.hash
    );
    let title = format!("Plan {}: {} ({})", sheet.short_hash(), sheet.runbook, sheet.inventory);
    let body = html! {
        header {
            h1 { (sheet.runbook) }
            @if let Some(about) = &sheet.about { p { (about) } }
            dl class="facts" {
                div { dt { "Inventory" } dd { (sheet.inventory) } }
                div { dt { "Expected to take" } dd { (sheet.expected) } }
                div { dt { "Plan (SHA-256)" } dd { code { (sheet.hash) } } }
                div { dt { "Run on (date), by" } dd class="blank" { " " } }
            }
            p { "Compare the plan's hash with the one on the screen, or with the copy that was signed, before the first step. Write the time beside each tick." }
            @if !sheet.objectives.is_empty() {
                h2 { "By when" }
                ul { @for objective in &sheet.objectives { li { (objective) } } }
            }
        }
        main {
            section { h2 { "Whom to call" } (contacts(&sheet.contacts)) }
            section { h2 { "How to get onto the hosts" } (hosts(sheet)) }
            @for phase in &sheet.phases { (self::phase(sheet, phase)) }
        }
        footer { p { "blackstart " (env!("CARGO_PKG_VERSION")) " · plan " code { (sheet.hash) } } }
    };
    page_with(&title, Lang::En, &html! { style { (PreEscaped(STYLE)) (PreEscaped(margin)) } }, &body)
}

fn contacts(contacts: &[Contact]) -> Markup {
    html! {
        table {
            caption { "Whom to call" }
            thead { tr { th scope="col" { "Who" } th scope="col" { "How" } th scope="col" { "Reached at" } } }
            tbody {
                @for contact in contacts {
                    tr { th scope="row" { (contact.who) } td { (contact.how) } td class="blank" {} }
                }
                @for _ in 0..BLANK_CONTACTS { tr { th scope="row" class="blank" { "…" } td class="blank" {} td class="blank" {} } }
            }
        }
    }
}

/// Lines for people whom no file names.
const BLANK_CONTACTS: usize = 3;

fn hosts(sheet: &Sheet) -> Markup {
    html! {
        table {
            caption { "How to get onto the hosts" }
            thead { tr { th scope="col" { "Host" } th scope="col" { "Command" } } }
            tbody {
                @for (name, way) in &sheet.hosts { tr { th scope="row" { (name) } td { code { (way) } } } }
            }
        }
    }
}

fn phase(sheet: &Sheet, phase: &PhaseSheet) -> Markup {
    html! {
        section class="phase" {
            h2 { "Phase " (phase.name) @if let Some(title) = &phase.title { " · " (title) } }
            p class="dim" { "Plan " code { (sheet.short_hash()) } ". If a step fails: " (phase.if_a_step_fails) "." }
            @for step in &phase.steps { (self::step(step)) }
        }
    }
}

fn step(step: &StepSheet) -> Markup {
    html! {
        article class="step" {
            h3 { span class="box" role="img" aria-label="tick when done" {} (step.name) @if let Some(title) = &step.title { " · " (title) } }
            p class="times" { "begun ____:____   done ____:____   by ______________   expected " (step.expected) }
            @for (label, text) in &step.before { p { b { (label) ": " } (text) } }
            @if step.signatures > 0 {
                p { b { "consent of " (step.signatures) ": " } @for _ in 0..step.signatures { span class="sign" {} " " } }
            }
            @if let Some(does) = &step.does { p { (does) } }
            @if !step.by_hand.is_empty() { pre { (step.by_hand.join("\n")) } }
            @if !step.hosts.is_empty() {
                ul class="ticks" { @for host in &step.hosts { li { span class="box" aria-hidden="true" {} (host) } } }
            }
            @for command in &step.commands { (self::command(command)) }
            @if !step.proof.is_empty() {
                h4 { "Proof" }
                ul class="ticks wide" { @for proof in &step.proof { li { span class="box" aria-hidden="true" {} (proof) } } }
            }
            (undo(&step.undo))
        }
    }
}

fn undo(undo: &UndoSheet) -> Markup {
    html! {
        @match undo {
            UndoSheet::NotNeeded => {},
            UndoSheet::Impossible(why) => { p class="warn" { b { "Cannot be taken back: " } (why) } },
            UndoSheet::Commands(commands) => {
                div class="undo" {
                    h4 { span class="box" role="img" aria-label="tick when taken back" {} "To take it back" }
                    @for command in commands { (self::command(command)) }
                }
            },
        }
    }
}

fn command(command: &CommandSheet) -> Markup {
    html! {
        p class="label" {
            (command.label)
            @if !command.on.is_empty() { " on " (command.on) }
            @if command.same_but { ": the same, but with" } @else { ":" }
        }
        pre { (command.lines.join("\n")) }
    }
}
