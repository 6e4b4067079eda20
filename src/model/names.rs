//! Names and indices: what things are called in files, and where they stand in a plan.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! name {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $Name(pub String);

        impl $Name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $Name {
            fn from(name: &str) -> Self {
                Self(name.to_owned())
            }
        }
        impl std::borrow::Borrow<str> for $Name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// What a host is called in the inventory.
    HostName
);
name!(
    /// What a group of hosts is called.
    GroupName
);
name!(
    /// What a zone is called.
    ZoneName
);
name!(
    /// What a conduit is called.
    ConduitName
);
name!(
    /// What a service is called.
    ServiceName
);
name!(
    /// What a phase is called; unique in a runbook.
    PhaseId
);
name!(
    /// What a step is called; unique in a runbook.
    StepId
);
name!(
    /// What a secret is called in a runbook.
    SecretName
);
name!(
    /// A run's id: a UUID of version 7 as 32 hexadecimal digits, so that ids sort by time.
    RunId
);

macro_rules! index {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $Name(pub u32);

        impl $Name {
            /// The index as a position in a slice.
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(
    /// A host's position in `Plan::hosts`.
    HostIx
);
index!(
    /// A phase's position in `Plan::phases`.
    PhaseIx
);
index!(
    /// A step's position in `Plan::steps`.
    StepIx
);
index!(
    /// A task's position in `Plan::tasks`. Tasks of one step stand side by side.
    TaskIx
);

/// May this be the name of a step, phase, host, group, zone, conduit, service or secret?
///
/// Names start with a letter or digit and go on with letters, digits, `.`, `_` and `-`, at most
/// 100 characters, so that they can be file names, shell words and host patterns unquoted.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    text.len() <= NAME_BYTES_MAX
        && chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Long enough for a fully qualified host name that people type, short enough for a table column.
pub const NAME_BYTES_MAX: usize = 100;
