//! The inventory tells the truth: its conduits are the ways that packets have, in the directions they have them.

use super::cuts::CUTS;
use super::{Lab, PACKAGE};
use blackstart::load;
use blackstart::model::inventory::Inventory;
use blackstart::model::place::Sources;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Stdio};

/// Who begins a connection, and to whom.
type Ways = BTreeSet<(String, String)>;

/// What is tried: every port that any rule of the lab names.
const PORTS: &str = "22 53 80 443 2222 5432 8000 8080";

/// A way that seems shut so many times is shut.
const TRIES_MAX: u32 = 8;

/// Connections that pass through the dmz without stopping there: who begins them, to whom, and by which conduit into
/// the dmz. Out of it they take any uplink. Two conduits in a row say as much.
const THROUGH_DMZ: &[(&str, &str, &str)] =
    &[("office", "internet", "office-dmz"), ("core", "internet", "dmz-core")];

/// Where an edge hands a connection on: the address and port it is made to, and the host that gets it.
const HANDED_ON: &[(&str, &str, &str)] =
    &[("203.0.113.1", "8080", "web"), ("192.0.2.1", "8080", "web"), ("192.0.2.1", "2222", "office-pc")];

#[test]
fn the_conduits_are_the_ways_that_packets_have() {
    let lab = Lab::raise();
    let site = inventory();
    let ground = Ground::prepare(&lab, &site);
    let none = BTreeSet::new();
    ground.holds("nothing cut", &expected(&site, &none));

    // What is cut by the rules of one conduit is that conduit, and nothing else.
    for cut in CUTS {
        let enforced = site.conduits.iter().find(|(name, _)| name.as_str() == cut.conduit);
        let enforced = enforced.and_then(|(_, conduit)| conduit.enforced_by.clone());
        assert_eq!(enforced.expect("somebody enforces it").as_str(), cut.host, "{}", cut.conduit);
        lab.ok(cut.host, &cut.make());
        let only = BTreeSet::from([cut.conduit]);
        ground.holds(&format!("{} cut", cut.conduit), &expected(&site, &only));
        lab.ok(cut.host, &cut.unmake());
    }
    // Each provider's line hides the other's cut above: together they are all there is.
    for cut in CUTS {
        lab.ok(cut.host, &cut.make());
    }
    let all: BTreeSet<&str> = CUTS.iter().map(|cut| cut.conduit).collect();
    let left = ground.holds("every conduit cut", &expected(&site, &all));
    let console = ("management".to_owned(), "perimeter".to_owned());
    assert!(left.contains(&console), "the console survives every cut: {left:?}");
    assert!(left.iter().all(|(from, _)| from == "management"), "nobody else gets anywhere: {left:?}");
}

/// The shipped inventory.
pub fn inventory() -> Inventory {
    let mut sources = Sources::default();
    let site = load::inventory(&mut sources, &Path::new(PACKAGE).join("inventories/lab.yaml"));
    assert!(site.problems.0.is_empty(), "{:#?}", site.problems);
    site.value.expect("no problems")
}

/// What the inventory says, with these conduits cut.
fn expected(site: &Inventory, cut: &BTreeSet<&str>) -> Ways {
    let mut ways = Ways::new();
    for (name, conduit) in &site.conduits {
        if cut.contains(name.as_str()) {
            continue;
        }
        let (from, to) = (conduit.ends.0.to_string(), conduit.ends.1.to_string());
        if conduit.both_ways {
            ways.insert((to.clone(), from.clone()));
        }
        ways.insert((from, to));
    }
    for (from, to, by) in THROUGH_DMZ {
        let uplink = ways.contains(&("dmz".to_owned(), (*to).to_owned()));
        if uplink && !cut.contains(by) {
            ways.insert(((*from).to_owned(), (*to).to_owned()));
        }
    }
    ways
}

