//! What a run's negative probes prove, so that an auditor cannot miss what they do not.

use super::escape::line;
use super::look::Look;
use super::words::so_many;
use crate::engine::RunState;
use crate::model::event::{Before, Mode};
use crate::plan::Plan;
use crate::plan::frozen::PlannedStep;
use console::Style;
use serde::Serialize;

/// What negative probes saw after the cuts, and what that is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProofFacts {
    /// Negative probes that were carried out after a cut, each counted once by its newest look.
    pub negative: usize,
    /// Open before, closed after: the cut's doing.
    pub proved: usize,
    /// Why not everything was looked at before the first cut; `null` if it was.
    pub baseline: Option<String>,
    /// All the others.
    pub others: Vec<NoProof>,
    /// Was it played at a table? Then a map answered, and nothing was sent anywhere.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub played: bool,
}

/// A negative probe that proves nothing of the cut, or shows that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoProof {
    /// What was tried from where.
    pub what: String,
    /// Was it closed at all?
    pub closed: bool,
    /// What is known of it from before.
    pub before: Before,
}

impl ProofFacts {
    /// Of a run; `None` if it has no negative probe to speak of yet, or is a way back.
    pub fn of(state: &RunState) -> Option<Self> {
        if is_way_back(state.plan()) {
            return None;
        }
        let proofs = state.proofs();
        let (mut negative, mut proved, mut others) = (0, 0, Vec::new());
        for proof in proofs.each() {
            negative += 1;
            match proof.proves() {
                true => proved += 1,
                false => others.push(NoProof {
                    what: proof.what.clone(),
                    closed: proof.closed,
                    before: proof.before,
                }),
            }
        }
        let baseline = proofs.baseline().filter(|because| !because.is_empty()).map(str::to_owned);
        others.sort_by(|one, other| one.what.cmp(&other.what));
        let played = state.mode() == Mode::Tabletop;
        (negative > 0).then_some(Self { negative, proved, baseline, others, played })
    }

    /// `isolation proved by 5 of 7 negative probes; 2 prove nothing`.
    pub fn sentence(&self) -> String {
        let count = |which: fn(&NoProof) -> bool| self.others.iter().filter(|proof| which(proof)).count();
        let open = count(|proof| !proof.closed);
        let already = count(|proof| proof.closed && proof.before == Before::CutAlready);
        let nothing = self.others.len() - open - already;
        let probes = so_many(self.negative, "negative probe");
        let mut text = match self.played {
            true => format!("at the table, by the map: isolation seen by {} of {probes}", self.proved),
            false => format!("isolation proved by {} of {probes}", self.proved),
        };
        for (count, one, many) in [
            (nothing, "proves nothing", "prove nothing"),
            (already, "was cut before the run", "were cut before the run"),
            (open, "did not see its target closed", "did not see their target closed"),
        ] {
            if count > 0 {
                text.push_str(&format!("; {count} {}", if count == 1 { one } else { many }));
            }
        }
        text
    }
}

/// Why a silence proves nothing, or not by itself; `None` if it does.
pub fn worth(before: Before) -> Option<&'static str> {
    match before {
        Before::Open => None,
        Before::CutAlready => Some("not open before: its cut was in place already"),
        Before::NotOpen => Some("PROVES NOTHING: was not open before"),
        Before::NotLooked => Some("PROVES NOTHING: nobody saw it open before"),
    }
}

/// Does it open conduits again and cut none? Its negative probes say what is still shut, by cuts of earlier runs: they
/// were never to be open, and prove no cut of this one.
pub(super) fn is_way_back(plan: &Plan) -> bool {
    let any = |of: fn(&PlannedStep) -> bool| plan.steps.iter().any(of);
    any(|step| !step.reconnects.is_empty()) && !any(|step| !step.severs.is_empty())
}

/// The lines of the recap.
pub(super) fn section(facts: Option<&ProofFacts>, look: &Look) -> String {
    let Some(facts) = facts else { return String::new() };
    let style = match facts.proved == facts.negative {
        true => Style::new().green(),
        false => Style::new().yellow().bold(),
    };
    let mut text = format!("  {}\n", look.paint(style, &facts.sentence()));
    if let Some(because) = &facts.baseline {
        text.push_str(&format!("  before the first cut: {}\n", line(because)));
    }
    for proof in &facts.others {
        let worth = match proof.closed {
            true => worth(proof.before).unwrap_or_default(),
            false => "NOT CLOSED",
        };
        text.push_str(&format!("  {}: {worth}\n", line(&proof.what)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_reads_how_much_is_proved_and_what_is_not() {
        let other = |closed, before| NoProof { what: "tcp h:1 from db1".into(), closed, before };
        let others = vec![
            other(true, Before::NotOpen),
            other(true, Before::NotLooked),
            other(true, Before::CutAlready),
            other(false, Before::Open),
        ];
        let mut facts = ProofFacts { negative: 9, proved: 5, baseline: None, others, played: false };
        assert_eq!(
            facts.sentence(),
            "isolation proved by 5 of 9 negative probes; 2 prove nothing; 1 was cut before the run; \
             1 did not see its target closed"
        );
        let text = section(Some(&facts), &Look::plain("r"));
        assert!(
            text.contains("PROVES NOTHING: was not open before") && text.contains("NOT CLOSED"),
            "{text}"
        );
        (facts.negative, facts.proved) = (1, 1);
        facts.others.clear();
        assert_eq!(facts.sentence(), "isolation proved by 1 of 1 negative probe");
        facts.played = true;
        assert_eq!(facts.sentence(), "at the table, by the map: isolation seen by 1 of 1 negative probe");
        assert_eq!(section(None, &Look::plain("r")), "");
    }
}
