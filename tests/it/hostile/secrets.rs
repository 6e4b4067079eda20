//! What a hostile host gets to know: what is its own, and nothing else.

use super::desk::{Desk, Known, MARK};
use super::polite::{Door, Manners, Server};
use crate::ssh::helpers::Agent;
use crate::support::sshd::keygen;

const OURS: &str = "marble-otter-lantern";
const THEIRS: &str = "velvet-comet-harbour";
const STEPS: &str = "quartz-willow-anchor";
const CONTROLLERS: &str = "copper-falcon-meadow";

/// Everything that it has heard, as one text.
fn all_of(server: &Server) -> String {
    let heard = server.heard();
    let bytes = String::from_utf8_lossy(&heard.bytes);
    // Commands come as lists of bytes; none of them is ours to look into but the known one.
    format!("{bytes}\n{:?}\n{:?}", heard.requests, heard.proofs)
}

fn runbook(on: &str) -> String {
    format!(
        "version: 1\nname: secrets\nsecrets: {{ token: {{ env: STEPS }} }}\nphases:\n  - id: work\n    steps:\n      \
         - {{ id: both, on: all, run: \"echo {MARK}\", undo: not_needed }}\n      \
         - id: one\n        on: {on}\n        env: {{ TOKEN: \"{{{{ secrets.token }}}}\" }}\n        \
         run: test -n \"$TOKEN\"\n        undo: not_needed\n"
    )
}

#[test]
fn secrets_of_one_host_are_never_sent_to_another() {
    let door = || Manners { door: Door::Password, ..Manners::default() };
    let (hostile, honest) = (Server::with(door()), Server::with(door()));
    let mut desk = Desk::with(
        &[
            Known { more: ", password: ours".to_owned(), ..honest.known("h1") },
            Known { more: ", password: theirs".to_owned(), ..hostile.known("h2") },
        ],
        "secrets: { ours: { env: OURS }, theirs: { env: THEIRS } }\n",
    );
    let env = [("OURS", OURS), ("THEIRS", THEIRS), ("STEPS", STEPS), ("CONTROLLERS", CONTROLLERS)];
    desk.env.extend(env.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let ended = desk.run(&runbook("h1"));
    assert_eq!(ended.code, Some(0), "{ended}");
    let (heard, other) = (all_of(&hostile), all_of(&honest));
    assert!(heard.contains(THEIRS) && heard.contains(MARK), "it is a host of the run: {heard}");
    assert!(other.contains(OURS) && other.contains(STEPS), "they are sent where they belong");
    for secret in [OURS, STEPS, CONTROLLERS] {
        assert!(!heard.contains(secret), "{secret} was sent to a host that it is not for");
    }
    assert!(!other.contains(THEIRS) && !other.contains(CONTROLLERS));
    for text in [&ended.out, &ended.err, &format!("{:?}", ended.records)] {
        assert!(![OURS, THEIRS, STEPS].iter().any(|secret| text.contains(secret)), "{text}");
    }
}

#[test]
fn neither_agent_nor_screen_nor_variables_are_offered_whatever_ssh_config_says() {
    let server = Server::answering(|_| None);
    let mut desk =
        Desk::new(&[Known { more: ", ssh_config: true, agent: true".to_owned(), ..server.known("h1") }]);
    let socket = desk.path("agent");
    let agent = Agent::start(&socket);
    for key in 0..20 {
        let path = desk.path(&format!("key{key}"));
        keygen(&path, "ed25519", "");
        agent.add(&path);
    }
    std::fs::create_dir(desk.path(".ssh")).expect("it can be made");
    let config = "Host *\n  ForwardAgent yes\n  ForwardX11 yes\n  SendEnv *\n  SetEnv LEAK=yes\n  RemoteForward 2222 127.0.0.1:22\n  \
                  Compression yes\n  RequestTTY force\n";
    desk.write(".ssh/config", config);
    let env = [
        ("SSH_AUTH_SOCK", socket.display().to_string()),
        ("LC_LEAK", CONTROLLERS.to_owned()),
        ("DISPLAY", ":0".to_owned()),
    ];
    desk.env.extend(env.map(|(name, value)| (name.to_owned(), value)));
    let ended = desk.run(&super::desk::one_step("5s"));
    assert_eq!(ended.code, Some(0), "{ended}");
    let heard = server.heard();
    let only = |what: &String| what.starts_with("Exec {") || what == "Eof" || what == "Close";
    assert!(!heard.requests.is_empty() && heard.requests.iter().all(only), "{:?}", heard.requests);
    assert!(!String::from_utf8_lossy(&heard.bytes).contains(CONTROLLERS));
    // The first key it is shown is good; the others stay unknown to it.
    assert_eq!(heard.proofs.len(), 1, "{:?}", heard.proofs);
}

#[test]
fn a_jump_host_sees_nothing_of_what_goes_through_it() {
    let (jump, target) = (Server::answering(|_| None), Server::answering(|_| None));
    let mut desk =
        Desk::new(&[jump.known("j"), Known { more: ", jump: j".to_owned(), ..target.known("h1") }]);
    desk.env.push(("STEPS".to_owned(), STEPS.to_owned()));
    desk.write("runbook.yaml", &runbook("h1"));
    let ended = desk.say(&["run", "-i", "site.yaml", "runbook.yaml", "--yes", "--limit", "h1"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let there = all_of(&target);
    assert!(there.contains(STEPS) && there.contains(MARK));
    let heard = jump.heard();
    let through = String::from_utf8_lossy(&heard.through);
    assert!(
        through.contains("SSH-2.0-Polite") && heard.through.len() > 10_000,
        "it all went through the jump host"
    );
    for word in [STEPS, MARK, "blackstart1:", "_b_hello"] {
        assert!(!through.contains(word), "{word}");
    }
    assert!(target.heard().orders.iter().all(|order| !through.contains(&order.nonce)));
}
