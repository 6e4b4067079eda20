//! Watches the site's edges from both sides while attackers keep trying: what got through, by tries and by packets.

use super::Lab;
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The attackers: who they are on a host, and where they write down each try.
const ATTACKERS: &[(&str, &str)] =
    &[("office-pc", "attacker"), ("internet", "outsider"), ("vendor", "outsider")];
/// Outside hosts, and the devices that lead to the site.
const OUTSIDE: &[(&str, &str)] = &[("internet", r#"{ "eth0", "eth2" }"#), ("vendor", r#""eth0""#)];
/// Inside hosts that the outside can reach while nothing is cut.
const INSIDE: &[&str] = &["web", "office-pc", "app1", "db1"];
/// Networks that are outside.
const NETWORKS: &str = "{ 203.0.113.0/24, 192.0.2.0/24, 198.51.100.0/24 }";
/// So often each way is tried, each kind of it, before it counts as shut.
const TRIES_MIN: usize = 3;
/// What attackers do not do in this time they never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// Attackers at work, counters and captures in place. All of it ends with the lab.
pub struct Outside<'a> {
    lab: &'a Lab,
}

/// One try of an attacker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// When it began, in milliseconds since 1970.
    pub at_ms: u64,
    /// Did it get through?
    pub open: bool,
    /// Host, kind of connection and way: `office-pc kept out-first`.
    pub way: String,
}

/// Milliseconds since 1970: the clock of the hosts is the machine's.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    u64::try_from(since.as_millis()).expect("it is not that late yet")
}

impl<'a> Outside<'a> {
    /// Lets the attackers loose and waits until every way across the edges was open to them.
    pub fn watch(lab: &'a Lab) -> Self {
        for (host, devices) in OUTSIDE {
            lab.ok(host, "/srv/service start capture");
            let rule = format!("iifname {devices} meta nfproto ipv4 counter name arrived");
            count(lab, host, &rule);
        }
        for host in INSIDE {
            count(lab, host, &format!("ip saddr {NETWORKS} counter name arrived"));
        }
        for (host, service) in ATTACKERS {
            lab.ok(host, &format!("/srv/service start {service}"));
        }
        let outside = Self { lab };
        outside.all_open("before anything is cut");
        outside
    }

    /// Every way across the edges is open to the attackers, from this moment on.
    #[track_caller]
    pub fn all_open(&self, when: &str) {
        let since = now_ms();
        self.reset();
        let open = |tries: &[Try]| tries.iter().filter(|one| one.open).map(|one| one.way.clone()).collect();
        let missing = self.await_ways(since, |tries| self.ways().difference(&open(tries)).cloned().collect());
        assert!(missing.is_empty(), "{when}: these never got through: {missing:?}");
        for host in OUTSIDE.iter().map(|(host, _)| host).chain(INSIDE.iter()) {
            assert!(self.arrived(host) > 0, "{when}: packets are counted on {host}");
        }
        assert!(!self.captured(since).is_empty(), "{when}: packets are captured");
    }

    /// From `since_ms` on nothing crossed the edges, neither way, by no count, however often the attackers tried.
    #[track_caller]
    pub fn sealed(&self, since_ms: u64, when: &str) {
        self.reset();
        let enough = |tries: &[Try]| {
            let often = |way: &&String| tries.iter().filter(|one| one.way == **way).count() < TRIES_MIN;
            self.ways().iter().filter(often).cloned().collect::<BTreeSet<_>>()
        };
        // Counted from now on: before that, what tries there were is judged as well.
        let idle = self.await_ways(now_ms(), enough);
        assert!(idle.is_empty(), "{when}: these do not try any more: {idle:?}");
        let through: Vec<Try> =
            self.tries(since_ms).into_iter().filter(|one| one.open && crosses(&one.way)).collect();
        assert!(through.is_empty(), "{when}: attackers got through: {through:?}");
        for host in OUTSIDE.iter().map(|(host, _)| host).chain(INSIDE.iter()) {
            assert_eq!(self.arrived(host), 0, "{when}: packets that crossed the edges to {host}");
        }
        let captured = self.captured(since_ms);
        assert!(captured.is_empty(), "{when}: {} packets came out: {captured:#?}", captured.len());
    }

