//! Receipts, over real shells on this machine: one start for each attempt, and the truth about it afterwards.

use crate::lane::{LONG, StopAt, alive, claimed, each, exit, lost, on, run, script, unique_sleep};
use crate::support::shells::{MAKES, Site, site};
use crate::support::sshd::children_of;
use blackstart::model::event::Found;
use blackstart::model::{How, Millis, Outcome};
use blackstart::transport::work::{NoSink, Script};
use blackstart::transport::{Lost, Remote, Stop, Stopper};
use rustix::process::{Pid, Signal, kill_process};

/// Appends a line to a file that is beside the receipts, so that starts can be counted.
fn ledger(site: &Site) -> String {
    site.path("ledger").display().to_string()
}

/// Starts a script that says `ready`, and drops it there, as a dead link would.
async fn walk_off(host: &dyn Remote, script: &Script, make: &str) {
    let (stopper, mut seen) = Stopper::new();
    let mut sink = StopAt(b"ready".to_vec(), Some(stopper), Vec::new());
    let mut never = Stop::never();
    tokio::select! {
        outcome = host.run(script, &mut sink, &mut never) => panic!("{make}: {outcome}"),
        () = seen.requested() => {}
    }
}

fn starts(site: &Site) -> usize {
    std::fs::read_to_string(site.path("ledger")).unwrap_or_default().lines().count()
}

#[test]
fn a_claim_is_good_for_one_start() {
    each(async |make, site| {
        let (host, other) = (site.host(), site.host());
        let text = format!("echo x >>{}; exit 4", ledger(site));
        let (outcome, _) = run(&*host, &claimed(site, 1, &text)).await;
        assert_eq!(outcome, exit(4), "{make}");
        for again in [&host, &other] {
            let (outcome, kept) = run(&**again, &claimed(site, 1, &text)).await;
            assert_eq!(outcome, exit(4), "{make}: what the receipt says");
            assert!(kept.out.is_empty() && kept.err.is_empty(), "{make}");
        }
        assert_eq!(starts(site), 1, "{make}");
        let (outcome, _) = run(&*host, &claimed(site, 2, &text)).await;
        assert_eq!((outcome, starts(site)), (exit(4), 2), "{make}");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(site.receipts()).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o700, "{make}");
    });
}

#[test]
fn of_two_controllers_that_race_for_a_claim_one_starts_it() {
    each(async |make, site| {
        let (host, other) = (site.host(), site.host());
        let races = 25;
        for attempt in 1..=races {
            let script = claimed(site, attempt, &format!("echo x >>{}", ledger(site)));
            let ((one, _), (two, _)) = tokio::join!(run(&*host, &script), run(&*other, &script));
            for outcome in [one, two] {
                // The loser may come while the winner runs.
                assert!(matches!(outcome, Outcome::Succeeded | Outcome::Unknown { .. }), "{make}: {outcome}");
            }
            assert_eq!(starts(site), attempt as usize, "{make}");
        }
    });
}

#[test]
fn an_attempt_that_never_started_never_will() {
    each(async |make, site| {
        let host = site.host();
        assert_eq!(host.resolve(&lost(site, 1), &mut Stop::never()).await, Found::NeverStarted, "{make}");
        let (outcome, _) = run(&*host, &claimed(site, 1, &format!("echo x >>{}", ledger(site)))).await;
        assert!(matches!(outcome, Outcome::NotStarted { try_again: true, .. }), "{make}: {outcome}");
        assert_eq!(starts(site), 0, "{make}");
        // The same from a third controller, with receipts known to be there.
        let later = Lost { claimed_before: true, ..lost(site, 1) };
        assert_eq!(site.host().resolve(&later, &mut Stop::never()).await, Found::NeverStarted, "{make}");
        let later = Lost { claimed_before: true, ..lost(site, 2) };
        assert_eq!(site.host().resolve(&later, &mut Stop::never()).await, Found::NeverStarted, "{make}");
    });
}

