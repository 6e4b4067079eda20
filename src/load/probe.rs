//! Reads probes, of steps and of services.

use super::grammar::probe::{Dns as DnsShape, Probe as Shape};
use super::shapes::At;
use super::sink::Sink;
use super::template::{Checker, Context, Use};
use super::values::{DAY, length, length_or_zero, name, required};
use crate::model::names::HostName;
use crate::model::place::{Located, Span};
use crate::model::probe::{DNS_PORT, Expect, Probe, ProbeKind, Record, Transport, Vantage};
use crate::model::{Millis, Problem};

/// A service that does not answer within three seconds is not up, and a cut is proved by silence of this length.
const TIMEOUT_DEFAULT: Millis = Millis::from_secs(3);
/// A command may have to start an interpreter first.
const COMMAND_TIMEOUT_DEFAULT: Millis = Millis::from_secs(30);

/// Where a probe stands, which decides what it may say.
pub(super) struct ProbeContext<'a, 'b> {
    pub(super) sink: &'a Sink<'a>,
    /// Checks its templates; `None` where there are none.
    pub(super) templates: Option<&'b Checker<'a>>,
    /// Is there a task with a host, for `from: task` and `host`?
    pub(super) on_host: bool,
}

impl ProbeContext<'_, '_> {
    /// Reads one probe.
    pub(super) fn read(&self, shape: Shape, at: Span) -> Option<Probe> {
        let Shape { tcp, http, status, contains, icmp, dns, command, from, expect, timeout, within } = shape;
        let named = [
            ("tcp", tcp.is_some()),
            ("http", http.is_some()),
            ("icmp", icmp.is_some()),
            ("dns", dns.is_some()),
            ("command", command.is_some()),
        ];
        let named: Vec<&str> = named.iter().filter(|(_, there)| *there).map(|(key, _)| *key).collect();
        if named.len() != 1 {
            let what = match named.as_slice() {
                [] => "a probe says neither `tcp`, `http`, `icmp`, `dns` nor `command`".to_owned(),
                _ => format!("a probe can only say one of {}", super::sink::quoted_list(named)),
            };
            self.sink.push(Problem::error("one-of", what).at(at).hint("write one probe for each"));
        }
        for (key, span) in
            [("status", status.as_ref().map(|at| at.span)), ("contains", contains.as_ref().map(|at| at.span))]
        {
            if let (Some(span), None) = (span, &http) {
                let what = format!("`{key}` belongs to `http` probes");
                self.sink.push(Problem::error("key-not-here", what).at(span));
            }
        }
        let default = if command.is_some() { COMMAND_TIMEOUT_DEFAULT } else { TIMEOUT_DEFAULT };
        let at_controller = from.as_ref().is_none_or(|from| from.value.as_deref() == Some("controller"));
        let kind = match (tcp, http, icmp, dns, command) {
            (Some(tcp), None, None, None, None) => tcp.located().and_then(|tcp| self.tcp(tcp)),
            (None, Some(http), None, None, None) => {
                http.located().and_then(|url| self.http(url, status, contains))
            }
            (None, None, Some(icmp), None, None) => icmp.located().and_then(|host| self.icmp(host)),
            (None, None, None, Some(dns), None) => self.dns(dns, at_controller),
            (None, None, None, None, Some(command)) => {
                command.located().and_then(|script| self.command(script))
            }
            _ => None,
        };
        let from = from.map(|from| self.vantage(from));
        let timeout = timeout.map_or(Some(default), |field| length(self.sink, "timeout", field, DAY));
        let within = within.map_or(Some(Millis(0)), |field| length_or_zero(self.sink, "within", field, DAY));
        Some(Probe {
            what: kind?,
            from: from.map_or(Some(None), |from| from.map(Some))?,
            expect: expect.map_or(Some(Expect::Open), |expect| expect.value)?,
            timeout: timeout?,
            within: within?,
        })
    }

    fn template(&self, text: &Located<String>, purpose: Use) {
        match self.templates {
            Some(checker) => checker.text(text, Context { purpose, on_host: self.on_host }),
            None if text.value.contains("{{") => {
                let problem =
                    Problem::error("no-template-here", "an inventory holds no templates").at(text.span);
                self.sink.push(problem.hint("write the value itself"));
            }
            None => {}
        }
    }

