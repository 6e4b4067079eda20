//! A made-up host behind russh: it keeps to SSH, and says over it whatever a test wants said.

use super::brain::{Brain, Flood, Order, Say, honest};
use crate::support::sshd::{keygen, public_line};
use russh::keys::PrivateKey;
use russh::server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Response, Session};
use russh::{Channel, ChannelId, ChannelMsg, Disconnect, MethodKind, MethodSet, Sig, SshId};
use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// One message of a flood.
const FLOOD_BYTES: usize = 16 * 1024;

/// What a host answers to an order; `None`: what an honest one would.
pub type Answer = Arc<dyn Fn(&Order) -> Option<Vec<Say>> + Send + Sync>;

/// How it lets people in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Door {
    /// Everybody with any key.
    #[default]
    Key,
    /// Everybody with any password, and nobody without.
    Password,
    /// Nobody, whatever the password.
    Refuses,
    /// Everybody, without having asked for anything.
    Open,
    /// Every proof is good and there is always another to give.
    NeverEnough,
    /// Asks for the password, over and over.
    AsksAgain,
    /// Asks for a code that is shown as it is typed, and for a new password, in one breath with the password.
    AsksForMore,
    /// Never says a word to any proof.
    Silent,
    /// Asks for the password in these words, before, around and in the question, and takes any answer.
    AsksIn(&'static str),
}

/// How it behaves.
#[derive(Clone)]
pub struct Manners {
    pub answer: Answer,
    pub door: Door,
    /// What it takes from us before it says that it may be more, which it never says.
    pub rekey_after: Option<usize>,
    /// What it calls itself.
    pub version: String,
    /// What it says to everybody who wants in.
    pub banner: Option<String>,
}

/// What it has heard.
#[derive(Debug, Default)]
pub struct Heard {
    /// Every byte on a channel.
    pub bytes: Vec<u8>,
    /// Everything else about channels: requests for commands, variables, agents, screens.
    pub requests: Vec<String>,
    /// Proofs: user, method and what was offered.
    pub proofs: Vec<String>,
    /// Orders.
    pub orders: Vec<Order>,
    /// Channels that we wanted to open towards the controller, and what it said.
    pub opened: Vec<String>,
    /// Every byte that went through it to another host and back.
    pub through: Vec<u8>,
}

/// A server on a port of its own, ended with the test.
pub struct Server {
    pub addr: SocketAddr,
    pub key: String,
    heard: Arc<Mutex<Heard>>,
    _stop: mpsc::Sender<()>,
    _dir: tempfile::TempDir,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            answer: Arc::new(|_| None),
            door: Door::Key,
            rekey_after: None,
            version: "SSH-2.0-Polite_1.0".to_owned(),
            banner: None,
        }
    }
}

impl Server {
    /// One that answers in this way, and is honest where that says nothing.
    pub fn answering(answer: impl Fn(&Order) -> Option<Vec<Say>> + Send + Sync + 'static) -> Self {
        Self::with(Manners { answer: Arc::new(answer), ..Manners::default() })
    }

    pub fn with(manners: Manners) -> Self {
        let dir = tempfile::tempdir().expect("a directory can be made");
        let path = dir.path().join("host");
        keygen(&path, "ed25519", "");
        let key = russh::keys::load_secret_key(&path, None).expect("ssh-keygen makes good keys");
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (stop, stopped) = mpsc::channel(1);
        let (tell, told) = std::sync::mpsc::channel();
        let shared = heard.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            let runtime = runtime.expect("a runtime can be made");
            runtime.block_on(serve(config(key, &manners), manners, shared, tell, stopped));
            runtime.shutdown_background();
        });
        let addr = told.recv().expect("it listens");
        Self { addr, key: public_line(&path.with_extension("pub")), heard, _stop: stop, _dir: dir }
    }

    /// What it has heard so far.
    pub fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().expect("nobody panicked with it")
    }

    /// As an inventory has it.
    pub fn known(&self, name: &'static str) -> super::desk::Known {
        super::desk::Known { name, addr: self.addr, key: self.key.clone(), more: String::new() }
    }
}

