//! stdout is data, stderr is conversation: the few helpers that write either.

use crate::cli::args::Args;
use crate::cli::error::CliError;
use crate::cli::{files, screen};
use crate::journal::RunDir;
use crate::model::visible;
use crate::report::Look;
use crate::report::escape::line_of;
use console::style;
use std::io::{IsTerminal, Write};
use tracing_subscriber::EnvFilter;

/// Says what went wrong and what to do, on stderr.
pub fn error(what: &str, hint: Option<&str>) {
    say(&format!("{} {what}", style("error:").red().bold().for_stderr()));
    if let Some(text) = hint {
        self::hint(text);
    }
}

/// Says something worth knowing, on stderr.
pub fn warning(what: &str) {
    say(&format!("{} {what}", style("warning:").yellow().bold().for_stderr()));
}

/// Says the next move, on stderr.
pub fn hint(text: &str) {
    say(&format!("{} {text}", style("hint:").cyan().bold().for_stderr()));
}

/// Says a line on stderr. Whoever closed it does not want to hear it, and that is no reason to fail.
pub fn say(text: &str) {
    match screen::get() {
        Some(screen) => screen.say(format!("{text}\n").as_bytes()),
        None => drop(writeln!(std::io::stderr(), "{text}")),
    }
}

/// Writes data to stdout; a closed pipe is no error worth a message.
pub fn data(text: &str) -> std::io::Result<()> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    if let Some(screen) = screen::get() {
        screen.print(format!("{text}{end}").as_bytes());
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{text}{end}")?;
    stdout.flush()
}

/// Writes a value as indented JSON to stdout.
pub fn json(value: &impl serde::Serialize) -> std::io::Result<()> {
    data(&json_text(value))
}

/// A value as indented JSON that a terminal shows and does not obey.
pub fn json_text(value: &impl serde::Serialize) -> String {
    visible::json(serde_json::to_string_pretty(value).expect("our own types serialise"))
}

/// Are both the keyboard and the screen a person's?
pub fn person_present() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// How reports on stdout are to look.
pub fn look_of_stdout(args: &Args) -> Look {
    Look { verbose: args.verbose, ..Look::of_stdout("") }
}

/// How a question on stderr is to look.
pub fn look_of_question(args: &Args) -> Look {
    Look { verbose: args.verbose, ..Look::of_stderr("") }
}

/// How reports about a run are to look: its id as short as it may be typed, and where it lies.
pub fn look(args: &Args, dir: &RunDir) -> Result<Look, CliError> {
    named(args, dir, Look::of_stdout)
}

/// The same for what goes to stderr.
pub fn look_of_stderr(args: &Args, dir: &RunDir) -> Result<Look, CliError> {
    named(args, dir, Look::of_stderr)
}

fn named(args: &Args, dir: &RunDir, of: impl Fn(&str) -> Look) -> Result<Look, CliError> {
    let short = files::short_id(&files::store(args)?, dir.id())?;
    Ok(Look {
        verbose: args.verbose,
        flags: args.state.as_ref().map_or(String::new(), |state| format!("--state {}", state.display())),
        directory: dir.path().display().to_string(),
        ..of(&short)
    })
}

/// Starts logging to stderr, as loud as asked.
pub fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "off",
        1 => "blackstart=info",
        2 => "blackstart=debug",
        _ => "blackstart=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Log);
    let _ = log.try_init();
}

/// Writes the log to stderr, or to the screen of the run while there is one: an event is one line, whatever a host has
/// put into it.
struct Log;

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let line = line_of(event.strip_suffix(b"\n").unwrap_or(event));
        match screen::get() {
            Some(screen) => writeln!(screen.said(), "{line}")?,
            None => say(&line),
        }
        Ok(event.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
