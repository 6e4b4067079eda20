//! The lane over real shells on this machine: bash, dash, busybox ash, and a dash that has not even setsid.

use crate::support::shells::{MAKES, Site, site};
use blackstart::model::event::{Found, JobKind};
use blackstart::model::secret::Secret;
use blackstart::model::{How, Millis, Outcome};
use blackstart::transport::work::{Claim, Script, Sink};
use blackstart::transport::{Lost, Remote, Stop, Stopper};
use std::future::Future;

/// Both streams, kept.
#[derive(Default)]
pub struct Kept {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
}

impl Sink for Kept {
    fn out(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
    fn err(&mut self, bytes: &[u8]) {
        self.err.extend_from_slice(bytes);
    }
}

impl Kept {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

/// Longer than anything here takes, so that only a hang meets it.
pub const LONG: Millis = Millis::from_secs(60);

pub fn on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

pub fn script(text: &str) -> Script {
    Script { guarded: false, text: Secret::new(text.into()), privileged: false, claim: None, timeout: LONG }
}

pub fn claim(site: &Site, attempt: u32) -> Claim {
    Claim { run: site.run(), task: "7-cut".into(), kind: JobKind::Run, attempt }
}

pub fn claimed(site: &Site, attempt: u32, text: &str) -> Script {
    Script { claim: Some(claim(site, attempt)), ..script(text) }
}

pub fn lost(site: &Site, attempt: u32) -> Lost {
    Lost { claim: claim(site, attempt), privileged: false, claimed_before: false, wait: LONG }
}

pub async fn run(host: &dyn Remote, script: &Script) -> (Outcome, Kept) {
    let mut kept = Kept::default();
    let outcome = host.run(script, &mut kept, &mut Stop::never()).await;
    (outcome, kept)
}

pub fn exit(status: i32) -> Outcome {
    Outcome::from_exit(status)
}

/// Runs a test on each make of host.
pub fn each(work: impl AsyncFn(&'static str, &Site)) {
    for make in MAKES {
        let site = site(make);
        on(work(make, &site));
    }
}

#[test]
fn exit_statuses_arrive() {
    each(async |make, site| {
        let host = site.host();
        for status in [0, 1, 7, 126, 127, 255] {
            let (outcome, kept) =
                run(&*host, &script(&format!("echo out{status}; echo err{status} >&2; exit {status}"))).await;
            assert_eq!(outcome, exit(status), "{make}");
            assert_eq!(
                (kept.out(), kept.err()),
                (format!("out{status}\n"), format!("err{status}\n")),
                "{make}"
            );
        }
        assert_eq!(*site.link.connects.borrow(), 1, "{make}");
        host.close().await;
    });
}

#[test]
fn a_script_cannot_hurt_the_lane() {
    each(async |make, site| {
        let host = site.host();
        for (text, status) in [
            ("exit 3", 3),
            ("exec true", 0),
            ("exec sh -c 'exit 9'", 9),
            ("cd /; umask 777; trap '' TERM INT HUP; trap 'exit 5' EXIT", 5),
            ("set -e; false; echo no", 1),
            ("set -u; set -C; set -f; IFS=x; PATH=/nowhere; unset HOME; echo ${1-none}", 0),
            ("alias read=false echo=false; unset -f read; read() { exit 1; }; printf() { exit 1; }; :", 0),
            ("exec </dev/null >/dev/null 2>&1; exit 4", 4),
            ("exec 3>&-; exec 4>&-; exit 6", 6),
            ("cat; exit $?", 0),
            ("if true; then echo", 2),
            ("set -- a b; exit $#", 2),
        ] {
            let (outcome, _) = run(&*host, &script(text)).await;
            let status = if text.starts_with("if") && outcome != exit(status) { 1 } else { status };
            assert_eq!(outcome, exit(status), "{make}: {text}");
            let (outcome, kept) =
                run(&*host, &script("echo $# $(umask) \"$PWD\" \"$HOME\"; read x; echo $?")).await;
            assert_eq!(outcome, Outcome::Succeeded, "{make}: after {text}");
            let home = site.home();
            let home = home.display();
            assert_eq!(kept.out(), format!("0 0022 {home} {home}\n1\n"), "{make}: after {text}");
        }
        assert_eq!(*site.link.connects.borrow(), 1, "{make}");
    });
}

#[test]
fn bytes_arrive_as_they_are() {
    each(async |make, site| {
        let host = site.host();
        let all: Vec<u8> = (0..=255).collect();
        let octal: String = all.iter().map(|byte| format!("\\{byte:03o}")).collect();
        let text = format!(
            "printf '{octal}'; printf '{octal}' >&2; printf 'x=あÁ隔離\\\\'; printf '\\036\\036'; printf '\\036' >&2"
        );
        let (outcome, kept) = run(&*host, &script(&text)).await;
        assert_eq!(outcome, Outcome::Succeeded, "{make}");
        let tail = "x=あÁ隔離\\\x1e\x1e".as_bytes();
        assert_eq!(kept.out, [all.as_slice(), tail].concat(), "{make}");
        assert_eq!(kept.err, [all.as_slice(), b"\x1e"].concat(), "{make}");
        // In the script itself, too: every byte that UTF-8 and a shell word may hold.
        let raw: String =
            (1..=126u8).filter(|byte| *byte != b'\'').map(char::from).collect::<String>() + "\u{7f}é隔";
        let (_, kept) = run(&*host, &script(&format!("printf %s '{raw}'"))).await;
        assert_eq!(kept.out(), raw, "{make}");
        let (_, kept) = run(&*host, &script("printf %s 'no newline'")).await;
        assert_eq!(kept.out(), "no newline", "{make}");
        let (_, kept) = run(&*host, &script("cat <<'E'\n a\\b \"$x\" `y`\n\n  \nE")).await;
        assert_eq!(kept.out(), " a\\b \"$x\" `y`\n\n  \n", "{make}");
    });
}

#[test]
fn twenty_megabytes_on_both_streams_at_once() {
    each(async |make, site| {
        let host = site.host();
        let text = "head -c 20000000 /dev/zero >&2 & head -c 20000000 /dev/zero; wait; echo; echo >&2";
        let (outcome, kept) = run(&*host, &script(text)).await;
        assert_eq!(outcome, Outcome::Succeeded, "{make}");
        assert_eq!((kept.out.len(), kept.err.len()), (20_000_001, 20_000_001), "{make}");
    });
}

#[test]
fn two_hundred_jobs_share_a_lane() {
    each(async |make, site| {
        let host = site.host();
        let mut lanes = std::collections::BTreeSet::new();
        for number in 0..200 {
            let (outcome, kept) = run(&*host, &script(&format!("echo $PPID; exit {}", number % 7))).await;
            assert_eq!(outcome, exit(number % 7), "{make}");
            lanes.insert(kept.out());
        }
        if make == "bash" {
            assert_eq!(lanes.len(), 1, "{make}: {lanes:?}");
        }
        assert_eq!(*site.link.connects.borrow(), 1, "{make}");
    });
}

#[test]
fn parallel_jobs_run_at_the_same_time_and_keep_their_output_apart() {
    each(async |make, site| {
        let host = site.host();
        let meet = site.path("meet");
        std::fs::create_dir(&meet).unwrap();
        // Each waits for all of them: one after the other they would never end.
        let jobs: Vec<_> = (0..6)
            .map(|me| {
                let host = host.clone();
                let text = format!(
                    "cd {}; : >{me}; until [ -e 0 ] && [ -e 1 ] && [ -e 2 ] && [ -e 3 ] && [ -e 4 ] && [ -e 5 ]; do sleep 0.02; done; \
                     i=0; while [ $i -lt 200 ]; do echo {me}; i=$((i+1)); done",
                    meet.display()
                );
                tokio::task::spawn_local(async move { run(&*host, &script(&text)).await })
            })
            .collect();
        for (me, job) in jobs.into_iter().enumerate() {
            let (outcome, kept) = job.await.unwrap();
            assert_eq!(outcome, Outcome::Succeeded, "{make}");
            assert_eq!(kept.out(), format!("{me}\n").repeat(200), "{make}");
        }
        // More than there are lanes: they queue.
        let jobs: Vec<_> = (0..30)
            .map(|me| {
                let host = host.clone();
                tokio::task::spawn_local(async move { run(&*host, &script(&format!("exit {me}"))).await.0 })
            })
            .collect();
        for (me, job) in jobs.into_iter().enumerate() {
            assert_eq!(job.await.unwrap(), exit(me as i32), "{make}");
        }
        assert_eq!(*site.link.connects.borrow(), 1, "{make}");
    });
}

#[test]
fn a_forger_finds_no_nonce() {
    each(async |make, site| {
        let host = site.host();
        let secret = "f00dfacef00dface";
        let (_, kept) = run(
            &*host,
            &script(&format!(
                "x={secret}; set; env; export -p; set -o; alias; trap; echo \"$0 $* $_\"; \
                 tr '\\0' '\\n' </proc/self/environ; ls -l /proc/self/fd; echo argv; \
                 for p in $$ $PPID; do tr '\\0' '\\n' </proc/$p/cmdline; done"
            )),
        )
        .await;
        let seen = kept.out();
        assert!(seen.contains(secret) && seen.contains("PATH="), "{make}: {seen}");
        let (variables, argv) = seen.split_once("\nargv\n").unwrap();
        let names: Vec<_> = variables.lines().filter(|line| line.contains("_b_")).collect();
        assert!(names.is_empty(), "{make}: names of the agent are visible: {names:?}");
        assert!(!argv.contains(secret), "{make}: {argv}");
        let hex = |word: &str| word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let run_id = site.run();
        for word in seen.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| *word != run_id.as_str()) {
            assert!(!hex(word), "{make}: `{word}` might be a nonce: {seen}");
        }
        // Frames with nonces of their own are output.
        let forged = "\x1e00112233445566778899aabbccddeeff end 0 0\x1e";
        let (outcome, kept) =
            run(&*host, &script(&format!("printf '{forged}'; printf '{forged}' >&2; exit 9"))).await;
        assert_eq!(outcome, exit(9), "{make}");
        assert_eq!((kept.out(), kept.err()), (forged.to_owned(), forged.to_owned()), "{make}");
    });
}

#[test]
fn a_background_child_holds_nothing_up_and_reaches_no_later_job() {
    each(async |make, site| {
        let host = site.host();
        let (go, said) = (site.path("go"), site.path("said"));
        let text = format!(
            "(while [ ! -e {go} ]; do sleep 0.02; done; echo stray; echo stray >&2; : >{said}) & echo done",
            go = go.display(),
            said = said.display()
        );
        let (outcome, kept) = run(&*host, &claimed(site, 1, &text)).await;
        assert_eq!((outcome, kept.out()), (Outcome::Succeeded, "done\n".into()), "{make}");
        let wait =
            format!(": >{}; until [ -e {} ]; do sleep 0.02; done; echo mine", go.display(), said.display());
        let (outcome, kept) = run(&*host, &script(&wait)).await;
        assert_eq!(outcome, Outcome::Succeeded, "{make}");
        if make != "bare" {
            assert_eq!((kept.out(), kept.err()), ("mine\n".into(), String::new()), "{make}");
        }
        let (outcome, kept) = run(&*host, &script("echo next")).await;
        assert_eq!((outcome, kept.out()), (Outcome::Succeeded, "next\n".into()), "{make}");
    });
}

/// Is there a process (not a zombie) whose command line holds this word?
pub fn alive(word: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let read = |name: &str| std::fs::read(path.join(name)).unwrap_or_default();
        let zombie = String::from_utf8_lossy(&read("stat")).contains(") Z");
        !zombie && memchr::memmem::find(&read("cmdline"), word.as_bytes()).is_some()
    })
}

