//! Several backtests from one file, compared in one report.
//!
//! `file` reads the scenarios, `table` one value of them with its place in the file, `comparison` puts
//! the scores of finished backtests side by side, `page` shows them. All of it is pure; the backtests
//! themselves are those of [`super::backtest`].

mod comparison;
mod file;
mod page;
mod table;

pub use comparison::{Compared, Comparison, ComparisonError, Score};
pub use file::{Scenario, Unsaid, read};
pub use page::page;
pub use table::ScenarioError;
