//! How a lane begins: what sshd is asked to run, and the lines that turn it into the agent.

use super::nonce;
use crate::model::inventory::Become;
use crate::model::names::RunId;
use crate::model::secret::Secret;
use std::sync::LazyLock;

/// What runs on the host, as auditors may read it.
const AGENT: &str = include_str!("agent.sh");
/// What it seldom needs: [`REST_ORDER`].
const REST: &str = include_str!("agent_rest.sh");

/// What sshd gives to the login shell, and what sudo gives to `sh`. Every shell in use understands it (sh, bash,
/// zsh, fish, csh): no `!`, no backslash, no newline, no nested quotes. It obeys one line, and only if that begins as
/// ours does: a login script that eats input can break a lane but not make it run something else.
const LOADER: &str = "read -r x; case $x in blackstart1:*) eval \"${x#*:}\";; esac";

/// Both streams leave through a `tee` that outlives a broken channel and goes on draining: a step that cuts the
/// link it runs over must not die of it. They stand outside of sudo, which would kill its child when it cannot write.
const RELAY: &str = "trap \"\" PIPE HUP INT TERM; exec tee /dev/null";

/// Ends with the status of the last command when the relays have passed all on, as the agent does: some servers
/// (dropbear) close a channel at the end of its process, whatever is still on its way.
const LEAVE: &str = "s=$?; exec >&- 2>&-; n=0; while [ $n -lt 100 ] && kill -0 $blackstart_relays 2>/dev/null; do \
    sleep 0.02 || sleep 1; n=$((n+1)); done; exit $s";

/// How lanes of one host and privilege begin.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The run that receipts belong to.
    pub run: RunId,
    /// Become whom, if anybody.
    pub becomes: Become,
    /// The password for sudo, if it needs one.
    pub password: Option<Secret>,
    /// Interpreter for scripts, instead of the shell of the lane.
    pub shell: Option<String>,
    /// Where receipts lie, instead of where the host chooses.
    pub receipts_dir: Option<String>,
}

/// The lines of one beginning, with their nonces.
#[derive(Debug)]
pub struct Lines {
    /// To be sent at once.
    pub first: String,
    /// With a password: what sudo's prompt and the shell behind sudo say. Only then `second` may be sent.
    pub token: Option<String>,
    /// The agent.
    pub second: String,
    /// The nonce of its first answer.
    pub hello: String,
}

impl Opening {
    /// What sshd is asked to run.
    pub fn command() -> String {
        format!("exec /bin/sh -c {}", quote(LOADER))
    }

    /// Does the lane become somebody else?
    pub(super) fn is_privileged(&self) -> bool {
        self.becomes != Become::No
    }

    /// The lines that follow, fresh for each lane.
    pub fn lines(&self) -> Lines {
        let hello = nonce::fresh();
        let agent = self.agent(&hello);
        let load = load(&agent);
        match &self.becomes {
            Become::No => Lines { first: line(&relayed(&load)), token: None, second: agent, hello },
            Become::Sudo { user, .. } => {
                let token = self.password.as_ref().map(|_| nonce::fresh());
                let sudo = match &token {
                    // The shell behind sudo says the token too: then no password was asked for.
                    Some(token) => {
                        let inner = quote(&format!("echo $0; {LOADER}"));
                        format!(
                            "sudo -S -p {token} -H -u {} -- /bin/sh -c {inner} {token}; {LEAVE}",
                            quote(user)
                        )
                    }
                    None => format!("sudo -n -H -u {} -- /bin/sh -c {}; {LEAVE}", quote(user), quote(LOADER)),
                };
                let second = format!("{}{agent}", line(&in_best_shell(&load)));
                Lines { first: line(&relayed(&sudo)), token, second, hello }
            }
        }
    }

