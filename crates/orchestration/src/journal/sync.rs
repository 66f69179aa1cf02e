//! The locks of the commit queue, imported in one place, so that a test can compile the very same
//! queue against locks whose threads it schedules itself.

pub(super) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
