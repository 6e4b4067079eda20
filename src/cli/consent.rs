//! Consent that is signed, and that travels: the question to another machine as a file, the answer back as one.

use crate::cli::args::Args;
use crate::cli::error::{CliError, Exit};
use crate::cli::{approve, printer};
use crate::drive::clock::Clock;
use crate::drive::people;
use crate::engine::RunState;
use crate::journal::RunDir;
use crate::journal::approval::{self, APPROVAL_VERSION, NAMESPACE, Request, SignedStatement, Statement};
use crate::model::Time;
use crate::model::question::{Answer, Choice, Question};
use crate::plan::Plan;
use crate::report::consent::{Consent, consent};
use crate::report::escape::line;
use crate::signing::Signer;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A plan of ten thousand hosts has a few megabytes.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How consent is signed, and how it travels.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Signed approvals")]
pub struct Travel {
    /// Write the question to a file (`-`: stdout), for somebody who answers it on another machine.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "import", "answer"], requires = "about")]
    pub export: Option<PathBuf>,
    /// Answer a question that was written by --export. Needs no run, and no access to the controller.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["run", "import"])]
    pub request: Option<PathBuf>,
    /// Where the signed answer to --request goes (`-`: stdout).
    #[arg(long, value_name = "FILE", requires = "request")]
    pub out: Option<PathBuf>,
    /// Do not sign: write the very text that is to be signed, for `ssh-keygen -Y sign -n blackstart-approval@v1`.
    #[arg(long, requires_all = ["request", "as_"], conflicts_with = "sign")]
    pub unsigned: bool,
    /// Take an answer that was signed elsewhere into the run.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["about", "answer"])]
    pub import: Option<PathBuf>,
    /// The signature of --import's text, where `ssh-keygen -Y sign` made it.
    #[arg(long, value_name = "FILE", requires = "import")]
    pub signature: Option<PathBuf>,
    /// Sign with this key file; a public key stands for the same key in the agent. Without it, the agent's keys are
    /// tried.
    #[arg(long, value_name = "KEY")]
    pub sign: Option<PathBuf>,
    /// Whose signature it is, as the plan's allowed signers name them. Found out if the key is only one person's.
    #[arg(long = "as", id = "as_", value_name = "PRINCIPAL")]
    pub as_: Option<String>,
    /// Sign without asking for confirmation.
    #[arg(short, long)]
    pub yes: bool,
}

/// Must this answer be signed to count, or does somebody want to sign it anyway? A no needs no signature.
pub fn wants_signature(plan: &Plan, question: &Question, choice: Choice, travel: &Travel) -> bool {
    let Question::Approve { task, .. } = question else { return false };
    let signed = plan.step_of(*task).approve.as_ref().is_some_and(|gate| gate.signed);
    travel.sign.is_some() || travel.as_.is_some() || signed && choice == Choice::Approve
}

/// `--export`: the question as a file, with the plan.
pub fn export(file: &Path, state: &RunState, question: &Question, short: &str) -> Result<Exit, CliError> {
    let Question::Approve { task, .. } = question else {
        return Err(CliError::usage("only approvals can be given elsewhere")
            .hint("this question is answered on the controller"));
    };
    let (plan, step) = (state.plan(), state.plan().step_of(*task));
    let (Some(hash), Some(run)) = (state.plan_hash(), state.run_id()) else {
        return Err(CliError::usage("the run has not begun"));
    };
    let given = state.step(plan.tasks[task.at()].step).approvals().iter().map(|one| one.by.clone());
    let request = Request {
        v: APPROVAL_VERSION,
        run: run.clone(),
        started_by: state.started_by().unwrap_or_default().to_owned(),
        step: step.id.to_string(),
        given: given.collect(),
        hash: hash.to_owned(),
        plan: (**plan).clone(),
    };
    write(file, &serde_json::to_string_pretty(&request).expect("a request has only text keys in it"))?;
    printer::say(&format!(
        "Have it answered with `blackstart approve --request FILE --out ANSWER`, then: \
         `blackstart approve {short} --import ANSWER`"
    ));
    Ok(Exit::Completed)
}