#[test]
fn lost_receipts_prove_nothing() {
    each(async |make, site| {
        let host = site.host();
        assert_eq!(run(&*host, &claimed(site, 1, "exit 0")).await.0, Outcome::Succeeded, "{make}");
        std::fs::remove_dir_all(site.home().join(".blackstart")).unwrap();
        let again = Lost { claimed_before: true, ..lost(site, 1) };
        for host in [&host, &site.host(), &site.host()] {
            let found = host.resolve(&again, &mut Stop::never()).await;
            assert!(matches!(found, Found::NoReceipt { .. }), "{make}: {found:?}");
        }
        // Nor do they for any other attempt of the run.
        let found = host.resolve(&Lost { claimed_before: false, ..lost(site, 2) }, &mut Stop::never()).await;
        assert!(matches!(found, Found::NoReceipt { .. }), "{make}: {found:?}");
        // But what is claimed from here on is known.
        assert_eq!(run(&*host, &claimed(site, 3, "exit 3")).await.0, exit(3), "{make}");
        assert_eq!(host.resolve(&lost(site, 3), &mut Stop::never()).await, Found::Ended(exit(3)), "{make}");
        // A job that waits in the lane finds the directory gone, and does not run unreceipted.
        std::fs::remove_dir_all(site.home().join(".blackstart")).unwrap();
        let (outcome, _) = run(&*host, &claimed(site, 4, &format!("echo x >>{}", ledger(site)))).await;
        assert!(matches!(outcome, Outcome::NotStarted { .. }), "{make}: {outcome}");
        assert_eq!(starts(site), 0, "{make}");
    });
}

#[test]
fn a_claim_that_was_heard_of_and_is_missing_was_lost_and_not_never_made() {
    each(async |make, site| {
        let host = site.host();
        {
            // It ends with its home, whatever becomes of the test.
            let home = site.home().display().to_string();
            let text = format!(
                "echo ready; while [ -e {home} ] && [ ! -e {home}/go ]; do sleep 0.02; done; : >{home}/over"
            );
            walk_off(&*host, &claimed(site, 1, &text), make).await;
        }
        std::fs::remove_dir_all(site.home().join(".blackstart")).unwrap();
        let found = host.resolve(&lost(site, 1), &mut Stop::never()).await;
        assert!(matches!(found, Found::NoReceipt { .. }), "{make}: {found:?}");
        std::fs::write(site.home().join("go"), "").unwrap();
        while !site.home().join("over").exists() {
            std::thread::yield_now();
        }
    });
}

#[test]
fn a_restarted_host_does_not_prove_absence() {
    each(async |make, site| {
        let host = site.host();
        assert_eq!(run(&*host, &claimed(site, 1, "exit 0")).await.0, Outcome::Succeeded, "{make}");
        let rewrite = |name: &str, change: &dyn Fn(String) -> String| {
            let path = site.receipts().join(name);
            std::fs::write(&path, change(std::fs::read_to_string(&path).unwrap())).unwrap();
        };
        rewrite("host", &|_| "another-boot end\n".into());
        let found = host.resolve(&lost(site, 2), &mut Stop::never()).await;
        assert!(matches!(found, Found::NoReceipt { .. }), "{make}: {found:?}");
        // A claim of another boot without an end: it is over, and nobody knows how.
        assert_eq!(run(&*host, &claimed(site, 3, "exit 0")).await.0, Outcome::Succeeded, "{make}");
        std::fs::remove_file(site.receipts().join("7-cut.run.3.rc")).unwrap();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        rewrite("7-cut.run.3", &|text| text.replace(boot.trim(), "another-boot"));
        let gone = Found::Ended(Outcome::Failed { how: How::Vanished });
        assert_eq!(host.resolve(&lost(site, 3), &mut Stop::never()).await, gone, "{make}");
        // Even if the same numbers are in use again: here by this very test.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let start = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
        let me = std::process::id();
        assert_eq!(run(&*host, &claimed(site, 4, "exit 0")).await.0, Outcome::Succeeded, "{make}");
        std::fs::remove_file(site.receipts().join("7-cut.run.4.rc")).unwrap();
        rewrite("7-cut.run.4", &|_| format!("1 {me} {me} {start} another-boot {me} {start} 1 end\n"));
        assert_eq!(host.resolve(&lost(site, 4), &mut Stop::never()).await, gone, "{make}");
        // Torn receipts: the claim was made, its end is not known.
        rewrite("7-cut.run.1.rc", &|_| "0".into());
        rewrite("7-cut.run.1", &|text| text[..text.len() - 3].to_owned());
        assert_eq!(host.resolve(&lost(site, 1), &mut Stop::never()).await, gone, "{make}");
    });
}

