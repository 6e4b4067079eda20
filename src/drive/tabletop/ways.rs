//! Who is out of reach, and which services are down because of it.

use super::looks::Saw;
use super::world::World;
use crate::engine::Input;
use crate::model::Millis;
use crate::model::event::Stands;
use crate::model::inventory::ServicePlace;
use crate::model::names::HostIx;

impl World {
    /// Why the controller does not reach a host, if it does not. It always reaches itself.
    pub(super) fn unreachable(&self, host: Option<HostIx>) -> Option<String> {
        let host = host?;
        let way = &self.staging.terrain.hops(host);
        let silent = way.iter().find(|hop| self.silent[hop.at()] > 0);
        let name = |host: &HostIx| &self.staging.plan.hosts[host.at()].name;
        match silent {
            Some(hop) => Some(format!("{} does not answer", name(hop))),
            None if self.lie.cut_off[host.at()] => {
                Some(format!("no way leads to {}: it is cut off", name(&host)))
            }
            None => None,
        }
    }

    /// Hosts came into or out of reach.
    pub(super) fn ways_changed(&mut self) {
        for ix in (0..self.staging.plan.hosts.len() as u32).map(HostIx) {
            if self.unreachable(Some(ix)).is_some() {
                self.lose_links(ix);
            }
        }
        self.look_at_services();
    }

    /// Tells of every service that stands otherwise than before. It is up unless it lost what it
    /// needs, or there is no way to it from where people look at it.
    pub(super) fn look_at_services(&mut self) {
        let staging = self.staging.clone();
        if staging.plan.services.is_empty() {
            return;
        }
        let lost = staging.terrain.lost(&self.lie);
        for (ix, service) in staging.plan.services.iter().enumerate() {
            let silent = match &service.place {
                ServicePlace::Host(host) => staging
                    .plan
                    .host_named(host.as_str())
                    .filter(|host| self.silent[host.at()] > 0)
                    .map(|_| format!("{host} does not answer")),
                ServicePlace::Zone(_) => None,
            };
            let looked = staging.service_probes[ix].as_ref().map(|looked| self.saw(None, looked));
            let (stands, because) = match (silent.or_else(|| lost.get(&service.name).cloned()), looked) {
                (Some(why), _) => (Stands::Down, why),
                (None, Some(Saw::CannotTell(why))) => (Stands::Unknown, why),
                (None, Some(Saw::Closed(how))) => (Stands::Down, format!("closed: {how}")),
                (None, Some(Saw::Open) | None) => {
                    (Stands::Up, "all that it needs is within reach".to_owned())
                }
            };
            if self.stands[ix].replace(stands) != Some(stands) {
                let service = service.name.clone();
                self.tell(Millis(0), Input::ServiceSeen { service, stands, because });
            }
        }
    }
}
