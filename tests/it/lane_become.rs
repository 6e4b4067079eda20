//! Becoming another user through a real sudo, with real throw-away users. Needs root, who alone can make them.

use crate::lane::{Kept, claim, exit, lost, on, run, script};
use crate::support::people::{Person, can_be_made};
use crate::support::shells::{Site, site_with};
use blackstart::model::event::Found;
use blackstart::model::{How, Millis, Outcome};
use blackstart::transport::work::{NoSink, Script};
use blackstart::transport::{FetchOrder, FetchWhat, Remote, Stop, UploadOrder};
use std::fs;
use std::os::unix::fs::MetadataExt;

fn person(sudoers: Option<&str>) -> (Person, Site) {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let person = Person::new(dir.path(), sudoers);
    let login = person.login(dir.path());
    (person, site_with(&login, dir))
}

fn privileged(site: &Site, attempt: u32, text: &str) -> Script {
    Script { privileged: true, claim: Some(claim(site, attempt)), ..script(text) }
}

const NOPASSWD: &str = "%USER% ALL=(ALL) NOPASSWD: ALL\n";
const WITH_PASSWORD: &str = "%USER% ALL=(ALL) ALL\nDefaults:%USER% lecture=always\n";
const USE_PTY: &str = "%USER% ALL=(ALL) NOPASSWD: ALL\nDefaults:%USER% use_pty\n";

/// Receipts of privileged jobs are root's: they must not be left on the machine that runs the tests.
struct Receipts(blackstart::model::names::RunId);

impl Drop for Receipts {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(format!("/root/.blackstart/{}", self.0));
        let _ = fs::remove_dir("/root/.blackstart");
    }
}

#[test]
fn sudo_without_and_with_a_password() {
    if !can_be_made() {
        return;
    }
    for sudoers in [NOPASSWD, USE_PTY, WITH_PASSWORD] {
        let (person, site) = person(Some(sudoers));
        let _receipts = Receipts(site.run());
        let password = (sudoers == WITH_PASSWORD).then_some(person.password.as_str());
        on(async {
            let host = site.host_becoming("root", password);
            // Not everything is privileged.
            let (outcome, kept) = run(&*host, &script("id -un; cat; echo $HOME")).await;
            assert_eq!(outcome, Outcome::Succeeded, "{sudoers}");
            assert_eq!(kept.out(), format!("{}\n{}\n", person.name, person.home.display()), "{sudoers}");
            let text = "id -un; cat; echo $HOME; printf 'b\\0\\377\\r\\n' ; printf 'e\\0\\377\\r\\n' >&2; env; set; exit 3";
            let (outcome, kept) = run(&*host, &privileged(&site, 1, text)).await;
            assert_eq!(outcome, exit(3), "{sudoers}: {}", kept.err());
            assert!(kept.out().starts_with("root\n/root\nb\0"), "{sudoers}: {}", kept.out());
            assert!(kept.out.windows(4).any(|four| four == b"\0\xff\r\n"), "{sudoers}");
            assert_eq!(
                kept.err, b"e\0\xff\r\n",
                "{sudoers}: nothing of the lecture, nothing changed by a terminal"
            );
            assert!(!kept.out().contains(&person.password[..9]), "{sudoers}: {}", kept.out());
            for number in 0..20 {
                let (outcome, _) =
                    run(&*host, &privileged(&site, 10 + number, &format!("exit {number}"))).await;
                assert_eq!(outcome, exit(number as i32), "{sudoers}");
            }
            // The group of a privileged job is ended by a privileged hand.
            let hangs = Script { timeout: Millis(300), ..privileged(&site, 2, "sleep 300 & sleep 300") };
            let (outcome, _) = run(&*host, &hangs).await;
            assert_eq!(outcome, Outcome::Failed { how: How::TimedOut(Millis(300)) }, "{sudoers}");
            let order = blackstart::transport::Lost { privileged: true, ..lost(&site, 1) };
            assert_eq!(host.resolve(&order, &mut Stop::never()).await, Found::Ended(exit(3)), "{sudoers}");
        });
    }
}

