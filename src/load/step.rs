//! Reads one step: which action, which keys go with it, and what orders it.

use super::action::{ActionReader, Kind};
use super::firing;
use super::grammar::runbook::{After as AfterShape, Need as NeedShape, Retry as RetryShape, Step as Shape};
use super::guard;
use super::order::{Names, References};
use super::shapes::{At, OneOrMany, TextOr};
use super::sink::{Sink, quoted_list};
use super::template::{Checker, Context, Use};
use super::values::{
    DAY, YEAR, identifier, length, length_or_zero, level_of_isolation, name, portion, required,
};
use super::watch;
use crate::model::names::{ConduitName, StepId};
use crate::model::pattern::Pattern;
use crate::model::place::{Located, Span};
use crate::model::runbook::{After, Need, RETRY_ATTEMPTS_MAX, Retry, Share, Step, TIMEOUT_DEFAULT};
use crate::model::{Millis, Problem};
use std::collections::BTreeMap;
use std::path::Path;

/// A pause in which most services that are merely slow come up.
const RETRY_DELAY_DEFAULT: Millis = Millis::from_secs(5);
/// Which keys go with which actions; a key that is not named here goes with all.
const KEYS: &[(&str, &[Kind])] = &[
    ("on", &[Kind::Run, Kind::Upload, Kind::Fetch, Kind::Probe, Kind::Backup]),
    ("severs", &[Kind::Run, Kind::Upload, Kind::Manual]),
    ("reconnects", &[Kind::Run, Kind::Manual]),
    ("check", &[Kind::Run, Kind::Upload]),
    ("snapshot", &[Kind::Run, Kind::Upload]),
    ("verify", &[Kind::Run, Kind::Upload]),
    ("guard", &[Kind::Run, Kind::Upload]),
    ("watch", &[Kind::Run, Kind::Upload, Kind::Probe]),
    ("env", &[Kind::Run, Kind::Upload, Kind::Fetch]),
    ("requires", &[Kind::Run, Kind::Upload, Kind::Fetch]),
    ("become", &[Kind::Run, Kind::Upload, Kind::Fetch, Kind::Backup]),
    ("idempotent", &[Kind::Run, Kind::Upload]),
    ("timeout", &[Kind::Run, Kind::Upload, Kind::Fetch, Kind::Probe, Kind::Backup]),
    ("retry", &[Kind::Run, Kind::Upload, Kind::Fetch, Kind::Backup]),
    ("evidence", &[Kind::Run, Kind::Upload]),
    ("together", &[Kind::Run]),
    ("batch", &[Kind::Run, Kind::Upload, Kind::Fetch, Kind::Probe, Kind::Backup]),
    ("max_failures", &[Kind::Run, Kind::Upload, Kind::Fetch, Kind::Probe, Kind::Backup]),
];

/// What a step is read with.
pub(super) struct StepReader<'a, 'b> {
    pub(super) sink: &'a Sink<'a>,
    pub(super) names: &'b Names,
    pub(super) references: &'b References,
    pub(super) templates: &'b Checker<'a>,
    /// The phase it belongs to, counted from 0.
    pub(super) phase: usize,
    /// Where relative paths start.
    pub(super) directory: &'b Path,
}

