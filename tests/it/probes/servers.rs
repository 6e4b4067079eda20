//! Servers on loopback: a port that a script can close, a page, a name server.

use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};

/// A port that answers until somebody connects to its switch.
pub struct Port {
    pub port: u16,
    switch: u16,
}

impl Port {
    /// The kernel answers for a listener; nobody has to accept.
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = Arc::new(Mutex::new(Some(listener)));
        let switch = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = switch.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for visit in switch.incoming().map_while(Result::ok) {
                let mut listener = listener.lock().unwrap();
                *listener = match listener.take() {
                    Some(_) => None,
                    None => Some(TcpListener::bind(("127.0.0.1", port)).unwrap()),
                };
                drop(visit);
            }
        });
        Self { port, switch: at }
    }

    /// Shell code that closes the port, or opens it again, and ends when that is done.
    pub fn switch(&self) -> String {
        format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{}; cat <&3'", self.switch)
    }
}

/// A port at which nobody listens, and nobody will: it stays taken for as long as this process lives.
pub fn nobody() -> u16 {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = SocketAddr::try_from(getsockname(&socket).unwrap()).unwrap().port();
    std::mem::forget(socket);
    port
}

/// A page that says `ready`.
pub fn page() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut visit in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut asked = [0; 4096];
                let _ = visit.read(&mut asked);
                let _ = visit.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nready\n");
            });
        }
    });
    port
}

/// A name server over UDP and TCP: `www.example.org` is 10.20.0.4; what begins with `long` is too long for a
/// datagram; there is nothing else.
pub fn name_server() -> u16 {
    let (tcp, udp) = loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
            break (tcp, udp);
        }
    };
    let port = tcp.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((count, from)) = udp.recv_from(&mut bytes) {
            let _ = udp.send_to(&answer(&bytes[..count], true), from);
        }
    });
    std::thread::spawn(move || {
        for mut visit in tcp.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer_over_tcp(&mut visit));
        }
    });
    port
}

fn answer_over_tcp(visit: &mut TcpStream) -> Option<()> {
    let mut length = [0; 2];
    visit.read_exact(&mut length).ok()?;
    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
    visit.read_exact(&mut question).ok()?;
    let said = answer(&question, false);
    visit.write_all(&(said.len() as u16).to_be_bytes()).ok()?;
    visit.write_all(&said).ok()
}

fn answer(question: &[u8], datagram: bool) -> Vec<u8> {
    let asked = Packet::parse(question).unwrap();
    let name = asked.questions[0].qname.to_string();
    let mut reply = asked.clone().into_reply();
    let known = name == "www.example.org" || name.starts_with("long");
    match known {
        true if datagram && name.starts_with("long") => reply.set_flags(PacketFlag::TRUNCATION),
        true => {
            let data = RData::A(A { address: Ipv4Addr::new(10, 20, 0, 4).into() });
            let name = Name::new(&name).unwrap().into_owned();
            reply.answers.push(ResourceRecord::new(name, CLASS::IN, 60, data));
        }
        false => *reply.rcode_mut() = RCODE::NameError,
    }
    reply.build_bytes_vec().unwrap()
}
