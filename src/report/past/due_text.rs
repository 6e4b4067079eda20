//! What is due, for people.

use super::readiness::{Due, DutyTold, ItemsTold, Readiness};
use crate::report::escape::line;
use crate::report::look::Look;
use crate::report::table::{Align, Table};
use crate::report::words;
use console::Style;

/// Duties, after-action items, runs that do not count, and one sentence that says how it stands.
pub fn due(told: &Readiness, look: &Look) -> String {
    let (left, right) = (Align::Left, Align::Right);
    let mut text = format!("{}\n", look.bold(&heading(told)));
    if !told.duties.is_empty() {
        let heads = [
            ("what", left),
            ("every", left),
            ("last done", left),
            ("due", left),
            ("left", right),
            ("run", left),
            ("owner", left),
        ];
        let mut table = Table::new(heads);
        told.duties.iter().for_each(|duty| table.row(row(duty, look)));
        text += &format!("\n{}", table.render(look));
    }
    if told.asks_to_improve {
        text += &format!("\n{}\n", look.bold("After-action items"));
        if told.improve.is_empty() {
            text += "  none\n";
        }
        text.extend(told.improve.iter().map(|items| items_line(items, look)));
        text.extend(told.closed_in_vain.iter().map(|run| {
            format!("  {}: closed by the policy, but no run with items is called so\n", line(run))
        }));
    }
    text += &notes(told, look);
    text + &format!("\n{}\n", sentence(told, look))
}

fn heading(told: &Readiness) -> String {
    let zone = if told.zone.is_empty() { String::new() } else { format!(" {}", told.zone) };
    format!("Policy {}, {}{zone}", told.policy, told.day)
}

fn row(duty: &DutyTold, look: &Look) -> Vec<String> {
    let dash = || "-".to_owned();
    let last = duty.last.as_ref();
    vec![
        duty.what.clone(),
        duty.every.clone(),
        last.map_or_else(|| "never".to_owned(), |last| last.day.to_string()),
        duty.due_on.map_or_else(dash, |due| due.to_string()),
        standing(duty.standing, duty.days_left, look),
        last.map_or_else(dash, |last| last.short.clone()),
        duty.owner.clone().unwrap_or_else(dash),
    ]
}

fn standing(standing: Due, days_left: Option<i64>, look: &Look) -> String {
    let days = |days: i64| format!("{days} day{}", if days == 1 { "" } else { "s" });
    let bad = Style::new().red().bold();
    match (standing, days_left) {
        (Due::InTime, Some(left)) => days(left),
        (Due::InTime, None) => String::new(),
        (Due::Soon, left) => look.paint(Style::new().yellow(), &format!("SOON, {}", days(left.unwrap_or(0)))),
        (Due::Overdue | Due::Never, Some(left)) => {
            look.paint(bad, &format!("OVERDUE by {}", days(left.saturating_neg())))
        }
        (Due::Overdue | Due::Never, None) => look.paint(bad, "OVERDUE"),
    }
}

fn items_line(items: &ItemsTold, look: &Look) -> String {
    let count = items.items.len();
    let said = match (&items.closed, items.standing) {
        (Some(closed), _) => {
            let late = if closed.in_time { "" } else { ", TOO LATE" };
            format!("closed on {} by the word of {}{late}", closed.on, closed.by)
        }
        (None, Some(due)) => {
            let by = items.due_on.map_or_else(String::new, |due| format!("to be closed by {due}: "));
            format!("{by}{}", standing(due, items.days_left, look))
        }
        (None, None) => String::new(),
    };
    let mode = items.mode.map_or("run", words::mode);
    let plural = if count == 1 { "" } else { "s" };
    format!("  {} ({mode} of {}): {count} item{plural}, {said}\n", items.short, items.runbook)
}

fn notes(told: &Readiness, look: &Look) -> String {
    let mut text = String::new();
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text += &format!("\n{}\n", look.bold(title));
            text.extend(lines.into_iter().map(|line| format!("  {line}\n")));
        }
    };
    let newer = |duty: &DutyTold| {
        let one = duty.not_counted.first()?;
        let more = match duty.not_counted.len() {
            1 => String::new(),
            many => format!(" (and {} more)", many - 1),
        };
        let mode = one.mode.map_or("run", words::mode);
        let which = format!("{mode} {} of {}", one.short, look.date_and_time(one.at));
        Some(format!("{}: {which}: {}{more}", duty.what, one.because))
    };
    section("Newer runs that do not count", told.duties.iter().filter_map(newer).collect());
    let older = told.duties.iter().filter_map(|duty| {
        let last = duty.last.as_ref().filter(|last| last.plan_of_today == Some(false))?;
        Some(format!(
            "{}: run {} was of another plan than {} makes today",
            duty.what, last.short, last.runbook
        ))
    });
    section("Changed since", older.collect());
    let today = told
        .today
        .iter()
        .filter_map(|(name, today)| Some(format!("{}: {}", line(name), today.because.as_ref()?)));
    section("Runbooks that make no plan today", today.collect());
    let broken = told.broken.iter().map(|one| format!("{}: {}", one.run, one.because));
    section("No evidence, because they show nothing", broken.collect());
    text
}

fn sentence(told: &Readiness, look: &Look) -> String {
    let all = told.duties.len() + told.improve.iter().filter(|items| items.closed.is_none()).count();
    let soon = match (&told.within, told.soon) {
        (Some(within), 1) => format!("; 1 falls due within {within}"),
        (Some(within), soon) => format!("; {soon} fall due within {within}"),
        (None, _) => String::new(),
    };
    let (style, said) = match told.overdue {
        0 => (Style::new().green(), "Nothing is overdue".to_owned()),
        1 => (Style::new().red().bold(), format!("1 of {all} is overdue")),
        many => (Style::new().red().bold(), format!("{many} of {all} are overdue")),
    };
    look.paint(style, &format!("{said}{soon}."))
}
