//! The lane over real OpenSSH servers: login shells of every kind, few sessions, links that die.

use crate::lane::{Kept, LONG, claim, claimed, exit, lost, on, run, script};
use crate::support::people::{Person, can_be_made};
use crate::support::shells::{Site, settings, site};
use crate::support::sshd::{Sshd, SshdOptions, current_user};
use blackstart::model::event::Found;
use blackstart::model::inventory::{Become, Reach, SshSettings};
use blackstart::model::names::HostName;
use blackstart::model::{How, Millis, Outcome};
use blackstart::transport::ssh::{Deadlines, Target, connect};
use blackstart::transport::wire::{Link, Pending, Trouble};
use blackstart::transport::work::{NoSink, Script};
use blackstart::transport::{Connector, Host, Lost, Remote, Stop};
use std::cell::Cell;
use std::fs;
use std::rc::Rc;

pub struct Ssh {
    target: Target,
    connects: Cell<u32>,
}

impl Connector for Ssh {
    fn connect<'a>(&'a self) -> Pending<'a, Result<Rc<dyn Link>, Trouble>> {
        self.connects.set(self.connects.get() + 1);
        Box::pin(async {
            let link = connect(&self.target, &Deadlines::default()).await?;
            Ok(Rc::new(link) as Rc<dyn Link>)
        })
    }
}

pub fn connector(sshd: &Sshd, user: &str) -> Rc<Ssh> {
    let settings = SshSettings {
        address: sshd.addr.ip().to_string(),
        port: Some(sshd.addr.port()),
        user: Some(user.to_owned()),
        identity_files: vec![sshd.user_key().display().to_string()],
        known_hosts: vec![sshd.known_hosts().display().to_string()],
        ..settings()
    };
    let name = HostName::from("h");
    let target = Target { name, settings, password: None, passphrase: None, via: None, tell: None };
    Rc::new(Ssh { target, connects: Cell::new(0) })
}

/// Receipts go below the site's directory, not into the home of whoever runs the tests.
pub fn host(ssh: &Rc<Ssh>, site: &Site, becomes: Become) -> Rc<Host> {
    let receipts_dir = Some(site.path("receipts").display().to_string());
    let settings = SshSettings { receipts_dir, becomes, ..ssh.target.settings.clone() };
    let reach = Reach::Ssh(Box::new(settings));
    Host::new(HostName::from("h"), site.run(), &reach, None, ssh.clone())
}

async fn until(ready: impl Fn() -> bool) {
    while !ready() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// So many jobs side by side, each with an end of its own.
async fn many_at_once(host: &Rc<Host>, jobs: i32) {
    let start = |number: i32| {
        let host = host.clone();
        tokio::task::spawn_local(async move { run(&*host, &script(&format!("exit {number}"))).await.0 })
    };
    let jobs: Vec<_> = (0..jobs).map(start).collect();
    for (number, job) in (0..).zip(jobs) {
        assert_eq!(job.await.unwrap(), exit(number));
    }
}

#[test]
fn jobs_over_sshd() {
    let (sshd, site) = (Sshd::start(), site("bash"));
    on(async {
        let ssh = connector(&sshd, &current_user());
        let host = host(&ssh, &site, Become::No);
        let (outcome, kept) =
            run(&*host, &claimed(&site, 1, "printf 'a\\0\\r\\n'; echo e >&2; exit 255")).await;
        assert_eq!(outcome, exit(255));
        assert_eq!((kept.out.as_slice(), kept.err.as_slice()), (b"a\0\r\n".as_slice(), b"e\n".as_slice()));
        let text = "head -c 20000000 /dev/zero >&2 & head -c 20000000 /dev/zero; wait; echo; echo >&2";
        let (outcome, kept) = run(&*host, &script(text)).await;
        assert_eq!(outcome, Outcome::Succeeded);
        assert_eq!((kept.out.len(), kept.err.len()), (20_000_001, 20_000_001));
        let hangs = Script { timeout: Millis(300), ..script("sleep 300") };
        assert_eq!(run(&*host, &hangs).await.0, Outcome::Failed { how: How::TimedOut(Millis(300)) });
        many_at_once(&host, 20).await;
        assert_eq!(ssh.connects.get(), 1);
        assert!(host.facts().is_some());
        host.close().await;
    });
}

#[test]
fn one_session_is_enough() {
    let (sshd, site) = (Sshd::with_config(&["MaxSessions 1"]), site("bash"));
    on(async {
        let ssh = connector(&sshd, &current_user());
        let host = host(&ssh, &site, Become::No);
        many_at_once(&host, 6).await;
        assert_eq!(ssh.connects.get(), 1);
        // Ended over a connection of its own.
        let hangs = Script { timeout: Millis(300), ..claimed(&site, 1, "sleep 300") };
        assert_eq!(run(&*host, &hangs).await.0, Outcome::Failed { how: How::TimedOut(Millis(300)) });
        assert_eq!(ssh.connects.get(), 2);
        // Lanes of two kinds take turns.
        if can_be_made() {
            let both = self::host(&ssh, &site, Become::Sudo { user: "root".into(), password: None });
            for attempt in 2..5 {
                let privileged = Script { privileged: true, ..claimed(&site, attempt, "id -u; exit 3") };
                let (outcome, kept) = run(&*both, &privileged).await;
                assert_eq!((outcome, kept.out()), (exit(3), "0\n".into()));
                assert_eq!(run(&*both, &script("exit 4")).await.0, exit(4));
            }
        }
        // A script that lies ready keeps nobody waiting, and starts when it is told to.
        let lies = self::host(&ssh, &site, Become::No);
        let before = ssh.connects.get();
        let ready = claimed(&site, 7, "exit 7");
        let (mut go, staged) = lies.stage(ready, LONG, &mut Stop::never()).await.unwrap();
        assert_eq!(run(&*lies, &script("exit 5")).await.0, exit(5));
        assert_eq!(ssh.connects.get(), before + 2, "beside it, over a connection of its own");
        assert!(go.send());
        assert_eq!(staged.follow(&mut NoSink, &mut Stop::never(), &mut || {}).await, exit(7));
        assert_eq!(run(&*lies, &script("exit 6")).await.0, exit(6));
        assert_eq!(ssh.connects.get(), before + 2, "its session is free again");
        lies.close().await;
        let content = site.path("content");
        fs::write(&content, "x").unwrap();
        let (claim, to) = (claim(&site, 9), site.path("target").display().to_string());
        let order = blackstart::transport::UploadOrder {
            guarded: false,
            content: &content,
            sha256: "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
            to: &to,
            mode: 0o600,
            owner: None,
            privileged: false,
            claim: &claim,
            timeout: LONG,
        };
        let outcome = host.upload(&order, &mut Kept::default(), &mut Stop::never()).await;
        assert_eq!(outcome, Outcome::Succeeded);
    });
}

#[test]
fn a_server_that_dies_takes_no_step_with_it() {
    for becomes in [Become::No, Become::Sudo { user: "root".into(), password: None }] {
        if becomes != Become::No && !can_be_made() {
            return;
        }
        let (sshd, site) = (Sshd::start(), site("bash"));
        on(async {
            let ssh = connector(&sshd, &current_user());
            let host = host(&ssh, &site, becomes.clone());
            let (up, cut) = (site.path("up"), site.path("cut"));
            let text = format!(
                "echo up; : >{up}; until [ -e {cut} ]; do sleep 0.02; done; \
                 i=0; while [ $i -lt 3000 ]; do echo 'much output that nobody takes'; echo more >&2; i=$((i+1)); done; exit 7",
                up = up.display(),
                cut = cut.display()
            );
            let order = Script { privileged: true, ..claimed(&site, 1, &text) };
            let working = {
                let host = host.clone();
                tokio::task::spawn_local(async move { run(&*host, &order).await.0 })
            };
            until(|| up.exists()).await;
            sshd.kill_connections();
            let outcome = working.await.unwrap();
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome}");
            fs::write(&cut, "").unwrap();
            let order = Lost { privileged: true, ..lost(&site, 1) };
            let found = host.resolve(&order, &mut Stop::never()).await;
            assert_eq!(found, Found::Ended(exit(7)));
            assert_eq!(ssh.connects.get(), 2);
            // An idle lane that died is replaced, link and all, before anything is started.
            sshd.kill_connections();
            let (outcome, _) = run(&*host, &claimed(&site, 2, "exit 5")).await;
            if outcome != exit(5) {
                // Its order left before the loss was noticed; the host never got it.
                assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome}");
                let found = host.resolve(&lost(&site, 2), &mut Stop::never()).await;
                assert_eq!(found, Found::NeverStarted);
            }
        });
    }
}

