//! One execution of a pipeline: what has happened, what follows, and how it is told.
//!
//! Pure: instants come in as arguments, decisions go out as events. Storing events is the journal's
//! work and acting on them the runtime's.

mod decide;
mod event;
mod id;
mod path;
mod report;
mod stage;
mod state;

pub(crate) use decide::completed_dependencies;
pub use decide::{Ended, Guide, Mode, Superseded, conclude, decide, losses};
pub use event::{Event, EventKind, RunEnd};
pub use id::{FencingToken, RunId, RunIdError};
pub use path::Deadline;
pub(crate) use report::take_stage_report;
pub use report::{
    AttemptReport, OutputError, RunReport, RunStatus, RunSummary, StageReport, StageStatus,
};
pub use stage::{Attempt, AttemptOutcome, Ladder, StageRecord, StageState};
pub use state::{AGEING_STEP, ImpossibleEvent, Recorded, RunPhase, RunState};
