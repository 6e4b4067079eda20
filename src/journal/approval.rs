//! Approvals that are signed: the text that a person signs, how it travels as a file, and how it is checked.

use crate::model::Time;
use crate::model::names::RunId;
use crate::model::question::{Answer, Choice, Question, Signed};
use crate::model::time::Millis;
use crate::plan::{self, Plan};
use crate::signing::{AllowedSigners, Proof, Signer, envelope};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What signatures of approvals are for: a signature that was made for anything else is none.
pub const NAMESPACE: &str = "blackstart-approval@v1";

/// The version of these formats that this program writes; it reads no other.
pub const APPROVAL_VERSION: u32 = 1;

/// Clocks of two machines that both keep time by themselves are no further apart.
const CLOCKS_APART_MAX: Millis = Millis::from_secs(300);

/// What a person signs. It says which run of which plan, and what is asked there, so that it counts nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// `APPROVAL_VERSION`.
    pub v: u32,
    /// The run.
    pub run: RunId,
    /// Hash of its plan, as 64 hexadecimal digits.
    pub plan: String,
    /// The runbook's name.
    pub runbook: String,
    /// May this step start?
    pub step: String,
    /// People whose consent it needs.
    pub people: u32,
    /// `approve` or `refuse`.
    pub answer: Choice,
    /// The principal who answers.
    pub by: String,
    /// Why.
    pub comment: Option<String>,
    /// When it was given.
    pub at: Time,
}

/// A question that travels to whoever answers it, with the plan: what is shown there is what its hash stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `APPROVAL_VERSION`.
    pub v: u32,
    /// The run.
    pub run: RunId,
    /// Who started it.
    pub started_by: String,
    /// The step that asks.
    pub step: String,
    /// Who has consented so far.
    pub given: Vec<String>,
    /// Hash of the plan, as 64 hexadecimal digits.
    pub hash: String,
    /// The plan.
    pub plan: Plan,
}

/// An answer that travels back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedStatement {
    /// What was signed.
    pub statement: Statement,
    /// The signature in OpenSSH's armour.
    pub signature: String,
}

impl Request {
    /// Reads a request, and checks that its plan is the one that its hash stands for.
    pub fn read(text: &str) -> Result<Self, String> {
        let request: Self =
            serde_json::from_str(text).map_err(|error| format!("it is no request: {error}"))?;
        if request.v != APPROVAL_VERSION {
            return Err(format!("it has format {}, where {APPROVAL_VERSION} is known", request.v));
        }
        plan::from_json(&plan::to_json(&request.plan)).map_err(|error| error.to_string())?;
        if plan::hash(&request.plan) != request.hash {
            return Err("its plan is not the one that its hash stands for".to_owned());
        }
        match request.question() {
            Some(_) => Ok(request),
            None => Err(format!("its plan asks nobody about `{}`", request.step.escape_debug())),
        }
    }

    /// The question it asks.
    pub fn question(&self) -> Option<Question> {
        question(&self.plan, &self.step)
    }
}

impl Statement {
    /// What somebody signs who answers like this. `None` for questions that take no signature, and without a time.
    pub fn of(plan: &Plan, hash: &str, run: &RunId, answer: &Answer) -> Option<Self> {
        let Question::Approve { task, people } = answer.question else { return None };
        Some(Self {
            v: APPROVAL_VERSION,
            run: run.clone(),
            plan: hash.to_owned(),
            runbook: plan.runbook.clone(),
            step: plan.step_of(task).id.to_string(),
            people,
            answer: answer.choice,
            by: answer.by.clone(),
            comment: answer.comment.clone(),
            at: answer.at?,
        })
    }

    /// The very text that is signed: compact JSON and a newline.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a statement has only texts and numbers in it") + "\n"
    }

    /// Signs it.
    pub fn sign(self, signer: &Signer, agent: Option<&Path>) -> Result<SignedStatement, String> {
        let signature = signer.sign(NAMESPACE, self.text().as_bytes(), agent)?;
        Ok(SignedStatement { statement: self, signature })
    }
}

impl SignedStatement {
    /// Reads one as [`Statement::sign`] makes it, or puts one together from a statement and a detached signature.
    pub fn read(text: &str, detached: Option<&str>) -> Result<Self, String> {
        let trouble = |error: serde_json::Error| format!("it is no signed answer: {error}");
        let read: Self = match detached {
            None => serde_json::from_str(text).map_err(trouble)?,
            Some(signature) => Self {
                statement: serde_json::from_str(text).map_err(trouble)?,
                signature: signature.to_owned(),
            },
        };
        match read.statement.v {
            APPROVAL_VERSION => Ok(read),
            other => Err(format!("it has format {other}, where {APPROVAL_VERSION} is known")),
        }
    }

    /// The answer that it is to this run. The error says to what it is one instead.
    pub fn answer(self, plan: &Plan, hash: &str, run: &RunId) -> Result<Answer, String> {
        let Self { statement, signature } = self;
        if statement.run != *run {
            return Err(format!("it is an answer to run {}", statement.run.as_str().escape_debug()));
        }
        if statement.plan != hash {
            return Err("it is an answer to another plan".to_owned());
        }
        let step = statement.step.clone();
        let question = question(plan, &step)
            .ok_or_else(|| format!("the plan asks nobody about `{}`", step.escape_debug()))?;
        let key = envelope::check(&signature, NAMESPACE, statement.text().as_bytes())?.fingerprint();
        let answer = Answer {
            question,
            by: statement.by.clone(),
            choice: statement.answer,
            comment: statement.comment.clone(),
            at: Some(statement.at),
            signed: Some(Signed { key, signature }),
        };
        match Statement::of(plan, hash, run, &answer) {
            Some(same) if same == statement => Ok(answer),
            Some(_) | None => Err("it is an answer to something else".to_owned()),
        }
    }
}

/// Whose signature an answer carries, if it holds. At `now` the run takes the answer in.
pub fn check(plan: &Plan, hash: &str, run: &RunId, answer: &Answer, now: Time) -> Result<Proof, String> {
    let signed = answer.signed.as_ref().ok_or("it is not signed")?;
    let statement = Statement::of(plan, hash, run, answer).ok_or("it is no answer that can be signed")?;
    let proof = envelope::check(&signed.signature, NAMESPACE, statement.text().as_bytes())?;
    if proof.fingerprint() != signed.key {
        return Err(format!("the key {} did not sign it", signed.key.escape_debug()));
    }
    signers(plan)?.check(&answer.by, &proof, NAMESPACE, now)?;
    if statement.at > now + CLOCKS_APART_MAX {
        return Err(format!(
            "it was given at {}, which is yet to come: one of the clocks is wrong",
            statement.at
        ));
    }
    Ok(proof)
}

/// Who may sign approvals of a plan.
pub fn signers(plan: &Plan) -> Result<AllowedSigners, String> {
    let approvers = plan.approvers.as_ref().ok_or("the plan names nobody who may sign")?;
    AllowedSigners::read(&approvers.signers.text)
        .map_err(|bad| format!("line {} of its allowed signers: {}", bad[0].line, bad[0].what))
}

fn question(plan: &Plan, step: &str) -> Option<Question> {
    let step = &plan.steps[plan.step_named(step)?.at()];
    let people = step.approve.as_ref()?.people;
    Some(Question::Approve { task: step.first_task, people })
}
