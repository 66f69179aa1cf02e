//! What is to be done, in which order: a checked graph of stages. Plain data; running it happens in
//! [`crate::runtime`].

mod builder;
mod graph;
mod stage;

pub use builder::{PipelineBuilder, PipelineError};
pub(crate) use graph::Edges;
pub use graph::{Pipeline, StageIndex};
pub use stage::{Condition, Fallback, FanOut, Isolation, Memo, PoolClaim, Stage};