    fn tcp(&self, target: Located<String>) -> Option<ProbeKind> {
        self.template(&target, Use::Shown);
        match host_and_port(&target.value) {
            Ok((host, Some(port))) => Some(ProbeKind::Tcp { host, port }),
            Ok((host, None)) => {
                self.refuse(&target, format!("`{host}` has no port"), "write `host:port`, as in `db1:5432`")
            }
            Err(what) => self.refuse(&target, what, "write `host:port`, and `[::1]:22` for IPv6"),
        }
    }

    fn http(
        &self,
        url: Located<String>,
        status: Option<At<u16>>,
        contains: Option<At<String>>,
    ) -> Option<ProbeKind> {
        self.template(&url, Use::Shown);
        let contains = contains.map(|text| {
            let text = text.located()?;
            self.template(&text, Use::Shown);
            Some(text.value)
        });
        let status = status.map(|status| {
            let code = status.value?;
            if !(100..=599).contains(&code) {
                let problem = Problem::error("wrong-value", format!("`{code}` is no HTTP status"));
                self.sink.push(problem.at(status.span).hint("a status is a number from 100 to 599"));
                return None;
            }
            Some(code)
        });
        if url.value.starts_with("https:") {
            let hint = "probe the port with `tcp`, or use a `command` such as `curl`";
            return self.refuse(&url, "probes do not speak TLS".to_owned(), hint);
        }
        let Some(rest) = url.value.strip_prefix("http://") else {
            let what = format!("`{}` is no http address", url.value.escape_debug());
            return self.refuse(&url, what, "write `http://host:port/path`");
        };
        // A path begins at the first slash that is not inside an expression.
        let end =
            outside_braces(rest).find(|(_, c)| matches!(c, '/' | '?' | '#')).map_or(rest.len(), |(at, _)| at);
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') || outside_braces(path).any(|(_, c)| c == '#' || c == ' ') {
            let what = "the address of a probe holds no user, no `#` and no blanks".to_owned();
            return self.refuse(&url, what, "write `http://host:port/path?query`");
        }
        let (host, port) = match host_and_port(authority) {
            Ok(target) => target,
            Err(what) => {
                return self.refuse(&url, what, "write `http://host:port/path`, and `[::1]` for IPv6");
            }
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(ProbeKind::Http {
            host,
            port: port.unwrap_or(80),
            path,
            status: status.map_or(Some(None), |status| status.map(Some))?,
            contains: contains.map_or(Some(None), |contains| contains.map(Some))?,
        })
    }

    fn icmp(&self, host: Located<String>) -> Option<ProbeKind> {
        self.template(&host, Use::Shown);
        match host_and_port(&host.value) {
            Ok((name, None)) => Some(ProbeKind::Icmp { host: name }),
            // An IPv6 address needs no brackets where no port can follow.
            _ if host.value.parse::<std::net::Ipv6Addr>().is_ok() => {
                Some(ProbeKind::Icmp { host: host.value })
            }
            Ok((_, Some(port))) => {
                let what = format!("ICMP knows no ports, and `{port}` is one");
                self.refuse(&host, what, "write the host alone, or probe the port with `tcp`")
            }
            Err(what) => self.refuse(&host, what, "write a host name or an address"),
        }
    }

    fn dns(&self, dns: At<DnsShape>, at_controller: bool) -> Option<ProbeKind> {
        let (span, DnsShape { name, server, record, answer, transport }) = (dns.span, dns.value?);
        let shown = |text: Located<String>| {
            self.template(&text, Use::Shown);
            text
        };
        let name = required(self.sink, "`dns`", span, "name", name).map(shown);
        let name = name.and_then(|name| match name.value.trim().is_empty() {
            true => self.refuse(&name, "there is no name to ask for".to_owned(), "write `www.example.org`"),
            false => Some(name.value),
        });
        let server = required(self.sink, "`dns`", span, "server", server).map(shown);
        let server = server.and_then(|server| match host_and_port(&server.value) {
            Ok((host, port)) => Some((host, port.unwrap_or(DNS_PORT))),
            Err(what) => self.refuse(&server, what, "write `host` or `host:port`, and `[::1]` for IPv6"),
        });
        if let Some(At { value: Some(Transport::Udp), span }) = &transport
            && !at_controller
        {
            let what = "datagrams do not pass through a host's SSH connection";
            let hint = "leave `transport` out for TCP, or use a `command` such as `dig` on the host";
            self.sink.push(Problem::error("udp-from-host", what).at(*span).hint(hint));
        }
        let answer = answer.map(|answer| answer.located().map(|answer| shown(answer).value));
        let (server, port) = server?;
        Some(ProbeKind::Dns {
            name: name?,
            server,
            port,
            record: record.map_or(Some(Record::A), |record| record.value)?,
            answer: answer.map_or(Some(None), |answer| answer.map(Some))?,
            transport: transport.map_or(Some(None), |transport| transport.value.map(Some))?,
        })
    }

