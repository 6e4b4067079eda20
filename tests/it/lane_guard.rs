//! Guards over real shells on this machine: they outlive everything, fire on time, and never do two things.

use crate::lane::{LONG, claim, claimed, each, on, run};
use crate::support::shells::Site;
use blackstart::model::event::JobKind;
use blackstart::model::guard::{GuardSeen, HeldBy, Otherwise};
use blackstart::model::secret::Secret;
use blackstart::model::{How, Millis, Outcome};
use blackstart::transport::work::Claim;
use blackstart::transport::{ArmOrder, GuardAsk, GuardSays, GuardVerb, Host, Remote, Stop};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// By the host's own clock, from a guard's deadline to its first act.
const LATE_MAX: Millis = Millis(2_000);

fn guard(site: &Site, number: u32) -> Claim {
    Claim { kind: JobKind::Arm, ..claim(site, number) }
}

struct Wanted<'a> {
    number: u32,
    run: u32,
    otherwise: Otherwise,
    within: u64,
    undo: &'a str,
    self_test: bool,
}

async fn arm(site: &Site, host: &Rc<Host>, wanted: Wanted<'_>) -> Result<GuardSeen, Outcome> {
    let undo = Secret::new(wanted.undo.to_owned());
    let order = ArmOrder {
        claim: &guard(site, wanted.number),
        guards: &claim(site, wanted.run),
        otherwise: wanted.otherwise,
        within: Millis(wanted.within),
        undo: Some(&undo),
        limit: LONG,
        self_test: wanted.self_test,
        privileged: false,
    };
    host.arm(&order, &mut Stop::never()).await
}

async fn ask(site: &Site, host: &Rc<Host>, number: u32, verb: GuardVerb) -> GuardSays {
    let ask = GuardAsk { claim: &guard(site, number), verb, fresh: true, privileged: false };
    host.ask_guard(&ask).await.expect("the host answers").0
}

/// Asks until the guard has nothing more to do.
async fn settled(site: &Site, host: &Rc<Host>, number: u32) -> GuardSays {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match ask(site, host, number, GuardVerb::Look).await {
            GuardSays::Armed { .. } | GuardSays::Firing if Instant::now() < deadline => {}
            says => return says,
        }
    }
}

fn wanted(number: u32, run: u32, otherwise: Otherwise, within: u64, undo: &str) -> Wanted<'_> {
    Wanted { number, run, otherwise, within, undo, self_test: false }
}

/// No host without `setsid` can hold a guard, and says so before anything is changed.
fn can_hold(make: &str) -> bool {
    make != "bare"
}

#[test]
fn a_guard_takes_back_what_nobody_confirms_and_keeps_nothing_secret_on_disk() {
    each(async |make, site| {
        let host = site.host();
        let undo = format!("rm {0}; echo 'it''s s3cret' >/dev/null", site.path("cut").display());
        let armed =
            arm(site, &host, Wanted { self_test: true, ..wanted(1, 1, Otherwise::Revert, 5_000, &undo) });
        let armed = armed.await;
        if !can_hold(make) {
            let refused = |how: &How| matches!(how, How::Disagreed(why) if why.contains("setsid"));
            assert!(matches!(&armed, Err(Outcome::Failed { how }) if refused(how)), "{make}: {armed:?}");
            return;
        }
        let Ok(GuardSeen::Armed { held_by: HeldBy::Detached, tested: Some(late), .. }) = armed else {
            panic!("{make}: {armed:?}")
        };
        assert!(late <= LATE_MAX, "{make}: the self-test fired {late} late");
        let (outcome, _) =
            run(&*host, &claimed(site, 1, &format!("touch {}", site.path("cut").display()))).await;
        assert_eq!(outcome, Outcome::Succeeded, "{make}");
        for file in std::fs::read_dir(site.receipts()).unwrap() {
            let path = file.unwrap().path();
            assert!(
                !std::fs::read_to_string(&path).unwrap().contains("s3cret"),
                "{make}: {}",
                path.display()
            );
        }
        // Everything of ours goes away; another controller finds out.
        host.close().await;
        let GuardSays::Fired { late, undo } = settled(site, &site.host(), 1).await else { panic!("{make}") };
        assert_eq!(undo, Outcome::Succeeded, "{make}");
        assert!(late <= LATE_MAX, "{make}: {late} late");
        assert!(!site.path("cut").exists(), "{make}");
        let again = ask(site, &site.host(), 1, GuardVerb::Confirm).await;
        assert!(matches!(again, GuardSays::Fired { .. }), "{make}: confirmed and fired");
    });
}