fn config(key: PrivateKey, manners: &Manners) -> Arc<Config> {
    let methods = match manners.door {
        Door::AsksAgain | Door::AsksForMore | Door::AsksIn(_) => {
            MethodSet::from(&[MethodKind::KeyboardInteractive][..])
        }
        Door::Password | Door::Refuses => MethodSet::from(&[MethodKind::Password][..]),
        Door::Key | Door::Open | Door::NeverEnough | Door::Silent => MethodSet::server_supported(),
    };
    let mut config = Config {
        keys: vec![key],
        methods,
        server_id: SshId::Standard(manners.version.clone().into()),
        auth_rejection_time: Duration::ZERO,
        max_auth_attempts: usize::MAX,
        inactivity_timeout: None,
        nodelay: true,
        ..Config::default()
    };
    if let Some(bytes) = manners.rekey_after {
        config.limits = russh::Limits::new(bytes, bytes, Duration::from_secs(3600));
    }
    Arc::new(config)
}

async fn serve(
    config: Arc<Config>,
    manners: Manners,
    heard: Arc<Mutex<Heard>>,
    tell: std::sync::mpsc::Sender<SocketAddr>,
    mut stopped: mpsc::Receiver<()>,
) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    tell.send(listener.local_addr().expect("it is bound")).expect("somebody waits for it");
    loop {
        let stream = tokio::select! {
            _ = stopped.recv() => return,
            accepted = listener.accept() => accepted.expect("it can be taken").0,
        };
        let host = Host { manners: manners.clone(), heard: heard.clone() };
        let config = config.clone();
        tokio::spawn(async move {
            if let Ok(session) = russh::server::run_stream(config, stream, host).await {
                let _ = session.await;
            }
        });
    }
}

struct Host {
    manners: Manners,
    heard: Arc<Mutex<Heard>>,
}

impl Host {
    fn proof(&self, what: String) -> Result<Auth, russh::Error> {
        self.heard.lock().expect("nobody panicked with it").proofs.push(what);
        Ok(match self.manners.door {
            Door::Key | Door::Password | Door::Open | Door::AsksIn(_) => Auth::Accept,
            Door::Refuses => Auth::reject(),
            Door::NeverEnough => Auth::Reject {
                proceed_with_methods: Some(MethodSet::server_supported()),
                partial_success: true,
            },
            Door::AsksAgain | Door::AsksForMore => question(self.manners.door),
            Door::Silent => unreachable!("it waits for ever"),
        })
    }

    async fn wait_for_ever(&self) {
        if self.manners.door == Door::Silent {
            std::future::pending::<()>().await;
        }
    }
}

fn question(door: Door) -> Auth {
    if let Door::AsksIn(words) = door {
        let prompts = vec![(Cow::Borrowed(words), false)];
        return Auth::Partial { name: words.into(), instructions: words.into(), prompts: prompts.into() };
    }
    let prompts: &'static [(Cow<'static, str>, bool)] = match door {
        Door::AsksForMore => {
            const {
                &[
                    (Cow::Borrowed("Code: "), true),
                    (Cow::Borrowed("Password: "), false),
                    (Cow::Borrowed("Password of the domain administrator: "), false),
                ]
            }
        }
        _ => const { &[(Cow::Borrowed("Password: "), false)] },
    };
    Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() }
}

impl Handler for Host {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        Ok(self.manners.banner.clone())
    }

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Self::Error> {
        match self.manners.door {
            Door::Open => self.proof(format!("{user} none")),
            _ => Ok(Auth::reject()),
        }
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        self.wait_for_ever().await;
        self.proof(format!("{user} password {password}"))
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: russh::server::VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        self.wait_for_ever().await;
        self.proof(format!("{user} publickey {}", key.public_key.to_openssh().unwrap_or_default()))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let answers = response.map(|answers| {
            answers.map(|answer| String::from_utf8_lossy(&answer).into_owned()).collect::<Vec<_>>().join("|")
        });
        match answers {
            None => Ok(question(self.manners.door)),
            Some(answers) => self.proof(format!("{user} answers {answers}")),
        }
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        let behind = Behind {
            manners: self.manners.clone(),
            heard: self.heard.clone(),
            handle: session.handle(),
            brain: Brain::default(),
        };
        tokio::spawn(behind.serve(channel));
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _data: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _from: &str,
        _from_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let port = u16::try_from(port).expect("a port is small");
        let Ok(there) = TcpStream::connect((host, port)).await else { return Ok(()) };
        reply.accept().await;
        tokio::spawn(carry(channel, there, self.heard.clone()));
        Ok(())
    }
}

