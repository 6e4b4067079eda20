//! A desk with an inventory of real SSH servers, and what the program prints there.

use crate::support::sshd::{Sshd, current_user};
use crate::support::transcript::Desk;
use serde_json::Value;

/// One host of the inventory, reached at a server.
pub fn host(name: &str, sshd: &Sshd) -> String {
    format!(
        "  {name}: {{ address: 127.0.0.1, port: {}, user: {}, identity_file: \"{}\", agent: false, ssh_config: false, known_hosts: \"{}\", receipts_dir: \"{}\" }}\n",
        sshd.addr.port(),
        current_user(),
        sshd.user_key().display(),
        sshd.known_hosts().display(),
        sshd.path("receipts").display(),
    )
}

/// Writes a file onto the desk.
pub fn put(desk: &Desk, name: &str, text: &str) {
    std::fs::write(desk.path().join(name), text).unwrap();
}

/// What a command prints, as JSON, and its exit code.
pub fn json(desk: &Desk, line: &str) -> (Value, i32) {
    let (text, code) = raw(desk, line);
    let value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{line}: {why}: {text}"));
    (value, code)
}

/// What a command prints, line by line as JSON, and its exit code.
pub fn lines(desk: &Desk, line: &str) -> (Vec<Value>, i32) {
    let (text, code) = raw(desk, line);
    let each = text.lines().map(|one| serde_json::from_str(one).unwrap_or_else(|why| panic!("{why}: {one}")));
    (each.collect(), code)
}

fn raw(desk: &Desk, line: &str) -> (String, i32) {
    let file = desk.path().join("stdout");
    let code = desk.type_in(&format!("{line} >stdout")).code;
    (std::fs::read_to_string(file).unwrap(), code)
}

/// Lines of one kind.
pub fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}
