//! The hosts of a run: each made when it is first needed, each with the secrets that are its own.

use crate::drive::secrets::Secrets;
use crate::model::inventory::{Become, Reach, SshSettings};
use crate::model::names::{HostIx, HostName, RunId, SecretName};
use crate::model::secret::{Secret, SecretSource};
use crate::plan::Plan;
use crate::transport::ssh::{self, Deadlines, Target, TellWait};
use crate::transport::wire::{Pending, Trouble, TroubleKind};
use crate::transport::{Attempts, Connector, Host, Link, Local, Remote};
use futures_util::future::join_all;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Called with a host and its connection's facts whenever a connection was made.
pub type OnReached = Rc<dyn Fn(HostIx, &str)>;

/// Every host a plan names, and the controller.
pub struct Fleet {
    plan: Arc<Plan>,
    run: RunId,
    roads: Rc<Roads>,
    on_reached: OnReached,
    /// Do hosts keep the connection of a probe for the next one?
    keeps_links: bool,
    hosts: RefCell<BTreeMap<HostIx, Rc<dyn Remote>>>,
    controller: RefCell<Option<Rc<dyn Remote>>>,
}

/// What is needed to connect to any host of the plan, jump hosts included.
struct Roads {
    plan: Arc<Plan>,
    secrets: Secrets,
    become_password: Option<Secret>,
    deadlines: Deadlines,
    /// Told of waits that go on for so long that people wonder.
    tell: RefCell<Option<TellWait>>,
    /// A link that stands to each jump host, for those behind it.
    links: RefCell<BTreeMap<HostIx, Rc<dyn Link>>>,
    /// What is known of each host's door.
    doors: RefCell<BTreeMap<HostIx, Rc<Door>>>,
}

/// The way into a host, for all who want through it at the same time: those who want to it and those behind it.
#[derive(Default)]
struct Door {
    /// One connection is made for all who stand behind a jump host.
    way: Attempts,
    /// A password is tried by one, and by the others only if it was good.
    turn: Mutex<()>,
    was_good: Cell<bool>,
    refused: RefCell<Option<Trouble>>,
}

impl Fleet {
    /// Knows the way to every host; contacts none.
    pub fn new(
        plan: Arc<Plan>,
        run: RunId,
        secrets: Secrets,
        become_password: Option<Secret>,
        on_reached: OnReached,
    ) -> Self {
        let roads = Roads {
            plan: plan.clone(),
            secrets,
            become_password,
            deadlines: Deadlines::default(),
            tell: RefCell::default(),
            links: RefCell::default(),
            doors: RefCell::default(),
        };
        Self {
            plan,
            run,
            roads: Rc::new(roads),
            on_reached,
            keeps_links: false,
            hosts: RefCell::default(),
            controller: RefCell::default(),
        }
    }

    /// With these in the place of the plan's hosts, such as made-up ones.
    pub fn with_hosts(self, hosts: impl IntoIterator<Item = (HostIx, Rc<dyn Remote>)>) -> Self {
        Self { hosts: RefCell::new(hosts.into_iter().collect()), ..self }
    }

    /// For somebody who looks again and again: without a login for each look.
    pub fn keeping_links(self) -> Self {
        Self { keeps_links: true, ..self }
    }

    /// Tells of waits for hosts that go on for so long that people wonder.
    pub fn on_wait(&self, tell: TellWait) {
        *self.roads.tell.borrow_mut() = Some(tell);
    }

    /// A host of the plan.
    pub fn host(&self, ix: HostIx) -> Rc<dyn Remote> {
        if let Some(host) = self.hosts.borrow().get(&ix) {
            return host.clone();
        }
        let planned = &self.plan.hosts[ix.at()];
        let (reach, password) = self.roads.becoming(&planned.reach);
        let connector: Rc<dyn Connector> = match &planned.reach {
            Reach::Local(_) => Rc::new(self.here()),
            Reach::Ssh(_) => Rc::new(Road { roads: self.roads.clone(), ix }),
        };
        let host = Host::new(planned.name.clone(), self.run.clone(), &reach, password, connector);
        host.keep_probe_links(self.keeps_links);
        let host: Rc<dyn Remote> = host;
        let on_reached = self.on_reached.clone();
        host.on_reached(Box::new(move |facts| on_reached(ix, facts)));
        self.hosts.borrow_mut().insert(ix, host.clone());
        host
    }

    /// The controller itself, for probes that start here.
    pub fn controller(&self) -> Rc<dyn Remote> {
        let mut controller = self.controller.borrow_mut();
        let make = || -> Rc<dyn Remote> {
            let reach = Reach::Local(Become::No);
            Host::new(HostName::from("controller"), self.run.clone(), &reach, None, Rc::new(self.here()))
        };
        controller.get_or_insert_with(make).clone()
    }

    fn here(&self) -> Here {
        let variable = |source: &SecretSource| match source {
            SecretSource::Env(variable) => Some(variable.clone()),
            SecretSource::File(_) | SecretSource::Prompt(_) | SecretSource::Command(_) => None,
        };
        Here(self.plan.secrets.values().filter_map(variable).collect())
    }

    /// Lets every connection go in good order.
    pub async fn close(&self) {
        let hosts: Vec<_> = self.hosts.borrow().values().cloned().collect();
        let controller = self.controller.borrow().clone();
        join_all(hosts.iter().chain(&controller).map(|host| host.close())).await;
    }
}

