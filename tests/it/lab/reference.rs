//! The reference runbooks on real hosts: a water utility that cuts itself off in three levels, a ministry that gets its
//! directory back and resets its keys twice, and both their ways back. People are asked and answer.

use super::{Lab, PACKAGE};
use blackstart::journal::Store;
use blackstart::load;
use blackstart::model::event::Event;
use blackstart::model::inventory::{Inventory, Reach};
use blackstart::model::place::Sources;
use blackstart::model::question::Question;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Watches and waits of hours are seconds here; the rest is as shipped.
const SHORT: &[(&str, &str)] = &[
    ("for: 15m", "for: 1s"),
    ("for: 30m", "for: 1s"),
    ("for: 24h", "for: 1s"),
    ("every: 30s", "every: 1s"),
    ("every: 5m", "every: 1s"),
    ("at_least: 10h", "at_least: 3s"),
];
/// With the characters that a shell, LDIF or a password file could stumble over.
const SECRETS: &[(&str, &str)] = &[
    ("ADMIN_STOLEN", "admin of old"),
    ("TICKETS_STOLEN", "tickets of old"),
    ("ADMIN_FRESH", r#"ad'm"in $x"#),
    ("TICKETS_FIRST", "first `one` %s"),
    ("TICKETS_SECOND", r"sec\ond: #2"),
];
/// A runbook asks people so often at most.
const QUESTIONS_MAX: usize = 20;
const ADMIN: &str = "cn=admin,dc=ministry,dc=example";
const TICKETS: &str = "cn=tickets,ou=services,dc=ministry,dc=example";

#[test]
fn a_water_utility_cuts_itself_off_by_levels_and_comes_back() {
    let lab = Lab::raise();
    lab.script("as", &["water"]);
    lab.ok("vendor", "sed -i 's/4.0/4.4/' /srv/logic.json");
    let open =
        |ways: &[(&str, &str)]| ways.iter().map(|(from, to)| lab.reaches(from, to)).collect::<Vec<_>>();
    let outside = [("internet", "http://192.0.2.1:8080/alive"), ("app1", "http://192.0.2.10:443/")];
    let it = [
        ("office-pc", "http://10.20.0.4:8080/alive"),
        ("office-pc", "http://10.10.0.80:80/alive"),
        ("office-pc", "http://198.51.100.20:443/"),
        ("web", "http://10.20.0.4:8080/alive"),
    ];
    let carriers = [
        ("app1", "http://198.51.100.20:443/"),
        ("vendor", "http://10.20.0.4:8080/alive"),
        ("internet", "http://203.0.113.1:8080/alive"),
        ("app1", "http://203.0.113.10:443/"),
    ];
    let all = |so: bool, ways: &[(&str, &str)]| assert_eq!(open(ways), vec![so; ways.len()], "{ways:?}");
    all(true, &[&outside[..], &it[..], &carriers[..]].concat());

    let site = Site { lab: &lab, inventory: lab.inventory_of("water") };
    let isolate = site.shortened("water-isolate.yaml");
    site.carried_through(&isolate, &["-e", "incident=INC-7", "--until", "level:1"]);
    all(false, &outside);
    all(true, &[&it[..], &carriers[..]].concat());
    assert!(site.gauges().contains(r#""control": "remote""#), "{}", site.gauges());

    let run = site.carried_through(&isolate, &["-e", "incident=INC-7"]);
    all(false, &[&outside[..], &it[..], &carriers[..]].concat());
    let gauges = site.gauges();
    assert!(gauges.contains(r#""control": "local""#) && gauges.contains(r#""in_limits": true"#), "{gauges}");
    let golden = fs::read_to_string(Path::new(PACKAGE).join("runbooks/files/water/pump-north.json"));
    assert_eq!(lab.ok("vendor", "cat /srv/logic.json"), golden.expect("it is shipped"));
    let found = evidence(&run, "logic.json");
    assert!(found.iter().any(|text| text.contains("4.4")), "the logic as it was found: {found:?}");
    assert_ne!(lab.ok("app1", "wc -l </srv/collector/queue").trim(), "0", "samples wait");
    lab.ok("dns1", "/srv/service status dns && /srv/service status ntp");

    site.carried_through(&site.shortened("water-reconnect.yaml"), &[]);
    all(true, &[&outside[..], &it[..], &carriers[..]].concat());
    assert!(site.gauges().contains(r#""control": "remote""#), "{}", site.gauges());
    // Every sample from the first one on, without a gap.
    let gap = "awk '$1 != last + 1 { exit 1 } { last = $1 }' /srv/historian/samples && wc -l </srv/historian/samples";
    assert!(lab.ok("web", gap).trim().parse::<u32>().expect("a number of samples") > 100);
}

#[test]
fn a_ministry_gets_its_directory_back_and_resets_its_keys_twice() {
    let lab = Lab::raise();
    lab.script("as", &["ministry"]);
    lab.compromise();
    let site = Site { lab: &lab, inventory: lab.inventory_of("ministry") };
    let recover = site.shortened("ministry-recover.yaml");
    let entries = "ldapsearch -LLL -Q -Y EXTERNAL -H ldapi:/// -b dc=ministry,dc=example dn";
    assert!(lab.ok("dns1", entries).contains("cn=helpdesk"), "the attacker is in the directory");
    assert!(site.opens(ADMIN, "ADMIN_STOLEN") && site.opens(TICKETS, "TICKETS_STOLEN"));

    // A backup that is younger than the trouble is not taken, and nothing was stopped for it.
    let long_ago = ["-e", "incident=INC-7", "-e", "first_indicator=2020-01-01T00:00:00Z"];
    let said = site.people_say_yes(&recover, &long_ago, 22);
    assert!(said.contains("check-directory-backup"), "{said}");
    assert!(lab.ok("dns1", entries).contains("cn=helpdesk"), "nothing was stopped or put aside");
    assert!(!lab.reaches("office-pc", "http://203.0.113.10:443/"), "the cut stays");
    assert!(lab.reaches("office-pc", "http://198.51.100.20:443/"), "the report line works");

    let now = lab.ok("mgmt", "date -u +%FT%TZ");
    let first_indicator = format!("first_indicator={}", now.trim());
    site.carried_through(&recover, &["-e", "incident=INC-7", "-e", &first_indicator]);
    let restored = lab.ok("dns1", entries);
    assert!(restored.contains("uid=clerk07") && !restored.contains("cn=helpdesk"), "{restored}");
    assert_eq!(lab.ok("app1", "getent hosts app1.site.example").split_whitespace().next(), Some("10.20.0.4"));
    for (dn, secret, opens) in [
        (ADMIN, "ADMIN_STOLEN", false),
        (ADMIN, "ADMIN_FRESH", true),
        (TICKETS, "TICKETS_STOLEN", false),
        (TICKETS, "TICKETS_FIRST", true),
        (TICKETS, "TICKETS_SECOND", true),
    ] {
        assert_eq!(site.opens(dn, secret), opens, "{dn} by {secret}");
    }
    let count = lab.ok("web", "curl -s --max-time 5 http://10.20.0.4:8080/count");
    assert_eq!(count.trim(), r#"{"patients": 5000, "visits": 20000}"#);
    lab.ok("dns1", "test -d /var/lib/directory.INC-7");

    let ways = [("office-pc", "http://10.20.0.4:8080/alive"), ("vendor", "http://10.20.0.4:8080/alive")];
    assert_eq!(ways.map(|(from, to)| lab.reaches(from, to)), [false, false]);
    site.carried_through(&site.shortened("ministry-reconnect.yaml"), &[]);
    assert_eq!(ways.map(|(from, to)| lab.reaches(from, to)), [true, true]);
    assert!(lab.reaches("office-pc", "http://203.0.113.10:443/"));
}

/// What is measured of the lab's own inventory holds for the others: same addresses, same ways, same firewalls.
#[test]
fn the_reference_sites_are_the_lab_under_other_names() {
    let lab = inventory("lab");
    for name in ["water", "ministry"] {
        let site = inventory(name);
        let mut zones = BTreeMap::from([(
            site.controller_zone.clone().expect("a controller"),
            lab.controller_zone.clone().expect("a controller"),
        )]);
        let by_address: BTreeMap<String, &str> =
            lab.hosts.keys().map(|host| (address(&lab, host.as_str()), host.as_str())).collect();
        for (host, it) in &site.hosts {
            let same = by_address[&address(&site, host.as_str())];
            let zone =
                lab.hosts.iter().find(|(name, _)| name.as_str() == same).and_then(|(_, it)| it.zone.clone());
            let (zone, own) = (zone.expect("a zone"), it.zone.clone().expect("a zone"));
            assert_eq!(zones.entry(own.clone()).or_insert_with(|| zone.clone()), &zone, "{name}: {own}");
        }
        assert_eq!(site.hosts.len(), lab.hosts.len(), "{name}");
        let own = |zone: &_| zones[zone].clone();
        assert_eq!(ways(&site, &own), ways(&lab, &Clone::clone), "{name}");
    }
}

type Zone = blackstart::model::names::ZoneName;
/// From, to, over which firewall, past all of them?
type Way = (String, String, Option<String>, bool);

fn ways(site: &Inventory, zone: &dyn Fn(&Zone) -> Zone) -> BTreeSet<Way> {
    let mut ways = BTreeSet::new();
    for conduit in site.conduits.values() {
        let by = conduit.enforced_by.as_ref().map(|host| address(site, host.as_str()));
        let (from, to) = (zone(&conduit.ends.0).to_string(), zone(&conduit.ends.1).to_string());
        if conduit.both_ways {
            ways.insert((to.clone(), from.clone(), by.clone(), conduit.out_of_band));
        }
        ways.insert((from, to, by, conduit.out_of_band));
    }
    ways
}

fn address(site: &Inventory, host: &str) -> String {
    let found = site.hosts.iter().find(|(name, _)| name.as_str() == host).map(|(_, host)| &host.reach);
    match found {
        Some(Reach::Ssh(ssh)) => ssh.address.clone(),
        other => panic!("{host}: {other:?}"),
    }
}

fn inventory(name: &str) -> Inventory {
    let path = Path::new(PACKAGE).join(format!("inventories/{name}.yaml"));
    let read = load::inventory(&mut Sources::default(), &path);
    assert!(read.problems.0.is_empty(), "{:#?}", read.problems);
    read.value.expect("no problems")
}

/// A site that the lab plays.
struct Site<'a> {
    lab: &'a Lab,
    inventory: PathBuf,
}

impl Site<'_> {
    /// A shipped runbook, of which hours are made seconds.
    fn shortened(&self, name: &str) -> PathBuf {
        let mut text = fs::read_to_string(Lab::runbook(name)).expect("it is shipped");
        for (long, short) in SHORT {
            text = text.replace(long, short);
        }
        let files = format!("file: {}/", Path::new(PACKAGE).join("runbooks/files").display());
        self.lab.write(name, &text.replace("file: files/", &files))
    }

    /// Carries a runbook out to its good end; gives the directory of its run.
    fn carried_through(&self, runbook: &Path, more: &[&str]) -> PathBuf {
        self.people_say_yes(runbook, more, 0);
        let store = Store::open(&self.lab.work().join("state")).expect("runs were kept");
        store.find("last").expect("there is a run").path().to_owned()
    }

    /// Carries a runbook out; whenever it waits for people, Ann and Bob say yes, and it goes on.
    fn people_say_yes(&self, runbook: &Path, more: &[&str], exit: i32) -> String {
        let mut run = self.blackstart("op", &["run"]);
        run.arg(runbook).arg("-i").arg(&self.inventory).args(["--yes"]).args(more);
        let mut said = run.output().expect("blackstart can be started");
        for _ in 0..QUESTIONS_MAX {
            let asked = self.asked();
            if said.status.code() != Some(22) || asked.is_empty() {
                break;
            }
            for (step, who) in asked.iter().flat_map(|step| ["ann", "bob"].map(|who| (step, who))) {
                // One of them is enough for some questions: the other's word comes too late.
                self.blackstart(who, &["approve", "last", step]).output().expect("blackstart can be started");
            }
            said = self
                .blackstart("op", &["resume", "last", "--yes"])
                .output()
                .expect("blackstart can be started");
        }
        let text = [&said.stdout[..], &said.stderr[..]].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(said.status.code(), Some(exit), "{}: {text}", runbook.display());
        text
    }

    /// Steps about which people were asked, and which are not over.
    fn asked(&self) -> BTreeSet<String> {
        let store = Store::open(&self.lab.work().join("state")).expect("runs were kept");
        let dir = store.find("last").expect("there is a run");
        let (plan, _) = dir.read_plan().expect("a run has its plan");
        let mut open = BTreeSet::new();
        for record in dir.read().expect("a journal can be read").records {
            match record.event {
                Event::Asked { question: Question::Manual { task } | Question::Approve { task, .. } } => {
                    open.insert(plan.step_of(task).id.to_string());
                }
                Event::TaskEnded { task, .. } => {
                    open.remove(plan.step_of(task).id.as_str());
                }
                _ => {}
            }
        }
        open
    }

    fn blackstart(&self, who: &str, args: &[&str]) -> Command {
        let mut command = self.lab.blackstart(args);
        command.env("SUDO_USER", who).envs(SECRETS.iter().copied());
        command
    }

    /// What the pumping station says of itself.
    fn gauges(&self) -> String {
        self.lab.ok("vendor", "curl -fsS --max-time 5 http://198.51.100.20:8080/gauges")
    }

    /// Does a secret open the directory, from another host?
    fn opens(&self, dn: &str, secret: &str) -> bool {
        let (_, value) = SECRETS.iter().find(|(name, _)| *name == secret).expect("a known secret");
        let file = self.lab.write("secret", value);
        let ask = format!(
            "printf %s \"$(cat)\" | ldapwhoami -x -o nettimeout=5 -H ldap://10.20.0.53 -D '{dn}' -y /dev/stdin"
        );
        let mut command = self.lab.on_command("app1", &ask);
        command.stdin(fs::File::open(file).expect("it was just written"));
        command.output().expect("lab scripts can be started").status.success()
    }
}

/// The texts of a run's evidence whose names end like this.
fn evidence(run: &Path, name: &str) -> Vec<String> {
    let (mut left, mut found) = (vec![run.join("evidence")], Vec::new());
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a run's evidence can be listed");
            left.extend(entries.map(|entry| entry.expect("it can be listed").path()));
        } else if path.to_string_lossy().ends_with(name) {
            found.push(fs::read_to_string(&path).expect("it is text"));
        }
    }
    found
}
