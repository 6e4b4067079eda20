//! Asks a name server: over UDP from the controller, over a TCP connection from a host, which needs no tool there.

use super::Saw;
use super::not_connected;
use crate::model::Millis;
use crate::model::probe::{Record, Transport};
use crate::transport::wire::{FromWire, Wire};
use crate::transport::{Connected, Remote};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::{Duration, Instant, timeout, timeout_at};

/// The longest DNS message there is.
const MESSAGE_BYTES_MAX: usize = 65_535;
/// A lost datagram is sent again after so long, as resolvers do.
const SEND_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The name; for `PTR` an address will do.
    pub name: &'a str,
    /// The kind of record.
    pub record: Record,
    /// What a record of the answer must say.
    pub answer: Option<&'a str>,
}

/// What a message from the server comes to.
enum Heard {
    /// An answer to the question.
    Saw(Saw),
    /// Too long for a datagram: ask again over TCP.
    Truncated,
    /// Not meant for us.
    Stray,
}

/// Asks, and judges the answer.
pub async fn ask(
    vantage: &Rc<dyn Remote>,
    at_controller: bool,
    transport: Option<Transport>,
    server: &str,
    port: u16,
    query: &Query<'_>,
    limit: Millis,
) -> Saw {
    let id = RandomState::new().build_hasher().finish() as u16;
    let message = match query.message(id) {
        Ok(message) => message,
        Err(because) => return Saw::CannotTell(because),
    };
    let over_udp = match (transport, at_controller) {
        (Some(Transport::Tcp), _) | (None, false) => false,
        (Some(Transport::Udp) | None, true) => true,
        (Some(Transport::Udp), false) => {
            return Saw::CannotTell("datagrams do not pass through a host's SSH connection".into());
        }
    };
    if over_udp {
        match datagram(server, port, &message, query, id, limit).await {
            Some(saw) => return saw,
            None if transport.is_some() => {
                return Saw::Closed("the answer is too long for a datagram".into());
            }
            None => {}
        }
    }
    let Connected { wire, by } = match vantage.tcp(server, port, limit).await {
        Ok(connected) => connected,
        Err(trouble) => return not_connected(trouble, &**vantage),
    };
    match timeout(limit.std(), over_wire(wire, &message, query, id)).await {
        Ok(Saw::Open(_)) => Saw::Open(by),
        Ok(saw) => saw,
        Err(_) => Saw::Closed(format!("connected, but no answer within {limit}")),
    }
}

/// `None`: the answer is too long for a datagram.
async fn datagram(
    server: &str,
    port: u16,
    message: &[u8],
    query: &Query<'_>,
    id: u16,
    limit: Millis,
) -> Option<Saw> {
    let end = Instant::now() + limit.std();
    let silence = || Some(Saw::Closed(format!("no answer within {limit}")));
    let found = match timeout_at(end, lookup_host((server, port))).await {
        Ok(Ok(mut found)) => found.next(),
        Ok(Err(error)) => return Some(Saw::Closed(format!("{server}: {error}"))),
        Err(_) => return silence(),
    };
    let Some(address) = found else { return Some(Saw::Closed(format!("{server} has no address"))) };
    let socket = match socket_to(address).await {
        Ok(socket) => socket,
        Err(error) => return Some(Saw::Closed(format!("{address}: {error}"))),
    };
    let mut bytes = vec![0; MESSAGE_BYTES_MAX];
    loop {
        if let Err(error) = socket.send(message).await {
            return Some(Saw::Closed(format!("{address}: {error}")));
        }
        let again = end.min(Instant::now() + SEND_AGAIN_AFTER);
        while let Ok(received) = timeout_at(again, socket.recv(&mut bytes)).await {
            match received {
                Err(error) => return Some(Saw::Closed(format!("{address}: {error}"))),
                Ok(count) => match query.heard(&bytes[..count], id) {
                    Heard::Saw(saw) => return Some(saw),
                    Heard::Truncated => return None,
                    Heard::Stray => {}
                },
            }
        }
        if Instant::now() >= end {
            return silence();
        }
    }
}

