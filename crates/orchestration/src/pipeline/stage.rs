//! A task's place in a pipeline, as data.
//!
//! The function is named, not held, so that a stage survives the process and could run elsewhere.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use crate::recovery::RetryPolicy;
use crate::task::Priority;

/// One stage of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name, unique in the pipeline.
    pub name: Arc<str>,
    /// The registered function that does the work.
    pub function: Arc<str>,
    /// The stages whose outputs it needs.
    pub after: Vec<String>,
    /// The stages it waits for and does without if they fail or are left out.
    pub after_end: Vec<String>,
    /// What its function is handed, besides the outputs.
    pub input: Value,
    /// How often each rung is tried.
    pub retry: RetryPolicy,
    /// The ladder: what stands in for `function`, best first.
    pub fallbacks: Vec<Fallback>,
    /// Its urgency among ready stages.
    pub priority: Priority,
    /// How long an attempt may take.
    pub timeout: Option<SignedDuration>,
    /// What an attempt occupies while it is made.
    pub pools: Vec<PoolClaim>,
    /// What it runs only for.
    pub condition: Option<Box<Condition>>,
    /// What it is done for, item by item.
    pub map: Option<Box<FanOut>>,
    /// How long its output may stand for another run's.
    pub memo: Option<Box<Memo>>,
    /// Whether its own function is called in another process.
    pub isolation: Option<Box<Isolation>>,
}

/// What stands in for a stage's own function.
#[derive(Clone, Debug, PartialEq)]
pub enum Fallback {
    /// Another registered function.
    Function(String),
    /// An output that needs no work.
    Value(Value),
}

impl Fallback {
    /// Returns the name of the function; a value goes by `a value`.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Function(function) => function,
            Self::Value(_) => "a value",
        }
    }
}

/// So many slots of a pool that the executor limits, in all runs together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PoolClaim {
    /// The name of the pool.
    pub pool: String,
    /// How many of its slots.
    pub slots: u32,
}

/// A stage runs only if the output of another says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The stage whose output is asked; one of [`Stage::after`].
    pub stage: String,
    /// Where in its output: a JSON pointer (RFC 6901), empty for the whole.
    pub pointer: String,
    /// What must be found there.
    pub equals: Value,
}

/// A stage is done for each item of a collection that is known only when its turn comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FanOut {
    /// The stage whose output is the collection, one of [`Stage::after`]: a JSON array, or a number
    /// of items that the function knows where to find.
    pub over: String,
    /// So many items are worked on at once; all that find a worker if `None`.
    pub concurrency_max: Option<u32>,
}

/// A fresh output is remembered, and later runs take it instead of working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memo {
    /// What the output depends on, in words that differ where the output would.
    pub key: String,
    /// For so long after its completion.
    pub lifetime: SignedDuration,
}

/// Attempts are made in a process of their own, which can be killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Isolation {
    /// The most memory it may have; `None` for no limit.
    pub memory_max_bytes: Option<u64>,
}

