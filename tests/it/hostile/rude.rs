//! A made-up host that does not keep to SSH: its handshake is made here, packet by packet, so that it can say what no
//! library lets a server say, and can fall silent anywhere.

use ring::aead::chacha20_poly1305_openssh::{KEY_LEN, OpeningKey, SealingKey, TAG_LEN};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

const VERSION: &str = "SSH-2.0-Rude_1.0";
pub const DISCONNECT: u8 = 1;
pub const DEBUG: u8 = 4;
const SERVICE_REQUEST: u8 = 5;
const SERVICE_ACCEPT: u8 = 6;
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const ECDH_INIT: u8 = 30;
const ECDH_REPLY: u8 = 31;
pub const USERAUTH_REQUEST: u8 = 50;
const USERAUTH_SUCCESS: u8 = 52;
pub const USERAUTH_BANNER: u8 = 53;
pub const GLOBAL_REQUEST: u8 = 80;
pub const CHANNEL_OPEN: u8 = 90;
const CHANNEL_OPEN_CONFIRMATION: u8 = 91;
pub const CHANNEL_OPEN_FAILURE: u8 = 92;
pub const WINDOW_ADJUST: u8 = 93;
pub const CHANNEL_DATA: u8 = 94;
pub const CHANNEL_EXTENDED_DATA: u8 = 95;
pub const CHANNEL_REQUEST: u8 = 98;
pub const CHANNEL_CLOSE: u8 = 97;
pub const CHANNEL_SUCCESS: u8 = 99;

/// A server on a port of its own. Its threads end with the connections, which the program under test ends.
pub struct Rude {
    pub addr: SocketAddr,
    pub key: String,
}

/// What a host proves itself with.
pub struct HostKey(Ed25519KeyPair);

impl HostKey {
    pub fn new() -> Self {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).expect("the system has random numbers");
        Self(Ed25519KeyPair::from_seed_unchecked(&seed).expect("any seed is good"))
    }

    fn blob(&self) -> Vec<u8> {
        [string(b"ssh-ed25519"), string(self.0.public_key().as_ref())].concat()
    }
}

impl Rude {
    /// Behaves so with every connection.
    pub fn new(conduct: impl Fn(TcpStream, &HostKey) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let key = HostKey::new();
        let public =
            ssh_key::public::Ed25519PublicKey(key.0.public_key().as_ref().try_into().expect("32 bytes"));
        let line = ssh_key::PublicKey::from(public).to_openssh().expect("it can be written");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let addr = listener.local_addr().expect("it is bound");
        let (conduct, key) = (Arc::new(conduct), Arc::new(key));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (conduct, key) = (conduct.clone(), key.clone());
                // That the program hangs up is the end of most of them.
                std::thread::spawn(move || drop(conduct(stream, &key)));
            }
        });
        Self { addr, key: line }
    }

    /// Behaves so with every connection that has let us in.
    pub fn inside(then: impl Fn(&mut Talk) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::new(move |stream, key| {
            let mut talk = Talk::begin(stream, key)?;
            talk.let_in()?;
            then(&mut talk)
        })
    }

    /// As an inventory has it.
    pub fn known(&self, name: &'static str) -> super::desk::Known {
        super::desk::Known { name, addr: self.addr, key: self.key.clone(), more: String::new() }
    }
}

/// One connection, keys exchanged.
pub struct Talk {
    stream: TcpStream,
    sealing: Option<SealingKey>,
    opening: Option<OpeningKey>,
    sent: u32,
    received: u32,
    theirs: String,
    session_id: Vec<u8>,
}

impl Talk {
    /// Identification and the first exchange of keys.
    pub fn begin(stream: TcpStream, key: &HostKey) -> io::Result<Self> {
        let mut talk = Self::start(stream)?;
        talk.exchange_keys(key, "none")?;
        Ok(talk)
    }