#[test]
fn a_step_outlives_its_link_and_tells_how_it_ended() {
    each(async |make, site| {
        let host = site.host();
        let (cut, go) = (site.path("cut"), site.path("go"));
        let text = format!(
            "echo ready; until [ -e {cut} ]; do sleep 0.02; done; \
             i=0; while [ $i -lt 3000 ]; do echo 'much output that nobody takes, on either of the streams'; echo more >&2; i=$((i+1)); done; \
             until [ -e {go} ]; do sleep 0.02; done; echo x >>{ledger}; exit 7",
            cut = cut.display(),
            go = go.display(),
            ledger = ledger(site)
        );
        {
            // Dropped in the middle: both ends of the pipes on this side are closed.
            walk_off(&*host, &claimed(site, 1, &text), make).await;
        }
        std::fs::write(&cut, "").unwrap();
        let other = site.host();
        let script = claimed(site, 1, &text);
        let (outcome, _) = run(&*other, &script).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{make}: refused while it runs: {outcome}");
        let order = lost(site, 1);
        let mut never = Stop::never();
        let mut waiting = other.resolve(&order, &mut never);
        tokio::select! {
            found = &mut waiting => panic!("{make}: {found:?}"),
            () = tokio::time::sleep(std::time::Duration::from_millis(300)) => {}
        }
        std::fs::write(&go, "").unwrap();
        assert_eq!(waiting.await, Found::Ended(exit(7)), "{make}");
        assert_eq!(starts(site), 1, "{make}");
    });
}

#[test]
fn a_job_found_running_is_ended_when_its_time_is_up() {
    each(async |make, site| {
        let sleep = unique_sleep(site);
        let host = site.host();
        let script = claimed(site, 1, &format!("echo ready; sleep {sleep}"));
        walk_off(&*host, &script, make).await;
        let wait = Millis(300);
        let found = site.host().resolve(&Lost { wait, ..lost(site, 1) }, &mut Stop::never()).await;
        assert_eq!(found, Found::Ended(Outcome::Failed { how: How::TimedOut(wait) }), "{make}");
        assert!(!alive(&sleep), "{make}");
    });
}

#[test]
fn a_job_whose_lane_and_self_were_killed_has_vanished() {
    each(async |make, site| {
        let host = site.host();
        // The job kills its lane's shell, and then itself: nobody is left to record an end.
        let text = "read -r l </proc/self/stat; me=${l%% *}; set -- ${l##*') '}; kill -9 $2; kill -9 $me";
        let (outcome, _) = run(&*host, &claimed(site, 1, text)).await;
        assert!(matches!(outcome, Outcome::Unknown { .. } | Outcome::Failed { .. }), "{make}: {outcome}");
        let found = site.host().resolve(&lost(site, 1), &mut Stop::never()).await;
        let vanished = Outcome::Failed { how: How::Vanished };
        assert!(found == Found::Ended(vanished) || found == Found::Ended(exit(137)), "{make}: {found:?}");
        assert_eq!(run(&*host, &script("exit 2")).await.0, exit(2), "{make}");
    });
}

