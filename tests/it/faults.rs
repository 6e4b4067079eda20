//! Links and hosts that fail under the whole program: what journal, screen, exit code and host show afterwards.

mod disks;
pub mod host;
mod hosts;
mod names;
pub mod phases;
pub mod scene;
mod undo;
pub mod weather;

use scene::Scene;

/// A step that can be held while it runs, and one after it. Run-of-the-mill: neither may be done twice.
pub const HELD: &str = r#"
version: 1
name: held
phases:
  - id: work
    on_failure: stop
    steps:
      - id: change
        on: h1
        run: |
          echo "start $BLACKSTART_ATTEMPT" >>@dir@/ledger
          if [ -e @dir@/hold-run ]; then : >@dir@/at-run; while [ -e @dir@/site.yaml ] && [ ! -e @dir@/go-run ]; do sleep 0.05; done; fi
          echo "end $BLACKSTART_ATTEMPT" >>@dir@/ledger
        undo: not_needed
      - id: next
        on: h1
        needs: [change]
        run: echo "next $BLACKSTART_ATTEMPT" >>@dir@/ledger
        undo: not_needed
"#;

/// What a run of `HELD` leaves when each effect came once.
pub const HELD_ONCE: [&str; 3] = ["start 1", "end 1", "next 1"];

/// Carries out so many checks at the same time, each of which mostly waits; names those that failed.
pub fn side_by_side<T: std::fmt::Debug + Copy + Send + Sync>(rows: &[T], check: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        let check = &check;
        let started: Vec<_> = rows.iter().map(|&row| (row, scope.spawn(move || check(row)))).collect();
        let ended = started.into_iter().map(|(row, thread)| (row, thread.join()));
        let failed: Vec<_> = ended.filter_map(|(row, end)| end.is_err().then_some(row)).collect();
        assert!(failed.is_empty(), "{failed:?}");
    });
}
