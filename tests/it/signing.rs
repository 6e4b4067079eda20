//! Signatures that OpenSSH makes hold here, those that are made here hold there, and nothing else does.

use blackstart::journal::approval::NAMESPACE;
use blackstart::model::Time;
use blackstart::signing::{AllowedSigners, Proof, Signer, envelope};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const TEXT: &[u8] = b"{\"v\":1,\"answer\":\"approve\"}\n";
const NOW: Time = Time(1_795_300_000_000);

/// A directory with keys in it.
struct Keys(tempfile::TempDir);

impl Keys {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    /// `kind` may say its size: `ecdsa-384`.
    fn make(&self, kind: &str, name: &str) -> PathBuf {
        let path = self.path(name);
        let mut make = Command::new("ssh-keygen");
        match kind.split_once('-') {
            Some((kind, bits)) => make.args(["-t", kind, "-b", bits]),
            None => make.args(["-t", kind]),
        };
        run(make.args(["-q", "-N", "", "-C", name, "-f"]).arg(&path));
        path
    }
    fn public(&self, name: &str) -> String {
        let line = fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        line.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }
    /// As `ssh-keygen -Y sign` signs it.
    fn openssh_signs(&self, key: &Path, namespace: &str) -> String {
        let file = self.path("text");
        fs::write(&file, TEXT).unwrap();
        let _ = fs::remove_file(self.path("text.sig"));
        run(Command::new("ssh-keygen").args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(key).arg(&file));
        fs::read_to_string(self.path("text.sig")).unwrap()
    }
    /// Does `ssh-keygen -Y verify` accept it?
    fn openssh_accepts(&self, allowed: &str, who: &str, signature: &str) -> bool {
        fs::write(self.path("allowed"), allowed).unwrap();
        fs::write(self.path("sig"), signature).unwrap();
        fs::write(self.path("text"), TEXT).unwrap();
        let mut verify = Command::new("ssh-keygen");
        verify.args(["-Y", "verify", "-n", NAMESPACE, "-I", who]);
        verify.arg("-f").arg(self.path("allowed")).arg("-s").arg(self.path("sig"));
        verify.stdin(fs::File::open(self.path("text")).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
        verify.status().unwrap().success()
    }
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn nobody(_: &Path) -> Option<String> {
    None
}

fn judge(allowed: &str, who: &str, proof: &Proof) -> Result<(), String> {
    AllowedSigners::read(allowed).unwrap().check(who, proof, NAMESPACE, NOW)
}

#[test]
fn signatures_hold_in_both_directions_for_every_kind_of_key() {
    let keys = Keys::new();
    for kind in ["ed25519", "rsa", "ecdsa", "ecdsa-384", "ecdsa-521"] {
        let key = keys.make(kind, kind);
        let allowed = format!("ann@example.org {}\n", keys.public(kind));
        let theirs = envelope::check(&keys.openssh_signs(&key, NAMESPACE), NAMESPACE, TEXT).unwrap();
        assert_eq!(judge(&allowed, "ann@example.org", &theirs), Ok(()), "{kind}");
        let signer = match Signer::of_file(&key, &nobody) {
            Ok(mut signers) => signers.remove(0),
            // Some are not read from files: the agent holds them all.
            Err(why) => {
                assert!(kind.starts_with("ecdsa") && why.contains("ssh-add"), "{kind}: {why}");
                continue;
            }
        };
        if kind == "rsa" {
            // Those are signed with through the agent.
            assert!(signer.sign(NAMESPACE, TEXT, None).unwrap_err().contains("ssh-add"));
            continue;
        }
        let ours = signer.sign(NAMESPACE, TEXT, None).unwrap();
        assert!(keys.openssh_accepts(&allowed, "ann@example.org", &ours), "{kind}");
        assert!(!keys.openssh_accepts(&allowed, "bob@example.org", &ours), "{kind}");
        assert_eq!(envelope::check(&ours, NAMESPACE, TEXT).unwrap().fingerprint(), theirs.fingerprint());
    }
}

#[test]
fn a_signature_of_something_else_or_for_something_else_is_none() {
    let keys = Keys::new();
    let key = keys.make("ed25519", "ann");
    let good = keys.openssh_signs(&key, NAMESPACE);
    let wrong = |signature: &str, text: &[u8]| envelope::check(signature, NAMESPACE, text).unwrap_err();
    assert_eq!(wrong(&good, b"another text"), "what was signed is not this, or the signature was altered");
    let for_git = keys.openssh_signs(&key, "git");
    assert_eq!(wrong(&for_git, TEXT), format!("it was made for `git`, not for `{NAMESPACE}`"));
    assert_eq!(wrong("", TEXT), "it is no SSH signature");
    // Any byte of it, turned: whatever it says then, it does not hold.
    let body: Vec<usize> =
        good.match_indices(|c: char| c.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
    for at in body.into_iter().filter(|at| (31..good.len() - 29).contains(at)) {
        let mut altered = good.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        let held = envelope::check(&altered, NAMESPACE, TEXT).is_ok_and(|proof| {
            proof.fingerprint() == envelope::check(&good, NAMESPACE, TEXT).unwrap().fingerprint()
        });
        // The last letter before the padding has bits that stand for nothing.
        let padding = good[at + 1..].trim_start().starts_with('=');
        assert!(!held || padding, "byte {at}");
    }
}

#[test]
fn whoever_may_sign_may_do_it_here_and_then_only() {
    let keys = Keys::new();
    let key = keys.make("ed25519", "ann");
    let proof = envelope::check(&keys.openssh_signs(&key, NAMESPACE), NAMESPACE, TEXT).unwrap();
    let (public, print) = (keys.public("ann"), proof.fingerprint());
    let who = "ann@example.org";
    for (options, verdict) in [
        ("", Ok(())),
        ("namespaces=\"blackstart-*,git\" ", Ok(())),
        ("valid-after=\"20261121Z\",valid-before=\"20261122Z\" ", Ok(())),
        ("namespaces=\"git\" ", Err(format!("the key {print} of `{who}` is not for `{NAMESPACE}`"))),
        (
            "namespaces=\"*,!blackstart-*\" ",
            Err(format!("the key {print} of `{who}` is not for `{NAMESPACE}`")),
        ),
        (
            "valid-after=\"20261122Z\" ",
            Err(format!("the key {print} of `{who}` is not valid before 2026-11-22T00:00:00.000Z")),
        ),
        (
            "valid-before=\"202611212226Z\" ",
            Err(format!("the key {print} of `{who}` was valid until 2026-11-21T22:26:00.000Z")),
        ),
        ("cert-authority ", Err(format!("the key {print} is not one of `{who}`"))),
    ] {
        assert_eq!(judge(&format!("{who} {options}{public}\n"), who, &proof), verdict, "{options}");
    }
    for (principals, fits) in [
        ("*@example.org", true),
        ("bob@example.org,ann@*", true),
        ("*,!ann@example.org", false),
        ("bob", false),
    ] {
        assert_eq!(judge(&format!("{principals} {public}\n"), who, &proof).is_ok(), fits, "{principals}");
    }
    let shared = AllowedSigners::read(&format!("# ours\n\nann,bob {public}\n*@x {public}\n")).unwrap();
    assert_eq!(shared.principals_of(&proof, NAMESPACE, NOW), ["ann", "bob"]);
    for (line, why) in [
        ("ann", "it has no key that can be read"),
        ("ann ssh-ed25519 AAAA", "it has no key that can be read"),
        ("ann \"open ssh-ed25519", "a quote is not closed"),
        ("ann valid-before=\"soon\" KEY", "`valid-before` is not a time: `soon`"),
        ("ann no-touch-required KEY", "`no-touch-required` is no option of this format"),
    ] {
        let bad = AllowedSigners::read(&format!("\n{}\n", line.replace("KEY", &public))).unwrap_err();
        assert_eq!((bad[0].line, bad[0].what.as_str()), (2, why), "{line}");
    }
}

#[test]
fn certificates_count_for_whom_and_when_their_authority_says() {
    let keys = Keys::new();
    let (authority, other) = (keys.make("ed25519", "ca"), keys.make("ed25519", "other"));
    let key = keys.make("ed25519", "ann");
    let certify = |by: &Path, options: &[&str]| {
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-I", "duty", "-s"]).arg(by).args(options).arg(keys.path("ann.pub"));
        run(&mut sign);
        let signature = keys.openssh_signs(&keys.path("ann-cert.pub"), NAMESPACE);
        envelope::check(&signature, NAMESPACE, TEXT).unwrap()
    };
    let allowed = format!("*@example.org cert-authority {}\n", keys.public("ca"));
    let (who, ours) = ("ann@example.org", ["-n", "ann@example.org", "-V", "always:forever"]);
    assert_eq!(judge(&allowed, who, &certify(&authority, &ours)), Ok(()));
    let signers = Signer::of_file(&key, &nobody).unwrap();
    let with_certificate = signers.iter().find(|signer| signer.proof.certificate.is_some()).unwrap();
    let signature = with_certificate.sign(NAMESPACE, TEXT, None).unwrap();
    assert!(keys.openssh_accepts(&allowed, who, &signature));
    for (by, options, why) in [
        (&authority, ["-n", "bob@example.org", "-V", "always:forever"], "is not for `ann@example.org`"),
        (&authority, ["-n", "ann@example.org", "-V", "20200101:20210101"], "has expired"),
        (&authority, ["-n", "ann@example.org", "-V", "20300101:20310101"], "is not valid yet"),
        (&other, ours, "is not one of `ann@example.org`"),
    ] {
        let said = judge(&allowed, who, &certify(by, &options)).unwrap_err();
        assert!(said.ends_with(why), "{said}");
    }
}

/// An agent of our own; it ends with the test.
struct Agent(Child, PathBuf);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_agent_signs_with_the_keys_it_holds() {
    let keys = Keys::new();
    let socket = keys.path("agent");
    let child =
        Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    let agent = Agent(child, socket);
    while !agent.1.exists() {
        std::thread::yield_now();
    }
    for kind in ["rsa", "ed25519", "ecdsa", "ecdsa-384", "ecdsa-521"] {
        let key = keys.make(kind, kind);
        run(Command::new("ssh-add").arg("-q").arg(&key).env("SSH_AUTH_SOCK", &agent.1));
    }
    let signers = Signer::of_agent(&agent.1).unwrap();
    assert_eq!(
        signers.iter().map(|signer| signer.name.as_str()).collect::<Vec<_>>(),
        ["rsa", "ed25519", "ecdsa", "ecdsa-384", "ecdsa-521"]
    );
    for signer in &signers {
        let signature = signer.sign(NAMESPACE, TEXT, Some(&agent.1)).unwrap();
        let allowed = format!("ann {}\n", keys.public(&signer.name));
        assert!(keys.openssh_accepts(&allowed, "ann", &signature), "{}", signer.name);
    }
    // A public key stands for the agent's.
    let signer = Signer::of_file(&keys.path("rsa.pub"), &nobody).unwrap().remove(0);
    assert!(signer.sign(NAMESPACE, TEXT, Some(&agent.1)).is_ok());
    assert!(signer.sign(NAMESPACE, TEXT, None).unwrap_err().contains("$SSH_AUTH_SOCK"));
    let nowhere = Signer::of_agent(&keys.path("nothing")).unwrap_err();
    assert!(nowhere.contains("no agent answers"), "{nowhere}");
}

#[test]
fn a_passphrase_is_asked_for() {
    let keys = Keys::new();
    let key = keys.path("sealed");
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "open sesame", "-f"]).arg(&key));
    let signer = Signer::of_file(&key, &|_| Some("open sesame".to_owned())).unwrap().remove(0);
    let signature = signer.sign(NAMESPACE, TEXT, None).unwrap();
    assert!(envelope::check(&signature, NAMESPACE, TEXT).is_ok());
    let wrong = Signer::of_file(&key, &|_| Some("open".to_owned())).unwrap_err();
    assert!(wrong.ends_with("that is not its passphrase"), "{wrong}");
    let absent = Signer::of_file(&key, &nobody).unwrap_err();
    assert!(absent.ends_with("nobody is there to type it"), "{absent}");
    assert!(Signer::of_file(&keys.path("nothing"), &nobody).is_err());
}
