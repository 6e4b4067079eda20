//! A TCP connection from a host whose SSH server makes none for us: by a tool that the host has, through a session.

use super::super::lane::{Opening, begin_script, nonce, quote};
use super::super::wire::{Closed, FromWire, Link, Trouble, TroubleKind, Wire};
use crate::model::Millis;
use tokio::time::{Instant, timeout_at};

/// Chooses the tool, connects, and passes bytes on.
const CONNECT: &str = include_str!("connect.sh");
/// For the session and the tool to start, beyond the wait for the port. A host that says nothing for so long has
/// not been heard.
const BESIDE_THE_PORT: Millis = Millis::from_secs(10);
/// Login scripts may say something before we do. More than this is not a greeting.
const NOISE_BYTES_MAX: usize = 64 * 1024;

/// What came of it.
pub(super) struct ByTool {
    /// The connection; its stdin and stdout are the port's.
    pub(super) wire: Wire,
    /// What the port said while the tool told us that it is connected.
    pub(super) said: Vec<u8>,
    /// The tool.
    pub(super) tool: String,
}

/// Connects by a tool. `TargetClosed` is the tool's own word; where there is none, or it cannot be heard, it is not.
pub(super) async fn connect(
    link: &dyn Link,
    name: &str,
    host: &str,
    port: u16,
    limit: Millis,
) -> Result<ByTool, Trouble> {
    let end = Instant::now() + limit.std() + BESIDE_THE_PORT.std();
    let seconds = limit.0.div_ceil(1000).max(1);
    let nonce = nonce();
    let settings = format!("n={nonce} h={} p={port} w={seconds}\n", quote(host));
    let mut wire = link.open(&Opening::command()).await?;
    let lost = |how: &str| {
        let what = format!("{name}: while it connected to {host}:{port} for us by a tool: {how}");
        Trouble::new(TroubleKind::Lost, what)
    };
    let script = begin_script(&format!("{settings}{}", without_comments()));
    wire.to.send(script.into_bytes()).await.map_err(|_| lost("the session ended"))?;
    let (mut heard, mut complained) = (Vec::new(), Vec::new());
    loop {
        let message = timeout_at(end, wire.from.recv()).await.map_err(|_| lost("it says nothing"))?;
        match message {
            Some(FromWire::Out(bytes)) => heard.extend_from_slice(&bytes),
            Some(FromWire::Err(bytes)) if complained.len() < NOISE_BYTES_MAX => {
                complained.extend_from_slice(&bytes);
            }
            Some(FromWire::Err(_)) => {}
            Some(FromWire::Closed(Closed::Lost(how))) => return Err(lost(&how)),
            Some(FromWire::Closed(_)) | None => {
                let said = String::from_utf8_lossy(&complained);
                let last = said.trim().lines().last().unwrap_or("nothing said on stderr");
                return Err(lost(&format!("it ended without a word ({last})")));
            }
        }
        if let Some((word, rest)) = word_behind(&heard, &nonce) {
            let said = rest.to_vec();
            return judge(&word, name, host, port).map(|tool| ByTool { wire, said, tool });
        }
        if heard.len() > NOISE_BYTES_MAX {
            return Err(lost("it says too much"));
        }
    }
}

/// The tool, if its word is that it is connected.
fn judge(word: &str, name: &str, host: &str, port: u16) -> Result<String, Trouble> {
    let mut words = word.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("open"), Some(tool), None) => Ok(tool.to_owned()),
        (Some("closed"), Some(tool), why) => {
            let why = why.filter(|why| !why.is_empty()).unwrap_or("no connection");
            let what = format!("{host}:{port}: {why}, {}", by(tool, name));
            Err(Trouble::new(TroubleKind::TargetClosed, what))
        }
        _ => {
            let what = format!(
                "{name}: its SSH server makes no TCP connections for us, and it has no tool that does"
            );
            let hint = "`AllowTcpForwarding yes` in its sshd_config, or bash, python3 or nc on it";
            Err(Trouble::new(TroubleKind::Refused, what).hint(hint))
        }
    }
}

/// How it was seen, in words.
pub(super) fn by(tool: &str, name: &str) -> String {
    format!("by `{tool}` on {name}, whose SSH server forwards no TCP")
}

/// The line behind the nonce, once it is whole, and what follows it.
fn word_behind<'a>(heard: &'a [u8], nonce: &str) -> Option<(String, &'a [u8])> {
    let at = memchr::memmem::find(heard, nonce.as_bytes())? + nonce.len();
    let rest = &heard[at..];
    let end = memchr::memchr(b'\n', rest)?;
    Some((String::from_utf8_lossy(&rest[..end]).trim().to_owned(), &rest[end + 1..]))
}

fn without_comments() -> String {
    let lines = CONNECT.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.fold(String::with_capacity(CONNECT.len()), |text, line| text + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tools_own_word_is_closed() {
        assert_eq!(judge("open bash", "db1", "h", 1), Ok("bash".to_owned()));
        let closed = judge("closed nc Connection refused", "db1", "h", 1).unwrap_err();
        assert_eq!(closed.kind, TroubleKind::TargetClosed);
        assert_eq!(closed.what, "h:1: Connection refused, by `nc` on db1, whose SSH server forwards no TCP");
        for word in ["none", "", "open", "sesame"] {
            assert_eq!(judge(word, "db1", "h", 1).unwrap_err().kind, TroubleKind::Refused, "{word}");
        }
    }

    #[test]
    fn the_word_stands_behind_the_nonce_and_the_rest_is_the_ports() {
        assert_eq!(word_behind(b"Welcome!\nn1 open ba", "n1"), None);
        let (word, rest) = word_behind(b"Welcome!\nn1 open bash\nSSH-2.0", "n1").unwrap();
        assert_eq!((word.as_str(), rest), ("open bash", b"SSH-2.0".as_slice()));
    }
}