impl StepReader<'_, '_> {
    /// Reads one step. `None` if something in it is wrong; everything that is has been reported.
    pub(super) fn read(&self, step: At<Shape>) -> Option<Step> {
        let (span, mut shape) = (step.span, step.value?);
        let sink = self.sink;
        let id = required(sink, "a step", span, "id", shape.id.take()).and_then(|id| name(sink, "step", id));
        let at = id.as_ref().map_or(span, |id| id.span);
        let id_text = id.as_ref().map_or("", |id| id.value.as_str());
        let owner = if id_text.is_empty() { "a step".to_owned() } else { format!("step `{id_text}`") };
        let kind = self.kind(&owner, at, &shape);
        if let Some(kind) = kind {
            self.refuse_idle_keys(&owner, at, kind, &shape);
        }
        let on_host = shape.on.is_some();
        let script = Context { purpose: Use::Script, on_host };

        let on = shape.on.take().map(|on| self.pattern(on));
        let needs = self.needs(id_text, on_host, shape.needs.take());
        let after = shape.after.take().map(|after| self.after(&owner, id_text, after));
        let evidence = self.evidence(id_text, shape.evidence.take());
        let deadline = shape.deadline.take().map(|deadline| self.deadline(&owner, id_text, deadline));
        let when = shape.when.take().map(|when| {
            let when = when.located()?;
            self.templates.condition(&when, on_host);
            Some(when)
        });
        let severs = self.conduits(shape.severs.take());
        let reconnects = self.conduits(shape.reconnects.take());
        let level = shape.level.take().map(|level| level_of_isolation(sink, level));
        let requires = self.requires(&owner, shape.requires.take());
        let env = shape.env.take().map_or(Some(BTreeMap::new()), |env| {
            let entries = env.value?.0.into_iter().map(|(key, value)| {
                let fine = identifier(sink, "variable", &key);
                let value = value.located()?;
                self.templates.text(&value, script);
                fine.then_some((key.value, value))
            });
            all(entries).map(BTreeMap::from_iter)
        });
        let check = shape.check.take().map(|text| self.script("check", text, script));
        let snapshot = shape.snapshot.take().map(|text| self.script("snapshot", text, script));
        let timeout =
            shape.timeout.take().map_or(Some(TIMEOUT_DEFAULT), |field| length(sink, "timeout", field, DAY));
        let estimate = shape.estimate.take().map(|field| length(sink, "estimate", field, YEAR));
        let approve = shape.approve.take().map(|approve| self.approve(approve));
        firing::refuse_others(sink, &shape);
        let retry = shape
            .retry
            .take()
            .map_or(Some(Retry { attempts: 1, delay: Millis(0) }), |retry| self.retry(retry));
        let together = shape.together.take().map_or(Some(None), |together| firing::read(sink, together));
        let batch = self.batch(shape.batch.take());
        let max_failures = shape.max_failures.take().map(|field| portion(sink, "max_failures", field));
        let title = shape.name.take();
        let becomes = shape.becomes.take();
        let idempotent = shape.idempotent.take();

        let actions = ActionReader {
            sink,
            templates: self.templates,
            owner: &owner,
            at,
            on_host,
            directory: self.directory,
        };
        let verify = actions.verify(shape.verify.take());
        let watch = shape.watch.take().map(|watch| watch::read(sink, &actions.probes(), watch));
        let undo = actions.undo(kind, shape.undo.take());
        let guard = shape.guard.take().map(|field| guard::read(sink, undo.as_ref(), field));
        let action = actions.action(shape);

        Some(Step {
            id: id.map(|id| Located::new(StepId(id.value), id.span))?,
            title: title.map_or(Some(None), |title| title.value.map(Some))?,
            on: whole(on)?,
            needs: needs?,
            when: whole(when)?,
            severs: severs?,
            level: whole(level)?,
            reconnects: reconnects?,
            action: action?,
            check: whole(check)?,
            snapshot: whole(snapshot)?,
            verify: verify?,
            undo: undo?,
            env: env?,
            requires: requires?,
            becomes: becomes.map_or(Some(None), |becomes| becomes.value.map(Some))?,
            idempotent: idempotent.map_or(Some(false), |idempotent| idempotent.value)?,
            guard: whole(guard)?,
            approve: whole(approve)?,
            after: whole(after)?,
            timeout: timeout?,
            retry: retry?,
            batch: batch?,
            max_failures: whole(max_failures)?,
            estimate: whole(estimate)?,
            watch: whole(watch)?,
            together: together?,
            evidence: evidence?,
            deadline: whole(deadline)?,
            span: at,
        })
    }

    /// The one action of a step. Two or none are reported.
    fn kind(&self, owner: &str, at: Span, shape: &Shape) -> Option<Kind> {
        let named = Kind::named_in(shape);
        match named.as_slice() {
            [(kind, _)] => Some(*kind),
            [] => {
                let problem = Problem::error("one-of", format!("{owner} does nothing")).at(at);
                let keys = quoted_list(Kind::ALL.iter().map(|kind| kind.key()));
                self.sink.push(problem.hint(format!("give it one of {keys}")));
                None
            }
            [(first, first_at), others @ ..] => {
                for (other, other_at) in others {
                    let what = format!("{owner} has both `{}` and `{}`", first.key(), other.key());
                    let problem =
                        Problem::error("one-of", what).at(*other_at).also(*first_at, "the other action");
                    self.sink.push(problem.hint("a step does one thing: make two steps of it"));
                }
                None
            }
        }
    }

