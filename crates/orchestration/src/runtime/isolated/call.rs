//! One call of a function in a child, from the question to the answer or the child's death.
//!
//! Waits in exactly one place, for whatever comes first: an answer, the child's end, a request to
//! stop, or the next step that `patience` has in mind.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use rustix::process::Signal;

use super::child::{Child, Death, Heard};
use super::patience::{Patience, Step, Stop};
use super::protocol::{CallShape, FromChild, ToChild};
use super::{FrameError, IsolatedLimits, IsolatedPolicy};
use crate::clock::{Clock, SystemClock};
use crate::recovery::{FailureClass, StageFailure};
use crate::task::{ProgressReport, StageContext, StageResult};

/// What a Rust program prints before it aborts because no memory is left.
const OUT_OF_MEMORY: &str = "memory allocation of ";

/// A call to make.
pub(super) struct Call<'c> {
    pub(super) function: &'c str,
    pub(super) context: &'c StageContext,
    pub(super) limits: IsolatedLimits,
    /// When it was asked for; its time runs from then on.
    pub(super) begun: Duration,
}

/// How a call ended.
pub(super) enum CallEnd {
    /// The child has answered and can be called again.
    Answered(StageResult),
    /// The child is dead; this call killed it, or died with it.
    Died(StageFailure),
    /// The child had died before; nothing of the call was begun.
    NotBegun(StageFailure),
}

