//! Report pages: the morning forecast and the backtest, each as one self-contained HTML file; and
//! pictures of observed series.
//!
//! Pure functions from plain views (strings, numbers and the enums defined here) to text: no files,
//! no clock, no forecast or market types but the market's local time. Callers translate what they know into a
//! [`ForecastPage`] or [`BacktestPage`] and write the returned string wherever it belongs.
//! Shares (probabilities, skill, coverage) are fractions of one; thresholds are in $/MWh.

mod backtest_page;
mod backtest_view;
mod bitmap;
mod colour;
mod comparison_page;
mod comparison_view;
mod dot_chart;
mod figure;
mod forecast_page;
mod forecast_view;
pub(crate) mod format;
mod meteogram;
mod monthly;
mod reliability;
#[cfg(test)]
mod sample;
mod scale;
mod series_plot;
mod strip;
mod svg;
mod thinning;
mod time_axis;
mod value_chart;
#[cfg(test)]
mod verification_sample;
mod verification_view;

pub use backtest_view::{
    BacktestPage, BacktestSection, BandPoint, CurveStep, Lead, ModelSkill, MonthSkill,
    MonthlySkill, NotableHour, Outcome, ReliabilityBin, ReliabilityCurve, ScoreRow, Setting,
};
pub use bitmap::{BitmapError, png};
pub use comparison_view::{ComparedRow, ComparisonPage, RowStanding, ScenarioView, ThresholdTable};
pub use figure::Figure;
pub use forecast_view::{
    DayView, Estimate, ExceedanceView, ForecastPage, Freshness, HourView, InputView, ModelCard,
    ModelComponent, PointView, Quality, Term, ThresholdSkill, TrackRecord, TrackRow,
};
pub(crate) use format::quantity;
pub use series_plot::{LINES_MAX, PlottedLine, SeriesPlot};
pub use verification_view::{
    AlertRow, Better, CircumstanceCell, CircumstanceGroup, CircumstanceRow, CurveRow, PValue,
    ReferenceRow, Role, StabilityRow, ValueChart, ValueCurve, VerificationView,
};
