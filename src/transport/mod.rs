//! Reaching a host: over SSH, locally, or by script. Never decides what runs, only how it gets there.

pub mod wire;
mod attempt;
pub mod work;
pub mod remote;
pub mod host;
pub mod lane;
pub mod local;
pub mod scripted;
pub mod ssh;
mod user;

pub use attempt::Attempts;
pub use host::{Connector, Host, LANES_MAX};
pub use local::Local;
pub use remote::{
    ArmOrder, FetchOrder, FetchWhat, GoLine, GuardAsk, GuardSays, GuardVerb, LaidReady, Lost, Remote, Staged,
    Stop, Stopper, UploadOrder,
};
pub use scripted::{Scripted, World};
pub use user::system_name;
pub use wire::{Connected, Link, Trouble, Wire};
