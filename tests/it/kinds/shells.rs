//! Login shells, and what `sh` is: each pair of them under each server.

use super::desk::Desk;
use super::small::{Host, run_and_judge};
use crate::ssh::helpers::Dropbear;
use crate::support::machine::{Machine, Sh, User};
use crate::support::people::can_be_made;
use crate::support::sshd::{Sshd, SshdOptions};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const SHELLS: [&str; 7] = ["bash", "dash", "ash", "zsh", "fish", "bsd-csh", "tcsh"];

/// A machine with a server of each make, and a user with each login shell for each server.
struct Site {
    machine: Machine,
    sshd: Sshd,
    dropbear: Dropbear,
}

impl Site {
    fn new(sh: Sh) -> Self {
        let machine = Machine::new(sh);
        let sshd = Sshd::with(SshdOptions { within: machine.enter(), ..SshdOptions::default() });
        fs::set_permissions(sshd.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let dropbear = Dropbear::start_by(&machine.enter());
        Self { machine, sshd, dropbear }
    }
}

#[test]
fn a_small_run_works_under_every_server_login_shell_and_sh() {
    if !can_be_made() {
        return;
    }
    let mut desk = Desk::new("");
    let mut hosts = Vec::new();
    let mut sites = Vec::new();
    for (sh, of) in [(Sh::Debian, "debian"), (Sh::Dash, "dash"), (Sh::Busybox, "busybox")] {
        // Servers read their users when somebody logs in: users may come after them.
        let mut site = Site::new(sh);
        for shell in SHELLS {
            for server in ["openssh", "dropbear"] {
                let user = format!("{shell}-{server}");
                let home = site.machine.add(&User::plain(&user, shell));
                site.machine.authorize(&user, &site.sshd.path("id.pub"));
                let (addr, known) = match server {
                    "openssh" => (site.sshd.addr, site.sshd.known_line()),
                    _ => (site.dropbear.addr, site.dropbear.known_line()),
                };
                let name = format!("{server}-{of}-{shell}");
                let entry = format!(
                    "address: {}, port: {}, user: {user}, identity_file: {}, vars: {{ place: {} }}",
                    addr.ip(),
                    addr.port(),
                    site.sshd.user_key().display(),
                    home.display()
                );
                desk.host(&name, &entry, &known);
                hosts.push(Host { name, place: home.clone(), user, receipts: home.join(".blackstart") });
            }
        }
        sites.push(site);
    }
    run_and_judge(desk, false, &hosts, |_| {});
    assert_eq!(hosts.len(), SHELLS.len() * 2 * 3);
}