/// `--request`: shows what is asked, signs the answer, and writes it.
pub fn answer_request(
    file: &Path,
    word: &str,
    comment: Option<&str>,
    travel: &Travel,
    args: &Args,
) -> Result<Exit, CliError> {
    let request = Request::read(&read(file)?)
        .map_err(|why| CliError::usage(format!("{}: {}", file.display(), line(&why))))?;
    let out = travel.out.as_deref().ok_or_else(|| {
        CliError::usage("where does the answer go?").hint("give `--out FILE`; `--out -` is stdout")
    })?;
    let question = request.question().expect("a request that was read has a question");
    let choice = question.choices().find(|choice| choice.word() == word);
    let choice = choice
        .ok_or_else(|| CliError::usage(format!("`{word}` is no answer to that")).hint("approve or refuse"))?;
    let Request { plan, hash, run, started_by, given, .. } = &request;
    let asked = Asked { plan, hash, run, started_by, given, question: &question, choice, comment };
    if travel.unsigned {
        let by = travel.as_.as_deref().expect("clap asks for it");
        show(&asked, args)?;
        write(out, &asked.statement(by).text())?;
        printer::say(&format!("Sign it with `ssh-keygen -Y sign -n {NAMESPACE} -f KEY {}`", out.display()));
        return Ok(Exit::Completed);
    }
    let signed = sign(&asked, travel, args)?;
    write(out, &serde_json::to_string_pretty(&signed).expect("an answer has only texts in it"))?;
    Ok(Exit::Completed)
}

/// Signs an answer where the run is.
pub fn sign_here(
    state: &RunState,
    question: &Question,
    choice: Choice,
    comment: Option<&str>,
    travel: &Travel,
    args: &Args,
) -> Result<Answer, CliError> {
    let plan = state.plan();
    let (Some(hash), Some(run), Question::Approve { task, .. }) =
        (state.plan_hash(), state.run_id(), question)
    else {
        return Err(CliError::usage("only approvals of a run that has begun are signed"));
    };
    let approvals = state.step(plan.tasks[task.at()].step).approvals();
    let given: Vec<String> = approvals.iter().map(|one| one.by.clone()).collect();
    let started_by = state.started_by().unwrap_or_default();
    let asked = Asked { plan, hash, run, started_by, given: &given, question, choice, comment };
    sign(&asked, travel, args)?.answer(plan, hash, run).map_err(CliError::usage)
}

/// `--import`: posts an answer that was signed elsewhere.
pub fn import(
    file: &Path,
    travel: &Travel,
    dir: &RunDir,
    state: &RunState,
    short: &str,
) -> Result<Exit, CliError> {
    let refused = |why: String| CliError::usage(format!("{}: {}", file.display(), line(&why)));
    let detached = travel.signature.as_deref().map(read).transpose()?;
    let signed = SignedStatement::read(&read(file)?, detached.as_deref()).map_err(refused)?;
    let step = signed.statement.step.clone();
    let (Some(hash), Some(run)) = (state.plan_hash(), state.run_id()) else {
        return Err(CliError::usage("the run has not begun"));
    };
    let answer = signed.answer(state.plan(), hash, run).map_err(refused)?;
    approve::post(dir, state, &answer, &step, short)
}

/// A question about consent, and the answer that is to be signed.
struct Asked<'a> {
    plan: &'a Plan,
    hash: &'a str,
    run: &'a crate::model::names::RunId,
    started_by: &'a str,
    given: &'a [String],
    question: &'a Question,
    choice: Choice,
    comment: Option<&'a str>,
}

impl Asked<'_> {
    fn statement(&self, by: &str) -> Statement {
        let answer = Answer {
            question: self.question.clone(),
            by: by.to_owned(),
            choice: self.choice,
            comment: self.comment.map(str::to_owned),
            at: Some(Clock::start(Time::default()).now()),
            signed: None,
        };
        Statement::of(self.plan, self.hash, self.run, &answer).expect("an approval at a time is a statement")
    }
}

/// Shows what is asked on stderr: stdout may be where the answer goes.
fn show(asked: &Asked<'_>, args: &Args) -> Result<(), CliError> {
    let Question::Approve { task, .. } = asked.question else { return Ok(()) };
    let shown = Consent {
        plan: asked.plan,
        hash: asked.hash,
        run: asked.run,
        started_by: asked.started_by,
        step: asked.plan.tasks[task.at()].step,
        given: asked.given,
    };
    printer::say(&consent(&shown, &printer::look_of_question(args)));
    Ok(())
}

