//! The report as Markdown: for tickets, wikis and mail.

use super::first_report;
use super::lang::{Lang, Says};
use super::markdown_page::{Page, escaped};
use super::markdown_scores;
use super::phrase::Phrase;
use super::told::{Fate, Story};
use crate::model::event::Mode;
use crate::model::{Millis, Time};
use crate::report::host_list::by_number;

/// Entries of a host list before the rest is counted.
const HOST_ENTRIES_MAX: usize = 6;
/// Lines for what people observed.
const BLANK_ROWS: usize = 3;

/// The report as Markdown.
pub fn markdown(story: &Story, says: &Says) -> String {
    let mut page = Page { text: String::new(), says };
    head(story, &mut page);
    markdown_scores::objectives(story, &mut page);
    markdown_scores::restoration(story, &mut page);
    markdown_scores::compared(story, &mut page);
    trouble(story, &mut page);
    cuts(story, &mut page);
    decisions(story, &mut page);
    steps(story, &mut page);
    time(story, &mut page);
    seen(story, &mut page);
    improvements(story, &mut page);
    proof(story, &mut page);
    if says.lang == Lang::Ja {
        page.heading(Phrase::FirstReport);
        page.paragraph(&escaped(says.say(Phrase::FirstNote)));
        let rows = first_report::lines(story, says).into_iter();
        page.table(
            &[Phrase::Name, Phrase::What],
            rows.map(|(label, text)| vec![label.to_owned(), text]).collect(),
        );
    }
    page.text
}

fn head(story: &Story, page: &mut Page<'_>) {
    let (run, says) = (&story.run, page.says);
    page.text.push_str(&format!(
        "# {}: {} ({})\n\n",
        says.say(Phrase::Report),
        escaped(&run.runbook),
        escaped(&run.inventory)
    ));
    if run.mode != Mode::Live {
        page.paragraph(&format!("**{}**", says.say(Phrase::Exercise)));
    }
    page.paragraph(&format!("**{}**", escaped(&run.sentence)));
    page.paragraph(&escaped(&says.paragraph(&story.summary)));
    let time = |at: Option<Time>| at.map(|at| says.time(at)).unwrap_or_default();
    let facts = [
        (Phrase::Run, run.id.clone().unwrap_or_default()),
        (Phrase::Kind, says.mode(run.mode).to_owned()),
        (Phrase::StartedBy, run.by.clone().unwrap_or_default()),
        (Phrase::Started, time(run.started_at)),
        (Phrase::Ended, time(run.ended_at)),
        (Phrase::Took, says.length(Millis(run.took_ms))),
    ];
    for (label, text) in facts.iter().filter(|(_, text)| !text.is_empty()) {
        page.text.push_str(&format!("- {}: {}\n", says.say(*label), escaped(text)));
    }
}

fn trouble(story: &Story, page: &mut Page<'_>) {
    let heads = [Phrase::Step, Phrase::HostsHead, Phrase::Why];
    let lists = [
        (Phrase::NeedsAPerson, &story.needs_a_person, false),
        (Phrase::Failures, &story.failures, false),
        (Phrase::NotRun, &story.not_run, false),
        (Phrase::LeftOut, &story.not_run, true),
    ];
    for (title, groups, left_out) in lists {
        let says = page.says;
        let rows = groups.iter().filter(|group| group.left_out == left_out);
        let rows: Vec<_> = rows
            .map(|group| {
                let printed = group.printed.last().map(|last| format!(" — {last}")).unwrap_or_default();
                vec![group.step.clone(), hosts(says, &group.hosts), format!("{}{printed}", group.why)]
            })
            .collect();
        page.section(title, &heads, rows);
    }
    let says = page.says;
    let open = story.open_questions.iter().map(|one| vec![one.question.clone(), says.time(one.since)]);
    page.section(Phrase::OpenQuestions, &[Phrase::Question, Phrase::Since], open.collect());
}

fn cuts(story: &Story, page: &mut Page<'_>) {
    let says = page.says;
    let rows = story.cuts.iter().map(|cut| {
        vec![
            cut.conduit.clone(),
            cut.step.clone(),
            hosts(says, &cut.hosts),
            cut.at.map(|at| says.time(at)).unwrap_or_default(),
            says.yes(cut.certain).to_owned(),
            if cut.proved { says.proved(story.run.mode) } else { says.yes(false) }.to_owned(),
        ]
    });
    let rows = rows.collect();
    let heads =
        [Phrase::Conduit, Phrase::Step, Phrase::HostsHead, Phrase::CutAt, Phrase::Certain, Phrase::Proved];
    page.section(Phrase::Cuts, &heads, rows);
}