/// A lab in which every host answers on every port, and the list of where everything is.
struct Ground<'a> {
    lab: &'a Lab,
    /// The zone of each host, the controller's place among them.
    zones: BTreeMap<String, String>,
    /// Whose each address is.
    owners: BTreeMap<String, String>,
    listeners: Vec<Child>,
}

impl<'a> Ground<'a> {
    fn prepare(lab: &'a Lab, site: &Inventory) -> Self {
        let mut zones = BTreeMap::from([("mgmt".to_owned(), "management".to_owned())]);
        for (name, host) in &site.hosts {
            let zone = host.zone.as_ref().expect("every host of the lab stands in a zone");
            zones.insert(name.to_string(), zone.to_string());
        }
        let owners = Lab::addresses().into_iter().map(|(host, address)| (address, host)).collect();
        let mut ground = Self { lab, zones, owners, listeners: Vec::new() };
        for host in ground.zones.keys() {
            let program = program_of(host);
            let mut listener = lab.on_command(host, &format!("exec python3 {program} listen {PORTS}"));
            listener.stdin(Stdio::piped()).stdout(Stdio::piped());
            ground.listeners.push(listener.spawn().expect("lab scripts can be started"));
        }
        for listener in &mut ground.listeners {
            let mut first = [0; 1];
            let said = listener.stdout.as_mut().expect("it is piped");
            std::io::Read::read_exact(said, &mut first).expect("it says that it listens");
        }
        ground
    }

    /// These ways are open, all of them and no other. A way that is open says so once and for all; one that seems shut
    /// may have been slow, on a machine that has other work, and is tried again.
    #[track_caller]
    fn holds(&self, when: &str, expected: &Ways) -> Ways {
        let mut seen = Ways::new();
        for _ in 0..TRIES_MAX {
            seen.extend(self.measure());
            let more: Vec<_> = seen.difference(expected).collect();
            assert!(more.is_empty(), "{when}: open, and the inventory does not say so: {more:?}");
            if seen == *expected {
                return seen;
            }
        }
        let missing: Vec<_> = expected.difference(&seen).collect();
        panic!("{when}: the inventory says so, and no packet got through: {missing:?}");
    }

    /// Every host tries every address, all at the same time.
    fn measure(&self) -> Ways {
        let addresses: Vec<&str> = self.owners.keys().map(String::as_str).collect();
        let addresses = addresses.join(" ");
        let mut trying = Vec::new();
        for host in self.zones.keys() {
            let program = program_of(host);
            let mut tries =
                self.lab.on_command(host, &format!("exec python3 {program} try {PORTS} to {addresses}"));
            tries.stdin(Stdio::null()).stdout(Stdio::piped());
            trying.push((host, tries.spawn().expect("lab scripts can be started")));
        }
        let mut ways = Ways::new();
        for (from, tries) in trying {
            let output = tries.wait_with_output().expect("a child can be waited for");
            assert!(output.status.success(), "{from} could not try");
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                let (address, port) = line.split_once(' ').expect("an address and a port");
                // Its own address on the far side leads a firewall to itself, whatever it does for others.
                if self.owners[address] == *from {
                    continue;
                }
                let handed = HANDED_ON.iter().find(|(to, at, _)| (*to, *at) == (address, port));
                let to = handed.map_or_else(|| self.owners[address].as_str(), |(_, _, host)| host);
                let (from, to) = (&self.zones[from], &self.zones[to]);
                if from != to {
                    ways.insert((from.clone(), to.clone()));
                }
            }
        }
        ways
    }
}

/// Where a host has the program that measures: the controller's place has the machine's own files.
fn program_of(host: &str) -> String {
    match host {
        "mgmt" => format!("{PACKAGE}/tests/lab/host/ways.py"),
        _ => "/srv/ways.py".to_owned(),
    }
}

impl Drop for Ground<'_> {
    fn drop(&mut self) {
        for listener in &mut self.listeners {
            // Its stdin closes, and it leaves.
            drop(listener.stdin.take());
            listener.wait().ok();
        }
    }
}
