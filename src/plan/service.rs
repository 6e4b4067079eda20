//! A service as a plan keeps it.

use crate::model::Millis;
use crate::model::inventory::ServicePlace;
use crate::model::names::ServiceName;
use crate::model::probe::Probe;
use serde::{Deserialize, Serialize};

/// Something that people or systems depend on, as the plan knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedService {
    /// Its name.
    pub name: ServiceName,
    /// The host it runs on, or the zone it comes from.
    pub place: ServicePlace,
    /// Services it cannot do without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<ServiceName>,
    /// Recovery time objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Millis>,
    /// How to tell whether it is up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
}
