//! What a unit of work is: its function, what the function is handed and what it hands back.
//!
//! A task's place in a pipeline is in [`crate::pipeline`]; what follows its failure in
//! [`crate::recovery`].

mod cancellation;
mod context;
mod output;
mod priority;
mod registry;

pub use cancellation::CancellationToken;
pub use context::{ProgressReport, StageContext};
pub use output::{StageOutput, StageResult};
pub use priority::Priority;
pub use registry::Registry;
pub(crate) use registry::StageFunction;