#[test]
fn a_link_in_a_shared_directory_is_not_followed() {
    for make in MAKES {
        let site = site(make);
        let uid = rustix::process::getuid().as_raw();
        let shared = site.path("shared");
        std::fs::create_dir(&shared).unwrap();
        let trap = site.path("trap");
        std::fs::create_dir(&trap).unwrap();
        // The place where receipts are to lie is somebody's link.
        std::os::unix::fs::symlink(&trap, shared.join("receipts")).unwrap();
        let host =
            site.host_with(|ssh| ssh.receipts_dir = Some(shared.join("receipts").display().to_string()));
        on(async {
            let (outcome, _) = run(&*host, &claimed(&site, 1, &format!("echo x >>{}", ledger(&site)))).await;
            assert!(matches!(outcome, Outcome::NotStarted { try_again: false, .. }), "{make}: {outcome}");
            let found = host.resolve(&lost(&site, 1), &mut Stop::never()).await;
            assert!(matches!(found, Found::NoReceipt { .. }), "{make}: {found:?}");
        });
        // The run's own directory is.
        std::fs::remove_file(shared.join("receipts")).unwrap();
        std::fs::create_dir(shared.join("receipts")).unwrap();
        std::fs::set_permissions(
            shared.join("receipts"),
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )
        .unwrap();
        std::os::unix::fs::symlink(&trap, shared.join("receipts").join(site.run().as_str())).unwrap();
        on(async {
            let host =
                site.host_with(|ssh| ssh.receipts_dir = Some(shared.join("receipts").display().to_string()));
            let (outcome, _) = run(&*host, &claimed(&site, 1, &format!("echo x >>{}", ledger(&site)))).await;
            assert!(matches!(outcome, Outcome::NotStarted { .. }), "{make}: {outcome}");
        });
        // Somebody else's directory, and one that others may enter.
        std::fs::remove_file(shared.join("receipts").join(site.run().as_str())).unwrap();
        for (mode, owner) in [(0o755, uid), (0o700, 12345)] {
            std::fs::set_permissions(
                shared.join("receipts"),
                std::os::unix::fs::PermissionsExt::from_mode(mode),
            )
            .unwrap();
            if std::os::unix::fs::chown(shared.join("receipts"), Some(owner), None).is_err() {
                continue;
            }
            on(async {
                let host = site
                    .host_with(|ssh| ssh.receipts_dir = Some(shared.join("receipts").display().to_string()));
                let (outcome, _) =
                    run(&*host, &claimed(&site, 1, &format!("echo x >>{}", ledger(&site)))).await;
                assert!(matches!(outcome, Outcome::NotStarted { .. }), "{make} {mode:o} {owner}: {outcome}");
            });
        }
        assert_eq!(starts(&site), 0, "{make}");
        assert_eq!(std::fs::read_dir(&trap).unwrap().count(), 0, "{make}");
    }
}

#[test]
fn receipts_lie_where_they_are_told_to() {
    each(async |make, site| {
        let place = site.path("var").join("receipts");
        let host = site.host_with(|ssh| ssh.receipts_dir = Some(place.display().to_string()));
        let (outcome, _) = run(&*host, &claimed(site, 1, "exit 3")).await;
        assert_eq!(outcome, exit(3), "{make}");
        assert!(place.join(site.run().as_str()).join("7-cut.run.1.rc").exists(), "{make}");
        assert!(!site.home().join(".blackstart").exists(), "{make}");
        host.forget(&site.run(), false).await.unwrap();
        assert!(!place.exists(), "{make}: an empty place goes too");
        let (outcome, _) = run(&*host, &claimed(site, 1, "exit 5")).await;
        assert_eq!(outcome, exit(5), "{make}");
        let host = site.host_with(|ssh| ssh.receipts_dir = Some("relative".into()));
        let (outcome, _) = run(&*host, &claimed(site, 2, "exit 5")).await;
        assert!(matches!(outcome, Outcome::NotStarted { .. }), "{make}: {outcome}");
    });
}

