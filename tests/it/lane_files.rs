//! Files to and from hosts, over real shells on this machine.

use crate::lane::{LONG, claim, each, exit, on, script};
use crate::support::shells::{MAKES, Site, site};
use blackstart::model::{How, Millis, Outcome};
use blackstart::transport::work::{Claim, NoSink};
use blackstart::transport::{FetchOrder, FetchWhat, Remote, Stop, UploadOrder};
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every byte value, in no order a text would have; longer than any buffer on the way.
fn binary(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(167) ^ (at >> 8)) as u8).collect()
}

struct Sending {
    content: std::path::PathBuf,
    sha256: String,
    to: String,
    claim: Claim,
}

fn sending(site: &Site, bytes: &[u8], to: &Path, attempt: u32) -> Sending {
    let content = site.path("content");
    fs::write(&content, bytes).unwrap();
    Sending { content, sha256: sha256(bytes), to: to.display().to_string(), claim: claim(site, attempt) }
}

impl Sending {
    fn order(&self) -> UploadOrder<'_> {
        UploadOrder {
            guarded: false,
            content: &self.content,
            sha256: &self.sha256,
            to: &self.to,
            mode: 0o640,
            owner: None,
            privileged: false,
            claim: &self.claim,
            timeout: LONG,
        }
    }
}

#[test]
fn an_upload_arrives_whole() {
    each(async |make, site| {
        let host = site.host();
        for (attempt, length) in [(1, 0), (2, 1), (3, 1_000_003)] {
            let bytes = binary(length);
            let to = site.path("etc it's $HOME").join("target");
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            let sending = sending(site, &bytes, &to, attempt);
            let outcome = host.upload(&sending.order(), &mut NoSink, &mut Stop::never()).await;
            assert_eq!(outcome, Outcome::Succeeded, "{make} {length}");
            assert!(fs::read(&to).unwrap() == bytes, "{make} {length}");
            assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o7777, 0o640, "{make}");
            // Nothing else is left: neither beside the target nor beside the receipts.
            assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1, "{make}");
            let left = fs::read_dir(site.receipts()).unwrap();
            let left: Vec<_> = left.map(|file| file.unwrap().file_name()).collect();
            assert!(!left.iter().any(|name| name.to_str().unwrap().ends_with(".file")), "{make}: {left:?}");
        }
    });
}

/// In the place of a tool: at the worst moment the owner of the directory puts a link where our own name stands.
fn swaps_before(tool: &str, dir: &Path, victim: &Path) -> String {
    format!(
        "#!/bin/dash\nPATH=/usr/bin:/bin\nfor own in {dir}/.blackstart-*; do\n  [ -e \"$own\" ] || continue\n  \
         mv \"$own\" {dir}/aside\n  ln -s {victim} \"$own\"\ndone\nexec /usr/bin/{tool} \"$@\"\n",
        dir = dir.display(),
        victim = victim.display()
    )
}

#[test]
fn owner_and_mode_go_to_nothing_but_the_new_file_whoever_owns_its_directory() {
    for make in MAKES {
        let tools: &[&str] = if make == "bash" { &["cat", "chown", "chmod", "mv"] } else { &["chmod"] };
        for tool in tools {
            let site = site(make);
            let (dir, victim) = (site.path("theirs"), site.path("victim"));
            fs::create_dir(&dir).unwrap();
            fs::write(&victim, "secret").unwrap();
            fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
            let tools = site.path("tools").join(tool);
            fs::remove_file(&tools).unwrap();
            fs::write(&tools, swaps_before(tool, &dir, &victim)).unwrap();
            fs::set_permissions(&tools, fs::Permissions::from_mode(0o755)).unwrap();
            let sending = sending(&site, b"new", &dir.join("target"), 1);
            let order = UploadOrder { owner: Some("daemon"), mode: 0o644, ..sending.order() };
            on(async {
                site.host().upload(&order, &mut NoSink, &mut Stop::never()).await;
            });
            let about = fs::metadata(&victim).unwrap();
            let whose = (about.permissions().mode() & 0o7777, about.uid(), fs::read(&victim).unwrap());
            assert_eq!(
                whose,
                (0o600, rustix::process::getuid().as_raw(), b"secret".to_vec()),
                "{make} {tool}"
            );
            assert!(dir.join("aside").exists() || make == "busybox", "{make} {tool}: the moment came");
        }
    }
}

