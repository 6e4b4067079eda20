//! What of the controller's own environment a connection depends on, and what `ssh -G` says of an address.

use super::known_files::KnownFiles;
use crate::transport::system_name;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::OnceCell;

/// `ssh -G` reads a few small files; a `Match exec` in them may take a moment.
const ASK_WITHIN: Duration = Duration::from_secs(10);

/// The controller's side of SSH: whose home, which agent, which `ssh`.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Home directory; `~` in paths.
    pub home: PathBuf,
    /// Login name of whoever runs Blackstart: the default user everywhere.
    pub user: String,
    /// The agent's socket, if there is one.
    pub agent: Option<PathBuf>,
    /// The `ssh` program, asked what the configuration says.
    pub ssh: PathBuf,
    /// A configuration file to use instead of `~/.ssh/config`.
    pub config: Option<PathBuf>,
    /// Answers of `ssh -G`, by what was asked.
    answers: Answers,
    /// What is known of hosts' keys.
    pub known: Rc<KnownFiles>,
}

type Question = (String, Option<u16>, Option<String>);
type Answers = Rc<RefCell<BTreeMap<Question, Rc<OnceCell<Answer>>>>>;

/// What `ssh -G` said, or why it said nothing.
pub type Answer = Result<Rc<Config>, NoAnswer>;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// There is no `ssh` program here; then its configuration is no use to anybody.
    NoProgram,
    /// It failed; holds what it said.
    Failed(String),
}

/// What the user's and the system's configuration say about an address. Keywords are lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config(BTreeMap<String, Vec<String>>);

thread_local! {
    /// One set of answers a process, so that each address is asked about once.
    static HERE: RefCell<Option<Surroundings>> = const { RefCell::new(None) };
}

impl Surroundings {
    /// As the environment has them.
    pub fn here() -> Self {
        HERE.with_borrow_mut(|here| here.get_or_insert_with(Self::from_environment).clone())
    }

    fn from_environment() -> Self {
        let home = std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
        let agent = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from);
        let (answers, known) = (Answers::default(), Rc::default());
        Self { home, user: login_name(), agent, ssh: "ssh".into(), config: None, answers, known }
    }

    /// The same with another home, agent and configuration file; for tests.
    pub fn elsewhere(home: &Path, agent: Option<PathBuf>, config: Option<PathBuf>) -> Self {
        Self { home: home.to_owned(), agent, config, ..Self::from_environment() }
    }

    /// Asks `ssh -G` about `address`, once for each address, port and user.
    pub async fn ask(&self, address: &str, port: Option<u16>, user: Option<&str>) -> Answer {
        let question = (address.to_owned(), port, user.map(str::to_owned));
        let cell = Rc::clone(self.answers.borrow_mut().entry(question).or_default());
        cell.get_or_init(|| self.run_ssh(address, port, user)).await.clone()
    }

    async fn run_ssh(&self, address: &str, port: Option<u16>, user: Option<&str>) -> Answer {
        let mut command = Command::new(&self.ssh);
        if let Some(file) = &self.config {
            command.arg("-F").arg(file);
        }
        if let Some(port) = port {
            command.arg("-p").arg(port.to_string());
        }
        if let Some(user) = user {
            command.arg("-l").arg(user);
        }
        // `-T`: it would complain about our stdin otherwise.
        command.args(["-T", "-G", "--", address]).stdin(Stdio::null()).kill_on_drop(true);
        match tokio::time::timeout(ASK_WITHIN, command.output()).await {
            Err(_) => Err(NoAnswer::Failed(format!("no answer within {} s", ASK_WITHIN.as_secs()))),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                // Every address gets this answer, so the first one says it.
                tracing::warn!("there is no `ssh` program here: ~/.ssh/config is not honoured");
                Err(NoAnswer::NoProgram)
            }
            Ok(Err(error)) => Err(NoAnswer::Failed(error.to_string())),
            Ok(Ok(out)) if !out.status.success() => {
                Err(NoAnswer::Failed(String::from_utf8_lossy(&out.stderr).trim().to_owned()))
            }
            Ok(Ok(out)) => Ok(Rc::new(Config::read(&String::from_utf8_lossy(&out.stdout)))),
        }
    }

    /// A path as users write it: `~/` is the home directory.
    pub fn path(&self, text: &str) -> PathBuf {
        match text.strip_prefix('~') {
            Some("") => self.home.clone(),
            Some(rest) if rest.starts_with('/') => self.home.join(&rest[1..]),
            _ => PathBuf::from(text),
        }
    }
}

impl Config {
    /// Reads what `ssh -G` prints: a keyword, a space, its value; some keywords several times.
    pub fn read(text: &str) -> Self {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (keyword, value) in text.lines().filter_map(|line| line.trim().split_once(' ')) {
            values.entry(keyword.to_ascii_lowercase()).or_default().push(value.trim().to_owned());
        }
        Self(values)
    }

    /// The value of a keyword; `none` is no value.
    pub fn one(&self, keyword: &str) -> Option<&str> {
        self.all(keyword).next()
    }

    /// All values of a keyword that may stand several times.
    pub fn all(&self, keyword: &str) -> impl Iterator<Item = &str> {
        self.0.get(keyword).into_iter().flatten().map(String::as_str).filter(|value| *value != "none")
    }

    /// Is a switch on?
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self.one(keyword), Some("yes" | "true"))
    }

    /// Was a keyword set to `none` in so many words?
    pub fn is_none(&self, keyword: &str) -> bool {
        self.0.get(keyword).is_some_and(|values| values.iter().any(|value| value == "none"))
    }
}

/// `$USER` is the login name wherever people log in; the system knows it elsewhere (cron, containers).
fn login_name() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|user| !user.is_empty());
    named("USER")
        .or_else(|| named("LOGNAME"))
        .or_else(|| system_name().map(str::to_owned))
        .unwrap_or_else(|| "root".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_values_are_kept_and_none_is_no_value() {
        let config = Config::read(
            "user bob\nidentityfile ~/.ssh/a\nidentityfile ~/.ssh/b\nproxyjump none\nIdentitiesOnly yes\nrekeylimit 0 0\n",
        );
        assert_eq!(config.one("user"), Some("bob"));
        assert_eq!(config.all("identityfile").collect::<Vec<_>>(), ["~/.ssh/a", "~/.ssh/b"]);
        assert_eq!(config.one("proxyjump"), None);
        assert!(config.is_none("proxyjump"));
        assert!(config.is("identitiesonly"));
        assert_eq!(config.one("rekeylimit"), Some("0 0"));
    }
}