/// Carries bytes both ways as a jump host does, and keeps a copy of each.
async fn carry(channel: Channel<Msg>, mut there: TcpStream, heard: Arc<Mutex<Heard>>) {
    let mut here = channel.into_stream();
    let (mut ours, mut theirs) = (vec![0; FLOOD_BYTES], vec![0; FLOOD_BYTES]);
    loop {
        let (read, to_there) = tokio::select! {
            read = here.read(&mut ours) => (read, true),
            read = there.read(&mut theirs) => (read, false),
        };
        let Ok(1..) = read else { return };
        let length = read.expect("it is more than none");
        let bytes = if to_there { &ours[..length] } else { &theirs[..length] };
        heard.lock().expect("nobody panicked with it").through.extend_from_slice(bytes);
        let sent = if to_there { there.write_all(bytes).await } else { here.write_all(bytes).await };
        if sent.is_err() {
            return;
        }
    }
}

/// What stands behind one channel.
struct Behind {
    manners: Manners,
    heard: Arc<Mutex<Heard>>,
    handle: Handle,
    brain: Brain,
}

impl Behind {
    async fn serve(mut self, channel: Channel<Msg>) {
        let (mut from, to) = channel.split();
        let id = to.id();
        let to = Arc::new(to);
        while let Some(message) = from.wait().await {
            let ChannelMsg::Data { data } = message else {
                if !matches!(message, ChannelMsg::WindowAdjusted { .. }) {
                    self.heard.lock().expect("nobody panicked with it").requests.push(format!("{message:?}"));
                }
                if matches!(message, ChannelMsg::Eof) {
                    let _ = (to.exit_status(0).await, to.close().await);
                }
                continue;
            };
            let orders = self.brain.take(&data);
            {
                let mut heard = self.heard.lock().expect("nobody panicked with it");
                heard.bytes.extend_from_slice(&data);
                heard.orders.extend(orders.iter().cloned());
            }
            for order in orders {
                let says = (self.manners.answer)(&order).unwrap_or_else(|| honest(&order));
                for say in says {
                    let handle = self.handle.clone();
                    let _ = match say {
                        Say::Out(bytes) => to.data_bytes(bytes).await,
                        Say::Err(bytes) => to.extended_data_bytes(1, bytes).await,
                        Say::Status(status) => to.exit_status(status).await,
                        Say::Signal(name) => {
                            let signal = Sig::Custom(name.clone());
                            let _ =
                                handle.exit_signal_request(id, signal, false, name, "en".to_owned()).await;
                            Ok(())
                        }
                        Say::Goodbye(words) => {
                            let _ =
                                handle.disconnect(Disconnect::ByApplication, words, "en".to_owned()).await;
                            Ok(())
                        }
                        Say::Eof => to.eof().await,
                        Say::Close => to.close().await,
                        Say::Flood(flood) => {
                            tokio::spawn(flood_with(flood, to.clone(), id, handle, self.heard.clone()));
                            Ok(())
                        }
                    };
                }
            }
        }
    }
}

/// Goes on until nobody listens.
async fn flood_with(
    flood: Flood,
    to: Arc<russh::ChannelWriteHalf<Msg>>,
    id: ChannelId,
    handle: Handle,
    heard: Arc<Mutex<Heard>>,
) {
    loop {
        let went = match flood {
            Flood::Out => to.data_bytes(vec![b'x'; FLOOD_BYTES]).await.is_ok(),
            Flood::Both => {
                let out = to.data_bytes(vec![b'x'; FLOOD_BYTES]).await.is_ok();
                out && to.extended_data_bytes(1, vec![b'y'; FLOOD_BYTES]).await.is_ok()
            }
            Flood::Requests => handle.xon_xoff_request(id, true).await.is_ok(),
            Flood::Opens => {
                let answers = [
                    ("x11", handle.channel_open_x11("127.0.0.1", 6000).await.map(drop)),
                    ("agent", handle.channel_open_agent().await.map(drop)),
                    (
                        "forwarded-tcpip",
                        handle.channel_open_forwarded_tcpip("h", 22, "h", 22).await.map(drop),
                    ),
                    ("session", handle.channel_open_session().await.map(drop)),
                ];
                let mut heard = heard.lock().expect("nobody panicked with it");
                let answer = |(kind, answer): (&str, Result<(), russh::Error>)| format!("{kind}: {answer:?}");
                heard.opened.extend(answers.into_iter().map(answer));
                return;
            }
        };
        if !went {
            return;
        }
    }
}