    /// The agent's text with its settings before it and its end after it.
    fn agent(&self, hello: &str) -> String {
        let mut text = String::with_capacity(AGENT.len());
        for (name, value) in [
            ("_b_hello", hello),
            ("_b_run", self.run.as_str()),
            ("_b_receipts", self.receipts_dir.as_deref().unwrap_or_default()),
            ("_b_shell", self.shell.as_deref().unwrap_or_default()),
        ] {
            text += &format!("{name}={}\n", quote(value));
        }
        text += &STRIPPED;
        text
    }
}

/// The agent without its comments and indentation, to its end: the same for every lane.
static STRIPPED: LazyLock<String> =
    LazyLock::new(|| format!("{}{END_OF_AGENT}\n", stripped(AGENT).replace("@forget@", &forget())));

/// The order that teaches an agent all else that there is to know.
pub(super) static REST_ORDER: LazyLock<String> = LazyLock::new(|| {
    let text = stripped(REST);
    format!("L - - {} {}\n{text}", text.lines().count(), text.len())
});

fn stripped(text: &str) -> String {
    let code = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    code.flat_map(|line| [line, "\n"]).collect()
}

/// What a loader takes to become a small script of ours, which then has stdin and stdout to itself.
pub fn begin_script(script: &str) -> String {
    let text = format!("{script}{END_OF_AGENT}\n");
    format!("{}{text}", line(&load(&text)))
}

const END_OF_AGENT: &str = "#end";

/// A line that `LOADER` obeys. Where a login script has put another shell in the place of the login shell, that one
/// reads the line instead: to it the first word is a command that there is not, and it ends, for it has read no such `x`.
pub(super) fn line(code: &str) -> String {
    format!("blackstart1: test \"${{x%%:*}}\" = blackstart1 || exit 1; {code}\n")
}

/// Reads the agent from stdin and becomes it; a text with lines missing is not obeyed. bash (4.1 and later) takes
/// it in one read; other shells read pipes byte by byte, which costs more than all the rest of a lane's start.
fn load(agent: &str) -> String {
    let (bytes, lines) = (agent.len(), agent.lines().count() - 1);
    format!(
        "b= n=0; if [ -n \"${{BASH_VERSION-}}\" ] && LC_ALL=C IFS= read -r -N {bytes} b 2>/dev/null; then n={lines}; else \
         while IFS= read -r l && [ \"$l\" != \"{END_OF_AGENT}\" ]; do b=$b$l${{IFS#??}} n=$((n+1)); done; fi; \
         [ $n = {lines} ] && eval \"unset -v b n l x; $b\""
    )
}

/// bash gives each job a process group by a mere fork; without it `sh` and setsid do.
fn in_best_shell(code: &str) -> String {
    format!("command -v bash >/dev/null 2>&1 && exec bash --noprofile --norc -c {}; {code}", quote(code))
}

/// The same with both streams leaving through relays.
fn relayed(code: &str) -> String {
    let in_bash = format!(
        "exec > >({RELAY}); blackstart_relays=$!; exec 2> >({RELAY} >&2); blackstart_relays=\"$blackstart_relays $!\"; {code}"
    );
    format!(
        "command -v bash >/dev/null 2>&1 && exec bash --noprofile --norc -c {}; \
         {{ {{ {{ {code}; }} 2>&1 >&3 3>&- | ({RELAY} >&2 3>&-); }} 3>&1 | ({RELAY}); }}",
        quote(&in_bash)
    )
}

/// A command that makes a script's shell forget every variable of the agent. Its functions stay: they hold nothing of
/// use to anybody, and to forget them costs a tenth of what a job costs.
fn forget() -> String {
    let mut names = std::collections::BTreeSet::new();
    let mut functions = std::collections::BTreeSet::new();
    let both = format!("{AGENT}{REST}");
    for (at, _) in both.match_indices("_b_") {
        let rest = &both[at..];
        let length = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(rest.len());
        match rest[length..].starts_with("()") {
            true => functions.insert(&rest[..length]),
            false => names.insert(&rest[..length]),
        };
    }
    names.retain(|name| !functions.contains(name));
    format!("unset -v {}", names.into_iter().collect::<Vec<_>>().join(" "))
}

/// A word for `sh`, single-quoted.
pub fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
