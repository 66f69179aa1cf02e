//! The jobs: what the orchestrator runs. `forecast` is the daily main job, one file per stage;
//! `fetch` brings the archive up to what was asked for;
//! `backfill` forecasts the days of a span that were missed;
//! `backtest` goes through the past day by day with the same functions; `scenarios` compares several of them;
//! `score` compares what was forecast with what happened, `running_scores` keeps the record; `deadline` looks whether a forecast is there.
//!
//! `source` says where observations come from, `targets` what is forecast, `training` and `inference` are shared by both
//! jobs, `models` says where models are registered, `failure` tells the orchestrator what kind of failure it was, `data_quality` judges archived days,
//! `archive_repair` mends what is broken of them.

pub mod archive_repair;
pub mod backfill;
pub mod backtest;
pub mod data_quality;
pub mod deadline;
pub mod ercot;
mod examples_file;
pub mod failure;
pub mod fetch;
pub mod forecast;
pub mod inference;
pub mod models;
pub mod running_scores;
pub mod scenarios;
pub mod score;
pub mod source;
pub mod targets;
pub mod training;
pub mod weather;