#[test]
fn a_privileged_step_outlives_its_link() {
    if !can_be_made() {
        return;
    }
    for sudoers in [NOPASSWD, USE_PTY] {
        let (_person, site) = person(Some(sudoers));
        let _receipts = Receipts(site.run());
        on(async {
            let (up, cut) = (site.path("up"), site.path("cut"));
            let text = format!(
                "echo up; : >{up}; until [ -e {cut} ]; do sleep 0.02; done; \
                 i=0; while [ $i -lt 3000 ]; do echo 'much output that nobody takes'; echo more >&2; i=$((i+1)); done; exit 7",
                up = up.display(),
                cut = cut.display()
            );
            let order = privileged(&site, 1, &text);
            {
                let host = site.host_becoming("root", None);
                let (mut sink, mut never) = (Kept::default(), Stop::never());
                tokio::select! {
                    outcome = host.run(&order, &mut sink, &mut never) => panic!("{outcome}"),
                    () = until(|| up.exists()) => {}
                }
            }
            fs::write(&cut, "").unwrap();
            let order = blackstart::transport::Lost { privileged: true, ..lost(&site, 1) };
            let host = site.host_becoming("root", None);
            assert_eq!(host.resolve(&order, &mut Stop::never()).await, Found::Ended(exit(7)), "{sudoers}");
        });
    }
}

