//! With real packets: a cut of a firewall, one probe that it silences, one that was silent all along.

use crate::lab::Lab;
use serde_json::Value;

const RUNBOOK: &str = r#"
version: 1
name: one-cut
phases:
  - id: isolate
    steps:
      - id: cut-provider
        on: edge-fw
        severs: isp-uplink
        run: |
          nft -f - <<NFT
          table inet blackstart_one_cut {
            chain out { type filter hook postrouting priority srcnat + 1; oifname "{{ host.vars.outside }}" counter drop; }
          }
          NFT
        undo: nft delete table inet blackstart_one_cut
        verify:
          - { tcp: "203.0.113.10:443", from: office-pc, expect: closed, timeout: 2s }
          - { tcp: "203.0.113.10:4443", from: office-pc, expect: closed, timeout: 2s }
          - { icmp: 203.0.113.10, from: office-pc, expect: closed, timeout: 2s }
          - { dns: { name: db1.records.example, server: dns1 }, from: app1, expect: closed, timeout: 2s, within: 0s }
"#;

#[test]
fn a_probe_that_had_never_been_open_proves_nothing_of_a_real_cut() {
    let lab = Lab::raise();
    // Cut or no cut: nobody listens there, no firewall lets a ping through, and the name server knows no such name.
    let runbook = lab.write("one-cut.yaml", RUNBOOK);
    let mut command = lab.blackstart(&["run"]);
    command.arg(runbook).arg("-i").arg(lab.inventory()).args(["--yes", "--format", "json"]);
    let output = command.output().expect("blackstart can be started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}{complained}");
    let recap: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let proof = &recap["recap"]["proof"];
    let others: Vec<&str> =
        proof["others"].as_array().unwrap().iter().map(|other| other["what"].as_str().unwrap()).collect();
    assert_eq!((&proof["negative"], &proof["proved"]), (&4.into(), &1.into()), "{proof:#}\n{said}");
    assert_eq!(others.len(), 3, "{others:?}");
    assert!(others.contains(&"tcp 203.0.113.10:4443 from office-pc"), "{others:?}");
    assert!(proof["others"].as_array().unwrap().iter().all(|other| other["before"] == "not_open"));
    // The firewall counted what the probes sent: they were silent because of the cut, and not of themselves.
    let rules = lab.ok("edge-fw", "nft list table inet blackstart_one_cut");
    let dropped = rules.split("packets ").nth(1).and_then(|rest| rest.split(' ').next());
    assert!(dropped.is_some_and(|count| count != "0"), "{rules}");
    let services = recap["recap"]["services"].as_array().unwrap();
    assert!(
        services.iter().any(|facts| facts["service"] == "records" && facts["stands"] == "up"),
        "{services:#?}"
    );
}
