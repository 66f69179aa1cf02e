//! What the pipelines of the daily operations are made of.

use jiff::SignedDuration;
use orchestration::{Isolation, Pipeline, PipelineBuilder, PipelineError, RetryPolicy, Stage};

use crate::jobs::forecast::{self, Setup, Training};

/// Brings the archive up to the present.
pub const FETCH: &str = "fetch";
/// Fits a new model.
pub const TRAIN: &str = "train";
/// Scores the forecasts of yesterday.
pub const SCORE: &str = "score";
/// Forecasts past days as if they were today.
pub const BACKTEST: &str = "backtest";
/// Looks, at the deadline, whether the forecast is there.
pub const DEADLINE: &str = "deadline";

/// A backtest that takes longer would run into the next morning.
const BACKTEST_TIME_MAX: SignedDuration = SignedDuration::from_hours(4);

/// Prices of yesterday that are not in yet are waited for until the afternoon.
const UNTIL_PRICES_ARE_IN: RetryPolicy = RetryPolicy {
    attempts_max: 10,
    delay_first: SignedDuration::from_hours(1),
    backoff_factor: 1.0,
    delay_max: SignedDuration::from_hours(1),
};

/// Returns every pipeline that has a schedule.
pub fn pipelines(setup: &Setup) -> Result<Vec<Pipeline>, PipelineError> {
    let (fetch, _) = setup.fetch(PipelineBuilder::new(FETCH));
    let (train, fetched) = setup.fetch(PipelineBuilder::new(TRAIN));
    let train = train.stage(setup.fit("train_anew").after_end_of([fetched]));
    let score = Stage::new(SCORE, SCORE).retry(UNTIL_PRICES_ARE_IN);
    let score = score.fallback("score_what_is_known");
    let backtest = Stage::new(BACKTEST, BACKTEST).retry(RetryPolicy::NEVER);
    let backtest = backtest.timeout(BACKTEST_TIME_MAX);
    let backtest = match setup.training {
        Training::Isolated => backtest.isolated(Isolation::default()),
        Training::Here => backtest,
    };
    let deadline = Stage::new(DEADLINE, DEADLINE).retry(RetryPolicy::default());
    Ok(vec![
        forecast::pipeline(setup)?,
        fetch.build()?,
        train.build()?,
        PipelineBuilder::new(SCORE).stage(score).build()?,
        PipelineBuilder::new(BACKTEST).stage(backtest).build()?,
        PipelineBuilder::new(DEADLINE).stage(deadline).build()?,
    ])
}
