//! Verification: forecasts beside what happened, and what can be said about it.
//!
//! `cases` puts both together, `assessment` finds everything out (the measures themselves are in
//! `forecast::evaluation`), `scores_file` and `page` tell it to machines and people, `figures`
//! leaves the page's pictures as files. `forecast_file`, `truth_file` and `truth_source` read what others
//! wrote and `pairing` joins it. The backtest and `spikecast evaluate` both come through here.

mod assessment;
mod cases;
mod figures;
mod forecast_file;
mod page;
mod page_detail;
mod pairing;
mod scores_file;
mod truth_file;
mod truth_source;

pub use assessment::{Assessment, CurveFindings, Detail, Findings, Group};
pub use cases::{Case, Cases, CasesBuilder};
pub use figures::{FigureError, write_figures};
pub use forecast_file::{ForecastFile, ForecastFileError, ForeignRow};
pub use page::{headlines, notes, section_views};
pub use pairing::{PairingError, pair};
pub use scores_file::{document, scores_json};
pub use truth_file::{Truth, TruthError};
pub use truth_source::truth_of_source;