    /// From `since_ms` on these ways (host and way) are shut, however often they are tried, and every other one is open.
    #[track_caller]
    pub fn holds(&self, since_ms: u64, when: &str, shut: &[&str]) {
        let is_shut = |way: &str| {
            let (host, kind_and_way) = way.split_once(' ').expect("a way has a host");
            let (_, name) = kind_and_way.split_once(' ').expect("a way has a kind");
            shut.contains(&format!("{host} {name}").as_str())
        };
        let unsure = |tries: &[Try]| {
            let of = |way: &String| tries.iter().filter(|one| one.way == *way).collect::<Vec<_>>();
            let sure = |way: &String| match is_shut(way) {
                true => of(way).len() >= TRIES_MIN,
                // The office's way to the database is nobody's: it never was open.
                false => way.contains(" database") || of(way).iter().any(|one| one.open),
            };
            self.ways_all().iter().filter(|way| !sure(way)).cloned().collect::<BTreeSet<_>>()
        };
        let unsure = self.await_ways(since_ms, unsure);
        let through = |one: &Try| one.open && is_shut(&one.way);
        let through: Vec<Try> = self.tries(since_ms).into_iter().filter(through).collect();
        assert!(through.is_empty(), "{when}: attackers got through: {through:?}");
        assert!(unsure.is_empty(), "{when}: not open as they should be, or not tried: {unsure:?}");
    }

    /// Every try since then, of whatever way, in no order.
    pub fn tries(&self, since_ms: u64) -> Vec<Try> {
        let mut tries = Vec::new();
        for (host, service) in ATTACKERS {
            for line in self.log(host, service).lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                // The last line may be half written.
                let &[at, open, kind, way] = words.as_slice() else { continue };
                let (Ok(at_ms), true) = (at.parse(), line.len() > 10) else { continue };
                tries.push(Try { at_ms, open: open == "open", way: format!("{host} {kind} {way}") });
            }
        }
        tries.retain(|one| one.at_ms >= since_ms && self.ways_all().contains(&one.way));
        tries
    }

    /// The packets that reached the outside since then, as the captures tell it.
    pub fn captured(&self, since_ms: u64) -> Vec<String> {
        let mut packets = Vec::new();
        for (host, _) in OUTSIDE {
            let log = self.log(host, "capture");
            let later = |line: &&str| {
                let at = line.split_whitespace().next().and_then(|at| at.parse::<u64>().ok());
                at.is_some_and(|at| at >= since_ms)
            };
            packets.extend(log.lines().filter(later).map(|line| format!("{host}: {line}")));
        }
        packets
    }

    /// Waits until nothing is left of what `left` tells of the tries since then; what is left when patience is.
    fn await_ways(&self, since: u64, left: impl Fn(&[Try]) -> BTreeSet<String>) -> BTreeSet<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let missing = left(&self.tries(since));
            if missing.is_empty() || Instant::now() > deadline {
                return missing;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Every way across the edges that there is.
    fn ways(&self) -> BTreeSet<String> {
        self.ways_all().into_iter().filter(|way| crosses(way)).collect()
    }

    fn ways_all(&self) -> BTreeSet<String> {
        let both = |host: &'static str, way: &'static str| {
            ["fresh", "kept"].into_iter().map(move |kind| format!("{host} {kind} {way}"))
        };
        let one = |host: &str, way: &str| format!("{host} fresh {way}");
        let office = ["portal", "dmz", "out-first", "out-second", "out-vendor"];
        let mut ways: BTreeSet<String> = office.into_iter().flat_map(|way| both("office-pc", way)).collect();
        ways.extend(["in-first", "in-second"].into_iter().flat_map(|way| both("internet", way)));
        ways.extend(both("vendor", "in-portal"));
        ways.insert(one("office-pc", "database"));
        ways.insert(one("internet", "in-remote"));
        ways.insert(one("vendor", "in-database"));
        ways.insert(one("vendor", "in-ssh"));
        ways
    }

    fn log(&self, host: &str, service: &str) -> String {
        let path = self.lab.dir().join("log").join(host).join(format!("{service}.log"));
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // Up to the last whole line.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    fn reset(&self) {
        for host in OUTSIDE.iter().map(|(host, _)| host).chain(INSIDE.iter()) {
            self.lab.ok(host, "nft reset counter inet witness arrived");
        }
    }

    /// What arrived on a host across the edges since the last reset.
    fn arrived(&self, host: &str) -> u64 {
        let said = self.lab.ok(host, "nft list counter inet witness arrived");
        let packets = said.split_whitespace().skip_while(|word| *word != "packets").nth(1);
        packets.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{host}: {said}"))
    }
}

/// Does this way lead across the edges? The attacker's ways into the dmz and the core do not.
fn crosses(way: &str) -> bool {
    way.contains(" out-") || way.contains(" in-")
}

/// A counter on a host, ahead of whatever else the host does with packets.
fn count(lab: &Lab, host: &str, rule: &str) {
    let table = format!(
        "table inet witness {{\n counter arrived {{ }}\n chain in {{\n  type filter hook prerouting priority raw - 10;\n  \
         {rule}\n }}\n}}"
    );
    lab.ok(host, &format!("nft -f - <<'NFT'\n{table}\nNFT"));
}
