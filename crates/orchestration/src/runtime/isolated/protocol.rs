//! What the orchestrator and an isolated child say to each other, as shapes of their own.
//!
//! The orchestrator speaks first (`open`), the child answers (`ready`); these two keep their
//! fields in every version, so that different versions can tell each other. Then come calls, one at
//! a time, each with a number: what carries the number of an earlier call is refused.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::recovery::{FailureClass, StageFailure};
use crate::run::RunId;
use crate::task::{CancellationToken, ProgressReport, StageContext, StageOutput, StageResult};

/// Rises when a shape changes; a child of another version is refused.
pub(super) const PROTOCOL: u32 = 1;

/// What a stage is handed crosses the journal too, a dependency at a time; this is for all of them.
pub(super) const CALL_BYTES_MAX: usize = 16 << 20;

/// An output (at most a mebibyte), the reasons why it is degraded, or a failure with its backtrace.
pub(super) const ANSWER_BYTES_MAX: usize = 4 << 20;

/// What a child is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToChild<'a> {
    /// The first frame.
    Open {
        protocol: u32,
        /// How much address space the child may use.
        memory_bytes_max: Option<u64>,
        /// The group that the child was started in, and that it may end.
        process_group: u32,
    },
    /// Work to do.
    Call(CallShape<'a>),
    /// The call of this number shall stop.
    Cancel { call: u64 },
}

/// Everything one attempt of a stage may see.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CallShape<'a> {
    pub(super) call: u64,
    pub(super) function: Cow<'a, str>,
    run_id: i64,
    run_input: Cow<'a, Value>,
    stage: Cow<'a, str>,
    item: Option<(usize, Cow<'a, Value>)>,
    input: Cow<'a, Value>,
    attempt: u32,
    outputs: BTreeMap<Cow<'a, str>, OutputShape<'a>>,
}

/// The output of a stage.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OutputShape<'a> {
    value: Cow<'a, Value>,
    degraded: Cow<'a, [String]>,
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FromChild {
    /// The answer to `open`.
    Ready { protocol: u32, functions: Vec<String> },
    /// How far a call has come.
    Progress { call: u64, done: u64, total: u64, message: String },
    /// A call succeeded.
    Completed { call: u64, output: OutputShape<'static> },
    /// A call failed.
    Failed { call: u64, failure: FailureShape },
}

/// Why an attempt failed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FailureShape {
    class: ClassShape,
    message: String,
    wait: Option<SignedDuration>,
    backtrace: Option<String>,
}

/// The class of a failure.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "FailureClass")]
enum ClassNames {
    Connection,
    RateLimit,
    Authentication,
    BadData,
    MissingData,
    Model,
    ResourceExhaustion,
    Timeout,
    Bug,
    Cancelled,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct ClassShape(#[serde(with = "ClassNames")] FailureClass);

impl<'a> CallShape<'a> {
    /// Writes down what `function` is to be called with.
    pub(super) fn new(call: u64, function: &'a str, context: &'a StageContext) -> Self {
        let outputs = context
            .outputs
            .iter()
            .map(|(name, output)| (Cow::Borrowed(name.as_str()), OutputShape::new(output)))
            .collect();
        Self {
            call,
            function: Cow::Borrowed(function),
            run_id: context.run_id.0,
            run_input: Cow::Borrowed(&context.run_input),
            stage: Cow::Borrowed(&context.stage),
            item: context.item.as_ref().map(|(number, value)| (*number, Cow::Borrowed(value))),
            input: Cow::Borrowed(&context.input),
            attempt: context.attempt,
            outputs,
        }
    }

    /// Returns what the function is handed.
    pub(super) fn into_context(
        self,
        cancellation: CancellationToken,
        on_progress: impl Fn(ProgressReport) + Send + Sync + 'static,
    ) -> StageContext {
        let outputs = self
            .outputs
            .into_iter()
            .map(|(name, output)| (name.into_owned(), Arc::new(output.into_output())))
            .collect();
        StageContext {
            run_id: RunId(self.run_id),
            run_input: Arc::new(self.run_input.into_owned()),
            stage: self.stage.into_owned(),
            item: self.item.map(|(number, value)| (number, value.into_owned())),
            input: self.input.into_owned(),
            attempt: self.attempt,
            outputs,
            cancellation,
            on_progress: Box::new(on_progress),
        }
    }
}

impl<'a> OutputShape<'a> {
    fn new(output: &'a StageOutput) -> Self {
        let (value, degraded) = (Cow::Borrowed(&output.value), Cow::Borrowed(&*output.degraded));
        Self { value, degraded }
    }

    pub(super) fn into_output(self) -> StageOutput {
        StageOutput { value: self.value.into_owned(), degraded: self.degraded.into_owned() }
    }
}

impl FailureShape {
    pub(super) fn into_failure(self) -> StageFailure {
        let mut failure = StageFailure::new(self.class.0, self.message);
        (failure.wait, failure.backtrace) = (self.wait, self.backtrace);
        failure
    }
}

impl FromChild {
    /// Writes down how a call ended.
    pub(super) fn ended(call: u64, result: StageResult) -> Self {
        match result {
            Ok(StageOutput { value, degraded }) => {
                let (value, degraded) = (Cow::Owned(value), Cow::Owned(degraded));
                Self::Completed { call, output: OutputShape { value, degraded } }
            }
            Err(StageFailure { class, message, wait, backtrace, error_type: _ }) => {
                let class = ClassShape(class);
                Self::Failed { call, failure: FailureShape { class, message, wait, backtrace } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_class_has_a_name_of_its_own_and_keeps_it() {
        let names: Vec<String> = FailureClass::ALL
            .iter()
            .map(|class| serde_json::to_string(&ClassShape(*class)).unwrap())
            .collect();
        let read: Vec<FailureClass> =
            names.iter().map(|name| serde_json::from_str::<ClassShape>(name).unwrap().0).collect();
        assert_eq!(read, FailureClass::ALL);
        assert!(names.contains(&"\"resource_exhaustion\"".to_owned()), "{names:?}");
    }

    #[test]
    fn the_first_frames_are_spelled_like_this_in_every_version() {
        let open = ToChild::Open { protocol: 1, memory_bytes_max: Some(1 << 30), process_group: 7 };
        assert_eq!(
            serde_json::to_value(open).unwrap(),
            json!({"open": {"protocol": 1, "memory_bytes_max": 1_073_741_824, "process_group": 7}})
        );
        let ready = json!({"ready": {"protocol": 2, "functions": ["train"], "mood": "good"}});
        let ready: FromChild = serde_json::from_value(ready).unwrap();
        assert!(
            matches!(ready, FromChild::Ready { protocol: 2, functions } if functions == ["train"])
        );
    }

    #[test]
    fn a_failure_crosses_with_everything_but_its_type() {
        let mut failure =
            StageFailure::new(FailureClass::RateLimit, "429").with_wait(SignedDuration::new(30, 1));
        failure.backtrace = Some("at src/model.rs:7:3".to_owned());
        let text = serde_json::to_string(&FromChild::ended(7, Err(failure.clone()))).unwrap();
        let FromChild::Failed { call: 7, failure: read } = serde_json::from_str(&text).unwrap()
        else {
            panic!("{text}");
        };
        let read = read.into_failure();
        assert_eq!((&read, &read.backtrace), (&failure, &failure.backtrace));
    }
}
