//! The daily operations as a long-lived process: every pipeline under its schedule, under one
//! deadline, with everybody told what they want to know.
//!
//! `pipelines` says what each is made of, `planner` what a firing's run is submitted with and by
//! when it must be done, `watch` what follows from what happened, `courier` delivers notices, `log`
//! writes things down, and [`Operations`] puts them together. What the stages do is in `jobs`; who
//! starts all this (`spikecast serve`, or `simulate-operations` in virtual time) hands over the
//! functions, the clock and the journal.

mod courier;
mod fetching;
mod functions;
mod log;
mod pipelines;
mod planner;
mod running;
mod watch;

pub use courier::Courier;
pub use fetching::{fetch_input, fetcher, patient_fetching};
pub use functions::{look_for_forecast, register};
pub use pipelines::{BACKTEST, DEADLINE, FETCH, SCORE, TRAIN, pipelines};
pub use planner::{
    BacktestRequest, DeadlineRequest, Fetcher, MARGIN, RUNS_LEARNT_FROM, ScoreRequest,
};
pub use running::{Operations, OperationsError, Parts};
