//! A read-only test of reachability or service, from a named vantage point.

use super::names::HostName;
use super::time::Millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One probe. Texts may hold `{{name}}` placeholders that a task's values fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// What is tried.
    pub what: ProbeKind,
    /// From where. `None` is the controller. From a host it goes through that host's own SSH connection
    /// (direct-tcpip), so that the host needs no tool.
    pub from: Option<Vantage>,
    /// What must be seen.
    pub expect: Expect,
    /// How long one try may take.
    pub timeout: Millis,
    /// How long to go on trying until the expectation is met; 0 is one try.
    pub within: Millis,
}

/// Where a probe starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vantage {
    /// The controller itself.
    Controller,
    /// The host the task runs on.
    Task,
    /// A named host.
    Host(HostName),
}

/// What a probe tries. A host name of the inventory as target stands for that host's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ProbeKind {
    /// Open a TCP connection.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// GET over HTTP/1.1 (no TLS); open means an answer with a status below 400, or `status` if given.
    Http {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// Path with query, starting with `/`.
        path: String,
        /// The exact status to expect.
        status: Option<u16>,
        /// Text that the body must contain.
        contains: Option<String>,
    },
    /// Run a read-only command on the vantage host; open means exit status 0.
    Command {
        /// A POSIX sh script.
        script: String,
    },
}

/// What a probe must see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// The target answers.
    #[default]
    Open,
    /// The target does not answer: refused, filtered or unreachable.
    Closed,
}