fn decisions(story: &Story, page: &mut Page<'_>) {
    let says = page.says;
    let rows = story.decisions.iter().map(|one| {
        vec![
            says.time(one.at),
            one.by.clone(),
            one.about.clone(),
            one.decision.clone(),
            one.comment.clone().unwrap_or_default(),
            one.key.clone().unwrap_or_default(),
        ]
    });
    let rows = rows.collect();
    let heads =
        [Phrase::When, Phrase::By, Phrase::About, Phrase::Decision, Phrase::Comment, Phrase::SignedWith];
    page.section(Phrase::Decisions, &heads, rows);
}

fn steps(story: &Story, page: &mut Page<'_>) {
    let says = page.says;
    let start = story.run.started_at;
    let rows = story.steps.iter().map(|step| {
        let mark = if step.critical { " *" } else { "" };
        vec![
            step.phase.clone(),
            format!("{}{mark}", step.id),
            step.hosts.clone(),
            format!("{} {}", mark_of(step.fate), says.fate(step.fate)),
            step.started_at.map(|at| says.since(start, at)).unwrap_or_default(),
            step.took_ms.map(|ms| says.length(Millis(ms))).unwrap_or_default(),
            says.length(Millis(step.estimate_ms)),
        ]
    });
    let rows = rows.collect();
    page.heading(Phrase::Tasks);
    let heads = [
        Phrase::Phase,
        Phrase::Step,
        Phrase::HostsHead,
        Phrase::Result,
        Phrase::Started,
        Phrase::Actual,
        Phrase::Expected,
    ];
    page.table(&heads, rows);
    page.paragraph(&format!("\\* {}", says.say(Phrase::CriticalPath)));
}

fn time(story: &Story, page: &mut Page<'_>) {
    let says = page.says;
    let start = story.run.started_at;
    let rows = story.critical_path.iter().map(|leg| {
        let on = leg.host.as_ref().map(|host| format!("@{host}")).unwrap_or_default();
        vec![
            format!("{}{on}", leg.step),
            says.since(start, leg.from),
            says.since(start, leg.to),
            says.spent(&leg.parts),
        ]
    });
    let rows = rows.collect();
    page.section(
        Phrase::CriticalPath,
        &[Phrase::Step, Phrase::Since, Phrase::Until, Phrase::OfItsTime],
        rows,
    );
    let rows = story.waits.iter().map(|wait| {
        vec![
            wait.why.clone(),
            wait.step.clone().unwrap_or_default(),
            hosts(says, &wait.hosts),
            says.since(start, wait.from),
            says.length(Millis(wait.longest_ms)),
        ]
    });
    let rows = rows.collect();
    let heads = [Phrase::What, Phrase::Step, Phrase::HostsHead, Phrase::Since, Phrase::Longest];
    page.section(Phrase::Waits, &heads, rows);
}

fn seen(story: &Story, page: &mut Page<'_>) {
    let says = page.says;
    if let Some(both) = &story.reachability {
        let pairs = (0..both.zones.len()).flat_map(|from| (0..both.zones.len()).map(move |to| (from, to)));
        let changed = pairs.filter(|(from, to)| both.before[*from][*to] != both.after[*from][*to]);
        let rows = changed.map(|(from, to)| {
            let way = |matrix: &[Vec<super::ledger::Way>]| says.way(matrix[from][to]).to_owned();
            vec![both.zones[from].clone(), both.zones[to].clone(), way(&both.before), way(&both.after)]
        });
        let heads = [Phrase::From, Phrase::To, Phrase::Before, Phrase::After];
        page.section(Phrase::Reachability, &heads, rows.collect());
    }
    let services = story.services.iter().map(|one| {
        vec![
            one.name.clone(),
            one.place.clone(),
            says.stands(one.stands).to_owned(),
            says.length(Millis(one.down_ms)),
            says.length(Millis(one.longest_down_ms)),
            one.rto_ms.map(|rto| says.length(Millis(rto))).unwrap_or_default(),
        ]
    });
    let services = services.collect();
    let heads =
        [Phrase::Service, Phrase::Place, Phrase::Stands, Phrase::Down, Phrase::LongestDown, Phrase::Rto];
    page.section(Phrase::Services, &heads, services);
    let probes = story.probes.iter().map(|one| {
        vec![
            one.step.clone(),
            one.what.clone(),
            one.expected.clone(),
            one.seen.clone(),
            says.yes(one.agrees).to_owned(),
            says.worth(one.worth).to_owned(),
        ]
    });
    let probes = probes.collect();
    let heads =
        [Phrase::Step, Phrase::What, Phrase::Expectation, Phrase::Seen, Phrase::Agrees, Phrase::Worth];
    page.section(Phrase::Probes, &heads, probes);
    let fired = story.fired.iter().map(|one| {
        let skew = says.skew(one.skew_min_us, one.skew_max_us);
        vec![one.step.clone(), says.time(one.at), one.hosts.to_string(), one.unheard.to_string(), skew]
    });
    let fired = fired.collect();
    let heads = [Phrase::Step, Phrase::When, Phrase::HostsHead, Phrase::Unheard, Phrase::Skew];
    page.section(Phrase::FiredTogether, &heads, fired);
    let guards = story.guards.iter().map(|one| {
        vec![says.time(one.at), one.step.clone(), one.host.clone().unwrap_or_default(), one.said.clone()]
    });
    let guards = guards.collect();
    page.section(Phrase::Guards, &[Phrase::When, Phrase::Step, Phrase::Host, Phrase::Result], guards);
}

