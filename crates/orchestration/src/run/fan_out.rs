//! How a fan-out opens into items and joins them again.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::decide::inherited_reasons;
use super::state::unite;
use super::{RunState, SkipCause, StageRecord, StageState};
use crate::pipeline::StageIndex;
use crate::recovery::{FailureClass, StageFailure};
use crate::task::StageOutput;

/// More items than this in one fan-out are a mistake of whoever counted them.
const ITEMS_MAX: usize = 1_000_000;

/// So many different reasons why items are degraded are kept; the rest is counted.
const REASONS_MAX: usize = 20;

impl RunState {
    /// Returns how many items the collection of a fan-out has, or why that is not known.
    pub(super) fn count_items(&self, index: StageIndex) -> Result<usize, StageFailure> {
        let bad = |message| Err(StageFailure::new(FailureClass::BadData, message));
        let name = self.layout.name(index);
        let Some(value) = self.collection(index) else {
            return bad(format!("stage {name} has no collection to fan out over"));
        };
        let count = match value {
            Value::Array(items) => Some(items.len()),
            Value::Number(number) => number.as_u64().and_then(|count| usize::try_from(count).ok()),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => None,
        };
        match count {
            Some(count) if count <= ITEMS_MAX => Ok(count),
            Some(count) => bad(format!("{count} items, but at most {ITEMS_MAX} are allowed")),
            None => bad("expected an array or a number of items to fan out over".to_owned()),
        }
    }

    /// Returns what an item is, for its function: an element of the array, or its number.
    pub(crate) fn item_value(&self, index: StageIndex) -> Option<Value> {
        let item = self.layout.item_of(index)?;
        match self.collection(self.layout.stage_of(index))? {
            Value::Array(items) => items.get(item).cloned(),
            _ => Some(Value::from(item)),
        }
    }

    fn collection(&self, stage: StageIndex) -> Option<&Value> {
        let map = self.layout.definition(stage).map.as_ref()?;
        let over = self.pipeline().dependency(stage, &map.over)?;
        match &self.stage(over).state {
            StageState::Completed { output } => Some(&output.value),
            _ => None,
        }
    }

    pub(super) fn open(&mut self, index: StageIndex, count: usize, at: Timestamp) -> bool {
        if self.opening.get(&index) != Some(&Ok(count)) {
            return false;
        }
        self.opening.remove(&index);
        self.records[index.0].state = StageState::FannedOut { open: count };
        self.unfinished += count;
        self.records.reserve_exact(count);
        for item in self.layout.open(index, count) {
            self.records.push(StageRecord::new(StageState::Ready, at));
            self.make_ready(StageIndex(item), at);
        }
        if count == 0 {
            self.joining.insert(index, Ok(()));
        }
        true
    }

    /// Takes note that an item of a fan-out has come to an end.
    pub(super) fn item_ended(&mut self, stage: StageIndex) {
        let StageState::FannedOut { open } = &mut self.records[stage.0].state else { return };
        *open -= 1;
        if *open == 0 {
            self.joining.insert(stage, self.joined(stage));
        }
    }

    /// Tells whether all items of a fan-out ended well enough for it to be completed.
    fn joined(&self, stage: StageIndex) -> Result<(), StageFailure> {
        let items = self.layout.items_of(stage).unwrap_or_default();
        let mut first = None;
        let mut failed = 0;
        for item in items.clone().map(StageIndex) {
            if let StageState::Failed { failure } = &self.stage(item).state {
                failed += 1;
                first.get_or_insert((item, failure));
            }
        }
        let Some((item, failure)) = first else { return Ok(()) };
        let (name, count) = (self.layout.name(item), items.len());
        let message = format!("{failed} of {count} items failed, first {name}: {failure}");
        Err(StageFailure::new(failure.class, message))
    }

    /// Returns why a fan-out has failed that has not been said to have, if so.
    pub(super) fn hopeless(&self, index: StageIndex) -> Option<StageFailure> {
        let cannot_open = self.opening.get(&index).and_then(|count| count.as_ref().err());
        let cannot_join = self.joining.get(&index).and_then(|end| end.as_ref().err());
        cannot_open.or(cannot_join).cloned()
    }

    pub(super) fn join(&mut self, index: StageIndex, at: Timestamp) -> bool {
        if self.joining.get(&index) != Some(&Ok(())) {
            return false;
        }
        self.joining.remove(&index);
        let items = self.layout.items_of(index).unwrap_or_default();
        let mut values = Vec::with_capacity(items.len());
        // Also what no item could hand on, because there is none or all were left out.
        let (mut degraded, mut more) = (inherited_reasons(self, index), 0_usize);
        for item in items.map(StageIndex) {
            let reasons = match &self.stage(item).state {
                StageState::Completed { output } => {
                    values.push(output.value.clone());
                    output.degraded.clone()
                }
                StageState::Skipped { cause: SkipCause::Condition, .. } => {
                    values.push(Value::Null);
                    Vec::new()
                }
                _ => {
                    values.push(Value::Null);
                    vec![self.want(item)]
                }
            };
            if degraded.len() < REASONS_MAX {
                unite(&mut degraded, &reasons);
            } else if reasons.iter().any(|reason| !degraded.contains(reason)) {
                more += 1;
            }
        }
        if 0 < more {
            degraded.push(format!("and {more} more items of {}", self.layout.name(index)));
        }
        let output = StageOutput { value: Value::Array(values), degraded };
        self.complete(index, Arc::new(output), at)
    }
}
