//! How long is waited when ERCOT refuses and does not say for how long. The client's clock goes to
//! whatever is waited for by itself; everything else is real: the program's own stages, its
//! client, a served ERCOT on a socket.

use std::num::NonZeroUsize;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use orchestration::{
    CancellationToken, Clock, ErrorRecoveryManager, Journal, ManualClock, PipelineExecutor,
    Registry, RetryPolicy, RunStatus,
};
use spikecast::config::{Config, Layers};
use spikecast::data_dir::DataDir;
use spikecast::jobs::ercot::Ercot;
use spikecast::jobs::fetch::{
    FetchInput, FetchWorkspace, Purpose, Vintages, WantedSpan, open_archive, pipeline,
    recover_fetching, register,
};
use spikecast::jobs::source::SourceChoice;

use super::served::{Served, Wish};

/// Long after everything that is fetched, so that it comes through the Public API.
const NOW: &str = "2026-11-24T12:00:17Z";

/// Fetches, and returns how much time passed on the client's clock.
fn fetched(served: &Served, wish: &Wish) -> SignedDuration {
    let now: Timestamp = NOW.parse().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(now));
    let layers = Layers::read(Some(&served.program.path("spikecast.toml"))).unwrap();
    let config = Config::from_layers(&layers).unwrap();
    let data_dir = DataDir::new(served.program.path("data"));
    let (from, to) = wish.span();
    let wanted = wish.keys().iter().map(|key| WantedSpan { key: key.into(), from, to }).collect();
    let (source, vintages) = (SourceChoice::Ercot, Vintages::Morning);
    let input = FetchInput { source, wanted, now, as_of: now, vintages, purpose: Purpose::Archive };
    std::fs::create_dir_all(served.program.path("data")).unwrap();
    let journal = Journal::open(&data_dir.fetch_journal()).unwrap();
    let workspace = Arc::new(FetchWorkspace {
        clock: clock.clone(),
        ercot: Some(Ercot::open(&config.ercot, &clock).unwrap()),
        weather: None,
        archive: open_archive(&data_dir, "ercot").unwrap(),
        data_dir,
    });
    let policy = RetryPolicy::default();
    let mut registry = Registry::new();
    register(&mut registry, &workspace);
    let mut recovery = ErrorRecoveryManager::new();
    recover_fetching(&mut recovery, &workspace, policy).unwrap();
    let executor = PipelineExecutor::new(journal, registry, clock.clone(), NonZeroUsize::MIN)
        .recover_with(Arc::new(recovery));
    let pipeline = pipeline(policy).unwrap();
    let submission =
        executor.submit(&pipeline, "wish", serde_json::to_value(input).unwrap()).unwrap();
    let report = executor.execute(submission.run_id, &CancellationToken::new()).unwrap();
    assert_eq!(report.status, RunStatus::Completed);
    assert!(report.degraded.is_empty(), "{:?}", report.degraded);
    clock.now() - now
}

fn waits(faults: &str) -> SignedDuration {
    let served = Served::with_faults(faults);
    let passed = fetched(&served, &Wish::spring());
    served.holds_the_truth();
    passed
}

#[test]
fn too_many_requests_wait_until_the_first_of_them_is_a_minute_old() {
    assert_eq!(waits(""), SignedDuration::ZERO);
    for route in ["rows", "archive_list", "archive_download"] {
        let rule = format!("[[rule]]\nfault = \"throttle\"\nroute = \"{route}\"\nnth = 1\n");
        let passed = waits(&rule);
        let (least, most) = (SignedDuration::from_mins(1), SignedDuration::from_mins(2));
        assert!(least <= passed && passed < most, "{route}: {passed:#}");
    }
}

#[test]
fn too_many_bytes_wait_for_the_next_full_hour() {
    for route in ["rows", "archive_download"] {
        let rule = format!("[[rule]]\nfault = \"bandwidth\"\nroute = \"{route}\"\nnth = 1\n");
        let passed = waits(&rule);
        let least = SignedDuration::from_mins(60) - SignedDuration::from_secs(17);
        assert!(least <= passed && passed < 2 * least, "{route}: {passed:#}");
    }
}