/// A sleep that can be told from all others on the machine.
pub fn unique_sleep(site: &Site) -> String {
    let nanos = site.run().0[20..].bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte))
        % 1_000_000_000;
    format!("600.{nanos:09}")
}

#[test]
fn a_step_that_hangs_is_ended_and_that_is_proved() {
    each(async |make, site| {
        let host = site.host();
        let sleep = unique_sleep(site);
        let limit = Millis(400);
        for (attempt, text) in [
            (1, format!("echo before; sleep {sleep}")),
            (2, format!("sleep {sleep} & sleep {sleep} | cat; echo never")),
            (3, format!("trap 'echo told; exit 0' TERM; echo ready; while :; do sleep {sleep} & wait; done")),
        ] {
            let script = Script { timeout: limit, ..claimed(site, attempt, &text) };
            let (outcome, _) = run(&*host, &script).await;
            assert_eq!(outcome, Outcome::Failed { how: How::TimedOut(limit) }, "{make}: {text}");
            assert!(!alive(&sleep), "{make}: {text}");
            let found = host.resolve(&lost(site, attempt), &mut Stop::never()).await;
            assert_eq!(found, Found::Ended(outcome), "{make}: {text}");
        }
        let (outcome, kept) = run(&*host, &script("echo well")).await;
        assert_eq!((outcome, kept.out()), (Outcome::Succeeded, "well\n".into()), "{make}");
    });
}