impl Call<'_> {
    /// Returns when its time is over.
    pub(super) fn over_at(&self) -> Option<Duration> {
        self.limits.timeout.map(|timeout| self.begun.saturating_add(timeout))
    }

    /// Makes the call.
    pub(super) fn make(
        &self,
        child: &mut Child,
        policy: &IsolatedPolicy,
        clock: &SystemClock,
    ) -> CallEnd {
        let number = child.begin_call();
        let cancellation = &self.context.cancellation;
        let _subscription = cancellation.on_cancel(child.waker());
        if let Err(end) = self.ask(number, child, policy) {
            return end;
        }
        let mut patience = Patience::new(self.over_at(), policy.grace);
        loop {
            let now = clock.monotonic();
            match patience.step(now, cancellation.is_cancelled()) {
                // If it cannot be told, it has ended.
                Some(Step::Ask) => drop(child.tell(&ToChild::Cancel { call: number })),
                Some(Step::Terminate) => child.terminate(),
                Some(Step::Kill) => return self.died(child, &patience, policy, None),
                None => {}
            }
            let heard = child.hear(patience.next().map(|next| next.saturating_sub(now)));
            match heard {
                Some(Heard::Frame(frame)) if patience.stop().is_none() => {
                    if let Some(result) = self.take(number, frame) {
                        return CallEnd::Answered(result);
                    }
                }
                Some(Heard::Ended(error)) => {
                    return self.died(child, &patience, policy, Some(&error));
                }
                // An answer after the end of all patience is too late.
                Some(Heard::Frame(_) | Heard::Wake) | None => {}
            }
        }
    }

    /// Tells the child what to do.
    fn ask(&self, number: u64, child: &mut Child, policy: &IsolatedPolicy) -> Result<(), CallEnd> {
        let call = CallShape::new(number, self.function, self.context);
        let error = match child.tell(&ToChild::Call(call)) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        Err(match error {
            FrameError::TooLong { .. } => {
                let message = format!(
                    "the inputs of stage {} are too large for an isolated worker: {error}; \
                     write artifacts and pass their URIs",
                    self.context.stage
                );
                CallEnd::Answered(Err(StageFailure::new(FailureClass::Bug, message)))
            }
            FrameError::Connection { source } if source.kind() == io::ErrorKind::WouldBlock => {
                child.end();
                let wait = policy.answer_max;
                let message = format!("the isolated worker took no call within {wait:?}");
                CallEnd::Died(StageFailure::new(FailureClass::Timeout, message))
            }
            // A call that was not told to the end is not begun.
            FrameError::Connection { .. }
            | FrameError::Ended
            | FrameError::Torn { .. }
            | FrameError::Foreign { .. } => CallEnd::NotBegun(self.death(child)),
        })
    }

    /// Takes what the child says; returns the result once it is there.
    fn take(&self, number: u64, frame: FromChild) -> Option<StageResult> {
        match frame {
            FromChild::Progress { call, done, total, message } if call == number => {
                (self.context.on_progress)(ProgressReport { done, total, message });
                None
            }
            FromChild::Completed { call, output } if call == number => {
                Some(Ok(output.into_output()))
            }
            FromChild::Failed { call, failure } if call == number => {
                Some(Err(failure.into_failure()))
            }
            // Of an earlier call.
            FromChild::Ready { .. }
            | FromChild::Progress { .. }
            | FromChild::Completed { .. }
            | FromChild::Failed { .. } => None,
        }
    }

    /// Ends what is left of the child, and says why it had to be.
    fn died(
        &self,
        child: &mut Child,
        patience: &Patience,
        policy: &IsolatedPolicy,
        error: Option<&FrameError>,
    ) -> CallEnd {
        CallEnd::Died(match (patience.stop(), error) {
            (Some(stop), _) => {
                let failure = self.stopped(stop, patience.is_exhausted(), policy);
                with_last_words(failure, &child.end().last_words)
            }
            (None, Some(error @ (FrameError::TooLong { .. } | FrameError::Foreign { .. }))) => {
                let mut failure = StageFailure::caused_by(FailureClass::Bug, error);
                failure.message.insert_str(0, "the isolated worker was killed: it sent ");
                with_last_words(failure, &child.end().last_words)
            }
            (None, _) => self.death(child),
        })
    }

    fn stopped(&self, stop: Stop, is_exhausted: bool, policy: &IsolatedPolicy) -> StageFailure {
        let (class, why) = match stop {
            Stop::TimedOut => {
                let timeout = self.limits.timeout.unwrap_or_default();
                (FailureClass::Timeout, format!("no output within {timeout:?}"))
            }
            Stop::Cancelled => (FailureClass::Cancelled, "asked to stop, it went on".to_owned()),
        };
        let how = if is_exhausted {
            let grace = policy.grace;
            format!("its process group was sent SIGTERM, and SIGKILL after {grace:?} more")
        } else {
            "its process group was sent SIGTERM, and ended".to_owned()
        };
        StageFailure::new(class, format!("{why}; {how}"))
    }

    /// Says how a child died that nobody here wanted to die.
    fn death(&self, child: &mut Child) -> StageFailure {
        let Death { status, last_words } = child.end();
        let (class, message) = match status {
            Err(error) => {
                let message = format!("the isolated worker died, nobody knows how: {error}");
                (FailureClass::Bug, message)
            }
            Ok(status) if status.signal() == Some(Signal::KILL.as_raw()) => {
                let message = format!(
                    "somebody else killed the isolated worker ({status}), perhaps the system \
                     because it needed memory"
                );
                (FailureClass::ResourceExhaustion, message)
            }
            Ok(status)
                if status.signal() == Some(Signal::ABORT.as_raw())
                    && last_words.contains(OUT_OF_MEMORY) =>
            {
                let limit = match self.limits.memory_bytes_max {
                    Some(bytes) => format!("its limit of {bytes} bytes of memory"),
                    None => "the end of this machine's memory".to_owned(),
                };
                let message = format!("the isolated worker came to {limit} ({status})");
                (FailureClass::ResourceExhaustion, message)
            }
            Ok(status) => (FailureClass::Bug, format!("the isolated worker died ({status})")),
        };
        with_last_words(StageFailure::new(class, message), &last_words)
    }
}

