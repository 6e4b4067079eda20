//! The shape of a probe.

use crate::load::shapes::{At, Length};
use crate::model::probe::Expect;
use schemars::JsonSchema;
use serde::Deserialize;

/// A read-only test of reachability or service. Exactly one of `tcp`, `http` and `command`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Probe", extend("oneOf" = [{"required": ["tcp"]}, {"required": ["http"]}, {"required": ["command"]}]))]
pub(in crate::load) struct Probe {
    /// `host:port` to connect to; `[::1]:22` for IPv6. A host name of the inventory stands for its address.
    pub(in crate::load) tcp: Option<At<String>>,
    /// `http://host[:port][/path]` to GET.
    pub(in crate::load) http: Option<At<String>>,
    /// The exact status that `http` must answer; otherwise any below 400.
    pub(in crate::load) status: Option<At<u16>>,
    /// Text that the body of `http` must contain.
    pub(in crate::load) contains: Option<At<String>>,
    /// A read-only POSIX sh script that must exit 0.
    pub(in crate::load) command: Option<At<String>>,
    /// Where the probe starts: a host name, `controller` (the default), or `task` for the host of the task.
    pub(in crate::load) from: Option<At<String>>,
    /// What must be seen: `open` (the default) or `closed`.
    pub(in crate::load) expect: Option<At<Expect>>,
    /// How long one try may take: 3s by default, 30s for `command`.
    pub(in crate::load) timeout: Option<At<Length>>,
    /// How long to go on trying until what is expected is seen; by default there is one try.
    pub(in crate::load) within: Option<At<Length>>,
}