async fn socket_to(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let here: SocketAddr = match address {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(here).await?;
    socket.connect(address).await?;
    Ok(socket)
}

/// Messages over TCP have their length before them.
async fn over_wire(mut wire: Wire, message: &[u8], query: &Query<'_>, id: u16) -> Saw {
    let length = u16::try_from(message.len()).expect("a question is short");
    let bytes = [&length.to_be_bytes()[..], message].concat();
    if wire.to.send(bytes).await.is_err() {
        return Saw::Closed("connected, then closed".to_owned());
    }
    let mut heard = Vec::new();
    while let Some(FromWire::Out(bytes)) = wire.from.recv().await {
        heard.extend_from_slice(&bytes);
        let Some((length, rest)) = heard.split_first_chunk::<2>() else { continue };
        let Some(whole) = rest.get(..usize::from(u16::from_be_bytes(*length))) else { continue };
        return match query.heard(whole, id) {
            Heard::Saw(saw) => saw,
            Heard::Truncated | Heard::Stray => {
                Saw::Closed("connected, but the answer is not to our question".to_owned())
            }
        };
    }
    Saw::Closed("connected, then closed without an answer".to_owned())
}

impl Query<'_> {
    fn message(&self, id: u16) -> Result<Vec<u8>, String> {
        let asked = self.asked();
        let bad = |error| format!("`{}` is no name to ask for: {error:?}", asked.escape_debug());
        let name = Name::new(&asked).map_err(bad)?;
        let mut packet = Packet::new_query(id);
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
        packet.questions.push(Question::new(
            name,
            QTYPE::TYPE(kind(self.record)),
            QCLASS::CLASS(CLASS::IN),
            false,
        ));
        packet.build_bytes_vec().map_err(bad)
    }

    /// The name as it is asked for: an address turned into the name that its `PTR` record has.
    fn asked(&self) -> String {
        match (self.record, self.name.parse::<IpAddr>()) {
            (Record::Ptr, Ok(IpAddr::V4(address))) => {
                let [a, b, c, d] = address.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            (Record::Ptr, Ok(IpAddr::V6(address))) => {
                let digits: String = address.octets().iter().map(|byte| format!("{byte:02x}")).collect();
                let digits: Vec<String> = digits.chars().rev().map(String::from).collect();
                format!("{}.ip6.arpa", digits.join("."))
            }
            _ => self.name.trim_end_matches('.').to_owned(),
        }
    }

    fn heard(&self, message: &[u8], id: u16) -> Heard {
        let Ok(packet) = Packet::parse(message) else {
            return Heard::Saw(Saw::Closed("answered with something that is not DNS".to_owned()));
        };
        if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) {
            return Heard::Stray;
        }
        if packet.has_flags(PacketFlag::TRUNCATION) {
            return Heard::Truncated;
        }
        Heard::Saw(self.judge(&packet))
    }

    fn judge(&self, packet: &Packet<'_>) -> Saw {
        let asked = format!("{} {}", self.record.word(), self.name);
        match packet.rcode() {
            RCODE::NoError => {}
            RCODE::NameError => return Saw::Closed(format!("answered that there is no {}", self.name)),
            other => return Saw::Closed(format!("answered {other:?} for {asked}")),
        }
        let said: Vec<String> =
            packet.answers.iter().filter_map(|answer| said(self.record, &answer.rdata)).collect();
        match self.answer {
            _ if said.is_empty() => Saw::Closed(format!("answered that there is no {asked}")),
            Some(wanted) if !said.iter().any(|said| same(said, wanted)) => {
                Saw::Closed(format!("answered {} for {asked}, not {wanted}", said.join(", ")))
            }
            Some(_) | None => Saw::Open(None),
        }
    }
}

fn kind(record: Record) -> TYPE {
    match record {
        Record::A => TYPE::A,
        Record::Aaaa => TYPE::AAAA,
        Record::Cname => TYPE::CNAME,
        Record::Mx => TYPE::MX,
        Record::Ns => TYPE::NS,
        Record::Ptr => TYPE::PTR,
        Record::Soa => TYPE::SOA,
        Record::Srv => TYPE::SRV,
        Record::Txt => TYPE::TXT,
    }
}

/// What a record of the kind that was asked for says; `None` for any other.
fn said(record: Record, data: &RData<'_>) -> Option<String> {
    Some(match (record, data) {
        (Record::A, RData::A(a)) => std::net::Ipv4Addr::from(a.address).to_string(),
        (Record::Aaaa, RData::AAAA(aaaa)) => std::net::Ipv6Addr::from(aaaa.address).to_string(),
        (Record::Cname, RData::CNAME(name)) => name.0.to_string(),
        (Record::Ns, RData::NS(name)) => name.0.to_string(),
        (Record::Ptr, RData::PTR(name)) => name.0.to_string(),
        (Record::Mx, RData::MX(mx)) => format!("{} {}", mx.preference, mx.exchange),
        (Record::Soa, RData::SOA(soa)) => soa.mname.to_string(),
        (Record::Srv, RData::SRV(srv)) => {
            format!("{} {} {} {}", srv.priority, srv.weight, srv.port, srv.target)
        }
        (Record::Txt, RData::TXT(txt)) => String::try_from(txt.clone()).ok()?,
        _ => return None,
    })
}

/// Addresses are compared as addresses; names without regard to case and the last dot.
fn same(said: &str, wanted: &str) -> bool {
    match (said.parse::<IpAddr>(), wanted.parse::<IpAddr>()) {
        (Ok(said), Ok(wanted)) => said == wanted,
        _ => said.trim_end_matches('.').eq_ignore_ascii_case(wanted.trim_end_matches('.')),
    }
}
