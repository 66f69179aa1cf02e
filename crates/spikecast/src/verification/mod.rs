//! Verification: forecasts beside what happened, and what can be said about it.
//!
//! `cases` puts both together, `assessment` finds everything out (the measures themselves are in
//! `forecast::evaluation`), `scores_file` and `page` tell it to machines and people.

mod assessment;
mod cases;
mod page;
mod scores_file;

pub use assessment::{Assessment, CurveFindings, Detail, Findings, Group};
pub use cases::{Case, Cases, CasesBuilder};
pub use page::{headlines, section_views};
pub use scores_file::{document, scores_json};
