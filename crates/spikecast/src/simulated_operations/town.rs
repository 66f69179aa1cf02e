//! The world around the process: the simulated ERCOT, served over HTTP at the true time, with the
//! faults of the day.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use market::reports::Report;
use market::time::local;
use orchestration::Clock;
use orchestration::simulation::VirtualClock;
use serde_json::{Value, json};

use super::trouble::{Kind, Trouble};
use crate::simulated_ercot::{
    BYTES_PER_HOUR, FaultPlan, FaultPlanError, Limits, REQUESTS_PER_MINUTE, Server, Service,
    ServiceSettings, Stop, WorldClock,
};

/// The report that light operations fetch: one posting a day, early in the morning.
pub(super) const REPORT: Report = Report::ActualLoad;

/// A right clock, whatever the process takes for the time.
#[derive(Debug)]
struct TrueClock(Arc<VirtualClock>);

impl Clock for TrueClock {
    fn now(&self) -> Timestamp {
        self.0.true_time()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn until(&self, instant: Timestamp) -> Duration {
        self.0.until(instant)
    }
}

/// The simulated ERCOT on its port.
#[derive(Debug)]
pub(super) struct Town {
    url: String,
    seed: u64,
    service: Arc<Service>,
}

impl Town {
    /// Begins to serve.
    pub(super) fn start(clock: &Arc<VirtualClock>, seed: u64, first_day: Date) -> io::Result<Self> {
        let server = Server::listen(0)?;
        let url = format!("http://{}", server.address());
        let service = Arc::new(Service::new(ServiceSettings {
            seed,
            first_day,
            clock: WorldClock::real(Arc::new(TrueClock(clock.clone()))),
            limits: Limits {
                requests_per_minute: Some(REQUESTS_PER_MINUTE),
                bytes_per_hour: Some(BYTES_PER_HOUR),
            },
            faults: FaultPlan::default(),
        }));
        let served = service.clone();
        // It serves until the process dies, which is how every life ends.
        thread::Builder::new()
            .name("simulated ERCOT".to_owned())
            .spawn(move || server.serve(served, Stop::default()))?;
        Ok(Self { url, seed, service })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Lets these troubles happen from now on, as far as they are ERCOT's.
    pub(super) fn trouble(&self, troubles: &[Trouble]) -> Result<(), FaultPlanError> {
        let rules: Vec<Value> = troubles.iter().filter_map(rule).collect();
        let plan = json!({ "seed": self.seed, "rule": rules });
        self.service.change_faults(FaultPlan::from_json(&plan)?);
        Ok(())
    }
}

/// Returns what a trouble is on the wire, if it is ERCOT's.
fn rule(trouble: &Trouble) -> Option<Value> {
    let time = |instant: Timestamp| local(instant).strftime("%Y-%m-%dT%H:%M").to_string();
    let mut rule = match trouble.kind {
        Kind::SourceDown => json!({ "fault": "server_error", "status": 503 }),
        Kind::Throttled => {
            json!({ "fault": "throttle", "retry_after_seconds": 20, "probability": 0.5 })
        }
        Kind::BandwidthUsedUp => json!({ "fault": "bandwidth", "retry_after_seconds": 900 }),
        Kind::TruncatedZips => json!({ "fault": "truncated_zip", "probability": 0.7 }),
        Kind::SchemaChanged => {
            json!({ "fault": "renamed_column", "column": "total", "renamed_to": "sum" })
        }
        Kind::LateReport => {
            // What is posted on that day comes hours later.
            let day = market::time::OperatingDay::of(trouble.from);
            let delay = 60 + trouble.from.as_second().rem_euclid(8 * 60);
            return Some(json!({
                "fault": "late", "report": REPORT.emil_id(), "delay_minutes": delay,
                "from": time(day.start()), "until": time(day.plus_days(1).start()),
            }));
        }
        Kind::CorruptedArchive
        | Kind::CorruptedModel
        | Kind::TrainingFails
        | Kind::TrainingHangs
        | Kind::DiskFull
        | Kind::Slow
        | Kind::DeskUnreachable => return None,
    };
    rule["from"] = json!(time(trouble.from));
    rule["until"] = json!(time(trouble.until));
    Some(rule)
}
