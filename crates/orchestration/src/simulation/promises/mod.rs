//! What the orchestrator promises, checked from its events and without its own indices.
//!
//! The account is a second, slow and simple bookkeeper: it hears the same events as the run's state
//! and refuses those that break a promise.

mod account;
mod alerts;
mod notes;
mod order;
mod outputs;
mod replay;

pub(super) use account::Account;
pub(super) use alerts::Told;
pub(super) use order::{HeldUp, Room};
pub(super) use outputs::{OWN_REASON, Seen};
pub(super) use replay::{replayed, same};
