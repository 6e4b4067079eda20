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
    /// Send an ICMP echo request; open means an echo reply.
    Icmp {
        /// Host name or address.
        host: String,
    },
    /// Ask a name server; open means an answer that holds a record, `answer` among them if given.
    Dns {
        /// The name to ask for.
        name: String,
        /// Host name or address of the name server.
        server: String,
        /// Its port.
        port: u16,
        /// The kind of record to ask for.
        record: Record,
        /// What a record of the answer must say.
        answer: Option<String>,
        /// UDP or TCP. `None`: from the controller UDP (and TCP where the answer is too long for it), from a host
        /// TCP, through its own SSH connection.
        transport: Option<Transport>,
    },
}

/// Kinds of DNS records that a probe asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Record {
    /// IPv4 address.
    #[default]
    A,
    /// IPv6 address.
    Aaaa,
    /// Another name for it.
    Cname,
    /// Mail servers.
    Mx,
    /// Name servers of the zone.
    Ns,
    /// The name of an address; the probe's `name` may be the address itself.
    Ptr,
    /// Start of authority of the zone.
    Soa,
    /// Where a service is.
    Srv,
    /// Free text.
    Txt,
}

/// The port that name servers listen on.
pub const DNS_PORT: u16 = 53;

/// How DNS messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// A datagram.
    Udp,
    /// A connection.
    Tcp,
}

impl Record {
    /// As it is written in zone files.
    pub fn word(self) -> &'static str {
        match self {
            Record::A => "A",
            Record::Aaaa => "AAAA",
            Record::Cname => "CNAME",
            Record::Mx => "MX",
            Record::Ns => "NS",
            Record::Ptr => "PTR",
            Record::Soa => "SOA",
            Record::Srv => "SRV",
            Record::Txt => "TXT",
        }
    }
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

impl Expect {
    /// The word in files, journals and reports.
    pub fn word(self) -> &'static str {
        match self {
            Expect::Open => "open",
            Expect::Closed => "closed",
        }
    }
}
