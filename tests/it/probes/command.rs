//! `blackstart probe`: every kind of probe, from the controller and from hosts with and without forwarding.

use super::servers::{Port, name_server, nobody, page};
use super::site::{host, json, put};
use crate::support::sshd::{Sshd, SshdOptions, free_port};
use crate::support::transcript::Desk;
use serde_json::Value;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A host with nothing but these commands.
fn poor_host(commands: &'static [&'static str]) -> Sshd {
    let config = ["AllowTcpForwarding no", "SetEnv PATH=%DIR%/tools HOME=%DIR%"].map(str::to_owned).to_vec();
    Sshd::with_prepared(SshdOptions { config, ..SshdOptions::default() }, |dir: &Path| {
        let tools = dir.join("tools");
        std::fs::create_dir(&tools).unwrap();
        for command in commands {
            let real = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(command));
            let real = real.iter().find(|path| path.exists()).unwrap_or_else(|| panic!("no {command} here"));
            symlink(real, tools.join(command)).unwrap();
        }
    })
}

fn seen<'a>(rows: &'a Value, from: &str, target: &str) -> &'a Value {
    let rows = rows["probes"].as_array().unwrap();
    let found =
        rows.iter().find(|row| row["from"] == from && row["target"].as_str().unwrap().contains(target));
    found.unwrap_or_else(|| panic!("no probe of {target} from {from}: {rows:#?}"))
}

#[test]
fn a_shell_whose_settings_print_makes_nothing_look_closed() {
    let home = tempfile::tempdir().unwrap();
    let settings = "echo 'env: No such file or directory' >&2; echo; echo HTTP/1.1 500 No\n";
    std::fs::write(home.path().join(".bashrc"), settings).unwrap();
    let at = home.path().display();
    let set_home = format!("SetEnv HOME={at} BASH_ENV={at}/.bashrc");
    let sshd = Sshd::with_config(&["AllowTcpForwarding no", &set_home]);
    let (closed, page, names) = (nobody(), page(), name_server());
    let desk = Desk::bare();
    put(&desk, "site.yaml", &format!("version: 1\nname: site\nhosts:\n{}", host("shut", &sshd)));
    let runbook = format!(
        "version: 1\nname: look\nphases:\n  - id: look\n    steps:\n      - id: all\n        on: shut\n        \
         run: \"true\"\n        undo: not_needed\n        verify:\n          \
         - {{ tcp: \"127.0.0.1:{closed}\", expect: closed, from: shut, timeout: 1m }}\n          \
         - {{ http: \"http://127.0.0.1:{page}/health\", contains: ready, from: shut, timeout: 1m }}\n          \
         - {{ dns: {{ name: long.example.org, server: \"127.0.0.1:{names}\" }}, from: shut, timeout: 1m }}\n"
    );
    put(&desk, "look.yaml", &runbook);
    let (rows, code) = json(&desk, "blackstart probe look.yaml -i site.yaml --format json");
    for target in
        [format!("127.0.0.1:{closed}"), format!("127.0.0.1:{page}/health"), "long.example.org".to_owned()]
    {
        let row = seen(&rows, "shut", &target);
        assert_eq!(row["agrees"], true, "{row:#}");
        assert!(row["seen"].as_str().unwrap().contains("by `bash` on shut"), "{row:#}");
    }
    assert_eq!(code, 0);
}