#[test]
fn reading_jobs_and_preflights_leave_nothing_behind() {
    each(async |make, site| {
        let host = site.host();
        assert_eq!(run(&*host, &script("exit 0")).await.0, Outcome::Succeeded, "{make}");
        let answers = host.preflight(false, &["cat".into(), "no-such-command".into()]).await;
        let troubles: Vec<_> = answers.checks.iter().filter(|(_, answer)| answer.is_err()).collect();
        assert_eq!(troubles.len(), 1, "{make}: {answers:?}");
        assert_eq!(troubles[0].0, "no-such-command", "{make}");
        assert_eq!(answers.checks.len(), 6, "{make}: {answers:?}");
        assert_eq!(std::fs::read_dir(site.home()).unwrap().count(), 0, "{make}");
    });
}

#[test]
fn a_script_that_lies_ready_starts_with_its_line_and_never_without() {
    each(async |make, site| {
        let host = site.host();
        let writes = |word: &str| format!("echo {word} >>{}; cat; exit 125", ledger(site));
        let stop = &mut Stop::never();
        let let_go = host.stage(claimed(site, 1, &writes("never")), LONG, stop).await;
        drop(let_go.unwrap_or_else(|outcome| panic!("{make}: {outcome}")));
        assert_eq!(host.resolve(&lost(site, 1), stop).await, Found::NeverStarted, "{make}");
        let ready = host.stage(claimed(site, 2, &writes("once")), LONG, stop).await;
        let (mut go, staged) = ready.unwrap_or_else(|outcome| panic!("{make}: {outcome}"));
        assert_eq!(starts(site), 0, "{make}");
        assert!(go.send(), "{make}");
        // The status that a job has which was not to start.
        assert_eq!(staged.follow(&mut NoSink, stop, &mut || {}).await, exit(125), "{make}");
        assert_eq!(starts(site), 1, "{make}");
        assert_eq!(host.resolve(&lost(site, 2), stop).await, Found::Ended(exit(125)), "{make}");
        // Nor may one start whose claim is there.
        let again = host.stage(claimed(site, 2, &writes("again")), LONG, stop).await;
        assert!(again.is_err(), "{make}");
        assert_eq!(run(&*host, &script("exit 4")).await.0, exit(4), "{make}");
        assert_eq!(starts(site), 1, "{make}");
    });
}

/// The agent, or the process that it has forked of itself: what no other process of the lane is the child of and what is no
/// relay.
fn waits_for_its_line(lane: u32) -> Vec<u32> {
    let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let below = children_of(lane);
    match below.iter().all(|child| name(*child).trim() == "tee") {
        true => vec![lane],
        false => {
            let inner = below.into_iter().filter(|child| name(*child).trim() != "tee");
            inner.flat_map(waits_for_its_line).collect()
        }
    }
}

/// Kills what waits on the lanes of this process for the rest of what it was given.
pub fn kill_whoever_waits(make: &str) {
    let waiting: Vec<u32> =
        children_of(std::process::id()).into_iter().flat_map(waits_for_its_line).collect();
    assert!(!waiting.is_empty(), "{make}");
    for pid in waiting {
        kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
    }
}

#[test]
fn a_script_that_lies_ready_and_is_killed_there_lies_ready_no_more() {
    each(async |make, site| {
        let host = site.host();
        let stop = &mut Stop::never();
        let text = format!("echo never >>{}", ledger(site));
        let ready = host.stage(claimed(site, 1, &text), LONG, stop).await;
        let (_go, mut staged) = ready.unwrap_or_else(|outcome| panic!("{make}: {outcome}"));
        kill_whoever_waits(make);
        tokio::time::timeout(LONG.std(), staged.lost()).await.expect(make);
        drop(staged);
        assert_eq!(host.resolve(&lost(site, 1), stop).await, Found::NeverStarted, "{make}");
        assert_eq!(starts(site), 0, "{make}");
    });
}
