//! A task's place in a pipeline, as data.
//!
//! The function is named, not held, so that a stage survives the process and could run elsewhere.

use serde_json::Value;

use crate::recovery::RetryPolicy;
use crate::task::Priority;

/// One stage of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name, unique in the pipeline.
    pub name: String,
    /// The registered function that does the work.
    pub function: String,
    /// The stages whose outputs it needs.
    pub after: Vec<String>,
    /// What its function is handed, besides the outputs.
    pub input: Value,
    /// How often each rung is tried.
    pub retry: RetryPolicy,
    /// The ladder: registered functions that stand in for `function`, best first.
    pub fallbacks: Vec<String>,
    /// Its urgency among ready stages.
    pub priority: Priority,
}

impl Stage {
    /// Returns a stage that calls `function`, depends on nothing and has no fallback.
    pub fn new(name: impl Into<String>, function: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            function: function.into(),
            after: Vec::new(),
            input: Value::Null,
            retry: RetryPolicy::default(),
            fallbacks: Vec::new(),
            priority: Priority::default(),
        }
    }

    /// Adds stages whose outputs this one needs.
    #[must_use]
    pub fn after<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.after.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets what the function is handed.
    #[must_use]
    pub fn input(mut self, input: Value) -> Self {
        self.input = input;
        self
    }

    /// Sets how often each rung is tried.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Adds a function that stands in when everything before it has failed.
    #[must_use]
    pub fn fallback(mut self, function: impl Into<String>) -> Self {
        self.fallbacks.push(function.into());
        self
    }

    /// Sets the urgency.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Returns the function on `rung`: the stage's own on rung 0, then the fallbacks.
    pub(crate) fn rung(&self, rung: usize) -> Option<&str> {
        match rung.checked_sub(1) {
            None => Some(&self.function),
            Some(fallback) => self.fallbacks.get(fallback).map(String::as_str),
        }
    }

    /// Returns every function this stage may call, in the order of the ladder.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.function.as_str()).chain(self.fallbacks.iter().map(String::as_str))
    }
}