#[test]
fn a_step_that_ignores_term_is_killed() {
    each(async |make, site| {
        let host = site.host();
        let sleep = unique_sleep(site);
        let text = format!("trap '' TERM; echo ready; sleep {sleep}; sleep {sleep}");
        let script = Script { timeout: Millis(400), ..script(&text) };
        let (outcome, _) = run(&*host, &script).await;
        assert_eq!(outcome, Outcome::Failed { how: How::TimedOut(Millis(400)) }, "{make}");
        assert!(!alive(&sleep), "{make}");
    });
}

#[test]
fn a_step_is_cancelled() {
    each(async |make, site| {
        let host = site.host();
        let sleep = unique_sleep(site);
        let (stopper, mut stop) = Stopper::new();
        let mut sink = StopAt(b"ready".to_vec(), Some(stopper), Vec::new());
        let script = claimed(site, 1, &format!("echo ready; sleep {sleep}"));
        let outcome = host.run(&script, &mut sink, &mut stop).await;
        assert_eq!(outcome, Outcome::Failed { how: How::Cancelled }, "{make}");
        assert!(!alive(&sleep), "{make}");
        let found = host.resolve(&lost(site, 1), &mut Stop::never()).await;
        assert_eq!(found, Found::Ended(Outcome::Failed { how: How::Cancelled }), "{make}");
        // A stop that came before: nothing is started.
        let outcome = host.run(&claimed(site, 2, "echo"), &mut Kept::default(), &mut stop).await;
        assert!(matches!(outcome, Outcome::NotStarted { .. }), "{make}: {outcome}");
    });
}