async fn until(ready: impl Fn() -> bool) {
    while !ready() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[test]
fn a_refused_password_is_tried_once() {
    if !can_be_made() {
        return;
    }
    let log = tempfile::NamedTempFile::new().unwrap();
    let sudoers = format!("{WITH_PASSWORD}Defaults:%USER% logfile={}\n", log.path().display());
    let (_person, site) = person(Some(&sudoers));
    on(async {
        let host = site.host_becoming("root", Some("wrong"));
        let jobs: Vec<_> = (0..4)
            .map(|number| {
                let (host, script) = (host.clone(), privileged(&site, number, "exit 0"));
                tokio::task::spawn_local(async move { run(&*host, &script).await.0 })
            })
            .collect();
        for job in jobs {
            let outcome = job.await.unwrap();
            let Outcome::NotStarted { because, try_again: false } = outcome else { panic!("{outcome}") };
            assert!(because.contains("refused the password"), "{because}");
        }
        // Unprivileged work goes on.
        assert_eq!(run(&*host, &script("exit 2")).await.0, exit(2));
    });
    // sudo itself counted, also after its stdin was closed.
    let tries = || {
        let said = fs::read_to_string(log.path()).unwrap();
        let said = said.replace("\n    ", " ");
        said.lines().filter(|line| line.contains("incorrect password attempt")).map(str::to_owned).collect()
    };
    let counted: Vec<String> = tries();
    assert!(counted.len() == 1 && counted[0].contains(" 1 incorrect"), "{counted:?}");
}

#[test]
fn who_may_not_become_root_is_told_so() {
    if !can_be_made() {
        return;
    }
    for (sudoers, password) in [
        (None, None),
        (None, Some("x")),
        (Some("%USER% ALL=(ALL) ALL\n"), None),
        (Some("%USER% ALL=(ALL) NOPASSWD: ALL\nDefaults:%USER% requiretty\n"), None),
        (Some("%USER% ALL=(ALL) NOPASSWD: /bin/true\n"), None),
    ] {
        let (person, site) = person(sudoers);
        on(async {
            let password = password.map(|_| person.password.as_str());
            let host = site.host_becoming("root", password);
            let outcome = run(&*host, &privileged(&site, 1, "exit 0")).await.0;
            let Outcome::NotStarted { because, try_again: false } = outcome else { panic!("{outcome}") };
            assert!(because.starts_with("sudo "), "{because}");
            assert!(!because.contains(&person.password), "{because}");
            let answers = host.preflight(true, &[]).await;
            let trouble = answers.checks.iter().find(|(what, _)| what == "becomes");
            assert!(matches!(trouble, Some((_, Err(_)))), "{answers:?}");
        });
    }
}

#[test]
fn a_sudo_that_worked_and_does_not_now_may_work_again() {
    if !can_be_made() {
        return;
    }
    let (person, site) = person(Some(NOPASSWD));
    let _receipts = Receipts(site.run());
    on(async {
        let host = site.host_becoming("root", None);
        assert_eq!(run(&*host, &privileged(&site, 1, "exit 0")).await.0, Outcome::Succeeded);
        // While one lane is in use, another job needs a further one.
        let go = site.dir.path().join("go");
        let holds = privileged(&site, 2, &format!("until [ -e {} ]; do sleep 0.02; done", go.display()));
        let holder = tokio::task::spawn_local({
            let host = host.clone();
            async move { run(&*host, &holds).await.0 }
        });
        let claimed = format!("/root/.blackstart/{}/7-cut.run.2", site.run());
        until(|| fs::metadata(&claimed).is_ok()).await;
        person.forbid();
        let outcome = run(&*host, &privileged(&site, 3, "exit 0")).await.0;
        let Outcome::NotStarted { because, try_again: true } = outcome else { panic!("{outcome}") };
        assert!(because.starts_with("sudo "), "{because}");
        person.allow(NOPASSWD);
        assert_eq!(run(&*host, &privileged(&site, 4, "exit 0")).await.0, Outcome::Succeeded);
        fs::write(&go, "").unwrap();
        assert_eq!(holder.await.unwrap(), Outcome::Succeeded);
    });
}

#[test]
fn files_go_to_and_come_from_places_that_only_root_may_touch() {
    if !can_be_made() {
        return;
    }
    let (person, site) = person(Some(WITH_PASSWORD));
    let _receipts = Receipts(site.run());
    let place = site.path("root-only");
    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let content = site.path("content");
    fs::write(&content, b"\0\r\n\xff").unwrap();
    on(async {
        use sha2::Digest;
        let host = site.host_becoming("root", Some(&person.password));
        let to = place.join("file").display().to_string();
        let sha256: String =
            sha2::Sha256::digest(b"\0\r\n\xff").iter().map(|byte| format!("{byte:02x}")).collect();
        let claim = claim(&site, 1);
        let order = UploadOrder {
            guarded: false,
            content: &content,
            sha256: &sha256,
            to: &to,
            mode: 0o600,
            owner: Some(&person.name),
            privileged: true,
            claim: &claim,
            timeout: crate::lane::LONG,
        };
        let outcome = host.upload(&order, &mut NoSink, &mut Stop::never()).await;
        assert_eq!(outcome, Outcome::Succeeded);
        let metadata = fs::metadata(&to).unwrap();
        assert_ne!(metadata.uid(), 0);
        let mut into = Vec::new();
        let order = FetchOrder {
            what: FetchWhat::File(&to),
            privileged: true,
            timeout: crate::lane::LONG,
            bytes_max: 100,
        };
        let fetched = host.fetch(&order, &mut into, &mut NoSink, &mut Stop::never()).await.unwrap();
        assert_eq!((into.as_slice(), fetched.sha256), (b"\0\r\n\xff".as_slice(), sha256));
        // As another user than root, whose pipes are not the login user's.
        let nobody = site.host_becoming("nobody", Some(&person.password));
        let order = FetchOrder { what: FetchWhat::File("/etc/login.defs"), bytes_max: 1_000_000, ..order };
        let mut into = Vec::new();
        let fetched = nobody.fetch(&order, &mut into, &mut NoSink, &mut Stop::never()).await.unwrap();
        assert_eq!(fetched.bytes, fs::metadata("/etc/login.defs").unwrap().len());
    });
}
