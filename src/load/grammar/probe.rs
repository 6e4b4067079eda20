//! The shape of a probe.

use crate::load::shapes::{At, Length};
use crate::model::probe::{Expect, Record, Transport};
use schemars::JsonSchema;
use serde::Deserialize;

/// A read-only test of reachability or service. Exactly one of `tcp`, `http`, `icmp`, `dns` and `command`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Probe", extend("oneOf" = [{"required": ["tcp"]}, {"required": ["http"]}, {"required": ["icmp"]}, {"required": ["dns"]}, {"required": ["command"]}]))]
pub(in crate::load) struct Probe {
    /// `host:port` to connect to; `[::1]:22` for IPv6. A host name of the inventory stands for its address.
    pub(in crate::load) tcp: Option<At<String>>,
    /// `http://host[:port][/path]` to GET.
    pub(in crate::load) http: Option<At<String>>,
    /// The exact status that `http` must answer; otherwise any below 400.
    pub(in crate::load) status: Option<At<u16>>,
    /// Text that the body of `http` must contain.
    pub(in crate::load) contains: Option<At<String>>,
    /// Host name or address to ping, by the vantage point's own `ping`.
    pub(in crate::load) icmp: Option<At<String>>,
    /// A question for a name server.
    pub(in crate::load) dns: Option<At<Dns>>,
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

/// A question for a name server; an answer that holds a record is open.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Dns")]
pub(in crate::load) struct Dns {
    /// The name to ask for; for `PTR` an address will do.
    #[schemars(required)]
    pub(in crate::load) name: Option<At<String>>,
    /// `host` or `host:port` of the name server. A host name of the inventory stands for its address.
    #[schemars(required)]
    pub(in crate::load) server: Option<At<String>>,
    /// The kind of record: `A` by default.
    #[serde(rename = "type")]
    pub(in crate::load) record: Option<At<Record>>,
    /// What a record of the answer must say, such as `10.20.0.4`.
    pub(in crate::load) answer: Option<At<String>>,
    /// `udp` or `tcp`; by default udp from the controller and tcp from a host, through its SSH connection.
    pub(in crate::load) transport: Option<At<Transport>>,
}