#[test]
fn login_shells_of_every_kind_and_noise() {
    if !can_be_made() {
        return;
    }
    for (shell, file, noise) in [
        ("/bin/dash", ".profile", "echo noise"),
        ("/bin/bash", ".bashrc", "echo noise; echo more >&2; printf 'blackstart1:exit 3\\n'"),
        ("/bin/zsh", ".zshenv", "echo noise; setopt sh_word_split; set -u"),
        ("/usr/bin/fish", ".config/fish/config.fish", "echo noise"),
        ("/bin/csh", ".cshrc", "echo noise; set noclobber"),
    ] {
        if !std::path::Path::new(shell).exists() {
            continue;
        }
        let site = site("bash");
        fs::set_permissions(site.dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let sshd = Sshd::with(SshdOptions::default());
        fs::set_permissions(sshd.dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let person = Person::with_shell(site.dir.path(), None, shell);
        let startup = person.home.join(file);
        fs::create_dir_all(startup.parent().unwrap()).unwrap();
        fs::write(&startup, format!("{noise}\n")).unwrap();
        on(async {
            let ssh = connector(&sshd, &person.name);
            let reach = Reach::Ssh(Box::new(ssh.target.settings.clone()));
            let host = Host::new(HostName::from("h"), site.run(), &reach, None, ssh.clone());
            let (outcome, kept) = run(&*host, &claimed(&site, 1, "echo \"$HOME\"; echo e >&2; exit 3")).await;
            assert_eq!(outcome, exit(3), "{shell}");
            assert_eq!(
                (kept.out(), kept.err()),
                (format!("{}\n", person.home.display()), "e\n".into()),
                "{shell}"
            );
            assert!(person.home.join(".blackstart").join(site.run().as_str()).exists(), "{shell}");
            host.close().await;
        });
    }
    // A login that obeys nobody is told so, and so is one that prints without end.
    for (force, says) in [("/bin/echo go away", "go away"), ("/usr/bin/yes", "prints without end")] {
        let (sshd, site) = (Sshd::with_config(&[&format!("ForceCommand {force}")]), site("bash"));
        on(async {
            let host = host(&connector(&sshd, &current_user()), &site, Become::No);
            let Outcome::NotStarted { because, try_again: false } =
                run(&*host, &claimed(&site, 1, "exit 0")).await.0
            else {
                panic!("{force}")
            };
            assert!(because.contains(says), "{because}");
        });
    }
}