    /// Reports keys that mean nothing with this action, and hosts that are missing.
    fn refuse_idle_keys(&self, owner: &str, at: Span, kind: Kind, shape: &Shape) {
        for (key, place) in places(shape) {
            let allowed = KEYS.iter().find(|(name, _)| *name == key).map(|(_, kinds)| *kinds);
            let (Some(place), Some(allowed)) = (place, allowed) else { continue };
            if !allowed.contains(&kind) {
                let what = format!("`{key}` means nothing beside `{}`", kind.key());
                let hint = match (key, kind) {
                    ("on", _) => "it is the controller's own step and runs on no host",
                    ("verify" | "watch", Kind::Manual) => "add a `probe` step that needs this one",
                    ("evidence", Kind::Manual | Kind::Wait) => "put it on the step that changes a host",
                    _ => "take it out",
                };
                self.sink.push(Problem::error("key-not-here", what).at(place).hint(hint));
            }
        }
        let needs_hosts = matches!(kind, Kind::Run | Kind::Upload | Kind::Fetch | Kind::Backup);
        if needs_hosts && shape.on.is_none() {
            let what = format!("{owner} does not say on which hosts");
            self.sink
                .push(Problem::error("missing-key", what).at(at).hint("add `on: HOSTS`, such as `on: all`"));
        }
        for (key, place) in [
            ("batch", shape.batch.as_ref().map(|at| at.span)),
            ("max_failures", shape.max_failures.as_ref().map(|at| at.span)),
        ] {
            if let (Some(place), Kind::Probe, None) = (place, kind, &shape.on) {
                let what = format!("`{key}` means nothing without `on`");
                self.sink.push(Problem::error("key-not-here", what).at(place));
            }
        }
    }

    fn pattern(&self, on: At<String>) -> Option<Located<String>> {
        let on = on.located()?;
        if let Err(error) = Pattern::parse(&on.value) {
            let rest = on.value[error.at_byte..].split([',', ':']).next().unwrap_or("").trim_end().len();
            let problem = Problem::error("bad-pattern", format!("`on`: {}", error.what));
            let problem = problem.at(self.sink.inside(&on, error.at_byte, rest));
            self.sink.push(match on.value.contains("{{") {
                true => {
                    problem.hint("host patterns hold no templates; choose hosts with `when` or `--limit`")
                }
                false => problem.hint("patterns: `name`, `group`, `web*`, `a,b`, `a:&b`, `a:!b`, `all`"),
            });
            return None;
        }
        Some(on)
    }

    fn script(&self, key: &str, text: At<String>, context: Context) -> Option<Located<String>> {
        let text = text.located()?;
        self.templates.text(&text, context);
        if text.value.trim().is_empty() {
            self.sink
                .push(Problem::error("empty-value", format!("`{key}` is an empty script")).at(text.span));
            return None;
        }
        Some(text)
    }

    fn needs(
        &self,
        id: &str,
        on_host: bool,
        needs: Option<At<OneOrMany<TextOr<NeedShape>>>>,
    ) -> Option<Vec<Located<Need>>> {
        let Some(needs) = needs else { return Some(Vec::new()) };
        let read = needs.value?.0.into_iter().map(|need| {
            let (span, need) = (need.span, need.value?);
            let (step, same_host) = match need {
                TextOr::Text(step) => (Located::new(step, span), None),
                TextOr::Other(shape) => {
                    let step = required(self.sink, "a need", span, "step", shape.step);
                    (step?, shape.same_host)
                }
            };
            let place = self.names.refer(self.sink, self.references, (id, self.phase), "needs", &step)?;
            let same_host_at = same_host.as_ref().map(|same_host| same_host.span);
            let same_host = same_host.map_or(Some(false), |same_host| same_host.value)?;
            if same_host && !(on_host && place.on_hosts()) {
                let who = if on_host { format!("`{}`", step.value) } else { "this step".to_owned() };
                let what = format!("`same_host` means nothing here: {who} runs on no host");
                self.sink.push(Problem::error("key-not-here", what).at(same_host_at.unwrap_or(span)));
                return None;
            }
            Some(Located::new(Need { step: StepId(step.value), same_host }, span))
        });
        all(read)
    }

    fn after(&self, owner: &str, id: &str, after: At<AfterShape>) -> Option<After> {
        let (span, shape) = (after.span, after.value?);
        let owner = format!("`after` of {owner}");
        let step = required(self.sink, &owner, span, "step", shape.step);
        let step = step.filter(|step| {
            self.names.refer(self.sink, self.references, (id, self.phase), "comes after", step).is_some()
        });
        if shape.at_least.is_none() {
            let problem = Problem::error("missing-key", format!("{owner} has no `at_least`")).at(span);
            self.sink
                .push(problem.hint("say how long to wait: `at_least: 10h`; without a wait, use `needs`"));
        }
        let at_least = length(self.sink, "at_least", shape.at_least?, YEAR);
        step.map(|step| Located::new(StepId(step.value), step.span))
            .zip(at_least)
            .map(|(step, at_least)| After { step, at_least })
    }