#[test]
fn every_kind_is_seen_from_everywhere_and_nothing_is_closed_that_nobody_looked_at() {
    let (free, shut) = (Sshd::start(), Sshd::with_config(&["AllowTcpForwarding no"]));
    let (python, nothing) =
        (poor_host(&["python3", "tail", "sleep", "tee"]), poor_host(&["tail", "sleep", "tee"]));
    let gone = free_port("127.0.0.1".parse().unwrap()).port();
    let (open, closed, page, names) = (Port::open(), nobody(), page(), name_server());
    let desk = Desk::bare();
    let hosts: String = [("free", &free), ("shut", &shut), ("python", &python), ("nothing", &nothing)]
        .map(|(name, sshd)| host(name, sshd))
        .concat();
    let lost = host("gone", &free).replace(&format!("port: {}", free.addr.port()), &format!("port: {gone}"));
    put(&desk, "site.yaml", &format!("version: 1\nname: site\nhosts:\n{hosts}{lost}"));
    let mut probes = String::new();
    for from in ["controller", "free", "shut", "python", "nothing", "gone"] {
        for probe in [
            format!("tcp: \"127.0.0.1:{}\"", open.port),
            format!("tcp: \"127.0.0.1:{closed}\", expect: closed"),
            format!("http: \"http://127.0.0.1:{page}/health\", contains: ready"),
            format!("dns: {{ name: www.example.org, server: \"127.0.0.1:{names}\", answer: 10.20.0.4 }}"),
            format!("dns: {{ name: long.example.org, server: \"127.0.0.1:{names}\" }}"),
            format!("dns: {{ name: absent.example.org, server: \"127.0.0.1:{names}\" }}, expect: closed"),
        ] {
            probes += &format!("          - {{ {probe}, from: {from}, timeout: 1m }}\n");
        }
    }
    let runbook = format!(
        "version: 1\nname: look\nphases:\n  - id: look\n    steps:\n      - id: all\n        on: free\n        \
         run: \"true\"\n        undo: not_needed\n        verify:\n{probes}"
    );
    put(&desk, "look.yaml", &runbook);

    let (rows, code) = json(&desk, "blackstart probe look.yaml -i site.yaml --format json");
    let targets = [
        format!("127.0.0.1:{}", open.port),
        format!("127.0.0.1:{closed}"),
        format!("127.0.0.1:{page}/health"),
        "www.example.org".to_owned(),
        "long.example.org".to_owned(),
        "absent.example.org".to_owned(),
    ];
    for from in ["the controller", "free", "shut", "python"] {
        for target in &targets {
            let row = seen(&rows, from, target);
            assert_eq!(row["agrees"], true, "{row:#}");
            let said = row["seen"].as_str().unwrap();
            let tool = [("shut", "by `bash` on shut"), ("python", "by `python3` on python")]
                .iter()
                .find(|(name, _)| *name == from);
            // A name server that says no was reached, and then its answer is what counts.
            if let (Some((_, tool)), false) = (tool, target.contains("absent")) {
                assert!(said.contains(tool), "{row:#}");
            } else {
                assert!(!said.contains("forwards no TCP"), "{row:#}");
            }
        }
    }
    for from in ["nothing", "gone"] {
        for target in &targets {
            let row = seen(&rows, from, target);
            assert_eq!((&row["told"], &row["agrees"]), (&false.into(), &false.into()), "{row:#}");
            assert!(row["seen"].as_str().unwrap().starts_with("cannot tell: "), "{row:#}");
        }
    }
    let why = seen(&rows, "nothing", &targets[0])["seen"].as_str().unwrap();
    assert!(why.contains("bash, python3 or nc"), "{why}");
    assert_eq!((rows["agree"].as_u64(), rows["cannot_tell"].as_u64()), (Some(24), Some(12)));
    assert_eq!(code, 22, "nobody can tell of some");

    let (rows, code) =
        json(&desk, "blackstart probe look.yaml -i site.yaml --format json --from free --from shut");
    assert_eq!((rows["agree"].as_u64(), code), (Some(12), 0));
    let (rows, code) =
        json(&desk, "blackstart probe look.yaml -i site.yaml --format json --from free --before");
    assert_eq!((rows["agree"].as_u64(), rows["disagree"].as_u64(), code), (Some(4), Some(2), 21));
    let came = desk.type_in("blackstart probe look.yaml -i site.yaml --from fre");
    assert_eq!(came.code, 2);
    assert!(came.stderr.contains("did you mean `free`?"), "{}", came.stderr);
}

#[test]
fn a_host_is_pinged_by_its_own_ping_and_one_without_cannot_tell() {
    let (able, unable) = (Sshd::start(), poor_host(&["tail", "sleep", "tee", "cat", "mkdir", "uname"]));
    let desk = Desk::bare();
    let hosts = host("able", &able) + &host("unable", &unable);
    put(
        &desk,
        "site.yaml",
        &format!(
            "version: 1\nname: site\nzones: {{ core: {{}} }}\nservices:\n\
             \x20 near: {{ in: core, probe: {{ icmp: 127.0.0.1, from: able }} }}\n\
             \x20 here: {{ in: core, probe: {{ icmp: \"::1\" }} }}\n\
             \x20 no-ping: {{ in: core, probe: {{ icmp: 127.0.0.1, from: unable }} }}\n\
             \x20 nowhere: {{ in: core, probe: {{ icmp: 240.0.0.1, from: able, timeout: 1s }} }}\n\
             hosts:\n{hosts}"
        ),
    );
    let (rows, code) = json(&desk, "blackstart probe -i site.yaml --format json");
    assert_eq!(seen(&rows, "able", "icmp 127.0.0.1")["seen"], "open");
    assert_eq!(seen(&rows, "the controller", "icmp ::1")["seen"], "open");
    let nowhere = seen(&rows, "able", "240.0.0.1")["seen"].as_str().unwrap();
    assert!(nowhere.starts_with("closed: "), "{nowhere}");
    let untold = seen(&rows, "unable", "127.0.0.1")["seen"].as_str().unwrap();
    assert!(untold.starts_with("cannot tell: ") && untold.contains("there is no `ping`"), "{untold}");
    assert_eq!(code, 21, "one is closed that should be open");
}