impl Roads {
    /// The host's settings with a user to become, and the password for that. A step that says `become: true`
    /// on a host that names nobody means root.
    fn becoming(&self, reach: &Reach) -> (Reach, Option<Secret>) {
        let mut reach = reach.clone();
        let becomes = match &mut reach {
            Reach::Local(becomes) => becomes,
            Reach::Ssh(ssh) => &mut ssh.becomes,
        };
        if *becomes == Become::No {
            *becomes = Become::Sudo { user: "root".to_owned(), password: None };
        }
        let Become::Sudo { password: named, .. } = becomes else { unreachable!("set just now") };
        let password = named.as_ref().map_or_else(|| self.become_password.clone(), |name| self.secret(name));
        (reach, password)
    }

    fn secret(&self, name: &SecretName) -> Option<Secret> {
        self.secrets.get(name).cloned()
    }

    /// Connects to a host, through its jump hosts; afresh, over nothing that stands.
    fn connect(&self, ix: HostIx, afresh: bool) -> Pending<'_, Result<Rc<dyn Link>, Trouble>> {
        Box::pin(async move {
            let planned = &self.plan.hosts[ix.at()];
            let Reach::Ssh(settings) = &planned.reach else {
                return Err(Trouble::new(
                    TroubleKind::Settings,
                    format!("host `{}` is local and no jump host", planned.name),
                ));
            };
            let door = self.door(ix);
            let by_password = settings.password.is_some();
            let _turn = match by_password && !door.was_good.get() {
                true => Some(door.turn.lock().await),
                false => None,
            };
            if let Some(trouble) = door.refused.borrow().as_ref() {
                return Err(trouble.clone());
            }
            let via = match &settings.jump {
                None => None,
                Some(jump) => Some(self.jump(jump, afresh).await?),
            };
            let target = self.target(&planned.name, settings, via);
            let connected = ssh::connect(&target, &self.deadlines).await;
            if by_password {
                match &connected {
                    Ok(_) => door.was_good.set(true),
                    Err(trouble) if !trouble.try_again() => {
                        *door.refused.borrow_mut() = Some(trouble.clone())
                    }
                    Err(_) => {}
                }
            }
            let link: Rc<dyn Link> = Rc::new(connected?);
            if self.is_jump(&planned.name) && !afresh {
                let mut links = self.links.borrow_mut();
                let standing = links.get(&ix).is_some_and(|link| link.is_up());
                if !standing {
                    links.insert(ix, link.clone());
                }
            }
            Ok(link)
        })
    }

    fn door(&self, ix: HostIx) -> Rc<Door> {
        self.doors.borrow_mut().entry(ix).or_default().clone()
    }

    /// Is a password sent on the way to this host, to it or to a jump host?
    fn sends_password(&self, ix: HostIx) -> bool {
        match &self.plan.hosts[ix.at()].reach {
            Reach::Local(_) => false,
            Reach::Ssh(ssh) => {
                let jump = ssh.jump.as_ref().and_then(|jump| self.plan.host_named(jump.as_str()));
                ssh.password.is_some() || jump.is_some_and(|jump| self.sends_password(jump))
            }
        }
    }

    fn target(&self, name: &HostName, settings: &SshSettings, via: Option<Rc<dyn Link>>) -> Target {
        Target {
            name: name.clone(),
            settings: settings.clone(),
            password: settings.password.as_ref().and_then(|name| self.secret(name)),
            passphrase: settings.passphrase.as_ref().and_then(|name| self.secret(name)),
            via,
            tell: self.tell.borrow().clone(),
        }
    }

    fn is_jump(&self, name: &HostName) -> bool {
        self.plan.hosts.iter().any(|host| match &host.reach {
            Reach::Local(_) => false,
            Reach::Ssh(ssh) => ssh.jump.as_ref() == Some(name),
        })
    }

    async fn jump(&self, name: &HostName, afresh: bool) -> Result<Rc<dyn Link>, Trouble> {
        let ix = self.plan.host_named(name.as_str()).ok_or_else(|| {
            Trouble::new(TroubleKind::Settings, format!("jump host `{name}` is not in the plan"))
        })?;
        let through =
            |trouble: Trouble| Trouble { what: format!("jump host `{name}`: {}", trouble.what), ..trouble };
        if afresh {
            return self.connect(ix, afresh).await.map_err(through);
        }
        let known = || self.links.borrow().get(&ix).filter(|link| link.is_up()).cloned().map(Ok);
        self.door(ix).way.share(known, async || self.connect(ix, afresh).await).await.map_err(through)
    }
}

/// The way to the controller itself, and the variables that hold secrets: a step gets what it names and no more.
struct Here(Vec<String>);

impl Connector for Here {
    fn connect<'a>(&'a self) -> Pending<'a, Result<Rc<dyn Link>, Trouble>> {
        Box::pin(async { Ok(Rc::new(Local::default().hiding(self.0.clone())) as Rc<dyn Link>) })
    }
}

/// The way to one host.
struct Road {
    roads: Rc<Roads>,
    ix: HostIx,
}

impl Connector for Road {
    fn connect<'a>(&'a self) -> Pending<'a, Result<Rc<dyn Link>, Trouble>> {
        self.roads.connect(self.ix, false)
    }

    fn connect_afresh<'a>(&'a self) -> Pending<'a, Result<Rc<dyn Link>, Trouble>> {
        self.roads.connect(self.ix, true)
    }
    fn sends_password(&self) -> bool {
        self.roads.sends_password(self.ix)
    }
}
