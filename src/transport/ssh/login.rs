//! Logging in: which keys are offered in which order, when to stop, and what to say when nobody gets in.

use super::Target;
use super::agent::AgentThread;
use super::keys::{self, Identity};
use super::pipe::Pipe;
use super::resolved::Resolved;
use super::session::{AgentKey, Answers, Fault};
use crate::model::secret::Secret;
use crate::signing::certificate::Certificate;
use crate::transport::wire::{Trouble, TroubleKind};
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey};
use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;
use std::time::SystemTime;

/// OpenSSH hangs up at the sixth refusal (`MaxAuthTries`), and counts a late question which methods it has as one.
const REFUSALS_MAX: usize = 5;

/// One way to prove who we are.
enum Offer<'a> {
    Agent(&'a AgentKey),
    File(&'a Identity),
}

/// Logs in and says how. The caller sets the deadline; `sent` says whether the password is out, whatever came of it.
pub async fn login(
    pipe: &mut Pipe,
    target: &Target,
    to: &Resolved,
    sent: &Cell<bool>,
) -> Result<String, Trouble> {
    let (refused, skipped) = (Vec::new(), Vec::new());
    let mut attempt = Attempt { pipe, target, to, sent, refused, skipped, methods: None };
    let identities = keys::look(to).map_err(|why| {
        Trouble::new(TroubleKind::Settings, format!("{}: {why}", target.name))
            .hint("correct `identity_file` for the host in the inventory")
    })?;
    // A server says only in answer to a request which methods it has, and a password must not be sent twice
    // because nobody knew which method takes it. The first such request is free, so it comes first.
    if target.password.is_some() && attempt.ask_methods().await? {
        return Ok("nothing: the server wants no proof".to_owned());
    }
    let agent = attempt.agent().await;
    let outcome = attempt.offer_all(agent.as_ref(), &identities).await;
    if let Some(agent) = agent {
        agent.leave().await;
    }
    match outcome? {
        Some(how) => Ok(how),
        None => Err(attempt.nobody().await),
    }
}

struct Attempt<'a> {
    pipe: &'a mut Pipe,
    target: &'a Target,
    to: &'a Resolved,
    sent: &'a Cell<bool>,
    /// What was offered and refused.
    refused: Vec<String>,
    /// What was not offered, and why.
    skipped: Vec<String>,
    /// What the server takes, as it said last.
    methods: Option<Vec<String>>,
}

