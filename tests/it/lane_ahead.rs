//! Scripts that are sent but for their last byte, over real shells on this machine: that byte starts them, and nothing else.

use crate::lane::{LONG, claimed, each, exit, lost, run, script};
use crate::lane_receipts::kill_whoever_waits;
use crate::support::shells::Site;
use blackstart::model::event::Found;
use blackstart::transport::work::{NoSink, Script};
use blackstart::transport::{LaidReady, Remote, Stop};

/// A script that leaves a line beside the receipts, and ends as a job does that was not to start.
fn writes(site: &Site, attempt: u32, word: &str) -> Script {
    claimed(site, attempt, &format!("echo {word} >>{}; cat; exit 125", site.path("ledger").display()))
}

fn written(site: &Site) -> String {
    std::fs::read_to_string(site.path("ledger")).unwrap_or_default()
}

/// Sends it ahead, once there is a lane to do so.
async fn lay(host: &dyn Remote, site: &Site, attempt: u32, word: &str, make: &str) -> LaidReady {
    assert_eq!(run(host, &script("exit 3")).await.0, exit(3), "{make}");
    host.lay(writes(site, attempt, word)).unwrap_or_else(|| panic!("{make}: a lane is idle"))
}

#[test]
fn the_last_byte_starts_it_and_nothing_else_does() {
    each(async |make, site| {
        let host = site.host();
        let stop = &mut Stop::never();
        assert!(host.lay(writes(site, 1, "early")).is_none(), "{make}: there is no lane yet");
        drop(lay(&*host, site, 1, "never", make).await);
        assert_eq!(host.resolve(&lost(site, 1), stop).await, Found::NeverStarted, "{make}");

        let (mut go, laid) = lay(&*host, site, 2, "once", make).await;
        assert!(host.lay(writes(site, 3, "beside")).is_none(), "{make}: the lane is taken");
        assert_eq!(written(site), "", "{make}");
        assert!(go.send(), "{make}");
        assert_eq!(laid.follow(&mut NoSink, stop, &mut || {}).await, exit(125), "{make}");
        assert_eq!(written(site), "once\n", "{make}");
        assert_eq!(host.resolve(&lost(site, 2), stop).await, Found::Ended(exit(125)), "{make}");

        // A claim that is there is in its way, its receipt tells how it ended, and the lane goes on.
        let (mut go, laid) = lay(&*host, site, 2, "twice", make).await;
        assert!(go.send(), "{make}");
        assert_eq!(laid.follow(&mut NoSink, stop, &mut || {}).await, exit(125), "{make}");
        assert_eq!(run(&*host, &script("exit 4")).await.0, exit(4), "{make}");
        assert_eq!(written(site), "once\n", "{make}");
    });
}

#[test]
fn with_the_process_that_waits_for_it_the_lane_is_gone() {
    each(async |make, site| {
        let host = site.host();
        let stop = &mut Stop::never();
        let (_go, mut laid) = lay(&*host, site, 1, "never", make).await;
        kill_whoever_waits(make);
        tokio::time::timeout(LONG.std(), laid.lost()).await.expect(make);
        drop(laid);
        assert_eq!(host.resolve(&lost(site, 1), stop).await, Found::NeverStarted, "{make}");
        assert_eq!(written(site), "", "{make}");
    });
}
