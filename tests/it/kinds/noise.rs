//! Login scripts that print, and login scripts that get in the way.

use super::desk::{Desk, files_below};
use crate::support::machine::{Machine, Sh, User};
use crate::support::people::can_be_made;
use crate::support::sshd::{Sshd, SshdOptions};
use blackstart::model::Outcome;
use blackstart::model::event::{JobKind, TaskEnd};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Prints in every way that a lane could mistake for its own: on both streams, without a newline, in our own words.
const SH_NOISE: &str = "echo noise; echo noise >&2\nprintf 'blackstart1:exit 3\\n'\nprintf '\\036\\036' >&2\n\
    printf '\\036 hello 1 1 jobs - 0\\036'\nprintf 'no newline' >&2; printf 'no newline'\n";

/// Login shell, start-up file, its text. All of these are put up with.
const NOISY: [(&str, &str, &str); 9] = [
    ("bash", ".bashrc", SH_NOISE),
    ("bash", ".bashrc", "head -c 200000 /dev/zero | tr '\\0' x; head -c 50000 /dev/zero >&2\n"),
    // It is read by every further bash, unless that is told not to.
    ("bash", ".bashrc", "export BASH_ENV=$HOME/.bashrc ENV=$HOME/.bashrc\necho noise; echo noise >&2\n"),
    ("bash", ".bashrc", "set -eu; set -f; IFS=x; alias exec=false read=false; trap 'echo bye' EXIT\n"),
    ("zsh", ".zshenv", SH_NOISE),
    ("zsh", ".zshenv", "setopt sh_word_split no_nomatch; set -u; echo noise\n"),
    ("fish", ".config/fish/config.fish", "echo noise; echo noise >&2; printf 'no newline'\n"),
    ("bsd-csh", ".cshrc", "echo noise; set noclobber; echo -n 'no newline'; sh -c 'echo noise >&2'\n"),
    ("tcsh", ".tcshrc", "echo noise; set noclobber; echo -n 'no newline'; sh -c 'echo noise >&2'\n"),
];

/// The same, and what is said of each: nothing can be done on these.
const IN_THE_WAY: [(&str, &str, &str, &str); 10] = [
    ("bash", ".bashrc", "exit 0\n", "ended before it answered"),
    ("bash", ".bashrc", "echo 'closed for repairs' >&2; exit 1\n", "closed for repairs"),
    ("bash", ".bashrc", "read -r line\n", "ended before it answered"),
    ("bash", ".bashrc", "exec bash --norc\n", "ended before it answered"),
    ("bash", ".bashrc", "exec dash\n", "ended before it answered"),
    ("bash", ".bashrc", "exec zsh\n", "ended before it answered"),
    // These read all that there is before they obey any of it.
    ("bash", ".bashrc", "exec fish\n", "ended before it answered"),
    ("bash", ".bashrc", "exec sed -n '$p'\n", "ended before it answered"),
    ("bash", ".bashrc", "exec 2>&1\n", "stderr goes where stdout goes"),
    ("bash", ".bashrc", "exec yes\n", "prints without end"),
];

const BOOK: &str = r#"version: 1
name: noise
phases:
  - id: work
    on_failure: continue
    steps:
      - id: makes
        on: all
        max_failures: 100%
        run: |
          : >"{{ host.vars.place }}/mark"
          echo out; echo err >&2
          echo "$(umask) $(pwd) $# $-" | grep -q "^0022 "{{ host.vars.place }}" 0 [^eu]*$" || exit 60
          exit 4
        undo: not_needed
"#;

struct Made {
    name: String,
    place: PathBuf,
    what: String,
    says: Option<&'static str>,
}

#[test]
fn login_scripts_that_print_are_put_up_with_and_those_in_the_way_are_named() {
    if !can_be_made() {
        return;
    }
    let mut machine = Machine::new(Sh::Debian);
    let sshd = Sshd::with(SshdOptions { within: machine.enter(), ..SshdOptions::default() });
    fs::set_permissions(sshd.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut desk = Desk::new("");
    let mut made = Vec::new();
    let noisy = NOISY.map(|(shell, file, text)| (shell, file, text, None));
    let in_the_way = IN_THE_WAY.map(|(shell, file, text, says)| (shell, file, text, Some(says)));
    for (nth, (shell, file, text, says)) in noisy.into_iter().chain(in_the_way).enumerate() {
        let name = format!("n{nth}");
        let place = machine.add(&User::plain(&name, shell));
        machine.write(&name, file, text);
        let entry = format!(
            "address: 127.0.0.1, port: {}, user: {name}, identity_file: {}, vars: {{ place: {} }}",
            sshd.addr.port(),
            sshd.user_key().display(),
            place.display()
        );
        desk.host(&name, &entry, &sshd.known_line());
        made.push(Made { name, place, what: format!("{shell}: {text}"), says });
    }
    let ran = desk.run(BOOK, |_| {}).is(0);
    for Made { name, place, what, says } in made {
        let about = format!("makes@{name}");
        let (outcome, facts) = ran.end(&about, JobKind::Run);
        match says {
            None => {
                assert_eq!(*outcome, Outcome::from_exit(4), "{what}");
                assert_eq!((facts.stdout_bytes, facts.stderr_bytes), (4, 4), "{what}");
                assert_eq!(ran.kept(&about, "run-1.out"), b"out\n", "{what}");
                assert_eq!(ran.kept(&about, "run-1.err"), b"err\n", "{what}");
                assert!(place.join("mark").exists(), "{what}");
            }
            Some(says) => {
                let Outcome::NotStarted { because, try_again: false } = outcome else {
                    panic!("{what}: {outcome}\n{}", ran.said())
                };
                assert!(because.contains("the login shell") && because.contains(says), "{what}: {because}");
                assert!(matches!(ran.task(&about), TaskEnd::Failed { changed: false, .. }), "{what}");
                assert!(ran.err.contains(&format!("task {about}: FAILED, run: not started, ")), "{what}");
                // Nothing was done there, and nothing was left.
                let left = files_below(&place);
                assert!(left.iter().all(|file| !file.starts_with(".blackstart")), "{what}: {left:?}");
                assert!(!place.join("mark").exists(), "{what}");
            }
        }
    }
}