    fn requires(&self, owner: &str, commands: Option<At<OneOrMany<String>>>) -> Option<Vec<String>> {
        let Some(commands) = commands else { return Some(Vec::new()) };
        let fit = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-/[".contains(c))
        };
        all(commands.value?.0.into_iter().map(|command| {
            let command = command.located()?;
            if !fit(&command.value) {
                let what = format!("{owner} requires `{}`, which is no command's name", command.value);
                let problem = Problem::error("bad-command", what).at(command.span);
                self.sink
                    .push(problem.hint("name commands as the shell finds them, one an entry: `nft`, `psql`"));
                return None;
            }
            Some(command.value)
        }))
    }

    fn conduits(&self, named: Option<At<OneOrMany<String>>>) -> Option<Vec<Located<ConduitName>>> {
        let Some(named) = named else { return Some(Vec::new()) };
        all(named.value?.0.into_iter().map(|conduit| {
            let conduit = name(self.sink, "conduit", conduit.located()?)?;
            Some(Located::new(ConduitName(conduit.value), conduit.span))
        }))
    }

    fn retry(&self, retry: At<RetryShape>) -> Option<Retry> {
        let (span, shape) = (retry.span, retry.value?);
        let attempts = required(self.sink, "`retry`", span, "attempts", shape.attempts);
        let attempts = attempts.and_then(|attempts| {
            let fine = (1..=RETRY_ATTEMPTS_MAX).contains(&attempts.value);
            if !fine {
                let what =
                    format!("`attempts` must be from 1 to {RETRY_ATTEMPTS_MAX}, not {}", attempts.value);
                self.sink.push(Problem::error("wrong-value", what).at(attempts.span));
            }
            fine.then_some(attempts.value)
        });
        let delay = shape
            .delay
            .map_or(Some(RETRY_DELAY_DEFAULT), |field| length_or_zero(self.sink, "delay", field, DAY));
        Some(Retry { attempts: attempts?, delay: delay? })
    }

    fn batch(&self, batch: Option<At<OneOrMany<super::shapes::Portion>>>) -> Option<Vec<Share>> {
        let Some(batch) = batch else { return Some(Vec::new()) };
        let (span, shares) = (batch.span, batch.value?.0);
        if shares.is_empty() {
            self.sink.push(Problem::error("empty-value", "`batch` is empty").at(span).hint("leave it out"));
            return None;
        }
        all(shares.into_iter().map(|share| {
            let span = share.span;
            let share = portion(self.sink, "batch", share)?;
            if matches!(share, Share::Hosts(0) | Share::Percent(0)) {
                let problem = Problem::error("bad-share", "a wave of no hosts would never end the step");
                self.sink.push(problem.at(span).hint("write `1` or more"));
                return None;
            }
            Some(share)
        }))
    }
}

/// `None` if the value was there and wrong, `Some(None)` if it was not there.
fn whole<T>(field: Option<Option<T>>) -> Option<Option<T>> {
    field.map_or(Some(None), |value| value.map(Some))
}

/// All values, after every one of them was looked at.
pub(super) fn all<T>(values: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let values: Vec<Option<T>> = values.collect();
    values.into_iter().collect()
}

/// Where the keys stand that do not go with every action.
fn places(shape: &Shape) -> [(&'static str, Option<Span>); 18] {
    fn span<T>(field: &Option<At<T>>) -> Option<Span> {
        field.as_ref().map(|field| field.span)
    }
    [
        ("on", span(&shape.on)),
        ("severs", span(&shape.severs)),
        ("reconnects", span(&shape.reconnects)),
        ("check", span(&shape.check)),
        ("snapshot", span(&shape.snapshot)),
        ("verify", span(&shape.verify)),
        ("guard", span(&shape.guard)),
        ("watch", span(&shape.watch)),
        ("env", span(&shape.env)),
        ("requires", span(&shape.requires)),
        ("become", span(&shape.becomes)),
        ("idempotent", span(&shape.idempotent)),
        ("timeout", span(&shape.timeout)),
        ("retry", span(&shape.retry)),
        ("together", span(&shape.together)),
        ("batch", span(&shape.batch)),
        ("max_failures", span(&shape.max_failures)),
        ("evidence", span(&shape.evidence)),
    ]
}