impl Stage {
    /// Returns a stage that calls `function`, depends on nothing and has no fallback.
    pub fn new(name: impl Into<Arc<str>>, function: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            function: function.into(),
            after: Vec::new(),
            after_end: Vec::new(),
            input: Value::Null,
            retry: RetryPolicy::default(),
            fallbacks: Vec::new(),
            priority: Priority::default(),
            timeout: None,
            pools: Vec::new(),
            condition: None,
            map: None,
            memo: None,
            isolation: None,
        }
    }

    /// Adds stages whose outputs this one needs.
    #[must_use]
    pub fn after<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.after.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds stages that this one waits for and does without if they fail or are left out: it then
    /// finds no output of theirs, and its own is degraded unless they were left out on purpose.
    #[must_use]
    pub fn after_end_of<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.after_end.extend(names.into_iter().map(Into::into));
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
        self.fallbacks.push(Fallback::Function(function.into()));
        self
    }

    /// Adds an output that stands in when everything before it has failed.
    #[must_use]
    pub fn fallback_value(mut self, value: Value) -> Self {
        self.fallbacks.push(Fallback::Value(value));
        self
    }

    /// Sets the urgency.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Sets how long an attempt may take. Then it is asked to stop; after a grace an isolated one is
    /// killed, and any other is abandoned: its late result is refused.
    #[must_use]
    pub fn timeout(mut self, timeout: SignedDuration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Lets an attempt occupy slots of a pool, which the executor limits.
    #[must_use]
    pub fn pool(mut self, pool: impl Into<String>, slots: u32) -> Self {
        self.pools.push(PoolClaim { pool: pool.into(), slots });
        self
    }

    /// Runs the stage only if `pointer` (RFC 6901) in the output of `stage` is `equals`, and leaves
    /// it out on purpose otherwise. The stage also runs [`Self::after`] the one asked.
    #[must_use]
    pub fn when(
        mut self,
        stage: impl Into<String>,
        pointer: impl Into<String>,
        equals: impl Into<Value>,
    ) -> Self {
        let stage = self.needs(stage.into());
        let (pointer, equals) = (pointer.into(), equals.into());
        self.condition = Some(Box::new(Condition { stage, pointer, equals }));
        self
    }

    /// Does the stage for each item of the output of `over`, at most `concurrency_max` at once. Each
    /// item has attempts, retries, fallbacks and a timeout of its own; dependents wait for all.
    #[must_use]
    pub fn map_over(mut self, over: impl Into<String>, concurrency_max: Option<u32>) -> Self {
        let over = self.needs(over.into());
        self.map = Some(Box::new(FanOut { over, concurrency_max }));
        self
    }

    /// Lets later runs take a fresh output of this function with the same `key` for `lifetime`
    /// instead of working.
    #[must_use]
    pub fn memo(mut self, key: impl Into<String>, lifetime: SignedDuration) -> Self {
        self.memo = Some(Box::new(Memo { key: key.into(), lifetime }));
        self
    }

    /// Calls the stage's own function in a process of its own; fallbacks are called in this one.
    #[must_use]
    pub fn isolated(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(Box::new(isolation));
        self
    }

    fn needs(&mut self, stage: String) -> String {
        if !self.after.contains(&stage) {
            self.after.push(stage.clone());
        }
        stage
    }

    /// Returns what is on `rung`, by name: the stage's own function on rung 0, then the fallbacks.
    pub(crate) fn rung(&self, rung: usize) -> Option<&str> {
        match rung.checked_sub(1) {
            None => Some(&self.function),
            Some(fallback) => self.fallbacks.get(fallback).map(Fallback::name),
        }
    }

    /// Returns the output that stands on `rung`, if it is one.
    pub(crate) fn value_on(&self, rung: usize) -> Option<&Value> {
        match self.fallbacks.get(rung.checked_sub(1)?)? {
            Fallback::Value(value) => Some(value),
            Fallback::Function(_) => None,
        }
    }

    /// Returns every function this stage may call, in the order of the ladder.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &str> {
        let fallbacks = self.fallbacks.iter().filter_map(|fallback| match fallback {
            Fallback::Function(function) => Some(function.as_str()),
            Fallback::Value(_) => None,
        });
        std::iter::once(&*self.function).chain(fallbacks)
    }

    /// Returns what a fresh output of the stage's own function is remembered under.
    pub(crate) fn memo_key(&self) -> Option<String> {
        self.memo.as_ref().map(|memo| format!("{} {}", self.function, memo.key))
    }

    /// Returns what makes no sense in the stage by itself, if something does.
    pub(super) fn nonsense(&self) -> Option<String> {
        if let Some(wrong) = self.retry.nonsense() {
            return Some(format!("a retry policy with {wrong}"));
        }
        self.contradiction().map(str::to_owned)
    }

    fn contradiction(&self) -> Option<&'static str> {
        if self.name.contains(['[', ']']) {
            return Some("a bracket in its name; brackets number the items of a fan-out");
        }
        if self.timeout.is_some_and(|timeout| !timeout.is_positive()) {
            return Some("a timeout that is not positive");
        }
        if self.pools.iter().any(|claim| claim.slots == 0) {
            return Some("a claim of no slots of a pool");
        }
        let mut pools: Vec<&str> = self.pools.iter().map(|claim| claim.pool.as_str()).collect();
        pools.sort_unstable();
        if pools.windows(2).any(|pair| pair[0] == pair[1]) {
            return Some("two claims of one pool");
        }
        let asked = self.condition.as_ref().map(|condition| &condition.stage);
        if asked.is_some_and(|stage| !self.after.contains(stage)) {
            return Some("a condition on a stage that it does not run after");
        }
        if self.map.as_ref().is_some_and(|map| !self.after.contains(&map.over)) {
            return Some("a fan-out over a stage that it does not run after");
        }
        if self.map.as_ref().is_some_and(|map| map.concurrency_max == Some(0)) {
            return Some("a fan-out that allows no item");
        }
        if self.memo.as_ref().is_some_and(|memo| !memo.lifetime.is_positive()) {
            return Some("a memo with a lifetime that is not positive");
        }
        (self.memo.is_some() && self.map.is_some())
            .then_some("a memo and a fan-out; remember the stage that joins the items instead")
    }
}
