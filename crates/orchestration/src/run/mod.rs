//! One execution of a pipeline: what has happened, what follows, and how it is told.
//!
//! Pure: instants come in as arguments, decisions go out as events. Storing events is the journal's
//! work and acting on them the runtime's.

mod decide;
mod event;
mod id;
mod report;
mod stage;
mod state;

pub(crate) use decide::completed_dependencies;
pub use decide::{Ended, Mode, Superseded, conclude, decide, losses};
pub use event::{Event, EventKind, RunEnd};
pub use id::{FencingToken, RunId, RunIdError};
pub use report::{
    AttemptReport, OutputError, RunReport, RunStatus, RunSummary, StageReport, StageStatus,
};
pub use stage::{Attempt, AttemptOutcome, Ladder, StageRecord, StageState};
pub use state::{ImpossibleEvent, Recorded, RunPhase, RunState};
