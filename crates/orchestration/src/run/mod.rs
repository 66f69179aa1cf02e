//! One execution of a pipeline: what has happened, what follows, and how it is told.
//!
//! Pure: instants come in as arguments, decisions go out as events. Storing events is the journal's
//! work and acting on them the runtime's.

mod decide;
mod event;
mod explain;
mod fan_out;
mod id;
mod lanes;
mod layout;
mod path;
mod pools;
mod report;
mod stage;
mod state;
mod transitions;

pub(crate) use decide::completed_dependencies;
pub use decide::{
    CancelScope, Ended, Guide, Mode, Superseded, alert, cancellations, conclude, decide, losses,
};
pub use event::{Event, EventKind, Recalled, RunEnd};
pub use explain::{StageExplanation, explain, explanations};
pub use id::{FencingToken, RunId, RunIdError};
pub use layout::Layout;
pub use path::Deadline;
pub use pools::{Pool, PoolError, Pools};
pub use report::{
    AttemptReport, ItemCounts, OutputError, RunReport, RunStatus, RunSummary, StageReport,
    StageStatus,
};
pub(crate) use report::{Standing, item_reports};
pub use stage::{Attempt, AttemptOutcome, Ladder, SkipCause, StageRecord, StageState};
pub use state::{AGEING_STEP, ImpossibleEvent, Recorded, RunPhase, RunState};
