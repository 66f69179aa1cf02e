//! Notices through the orchestrator, as whoever serves forecasts hands them over: submitted once and
//! executed, with a real journal.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use orchestration::{
    CancellationToken, Clock, Journal, ManualClock, PipelineExecutor, Registry, RunReport,
    RunStatus,
};

use super::http_stub::HttpStub;
use super::{SECRET, clock, settings, slack};
use crate::notifications::{Channel, Notice, NoticeKind, Notifier, PATIENCE, pipeline, sample};

/// A journal in a folder, and a clock.
struct Desk {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: clock() }
    }

    /// Tells a notice to all channels as a process would that has just started.
    fn tell(&self, channels: &[Channel], notice: &Notice) -> Vec<RunReport> {
        let notifier = Notifier::new(&settings(channels.to_vec()), self.clock.clone()).unwrap();
        self.deliver(&Arc::new(notifier), notice)
    }

    fn deliver(&self, notifier: &Arc<Notifier>, notice: &Notice) -> Vec<RunReport> {
        let mut registry = Registry::new();
        notifier.register(&mut registry);
        let journal = Journal::open(&self.folder.path().join("journal.sqlite")).unwrap();
        let executor =
            PipelineExecutor::new(journal, registry, self.clock.clone(), NonZeroUsize::MIN);
        let pipeline = pipeline(PATIENCE).unwrap();
        let mut reports = Vec::new();
        for delivery in notifier.deliveries(notice) {
            let submitted = executor.submit_once(&pipeline, &delivery.key, delivery.input).unwrap();
            reports.push(executor.execute(submitted.run_id, &CancellationToken::new()).unwrap());
        }
        reports
    }
}

fn reason(report: &RunReport) -> String {
    report.stage("deliver").unwrap().reason.clone().unwrap_or_default()
}

/// Says whether any file of a folder holds a text.
fn holds(folder: &Path, text: &str) -> bool {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let windows = |bytes: Vec<u8>| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    files.into_iter().any(windows)
}

#[test]
fn a_notice_is_tried_again_until_it_is_delivered_and_then_never_repeated() {
    let limited = ("429 Too Many Requests", "Retry-After: 90\r\n", "rate_limited");
    let stub = HttpStub::answering(&[("503 Busy", "", ""), limited, ("200 OK", "", "ok")]);
    let desk = Desk::new();
    let begun = desk.clock.now();
    let channels = [slack(&stub.origin())];
    let first = desk.tell(&channels, &sample::deadline_missed());
    assert_eq!(first[0].status, RunStatus::Completed);
    assert_eq!(first[0].stage("deliver").unwrap().attempts.len(), 3);
    assert_eq!(stub.asked().len(), 3);
    assert!(90.0 <= (desk.clock.now() - begun).as_secs_f64(), "the server's wait is kept");
    // Another process hears of the same event, and of another one.
    let again = desk.tell(&channels, &sample::deadline_missed());
    assert_eq!(again[0].run_id, first[0].run_id);
    assert_eq!(stub.asked().len(), 3);
    desk.tell(&channels, &sample::spike_likely());
    assert_eq!(stub.asked().len(), 4);
    assert!(holds(desk.folder.path(), "deadline_missed") && !holds(desk.folder.path(), SECRET));
}

#[test]
fn a_wrong_address_fails_for_good_and_keeps_no_other_channel_from_being_told() {
    let wrong = HttpStub::answering(&[("404 Not Found", "", "Cannot POST {path}")]);
    let right = HttpStub::answering(&[("202 Accepted", "", "")]);
    let teams = match slack(&right.origin()) {
        Channel::Webhook { url, .. } => {
            Channel::Webhook { format: crate::notifications::WebhookFormat::Teams, url }
        }
        Channel::Mail(_) => unreachable!("it is a webhook"),
    };
    let desk = Desk::new();
    let reports = desk.tell(&[slack(&wrong.origin()), teams], &sample::deadline_missed());
    let ends: Vec<RunStatus> = reports.iter().map(|report| report.status).collect();
    assert_eq!(ends, [RunStatus::Failed, RunStatus::Completed]);
    assert_eq!(
        reason(&reports[0]),
        format!(
            "authentication: slack at {}: HTTP 404: Cannot POST ***; make a new webhook there and \
             set its address",
            wrong.origin()
        )
    );
    assert_eq!((wrong.asked().len(), right.asked().len()), (1, 1));
    assert!(!holds(desk.folder.path(), SECRET));
}

#[test]
fn a_server_that_stays_away_is_given_up_after_an_hour_or_two() {
    let stub = HttpStub::answering(&[("503 Busy", "", "")]);
    let desk = Desk::new();
    let begun = desk.clock.now();
    let reports = desk.tell(&[slack(&stub.origin())], &sample::deadline_missed());
    assert_eq!(reports[0].status, RunStatus::Failed);
    assert_eq!(stub.asked().len(), 14);
    let hours = (desk.clock.now() - begun).as_secs_f64() / 3_600.0;
    assert!((0.2..2.1).contains(&hours), "{hours}");
}

#[test]
fn what_waits_for_a_channel_that_is_gone_says_so() {
    let desk = Desk::new();
    let stub = HttpStub::answering(&[("200 OK", "", "ok")]);
    let before = Notifier::new(&settings(vec![slack(&stub.origin())]), clock()).unwrap();
    let waiting = before.deliveries(&sample::deadline_missed());
    let after = Arc::new(Notifier::new(&settings(Vec::new()), clock()).unwrap());
    let mut registry = Registry::new();
    after.register(&mut registry);
    let journal = Journal::open(&desk.folder.path().join("journal.sqlite")).unwrap();
    let executor = PipelineExecutor::new(journal, registry, desk.clock.clone(), NonZeroUsize::MIN);
    let pipeline = pipeline(PATIENCE).unwrap();
    let submitted =
        executor.submit_once(&pipeline, &waiting[0].key, waiting[0].input.clone()).unwrap();
    let report = executor.execute(submitted.run_id, &CancellationToken::new()).unwrap();
    assert_eq!(
        reason(&report),
        "bad data: slack: is not configured any longer; what waited for it is not delivered"
    );
    assert!(stub.asked().is_empty());
}

#[test]
fn every_channel_has_a_delivery_of_its_own_if_the_kind_is_wanted() {
    let channel = slack("http://127.0.0.1:1");
    let mut settings = settings(vec![channel]);
    settings.kinds = [NoticeKind::DeadlineMissed].into();
    let notifier = Notifier::new(&settings, clock()).unwrap();
    let keys = |notice: &Notice| -> Vec<String> {
        notifier.deliveries(notice).into_iter().map(|delivery| delivery.key).collect()
    };
    assert_eq!(keys(&sample::deadline_missed()), ["slack: deadline_missed 2026-03-07"]);
    assert_eq!(keys(&sample::spike_likely()), [""; 0]);
    let test = Notice::Test { sent_at: sample::at("2026-03-07T15:00Z") };
    assert_eq!(keys(&test), ["slack: test 2026-03-07T15:00:00Z"]);
}
