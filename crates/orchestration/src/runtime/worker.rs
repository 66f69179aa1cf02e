//! Makes one attempt after another, on a thread of its own.
//!
//! Knows neither journal nor state: a job goes in, a result comes out. A panic is a result too.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::pipeline::StageIndex;
use crate::recovery::{FailureClass, StageFailure};
use crate::run::{Ended, FencingToken};
use crate::task::{StageContext, StageFunction, StageResult};

/// What crosses the journal is small; larger outputs belong into artifacts.
const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// An attempt to make.
pub(super) struct Job {
    pub(super) stage: StageIndex,
    pub(super) token: FencingToken,
    pub(super) function: StageFunction,
    pub(super) context: StageContext,
}

/// What wakes the loop of an execution.
pub(super) enum Message {
    /// An attempt ended.
    Ended {
        /// How.
        ended: Ended,
        /// How long it took.
        elapsed: Duration,
    },
    /// Somebody asked to stop.
    Stop,
}

/// Takes jobs until there will be no more.
pub(super) fn work(jobs: &Mutex<Receiver<Job>>, messages: &Sender<Message>, clock: &dyn Clock) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { stage, token, function, context }) = job else { return };
        let begun = clock.monotonic();
        let result = attempt(&function, &context);
        let elapsed = clock.monotonic().saturating_sub(begun);
        let ended = Ended { stage, token, result };
        if messages.send(Message::Ended { ended, elapsed }).is_err() {
            return;
        }
    }
}

fn attempt(function: &StageFunction, context: &StageContext) -> StageResult {
    // The context is dropped after a panic, so nobody sees it half-changed; what the function
    // shares with others is its author's care.
    let output =
        catch_unwind(AssertUnwindSafe(|| function(context))).unwrap_or_else(|payload| {
            let message = format!("panic: {}", panic_text(payload.as_ref()));
            Err(StageFailure::new(FailureClass::Bug, message))
        })?;
    let bytes = output.value.to_string().len();
    if OUTPUT_BYTES_MAX < bytes {
        let message = format!(
            "an output of {bytes} bytes, but at most {OUTPUT_BYTES_MAX} cross the journal; \
             write an artifact and return its URI"
        );
        return Err(StageFailure::new(FailureClass::Bug, message));
    }
    Ok(output)
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "without a message"
    }
}