fn improvements(story: &Story, page: &mut Page<'_>) {
    let says = page.says;
    page.heading(Phrase::Improvements);
    page.paragraph(&escaped(says.say(match story.improvements.is_empty() {
        true => Phrase::NoImprovements,
        false => Phrase::ImprovementsAre,
    })));
    let item = |one: &super::ledger::Improvement| {
        vec![one.observation.clone(), one.recommendation.clone(), String::new(), String::new()]
    };
    let blank = std::iter::repeat_n(vec![String::new(); 4], BLANK_ROWS);
    let rows = story.improvements.iter().map(item).chain(blank).collect();
    let heads = [Phrase::Observation, Phrase::Recommendation, Phrase::Owner, Phrase::Due];
    page.table(&heads, rows);
}

fn proof(story: &Story, page: &mut Page<'_>) {
    let says = page.says;
    let rows = story.evidence.iter().map(|one| {
        vec![
            one.file.clone(),
            one.host.clone().unwrap_or_default(),
            one.from.clone(),
            one.bytes.to_string(),
            one.sha256.clone(),
        ]
    });
    let rows = rows.collect();
    let heads = [Phrase::File, Phrase::Host, Phrase::Source, Phrase::Bytes, Phrase::Record];
    page.section(Phrase::Evidence, &heads, rows);
    let rows = story.hosts.iter().map(|host| {
        vec![
            host.name.clone().unwrap_or_else(|| says.say(Phrase::Controller).to_owned()),
            host.zone.clone().unwrap_or_default(),
            host.login.clone(),
            match (&host.reached, &host.name) {
                (Some(how), _) => how.clone(),
                (None, Some(_)) => says.say(Phrase::NotReachedHost).to_owned(),
                (None, None) => String::new(),
            },
        ]
    });
    let rows = rows.collect();
    page.section(Phrase::Hosts, &[Phrase::Host, Phrase::Zone, Phrase::Login, Phrase::HostKey], rows);
    page.heading(Phrase::Record);
    let journal = &story.journal;
    let facts = [
        (Phrase::PlanHash, journal.plan.clone()),
        (Phrase::JournalHead, journal.head.clone()),
        (Phrase::Records, journal.records.to_string()),
    ];
    for (label, text) in facts {
        page.text.push_str(&format!("- {}: {}\n", says.say(label), escaped(&text)));
    }
    if let Some(bytes) = journal.torn_bytes {
        page.text.push_str(&format!("- {}\n", escaped(&says.fill(Phrase::Torn, &[&bytes.to_string()]))));
    }
}

fn hosts(says: &Says, hosts: &[String]) -> String {
    let mut names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    by_number(&mut names);
    match names.is_empty() {
        true => says.say(Phrase::Controller).to_owned(),
        false => says.hosts(&names, HOST_ENTRIES_MAX),
    }
}

/// A sign for each fate, so that colour never carries meaning alone.
pub(super) fn mark_of(fate: Fate) -> &'static str {
    match fate {
        Fate::Stuck => "‼",
        Fate::Failed => "✗",
        Fate::Unseen => "?",
        Fate::UnderWay => "▶",
        Fate::TakenBack => "↶",
        Fate::NotRun => "–",
        Fate::Waiting => "…",
        Fate::Tolerated => "≈",
        Fate::Done => "✓",
        Fate::AlreadySo => "=",
        Fate::LeftOut => "·",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::story::sentences::code;

    #[test]
    fn every_fate_has_a_sign_of_its_own() {
        let signs: std::collections::BTreeSet<&str> = Fate::ALL.into_iter().map(mark_of).collect();
        assert_eq!(signs.len(), Fate::ALL.len());
        let codes: std::collections::BTreeSet<&str> = Fate::ALL.into_iter().map(code).collect();
        assert_eq!(codes.len(), Fate::ALL.len());
    }
}