    fn command(&self, script: Located<String>) -> Option<ProbeKind> {
        self.template(&script, Use::Script);
        if script.value.trim().is_empty() {
            return self.refuse(&script, "the command is empty".to_owned(), "write a script that exits 0");
        }
        Some(ProbeKind::Command { script: script.value })
    }

    fn vantage(&self, from: At<String>) -> Option<Vantage> {
        let from = from.located()?;
        match from.value.as_str() {
            "controller" => Some(Vantage::Controller),
            "task" if self.on_host => Some(Vantage::Task),
            "task" => {
                let what = "there is no task with a host here to probe from".to_owned();
                self.refuse(&from, what, "name a host, or leave `from` out for the controller")
            }
            _ => name(self.sink, "host", from).map(|from| Vantage::Host(HostName(from.value))),
        }
    }

    fn refuse<T>(&self, text: &Located<String>, what: String, hint: &str) -> Option<T> {
        self.sink.push(Problem::error("bad-target", what).at(text.span).hint(hint));
        None
    }
}

/// Splits `host`, `host:port`, `[v6]` and `[v6]:port`; the host may hold expressions.
fn host_and_port(target: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = match target.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(|| format!("`{target}` has no `]`"))?;
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err(format!("`{after}` cannot follow `]`")),
            }
        }
        None => {
            let colons: Vec<usize> =
                outside_braces(target).filter(|(_, c)| *c == ':').map(|(at, _)| at).collect();
            match colons.as_slice() {
                [] => (target, None),
                [at] => (&target[..*at], Some(&target[at + 1..])),
                _ => return Err(format!("`{target}` has more than one `:`")),
            }
        }
    };
    if host.trim().is_empty() || outside_braces(host).any(|(_, c)| c.is_whitespace()) {
        return Err(format!("`{target}` names no host"));
    }
    let port = port.map(|port| match port.parse::<u16>() {
        Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => Ok(number),
        _ => Err(format!("`{port}` is no port: a port is a number from 1 to 65535")),
    });
    Ok((host.to_owned(), port.transpose()?))
}

/// The characters of a text that stand outside `{{ … }}`, with their bytes.
fn outside_braces(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut inside = false;
    text.char_indices().filter(move |(at, _)| {
        let rest = &text[*at..];
        if rest.starts_with("{{") {
            inside = true;
        }
        let outside = !inside;
        if inside && text[..*at].ends_with("}") && rest.starts_with('}') {
            inside = false;
        }
        outside
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_split_into_host_and_port() {
        for (target, host, port) in [
            ("db1:5432", "db1", Some(5432)),
            ("203.0.113.10:443", "203.0.113.10", Some(443)),
            ("[::1]:22", "::1", Some(22)),
            ("[::1]", "::1", None),
            ("app1", "app1", None),
            ("{{ a['x:y'] }}:80", "{{ a['x:y'] }}", Some(80)),
            ("x{{ a }}{{ b }}.y:80", "x{{ a }}{{ b }}.y", Some(80)),
        ] {
            assert_eq!(host_and_port(target), Ok((host.to_owned(), port)), "{target}");
        }
        for target in ["", ":80", "::1:22", "a:0", "a:65536", "a:+1", "a:x", "[::1", "[::1]x", "a b:1"] {
            assert!(host_and_port(target).is_err(), "{target}");
        }
    }
}