impl Attempt<'_> {
    async fn offer_all(
        &mut self,
        agent: Option<&AgentThread>,
        identities: &[Identity],
    ) -> Result<Option<String>, Trouble> {
        let agent_keys = agent.map_or(&[][..], |agent| &agent.keys);
        let (offers, others) = order(agent_keys, identities, self.to.identities_only);
        // A question and a password may have to follow.
        let offers_max = REFUSALS_MAX - if self.target.password.is_some() { 2 } else { 0 };
        if offers.len() > offers_max && self.methods.is_none() && self.ask_methods().await? {
            return Ok(Some("nothing: the server wants no proof".to_owned()));
        }
        let mut offered = 0;
        for (at, offer) in offers.iter().enumerate() {
            if !self.takes("publickey") {
                self.skipped.push("keys: the server takes none".to_owned());
                break;
            }
            if offered == offers_max {
                let left = offers.len() - at;
                self.skipped
                    .push(format!("{left} more keys, lest the server hang up over too many refusals"));
                break;
            }
            let result = match offer {
                Offer::Agent(key) => {
                    offered += 1;
                    let agent = agent.expect("its key came from it");
                    (agent_key_shown(key), self.offer_agent_key(agent, key).await)
                }
                Offer::File(identity) => match identity.ready(self.target.passphrase.as_ref()).await {
                    Err(why) => {
                        self.skipped.push(format!("key {} {why}", identity.shown()));
                        continue;
                    }
                    Ok(ready) => {
                        offered += 1;
                        let (pem, phrase) = (ready.pem, ready.passphrase);
                        let result = self.offer_file(identity, &pem, phrase.as_ref()).await;
                        // Servers never say why.
                        let flaw =
                            identity.flaw(&self.to.user, SystemTime::now()).filter(|_| result.is_err());
                        let flaw = flaw.map_or(String::new(), |flaw| format!(", {flaw}"));
                        (format!("key {}{flaw}", identity.shown()), result)
                    }
                },
            };
            if let Some(how) = self.settle(result.0, result.1)? {
                return Ok(Some(how));
            }
        }
        if others > 0 {
            self.skipped.push(format!("{others} more keys of the agent (`IdentitiesOnly` is set)"));
        }
        self.offer_password().await
    }

    async fn agent(&mut self) -> Option<AgentThread> {
        let socket = self.to.agent.clone()?;
        match AgentThread::start(self.pipe.session.clone(), socket.clone()).await {
            Ok(agent) => Some(agent),
            Err(why) => {
                self.skipped.push(format!("the agent at {} cannot be used: {why}", socket.display()));
                None
            }
        }
    }

    async fn offer_agent_key(&mut self, agent: &AgentThread, key: &AgentKey) -> Result<(), Fault> {
        loop {
            match agent.login(&self.to.user, key).await {
                Err(Fault::Wait) => {}
                other => return other.map_err(|fault| self.pipe.explain(fault)),
            }
            let pipe = &mut *self.pipe;
            // Something has to come before the next call can do more.
            poll_fn(|cx| match (pipe.poll_move(cx), &pipe.lost) {
                (true, _) | (_, Some(_)) => Poll::Ready(()),
                (false, None) => Poll::Pending,
            })
            .await;
            if let (Some(why), false) = (&self.pipe.lost, self.pipe.is_deaf()) {
                return Err(Fault::Broken(why.clone()));
            }
        }
    }

    async fn offer_file(
        &mut self,
        identity: &Identity,
        pem: &Secret,
        phrase: Option<&Secret>,
    ) -> Result<(), Fault> {
        let (user, public) = (&self.to.user, identity.certificate.as_ref().or(identity.line.as_ref()));
        let public = public.map(String::as_str);
        self.pipe.drive(|session| session.login_by_key(user, pem, public, phrase)).await
    }

    /// A refused password is never sent again, by neither method: an account is locked after few.
    async fn offer_password(&mut self) -> Result<Option<String>, Trouble> {
        let Some(password) = self.target.password.clone() else { return Ok(None) };
        if !self.takes("password") && !self.takes("keyboard-interactive") && self.ask_methods().await? {
            return Ok(Some("nothing: the server wants no proof".to_owned()));
        }
        let user = &self.to.user;
        if self.takes("password") {
            self.sent.set(true);
            let result = self.pipe.drive(|session| session.login_by_password(user, &password)).await;
            return self.settle("password".to_owned(), result);
        }
        if !self.takes("keyboard-interactive") {
            self.skipped.push("password: the server takes none".to_owned());
            return Ok(None);
        }
        self.sent.set(true);
        let mut answers = Answers { password, given: 0, unanswered: Vec::new() };
        let result = self.pipe.drive(|session| session.login_by_questions(user, &mut answers)).await;
        let what = match &answers.unanswered[..] {
            [] => "password (keyboard-interactive)".to_owned(),
            asked => format!("password (keyboard-interactive; it also asked `{}`)", asked.join("`, `")),
        };
        self.settle(what, result)
    }

    /// `Some` if this got us in, `None` if it was refused.
    fn settle(&mut self, what: String, result: Result<(), Fault>) -> Result<Option<String>, Trouble> {
        match result {
            Ok(()) => Ok(Some(what)),
            Err(Fault::No(_) | Fault::NoCommonAlgorithm(_)) => {
                self.refused.push(what);
                Ok(None)
            }
            Err(Fault::PasswordExpired) => Err(self
                .trouble(TroubleKind::Login, "its password has expired".to_owned())
                .hint("log in by hand and change it")),
            Err(fault) => Err(self.broken(fault)),
        }
    }

    /// Asks what the server takes. `true` if it let us in at once.
    async fn ask_methods(&mut self) -> Result<bool, Trouble> {
        let user = &self.to.user;
        match self.pipe.drive(|session| session.login_methods(user)).await {
            Ok(None) => Ok(true),
            Ok(methods) => {
                self.methods = methods;
                Ok(false)
            }
            Err(fault) => Err(self.broken(fault)),
        }
    }

    /// Does the server take this method, as far as is known?
    fn takes(&self, method: &str) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.iter().any(|it| it == method))
    }

    /// The connection ended in the middle. A server does that to those it has refused often enough.
    fn broken(&self, fault: Fault) -> Trouble {
        let why = match fault {
            Fault::Broken(why) => why,
            other => format!("{other:?}"),
        };
        if self.refused.is_empty() {
            return self
                .trouble(TroubleKind::Unreachable, format!("the connection broke during login: {why}"));
        }
        let what = format!("the server hung up ({why}) after it had refused {}", self.refused.join(", "));
        self.trouble(TroubleKind::Login, what)
            .hint("name the right key with `identity_file`, so that it is offered first")
    }

    async fn nobody(&mut self) -> Trouble {
        if self.methods.is_none() && self.refused.len() < REFUSALS_MAX {
            let user = &self.to.user;
            // Only for the message; if the server hangs up over it, the message goes without.
            self.methods = self.pipe.drive(|session| session.login_methods(user)).await.ok().flatten();
        }
        let list = |what: &str, items: &[String]| match items {
            [] => String::new(),
            items => format!("; {what}: {}", items.join(", ")),
        };
        let takes =
            self.methods.as_ref().map_or(String::new(), |it| format!("; the server takes {}", it.join(", ")));
        let what = format!(
            "nobody could log in{}{}{takes}",
            list("refused", &self.refused),
            list("not offered", &self.skipped)
        );
        self.trouble(TroubleKind::Login, what).hint(if self.refused.is_empty() {
            "give the host an `identity_file`, `agent: true` or a `password` in the inventory"
        } else {
            "is the user right, and is one of these keys in its ~/.ssh/authorized_keys on the host?"
        })
    }

    fn trouble(&self, kind: TroubleKind, what: String) -> Trouble {
        Trouble::new(kind, format!("{} ({}): {what}", self.target.name, self.to.shown()))
    }
}

