//! Reads an objective: two moments of a run, and how much time may lie between them.

use super::grammar::runbook::Objective as Shape;
use super::order::Names;
use super::shapes::{At, Length, OneOrMany};
use super::sink::Sink;
use super::step::all;
use super::values::{YEAR, length, required};
use crate::model::names::{PhaseId, ServiceName, StepId};
use crate::model::place::{Located, Span};
use crate::model::runbook::{Moment, Objective};
use crate::model::{Millis, Problem};

/// The moments there are, as they are written.
const MOMENTS: &str =
    "write `start`, `phase ID`, `step ID`, `probe ID`, `service NAME up`, `service NAME down` or `backup ID`";

/// Reads one. What is wrong with it is in the sink; `None` if something is.
pub(super) fn read(sink: &Sink<'_>, names: &Names, objective: At<Shape>) -> Option<Objective> {
    let (span, shape) = (objective.span, objective.value?);
    let title = required(sink, "an objective", span, "name", shape.name);
    let at = title.as_ref().map_or(span, |title| title.span);
    let owner =
        title.as_ref().map_or("an objective".to_owned(), |title| format!("objective `{}`", title.value));
    let from = shape.from.map_or(Some(Moment::Start), |from| moment(sink, names, &owner, from.located()?));
    let to = required(sink, &owner, at, "to", shape.to).and_then(|to| {
        let to_span = to.span;
        let moment = moment(sink, names, &owner, to)?;
        ends(sink, &owner, from.as_ref(), &moment, to_span).then_some(moment)
    });
    if shape.within.is_none() {
        let problem = Problem::error("missing-key", format!("{owner} has no `within`")).at(at);
        sink.push(problem.hint("say how long it may take: `within: 4h`"));
    }
    let within = shape.within.and_then(|within| length(sink, "within", within, YEAR));
    let remind = shape.remind.map_or(Some(Vec::new()), |remind| reminders(sink, &owner, remind, within));
    Some(Objective { name: title?.value, from: from?, to: to?, within: within?, remind: remind?, span: at })
}

/// Can an objective end there? Only what lies before a run can end with its start.
fn ends(sink: &Sink<'_>, owner: &str, from: Option<&Moment>, to: &Moment, at: Span) -> bool {
    let (what, hint) = match (from, to) {
        (Some(Moment::Backup(_)), Moment::Start) => return true,
        (_, Moment::Start) => (
            format!("{owner} ends where every run starts"),
            "write `phase ID`, `step ID`, `probe ID` or `service NAME up`".to_owned(),
        ),
        (_, Moment::Backup(id)) => (
            format!("{owner} ends when a backup was taken, which is before the run"),
            format!("for the data that is lost at most, write `from: backup {id}` and `to: start`"),
        ),
        (Some(from), to) if from == to => {
            (format!("{owner} ends where it starts"), "name another moment".to_owned())
        }
        (
            _,
            Moment::Phase(_)
            | Moment::Step(_)
            | Moment::Probe(_)
            | Moment::ServiceDown(_)
            | Moment::ServiceUp(_),
        ) => return true,
    };
    sink.push(Problem::error("bad-moment", what).at(at).hint(hint));
    false
}

fn reminders(
    sink: &Sink<'_>,
    owner: &str,
    remind: At<OneOrMany<Length>>,
    within: Option<Millis>,
) -> Option<Vec<Millis>> {
    let each = remind.value?.0.into_iter().map(|one| {
        let span = one.span;
        let before = length(sink, "remind", one, YEAR)?;
        let fits = within.is_none_or(|within| before < within);
        if !fits {
            let what = format!("{owner} would remind people of it before its clock starts");
            sink.push(
                Problem::error("wrong-value", what).at(span).hint("take a length shorter than `within`"),
            );
        }
        fits.then_some(before)
    });
    let mut read = all(each)?;
    // The earliest reminder first.
    read.sort_by(|one, other| other.cmp(one));
    read.dedup();
    Some(read)
}

fn moment(sink: &Sink<'_>, names: &Names, owner: &str, text: Located<String>) -> Option<Moment> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let step = |id: &str| {
        let at = text.value.rfind(id).map_or(text.span, |at| sink.inside(&text, at, id.len()));
        let step = Located::new(id.to_owned(), at);
        names.find_step(sink, owner, "names", &step).map(|_| StepId::from(id))
    };
    match words.as_slice() {
        ["start"] => Some(Moment::Start),
        ["phase", id] => {
            let at = text.value.rfind(id).map_or(text.span, |at| sink.inside(&text, at, id.len()));
            names.find_phase(sink, owner, id, at).then(|| Moment::Phase(PhaseId::from(*id)))
        }
        ["step", id] => step(id).map(Moment::Step),
        ["probe", id] => step(id).map(Moment::Probe),
        ["backup", id] => step(id).map(Moment::Backup),
        // Whether there is such a service is known once there is an inventory.
        ["service", name, "up"] => Some(Moment::ServiceUp(ServiceName::from(*name))),
        ["service", name, "down"] => Some(Moment::ServiceDown(ServiceName::from(*name))),
        _ => {
            let what = format!("{owner}: `{}` is no moment of a run", text.value.escape_debug());
            sink.push(Problem::error("bad-moment", what).at(text.span).hint(MOMENTS));
            None
        }
    }
}