#[test]
fn an_upload_that_cannot_be_leaves_the_target_alone() {
    each(async |make, site| {
        let host = site.host();
        let to = site.path("target");
        fs::write(&to, "old").unwrap();
        // Not what was planned.
        let changed = Sending { sha256: sha256(b"planned"), ..sending(site, b"changed", &to, 1) };
        let outcome = host.upload(&changed.order(), &mut NoSink, &mut Stop::never()).await;
        assert!(matches!(outcome, Outcome::NotStarted { try_again: false, .. }), "{make}: {outcome}");
        // A directory, a place that is not there, a path that is not absolute.
        for (attempt, bad) in [(2, site.path("home")), (3, site.path("nowhere/x")), (4, "rel".into())] {
            let bad = sending(site, b"x", &bad, attempt);
            let outcome = host.upload(&bad.order(), &mut NoSink, &mut Stop::never()).await;
            assert_eq!(outcome, exit(1), "{make} {attempt}");
        }
        // An owner that does not exist.
        let bad = sending(site, b"new", &to, 5);
        let order = UploadOrder { owner: Some("no-such-user"), ..bad.order() };
        let outcome = host.upload(&order, &mut NoSink, &mut Stop::never()).await;
        assert_eq!(outcome, exit(1), "{make}");
        // An attempt that was made before.
        let again = sending(site, b"new", &to, 5);
        let outcome = host.upload(&again.order(), &mut NoSink, &mut Stop::never()).await;
        assert_eq!(outcome, exit(1), "{make}: what the receipt says");
        assert_eq!(fs::read_to_string(&to).unwrap(), "old", "{make}");
        assert_eq!(fs::read_dir(site.home()).unwrap().count(), 1, "{make}: only the receipts");
        assert!(
            !fs::read_dir(site.dir.path())
                .unwrap()
                .any(|file| { file.unwrap().file_name().to_str().unwrap().starts_with(".blackstart-") }),
            "{make}: a new file is left beside the target"
        );
    });
}

fn bring<'a>(what: FetchWhat<'a>, bytes_max: u64) -> FetchOrder<'a> {
    FetchOrder { what, privileged: false, timeout: LONG, bytes_max }
}

#[test]
fn a_fetch_brings_every_byte_and_its_hash() {
    each(async |make, site| {
        let host = site.host();
        for length in [0, 1, 3_000_001] {
            let bytes = binary(length);
            let path = site.path("it's evidence");
            fs::write(&path, &bytes).unwrap();
            let mut into = Vec::new();
            let path = path.display().to_string();
            let order = bring(FetchWhat::File(&path), 10_000_000);
            let fetched = host.fetch(&order, &mut into, &mut NoSink, &mut Stop::never()).await.unwrap();
            assert_eq!((fetched.bytes, fetched.sha256), (length as u64, sha256(&bytes)), "{make}");
            assert!(into == bytes, "{make}");
        }
        let printing = script("printf 'a\\0b'; echo aside >&2");
        let mut into = Vec::new();
        let order = bring(FetchWhat::Output(&printing), 100);
        let fetched = host.fetch(&order, &mut into, &mut NoSink, &mut Stop::never()).await.unwrap();
        assert_eq!((fetched.bytes, into.as_slice()), (3, b"a\0b".as_slice()), "{make}");
    });
}

#[test]
fn a_fetch_that_cannot_be_says_why() {
    each(async |make, site| {
        let host = site.host();
        let mut into = Vec::new();
        let missing = site.path("missing").display().to_string();
        let order = bring(FetchWhat::File(&missing), 100);
        let outcome = host.fetch(&order, &mut into, &mut NoSink, &mut Stop::never()).await.unwrap_err();
        assert_eq!(outcome, exit(66), "{make}");
        let failing = script("echo part; exit 3");
        let order = bring(FetchWhat::Output(&failing), 100);
        let outcome = host.fetch(&order, &mut into, &mut NoSink, &mut Stop::never()).await.unwrap_err();
        assert_eq!(outcome, exit(3), "{make}");
        // Endless: stopped at the limit, on the host too.
        let endless = script("while :; do echo 0123456789; done");
        into.clear();
        let order = bring(FetchWhat::Output(&endless), 100_000);
        let outcome = host.fetch(&order, &mut into, &mut NoSink, &mut Stop::never()).await.unwrap_err();
        assert!(matches!(outcome, Outcome::Failed { how: How::Disagreed(_) }), "{make}: {outcome}");
        assert!(into.len() <= 100_000, "{make}");
    });
}

#[test]
fn a_probe_tells_open_from_closed() {
    let site = site("bash");
    on(async {
        let host = site.host();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(host.tcp("127.0.0.1", port, Millis::from_secs(10)).await.is_ok());
        drop(listener);
        let trouble = host.tcp("127.0.0.1", port, Millis::from_secs(10)).await.unwrap_err();
        assert_eq!(trouble.kind, blackstart::transport::wire::TroubleKind::TargetClosed);
    });
}