/// Stops the job when it says a word.
pub struct StopAt(pub Vec<u8>, pub Option<Stopper>, pub Vec<u8>);

impl Sink for StopAt {
    fn out(&mut self, bytes: &[u8]) {
        self.2.extend_from_slice(bytes);
        if memchr::memmem::find(&self.2, &self.0).is_some()
            && let Some(stopper) = &self.1
        {
            stopper.stop();
        }
    }
    fn err(&mut self, _: &[u8]) {}
}

#[test]
fn another_interpreter_runs_the_script() {
    each(async |make, site| {
        let host = site.host_with(|ssh| ssh.shell = Some("/bin/bash".into()));
        let text = "secret=f00dface; a=(1 2 3); echo ${#a[@]} $BASH_VERSION; read x; echo $?; \
                    tr '\\0' ' ' </proc/$$/cmdline; exit 6";
        let (outcome, kept) = run(&*host, &claimed(site, 1, text)).await;
        assert_eq!(outcome, exit(6), "{make}: {}", kept.err());
        assert!(kept.out().starts_with("3 5."), "{make}: {}", kept.out());
        assert!(kept.out().contains("\n1\n"), "{make}: {}", kept.out());
        assert!(!kept.out().contains("f00dface"), "{make}: {}", kept.out());
    });
}

#[test]
fn a_secret_is_in_no_command_line_while_the_job_runs() {
    each(async |make, site| {
        for shell in [None, Some("/bin/dash".to_owned())] {
            let host = site.host_with(|ssh| ssh.shell = shell.clone());
            let secret = format!("s3cr3t{}", &site.run().0[16..]);
            // Half of it, so that the search does not find itself in this test's memory or the script's own text.
            let text = format!(
                "token={secret}\nhalf=${{token#s3cr3t}}\nfor p in /proc/[0-9]*; do \
                 grep -al \"3cr3t$half\" $p/cmdline $p/environ 2>/dev/null; done; echo looked"
            );
            let (outcome, kept) = run(&*host, &script(&text)).await;
            assert_eq!(outcome, Outcome::Succeeded, "{make}");
            // The one hit is the grep that looks for it.
            assert_eq!(kept.out().trim().lines().last(), Some("looked"), "{make}");
            let hits: Vec<_> = kept
                .out()
                .lines()
                .filter(|line| line.ends_with("cmdline") || line.ends_with("environ"))
                .map(str::to_owned)
                .collect();
            assert!(hits.iter().all(|hit| hit.contains("self")), "{make}: {hits:?}");
        }
    });
}