fn with_last_words(mut failure: StageFailure, last_words: &str) -> StageFailure {
    if !last_words.is_empty() {
        failure.message.push_str("; it last wrote: ");
        failure.message.push_str(last_words);
    }
    failure
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use serde_json::Value;

    use super::super::IsolatedCommand;
    use super::super::protocol::CALL_BYTES_MAX;
    use super::*;
    use crate::run::RunId;
    use crate::task::{CancellationToken, StageOutput};

    /// Calls a child that answers the handshake and then does what `script` says.
    fn call(script: &str, answer_max: Duration, input: Value) -> CallEnd {
        // The first frame is 4 + 64 bytes long, and as many as the number of the process has.
        let script = format!(
            r#"pid=$$; dd bs=1 count=$((68 + ${{#pid}})) of=/dev/null 2>/dev/null
               printf '\000\000\000\047{{"ready":{{"protocol":1,"functions":[]}}}}' >&0
               {script}"#
        );
        let command = IsolatedCommand::new("sh").argument("-c").argument(script);
        let start_max = Duration::from_mins(1);
        let mut child = Child::start(&command, None, start_max, || {}).unwrap();
        child.set_answer_max(answer_max).unwrap();
        let policy = IsolatedPolicy { answer_max, ..IsolatedPolicy::default() };
        let context = StageContext {
            run_id: RunId(1),
            run_input: Arc::new(Value::Null),
            stage: "train".to_owned(),
            item: None,
            input,
            attempt: 1,
            outputs: BTreeMap::new(),
            cancellation: CancellationToken::new(),
            on_progress: Box::new(|_| {}),
        };
        let (limits, begun) = (IsolatedLimits::default(), Duration::ZERO);
        let call = Call { function: "train", context: &context, limits, begun };
        call.make(&mut child, &policy, &SystemClock::new())
    }

    /// Calls a child that waits for a call, then sends `frames` and then nothing.
    fn answer(frames: &str) -> CallEnd {
        let script = format!(
            "dd bs=1 count=4 of=/dev/null 2>/dev/null; printf '{frames}' >&0; cat >/dev/null"
        );
        call(&script, Duration::from_mins(1), Value::Null)
    }

    fn check_died(end: &CallEnd, expected: &str) {
        let CallEnd::Died(failure) = end else { panic!("expected {expected}") };
        assert_eq!(failure.to_string(), expected);
    }

    #[test]
    fn a_child_that_breaks_the_protocol_is_killed() {
        check_died(
            &answer("GET / HTTP/1.1"),
            "bug: the isolated worker was killed: it sent a frame of 1195725856 bytes, but at most \
             4194304 cross to the other side",
        );
        check_died(
            &answer(r"\000\000\000\002{}"),
            "bug: the isolated worker was killed: it sent a frame that is not of the protocol: \
             expected value at line 1 column 2",
        );
    }

    #[test]
    fn what_belongs_to_another_call_is_refused() {
        let of = |call: u64, value: u64| {
            let output = format!(r#"{{"value":{value},"degraded":[]}}"#);
            format!(r#"\000\000\000\073{{"completed":{{"call":{call},"output":{output}}}}}"#)
        };
        let end = answer(&(of(7, 8) + &of(1, 9)));
        let CallEnd::Answered(result) = end else { panic!("the child has answered") };
        assert_eq!(result, Ok(StageOutput::fresh(9.into())));
    }

    #[test]
    fn inputs_that_are_too_large_are_refused_before_anything_is_sent() {
        let input = Value::from("x".repeat(CALL_BYTES_MAX));
        let end = call("cat >/dev/null", Duration::from_mins(1), input);
        let CallEnd::Answered(Err(failure)) = end else { panic!("the child lives on") };
        assert_eq!(failure.class, FailureClass::Bug);
        let expected = "the inputs of stage train are too large for an isolated worker: a frame of";
        assert!(failure.message.starts_with(expected), "{failure}");
    }

    #[test]
    fn a_child_that_takes_no_call_is_killed() {
        let input = Value::from("x".repeat(1 << 20));
        check_died(
            &call("kill -STOP $$", Duration::from_millis(50), input),
            "timeout: the isolated worker took no call within 50ms",
        );
    }

    #[test]
    fn a_call_that_was_not_told_to_the_end_was_not_begun() {
        let input = Value::from("x".repeat(1 << 20));
        let end = call("exit 3", Duration::from_mins(1), input);
        let CallEnd::NotBegun(failure) = end else { panic!("nobody has heard the call") };
        assert_eq!(failure.to_string(), "bug: the isolated worker died (exit status: 3)");
    }
}
