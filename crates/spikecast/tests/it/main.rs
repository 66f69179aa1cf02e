//! The integration tests: one binary, one file per subject.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic and speak")]

mod archive;
mod archive_places;
mod backfill;
mod data;
mod ercot_run;
mod errors;
mod fetch;
#[path = "../../src/notifications/tests/http_stub.rs"]
mod http_stub;
mod killing;
mod ladder;
mod main_job;
mod models;
#[path = "../../../market/src/archive/tests/moto.rs"]
mod moto;
mod notify;
mod operations;
mod own_history;
mod program;
mod resuming;
mod scenarios;
mod schedule;
mod serve;
mod simulated_ercot;
mod simulated_operations;
#[path = "../../src/notifications/tests/smtp_stub.rs"]
mod smtp_stub;
mod tidy;
mod verification;
mod weather;
