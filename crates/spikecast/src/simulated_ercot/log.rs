//! The log of requests, for tests that must know what was asked for and how often. It holds no
//! headers, so no credentials either.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value, json};

/// The oldest requests are forgotten.
const REQUESTS_MAX: usize = 100_000;

/// One answered request.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The simulated time.
    pub(super) time: Timestamp,
    pub(super) method: String,
    /// Path and query, the subscription key left out.
    pub(super) target: String,
    pub(super) route: Option<&'static str>,
    pub(super) report: Option<&'static str>,
    /// The files that were asked for.
    pub(super) documents: Vec<i64>,
    pub(super) status: u16,
    /// The size of the body as it should arrive.
    pub(super) bytes: usize,
    pub(super) fault: Option<&'static str>,
}

/// The last requests.
#[derive(Debug, Default)]
pub(super) struct RequestLog {
    entries: VecDeque<Entry>,
    forgotten: u64,
}

impl RequestLog {
    pub(super) fn add(&mut self, entry: Entry) {
        self.entries.push_back(entry);
        if REQUESTS_MAX < self.entries.len() {
            self.entries.pop_front();
            self.forgotten += 1;
        }
    }

    pub(super) fn json(&self) -> Value {
        let entries = self.entries.iter().map(|entry| {
            json!({
                "time": entry.time.to_string(),
                "method": entry.method,
                "target": entry.target,
                "route": entry.route,
                "report": entry.report,
                "documents": entry.documents,
                "status": entry.status,
                "bytes": entry.bytes,
                "fault": entry.fault,
            })
        });
        json!({ "forgotten": self.forgotten, "requests": entries.collect::<Vec<_>>() })
    }
}
