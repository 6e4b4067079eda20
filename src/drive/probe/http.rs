//! Asks for a page over a connection that stands, and judges the answer.

use super::Saw;
use super::asked::bracketed;
use crate::transport::wire::{FromWire, Wire};

/// Enough for a health page; a larger body is looked at so far.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// More headers than this is not a health page.
const HEADERS_MAX: usize = 100;

/// The page, and what it must be.
pub struct Wanted<'a> {
    /// As the `Host` header names it.
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// Path with query.
    pub path: &'a str,
    /// The exact status; any below 400 otherwise.
    pub status: Option<u16>,
    /// What the body must hold.
    pub contains: Option<&'a str>,
}

/// Asks and judges. A limit is the caller's.
pub async fn get(mut wire: Wire, wanted: &Wanted<'_>) -> Saw {
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: blackstart\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        wanted.path,
        bracketed(wanted.host),
        wanted.port
    );
    if wire.to.send(request.into_bytes()).await.is_err() {
        return Saw::Closed("connected, then closed".to_owned());
    }
    let mut answer = Vec::new();
    while let Some(FromWire::Out(bytes)) = wire.from.recv().await {
        answer.extend_from_slice(&bytes);
        if answer.len() > BODY_BYTES_MAX || (wanted.contains.is_none() && head(&answer).is_some()) {
            break;
        }
    }
    judge(&answer, wanted)
}

fn judge(answer: &[u8], wanted: &Wanted<'_>) -> Saw {
    let Some((status, body_at)) = head(answer) else {
        return Saw::Closed("connected, but the answer is not HTTP".to_owned());
    };
    let well = wanted.status.map_or(status < 400, |wanted| wanted == status);
    let body = &answer[body_at..];
    let holds = wanted.contains.is_none_or(|text| memchr::memmem::find(body, text.as_bytes()).is_some());
    match (well, holds) {
        (true, true) => Saw::Open(None),
        (false, _) => Saw::Closed(format!("answered with status {status}")),
        (true, false) => Saw::Closed(format!("answered with status {status}, without the expected text")),
    }
}

/// Status and where the body starts, once the whole head is there.
fn head(answer: &[u8]) -> Option<(u16, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(answer) {
        Ok(httparse::Status::Complete(at)) => Some((response.code?, at)),
        Ok(httparse::Status::Partial) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(status: Option<u16>, contains: Option<&'static str>) -> Wanted<'static> {
        Wanted { host: "h", port: 80, path: "/", status, contains }
    }

    #[test]
    fn an_answer_is_open_only_if_status_and_text_are_right() {
        let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready";
        let bad = b"HTTP/1.0 503 Service Unavailable\r\n\r\nready";
        assert_eq!(judge(ok, &wanted(None, Some("ready"))), Saw::Open(None));
        assert_eq!(judge(ok, &wanted(Some(200), None)), Saw::Open(None));
        assert!(matches!(judge(ok, &wanted(Some(204), None)), Saw::Closed(_)));
        assert!(matches!(judge(ok, &wanted(None, Some("rows=9"))), Saw::Closed(_)));
        assert!(matches!(judge(bad, &wanted(None, None)), Saw::Closed(_)));
        assert_eq!(judge(bad, &wanted(Some(503), Some("ready"))), Saw::Open(None));
        assert!(matches!(judge(b"SSH-2.0-OpenSSH_9.2\r\n", &wanted(None, None)), Saw::Closed(_)));
        assert!(matches!(judge(b"", &wanted(None, None)), Saw::Closed(_)));
    }

    #[test]
    fn text_in_the_head_does_not_count_as_body() {
        let sly = b"HTTP/1.1 200 OK\r\nX-Say: ready\r\n\r\nno";
        assert!(matches!(judge(sly, &wanted(None, Some("ready"))), Saw::Closed(_)));
    }
}
