//! The screen of a run: started with it, written to by everything that speaks while it goes on, and waited for at the
//! very end, when nothing is left that could suffer from it.

use crate::cli::conduct::on_runtime;
use crate::cli::error::CliError;
use crate::drive::signals::Signals;
use crate::report::{Look, Screen};
use std::sync::OnceLock;
use std::time::Duration;

/// Within this time whatever is read at all is shown; nobody is asked for patience before.
const SOON: Duration = Duration::from_millis(200);
/// Who leaves at once does not wait for long.
const LEAVING: Duration = Duration::from_secs(1);
/// How often it is looked whether the screen has taken the rest.
const LOOK_EVERY: Duration = Duration::from_millis(20);

static SCREEN: OnceLock<Screen> = OnceLock::new();

/// The screen of the run that this process carries on; a drill that is taken back keeps it.
pub fn start(look: &Look) -> Result<Screen, CliError> {
    if SCREEN.get().is_none() {
        let screen = Screen::start(&look.command("show", "--all"))?;
        let _ = SCREEN.set(screen);
    }
    Ok(SCREEN.get().expect("it was just set").clone())
}

/// The screen, if this process has one.
pub fn get() -> Option<&'static Screen> {
    SCREEN.get()
}

/// The operator leaves at once: what is not shown soon is not shown.
pub fn leave() {
    if let Some(screen) = get() {
        screen.is_shown_within(LEAVING);
        screen.give_up();
    }
}

/// Waits until all is shown that was said; a signal ends that. The run is over, its journal closed and its lock
/// released: the exit code is what it is.
pub fn show_the_rest() {
    let Some(screen) = get() else { return };
    if !screen.is_shown_within(SOON) {
        // Without a runtime nothing can be waited for.
        let _ = on_runtime(wait(screen));
    }
}

async fn wait(screen: &Screen) {
    let Ok(mut signals) = Signals::listen() else { return };
    while !screen.is_shown_within(Duration::ZERO) {
        tokio::select! {
            _ = signals.next() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