/// What to offer in which order, and how many of the agent's keys are left out.
///
/// First the agent's keys that an identity file names, then identity files whose key the agent does not have,
/// then the agent's other keys: with twenty of them, the right one must not come sixth.
fn order<'a>(
    agent: &'a [AgentKey],
    identities: &'a [Identity],
    identities_only: bool,
) -> (Vec<Offer<'a>>, usize) {
    let blobs: Vec<Option<KeyData>> = agent.iter().map(|key| public_of(&key.blob)).collect();
    let named = |identity: &Identity, key: &Option<KeyData>| match (&identity.public, key) {
        (Some(public), Some(key)) => public.key_data() == key,
        _ => false,
    };
    let mut offers = Vec::new();
    let mut used = vec![false; agent.len()];
    for identity in identities {
        let mut held = false;
        for (at, key) in blobs.iter().enumerate().filter(|(_, key)| named(identity, key)) {
            if !std::mem::replace(&mut used[at], true) {
                offers.push(Offer::Agent(&agent[at]));
            }
            // A certificate beside the file is not in the agent unless it was added with it.
            held |= key.is_some() && identity.certificate.is_none();
        }
        if !held {
            offers.push(Offer::File(identity));
        }
    }
    // Held keys come before files only among themselves; a stable sort keeps the order of the files.
    offers.sort_by_key(|offer| matches!(offer, Offer::File(_)));
    let rest = agent.iter().zip(&used).filter(|(_, used)| !**used).map(|(key, _)| Offer::Agent(key));
    if identities_only {
        let left = rest.count();
        (offers, left)
    } else {
        offers.extend(rest);
        (offers, 0)
    }
}

fn public_of(blob: &[u8]) -> Option<KeyData> {
    match PublicKey::from_bytes(blob) {
        Ok(key) => Some(key.key_data().clone()),
        Err(_) => Certificate::read(blob).map(|certificate| certificate.key),
    }
}

fn agent_key_shown(key: &AgentKey) -> String {
    let print = public_of(&key.blob).map(|public| format!(" ({})", public.fingerprint(HashAlg::Sha256)));
    format!("agent key {}{}", key.comment.escape_debug(), print.unwrap_or_default())
}
