//! What is needed to reach one host.

use crate::model::inventory::SshSettings;
use crate::model::names::HostName;
use crate::model::secret::Secret;
use crate::transport::wire::Link;
use std::rc::Rc;

/// Called with a sentence about a wait that goes on.
pub type TellWait = Rc<dyn Fn(&str)>;

/// A host to be reached, its secrets in hand and the link to its jump host already open.
#[derive(Clone)]
pub struct Target {
    /// What the inventory calls it.
    pub name: HostName,
    /// Its connection settings.
    pub settings: SshSettings,
    /// The login password, for `password` and `keyboard-interactive`.
    pub password: Option<Secret>,
    /// The passphrase of its encrypted identity files.
    pub passphrase: Option<Secret>,
    /// The link to the inventory's jump host.
    pub via: Option<Rc<dyn Link>>,
    /// Told, once, of a wait that is long enough for people to wonder.
    pub tell: Option<TellWait>,
}