    /// Identification alone.
    pub fn start(mut stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.write_all(format!("{VERSION}\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        let theirs = String::from_utf8_lossy(&line).trim_end().to_owned();
        Ok(Self {
            stream,
            sealing: None,
            opening: None,
            sent: 0,
            received: 0,
            theirs,
            session_id: Vec::new(),
        })
    }

    /// Exchanges keys, for the first time or again, proving itself by `key`.
    pub fn exchange_keys(&mut self, key: &HostKey, compression: &str) -> io::Result<()> {
        let mut ours = vec![KEXINIT];
        ours.extend([7; 16]);
        for names in [
            "curve25519-sha256",
            "ssh-ed25519",
            "chacha20-poly1305@openssh.com",
            "chacha20-poly1305@openssh.com",
            "hmac-sha2-256",
            "hmac-sha2-256",
            compression,
            compression,
            "",
            "",
        ] {
            ours.extend(string(names.as_bytes()));
        }
        ours.extend([0; 5]);
        self.send(&ours)?;
        let theirs = self.wait_for(KEXINIT)?;
        let init = self.wait_for(ECDH_INIT)?;
        let client = &init[5..];
        let random = SystemRandom::new();
        let secret = EphemeralPrivateKey::generate(&X25519, &random).map_err(strange)?;
        let public = secret.compute_public_key().map_err(strange)?;
        let shared =
            agree_ephemeral(secret, &UnparsedPublicKey::new(&X25519, client), mpint).map_err(strange)?;
        let blob = key.blob();
        let mut hash = Sha256::new();
        for part in
            [self.theirs.as_bytes(), VERSION.as_bytes(), &theirs, &ours, &blob, client, public.as_ref()]
        {
            hash.update(string(part));
        }
        hash.update(&shared);
        let hash = hash.finalize().to_vec();
        let signature = [string(b"ssh-ed25519"), string(key.0.sign(&hash).as_ref())].concat();
        let reply = [vec![ECDH_REPLY], string(&blob), string(public.as_ref()), string(&signature)].concat();
        self.send(&reply)?;
        self.send(&[NEWKEYS])?;
        if self.session_id.is_empty() {
            self.session_id.clone_from(&hash);
        }
        let sealing = SealingKey::new(&self.derive(b'D', &shared, &hash));
        self.sealing = Some(sealing);
        self.wait_for(NEWKEYS)?;
        self.opening = Some(OpeningKey::new(&self.derive(b'C', &shared, &hash)));
        Ok(())
    }

    fn derive(&self, letter: u8, shared: &[u8], hash: &[u8]) -> [u8; KEY_LEN] {
        let digest = |parts: &[&[u8]]| {
            let mut digest = Sha256::new();
            parts.iter().for_each(|part| digest.update(part));
            digest.finalize().to_vec()
        };
        let first = digest(&[shared, hash, &[letter], &self.session_id]);
        let second = digest(&[shared, hash, &first]);
        [first, second].concat().try_into().expect("two digests make a key")
    }

    /// Is ready to hear who we are.
    pub fn accept_login(&mut self) -> io::Result<()> {
        self.wait_for(SERVICE_REQUEST)?;
        self.send(&[vec![SERVICE_ACCEPT], string(b"ssh-userauth")].concat())
    }

    /// Lets us in at the first request, whatever it is.
    pub fn let_in(&mut self) -> io::Result<()> {
        self.accept_login()?;
        self.wait_for(USERAUTH_REQUEST)?;
        self.send(&[USERAUTH_SUCCESS])
    }

    /// Opens the channel that we want and starts its command; its number on our side.
    pub fn take_channel(&mut self, window: u32) -> io::Result<u32> {
        let theirs = self.open_channel(window)?;
        self.wait_for(CHANNEL_REQUEST)?;
        self.send(&about(CHANNEL_SUCCESS, theirs))?;
        Ok(theirs)
    }

    /// Opens the channel that we want; its number on our side.
    pub fn open_channel(&mut self, window: u32) -> io::Result<u32> {
        let theirs = self.asked_for()?;
        self.confirm(theirs, window)?;
        Ok(theirs)
    }

    /// The number of the channel that we want opened.
    pub fn asked_for(&mut self) -> io::Result<u32> {
        let open = self.wait_for(CHANNEL_OPEN)?;
        let at = 1 + 4 + "session".len();
        Ok(u32::from_be_bytes(open[at..at + 4].try_into().expect("four bytes")))
    }

    /// Opens it, with the same number on its own side.
    pub fn confirm(&mut self, theirs: u32, window: u32) -> io::Result<()> {
        let mut confirm = vec![CHANNEL_OPEN_CONFIRMATION];
        for number in [theirs, theirs, window, 32 * 1024] {
            confirm.extend(number.to_be_bytes());
        }
        self.send(&confirm)
    }

    /// The next packet of a kind; others are not for us.
    pub fn wait_for(&mut self, kind: u8) -> io::Result<Vec<u8>> {
        loop {
            let packet = self.receive()?;
            if packet.first() == Some(&kind) {
                return Ok(packet);
            }
        }
    }

    /// Says the same until nobody listens.
    pub fn say_for_ever(&mut self, packet: &[u8]) -> io::Result<()> {
        loop {
            self.send(packet)?;
        }
    }

    /// Listens and says nothing until nobody speaks.
    pub fn be_silent(&mut self) -> io::Result<()> {
        loop {
            self.receive()?;
        }
    }

    pub fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        // The length itself counts for the padding only as long as it is not encrypted apart.
        let counted = payload.len() + 1 + if self.sealing.is_none() { 4 } else { 0 };
        let padding = 4 + (8 - (counted + 4) % 8) % 8;
        let mut packet = ((payload.len() + 1 + padding) as u32).to_be_bytes().to_vec();
        packet.push(padding as u8);
        packet.extend_from_slice(payload);
        packet.resize(packet.len() + padding, 0);
        if let Some(sealing) = &self.sealing {
            let mut tag = [0; TAG_LEN];
            sealing.seal_in_place(self.sent, &mut packet, &mut tag);
            packet.extend_from_slice(&tag);
        }
        self.sent = self.sent.wrapping_add(1);
        self.stream.write_all(&packet)
    }

    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head)?;
        let length = match &self.opening {
            Some(opening) => opening.decrypt_packet_length(self.received, head),
            None => head,
        };
        let mut packet = head.to_vec();
        packet.resize(4 + u32::from_be_bytes(length) as usize, 0);
        self.stream.read_exact(&mut packet[4..])?;
        if let Some(opening) = &self.opening {
            let mut tag = [0; TAG_LEN];
            self.stream.read_exact(&mut tag)?;
            opening.open_in_place(self.received, &mut packet, &tag).map_err(strange)?;
        }
        self.received = self.received.wrapping_add(1);
        let padding = packet[4] as usize;
        Ok(packet[5..packet.len() - padding].to_vec())
    }
}

/// A message about a channel that says no more.
pub fn about(kind: u8, channel: u32) -> Vec<u8> {
    [&[kind][..], &channel.to_be_bytes()].concat()
}

/// Bytes with their length before them.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

fn mpint(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    match bytes.first() {
        Some(128..) => string(&[&[0], bytes].concat()),
        _ => string(bytes),
    }
}

fn strange(_: ring::error::Unspecified) -> io::Error {
    io::Error::other("the other side's packets make no sense")
}