#[test]
fn under_hold_nothing_is_run_and_the_host_says_that_nobody_confirmed() {
    each(async |make, site| {
        if !can_hold(make) {
            return;
        }
        let host = site.host();
        let undo = format!("touch {}", site.path("undone").display());
        // The run first: what is looked at is not how fast this machine is.
        let (outcome, _) = run(&*host, &claimed(site, 1, "true")).await;
        assert_eq!(outcome, Outcome::Succeeded, "{make}");
        arm(site, &host, wanted(1, 1, Otherwise::Hold, 300, &undo)).await.unwrap();
        let says = settled(site, &host, 1).await;
        assert!(matches!(says, GuardSays::Expired { late } if late <= LATE_MAX), "{make}: {says:?}");
        assert!(!site.path("undone").exists(), "{make}");
    });
}

/// A run that arrives after its guard's time would be a change that nobody guards.
#[test]
fn a_run_whose_guard_has_run_out_never_starts() {
    each(async |make, site| {
        if !can_hold(make) {
            return;
        }
        let host = site.host();
        let undo = format!("touch {}", site.path("undone").display());
        arm(site, &host, wanted(1, 1, Otherwise::Revert, 300, &undo)).await.unwrap();
        let GuardSays::Fired { undo, .. } = settled(site, &host, 1).await else { panic!("{make}") };
        assert!(matches!(undo, Outcome::NotStarted { .. }), "{make}: {undo}");
        let (outcome, _) =
            run(&*host, &claimed(site, 1, &format!("touch {}", site.path("cut").display()))).await;
        assert!(matches!(outcome, Outcome::NotStarted { .. }), "{make}: {outcome}");
        assert!(!site.path("cut").exists() && !site.path("undone").exists(), "{make}");
    });
}

/// A run that hangs when the time is over is ended first, and only then taken back.
#[test]
fn a_run_under_way_is_ended_before_it_is_taken_back() {
    each(async |make, site| {
        if !can_hold(make) {
            return;
        }
        let host = site.host();
        let (log, begun) = (site.path("log").display().to_string(), site.path("begun"));
        let text = format!(
            "trap 'echo ended >>{log}; exit 9' TERM; touch {}; while :; do sleep 0.05; done",
            begun.display()
        );
        let undo = format!("echo undo >>{log}");
        let armed = async {
            while !begun.exists() {
                tokio::task::yield_now().await;
            }
            arm(site, &host, wanted(1, 1, Otherwise::Revert, 300, &undo)).await.unwrap();
        };
        let text = claimed(site, 1, &text);
        let ((outcome, _), ()) = tokio::join!(run(&*host, &text), armed);
        assert_ne!(outcome, Outcome::Succeeded, "{make}");
        let GuardSays::Fired { undo, .. } = settled(site, &host, 1).await else { panic!("{make}") };
        assert_eq!(undo, Outcome::Succeeded, "{make}");
        assert_eq!(std::fs::read_to_string(site.path("log")).unwrap(), "ended\nundo\n", "{make}");
    });
}

#[test]
fn more_time_is_given_and_another_guard_takes_the_place_of_the_first() {
    each(async |make, site| {
        if !can_hold(make) {
            return;
        }
        let host = site.host();
        let undo = format!("touch {}", site.path("undone").display());
        arm(site, &host, wanted(1, 1, Otherwise::Revert, 700, &undo)).await.unwrap();
        let says = ask(site, &host, 1, GuardVerb::More(Millis(60_000))).await;
        assert!(matches!(says, GuardSays::Armed { left } if left > Millis(50_000)), "{make}: {says:?}");
        arm(site, &host, wanted(2, 1, Otherwise::Revert, 60_000, &undo)).await.unwrap();
        assert!(matches!(ask(site, &host, 1, GuardVerb::Look).await, GuardSays::Lost { .. }), "{make}");
        assert_eq!(ask(site, &host, 2, GuardVerb::Confirm).await, GuardSays::Confirmed, "{make}");
        assert_eq!(
            ask(site, &host, 2, GuardVerb::Confirm).await,
            GuardSays::Confirmed,
            "{make}: twice is once"
        );
        assert!(!site.path("undone").exists(), "{make}");
    });
}