/// Shows, finds the key, asks, signs.
fn sign(asked: &Asked<'_>, travel: &Travel, args: &Args) -> Result<SignedStatement, CliError> {
    show(asked, args)?;
    let (signer, by) = signer(asked.plan, travel)?;
    let statement = asked.statement(&by);
    let key = signer.proof.fingerprint();
    if !travel.yes {
        confirm(&format!(
            "{} as {} with {} ({key})? yes or no > ",
            asked.choice.word(),
            line(&by),
            line(&signer.name)
        ))?;
    }
    let agent = agent();
    statement.sign(&signer, agent.as_deref()).map_err(|why| CliError::usage(line(&why)))
}

fn confirm(question: &str) -> Result<(), CliError> {
    if !printer::person_present() {
        return Err(CliError::usage("nobody is there to confirm the signature")
            .hint("give `--yes` to sign without asking"));
    }
    match people::ask_line(question).as_deref().map(str::trim) {
        Some("yes") => Ok(()),
        Some(_) | None => Err(CliError::usage("nothing was signed")),
    }
}

/// The key to sign with, and whose it is: the first that the plan lets sign.
fn signer(plan: &Plan, travel: &Travel) -> Result<(Signer, String), CliError> {
    let allowed = approval::signers(plan).map_err(CliError::usage)?;
    let now = Clock::start(Time::default()).now();
    let found = match &travel.sign {
        Some(path) => {
            Signer::of_file(path, &|path| people::ask_secret(&format!("Passphrase of {}: ", path.display())))
        }
        None => match agent() {
            Some(socket) => Signer::of_agent(&socket),
            None => Err("there is no agent: $SSH_AUTH_SOCK is not set".to_owned()),
        },
    };
    let found = found.map_err(|why| CliError::usage(line(&why)).hint("`--sign KEY` names a key file"))?;
    let mut why = "no key was found".to_owned();
    for signer in found {
        match &travel.as_ {
            Some(by) => match allowed.check(by, &signer.proof, NAMESPACE, now) {
                Ok(()) => return Ok((signer, by.clone())),
                Err(because) => why = because,
            },
            None => match allowed.principals_of(&signer.proof, NAMESPACE, now).as_slice() {
                [one] => {
                    let by = one.clone();
                    return Ok((signer, by));
                }
                [] => why = format!("the key {} may not sign", signer.proof.fingerprint()),
                many => {
                    let names: Vec<String> = many.iter().map(|name| line(name)).collect();
                    return Err(CliError::usage(format!(
                        "that key is of more than one: {}",
                        names.join(", ")
                    ))
                    .hint("say whose signature it is: `--as PRINCIPAL`"));
                }
            },
        }
    }
    let file = plan.approvers.as_ref().map_or("", |approvers| approvers.signers.file.as_str());
    Err(CliError::usage(line(&why)).hint(format!("the plan has its signers from {}", line(file))))
}

fn agent() -> Option<PathBuf> {
    std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty()).map(PathBuf::from)
}

fn read(file: &Path) -> Result<String, CliError> {
    use std::io::Read;
    let trouble = |error: std::io::Error| CliError::usage(format!("{}: {error}", file.display()));
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin().take(FILE_BYTES_MAX + 1).read_to_string(&mut text),
        _ => {
            std::fs::File::open(file).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
        }
    };
    match read.map_err(trouble)? as u64 > FILE_BYTES_MAX {
        true => Err(CliError::usage(format!("{}: too large to be one", file.display()))),
        false => Ok(text),
    }
}

fn write(file: &Path, text: &str) -> Result<(), CliError> {
    if file.to_str() == Some("-") {
        return Ok(printer::data(text)?);
    }
    let trouble = |error: std::io::Error| CliError::usage(format!("{}: {error}", file.display()));
    let mut made = std::fs::File::create(file).map_err(trouble)?;
    made.write_all(text.as_bytes()).and_then(|()| made.sync_all()).map_err(trouble)?;
    printer::say(&format!("Written to {}.", file.display()));
    Ok(())
}
