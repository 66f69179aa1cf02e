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

    /// Lists the requests without the first so many.
    pub(super) fn json(&self, skipped: u64) -> Value {
        let skipped = usize::try_from(skipped.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        let entries = self.entries.iter().skip(skipped).map(|entry| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_can_be_skipped_and_what_is_forgotten_counts_as_seen() {
        let mut log = RequestLog { entries: VecDeque::new(), forgotten: 10 };
        for bytes in 0..5 {
            log.add(Entry {
                time: Timestamp::UNIX_EPOCH,
                method: "GET".to_owned(),
                target: "/".to_owned(),
                route: None,
                report: None,
                documents: Vec::new(),
                status: 404,
                bytes,
                fault: None,
            });
        }
        let sizes = |skipped| -> Vec<Value> {
            let json = log.json(skipped);
            json["requests"].as_array().unwrap().iter().map(|it| it["bytes"].clone()).collect()
        };
        assert_eq!(sizes(0), [0, 1, 2, 3, 4]);
        assert_eq!(sizes(13), [3, 4]);
        assert!(sizes(15).is_empty() && sizes(u64::MAX).is_empty());
    }
}