/// Whoever comes first decides, and both sides agree who that was.
#[test]
fn a_confirmation_that_races_with_the_end_of_its_time_wins_or_loses_whole() {
    each(async |make, site| {
        if !can_hold(make) {
            return;
        }
        let host = site.host();
        for number in 1..=6 {
            let undone = site.path(&format!("undone-{number}"));
            let within = 150 + u64::from(number) * 20;
            let undo = format!("touch {}", undone.display());
            arm(site, &host, wanted(number, number, Otherwise::Revert, within, &undo)).await.unwrap();
            let (outcome, _) = run(&*host, &claimed(site, number, "true")).await;
            let begun = outcome == Outcome::Succeeded;
            let confirmed = ask(site, &host, number, GuardVerb::Confirm).await == GuardSays::Confirmed;
            let says = settled(site, &host, number).await;
            assert_eq!(says == GuardSays::Confirmed, confirmed, "{make} {number}: {says:?}");
            assert_eq!(undone.exists(), begun && !confirmed, "{make} {number}: {says:?}");
        }
    });
}

/// What a host may lose while a guard of it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loses {
    Records,
    Sleep,
    Both,
}

/// No guard goes round for ever: whatever its host lost, it does what it was armed for, and ends.
#[test]
fn a_guard_whose_host_loses_its_records_or_its_tools_fires_and_ends() {
    for loses in [Loses::Records, Loses::Sleep, Loses::Both] {
        each(async |make, site| {
            if can_hold(make) {
                // On a slow machine its time is over before the host loses anything: then it is given more.
                while !fires_after(site, loses, make).await {}
            }
        });
    }
}

/// Where nothing at all can be slept with, it comes to its time and to its end all the same.
#[test]
fn a_guard_on_a_host_without_any_sleep_fires_and_ends() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = crate::support::shells::site("dash").dir;
    // In a mount namespace of its own, in which all that sleeps fails.
    let login = dir.path().join("sleepless");
    let text = format!(
        "#!/bin/sh\nfor tool in sleep busybox; do mount --bind /bin/false /usr/bin/$tool || exit 99; done\nexec {} \"$@\"\n",
        dir.path().join("login").display()
    );
    std::fs::write(&login, text).unwrap();
    let enter = dir.path().join("enter");
    std::fs::write(&enter, format!("#!/bin/sh\nexec unshare --mount sh {} \"$@\"\n", login.display()))
        .unwrap();
    std::fs::set_permissions(&enter, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let site = crate::support::shells::site_with(&enter, dir);
    on(async { while !fires_after(&site, Loses::Both, "sleepless").await {} });
}

/// Arms a guard, makes a change, takes things away from the host, and waits for the guard's end. False if it came
/// to its time first.
async fn fires_after(site: &Site, loses: Loses, make: &str) -> bool {
    let host = site.host();
    let number = 1 + std::fs::read_dir(site.dir.path()).unwrap().count() as u32;
    let (cut, undone) = (site.path(&format!("cut-{number}")), site.path(&format!("undone-{number}")));
    let undo = format!("rm {}; touch {}", cut.display(), undone.display());
    let within = 500 * u64::from(number);
    arm(site, &host, wanted(1, 1, Otherwise::Revert, within, &undo)).await.unwrap();
    let (outcome, _) = run(&*host, &claimed(site, 1, &format!("touch {}", cut.display()))).await;
    let live = std::fs::read_to_string(site.receipts().join("7-cut.arm.1.live")).unwrap();
    let pid: u32 = live.split(' ').next().unwrap().parse().unwrap();
    host.close().await;
    let sleep = site.path("tools").join("sleep");
    if loses != Loses::Records {
        std::fs::rename(&sleep, site.path(&format!("sleep-{number}"))).unwrap();
    }
    // Receipts of a try that came too late are in nobody's way.
    let records = match loses {
        Loses::Sleep => site.receipts(),
        Loses::Records | Loses::Both => {
            std::fs::rename(site.receipts(), site.path(&format!("lost-{number}"))).unwrap();
            site.path(&format!("lost-{number}"))
        }
    };
    let in_time = outcome == Outcome::Succeeded && !records.join("7-cut.arm.1.0").exists();
    let deadline = Instant::now() + LONG.std();
    while is_alive(pid) {
        assert!(Instant::now() < deadline, "{make} {loses:?}: its process {pid} goes on and on");
        std::thread::yield_now();
    }
    assert!(undone.exists() && !cut.exists() || !in_time, "{make} {loses:?}");
    if loses != Loses::Records {
        std::fs::rename(site.path(&format!("sleep-{number}")), &sleep).unwrap();
    }
    std::fs::remove_dir_all(&records).unwrap();
    in_time
}

/// A process that has ended and that nobody has asked about is none.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z') && !rest.trim().is_empty())
}
