//! The items of a fan-out in memory, typed: where each comes from and where its output goes.
//!
//! How many there are, when they start and when they are joined is decided in [`crate::run`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::TaskFailure;
use super::handle::Slot;
use super::task::Commit;
use crate::recovery::{FailureClass, StageFailure};

/// What the runtime tells a fan-out.
pub(crate) trait FanOutItems: Send + Sync {
    /// Returns how many items there are, if the collection is there.
    fn count(&self) -> Option<usize>;

    /// Makes room for the outputs.
    fn open(&self, count: usize);

    /// Puts all outputs where dependents find them.
    fn join(&self);
}

/// Items of type `A`, whose outputs are of type `B`.
pub(super) struct Items<A, B> {
    pub(super) source: Arc<Slot<Vec<A>>>,
    /// In the order of the items; what is left out has none.
    outputs: Mutex<Vec<Option<B>>>,
    joined: Arc<Slot<Vec<Option<B>>>>,
}

impl<A, B> Items<A, B> {
    pub(super) fn new(source: Arc<Slot<Vec<A>>>, joined: Arc<Slot<Vec<Option<B>>>>) -> Self {
        Self { source, outputs: Mutex::default(), joined }
    }

    /// Returns the collection that item `number` is in.
    pub(super) fn collection(&self, number: usize) -> Result<Arc<Vec<A>>, TaskFailure> {
        let collection = self.source.get().filter(|items| number < items.len());
        collection.ok_or_else(|| {
            let message = "the collection was thrown away before the attempt began";
            StageFailure::new(FailureClass::MissingData, message).into()
        })
    }

    fn outputs(&self) -> MutexGuard<'_, Vec<Option<B>>> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Send + Sync, B: Send + Sync> FanOutItems for Items<A, B> {
    fn count(&self) -> Option<usize> {
        self.source.get().map(|items| items.len())
    }

    fn open(&self, count: usize) {
        let mut outputs = self.outputs();
        outputs.clear();
        outputs.resize_with(count, || None);
    }

    fn join(&self) {
        self.joined.set(Some(Arc::new(std::mem::take(&mut *self.outputs()))));
    }
}

/// The output of one item.
pub(super) struct ProducedItem<A, B> {
    pub(super) items: Arc<Items<A, B>>,
    pub(super) number: usize,
    pub(super) value: B,
}

impl<A: Send + Sync, B: Send + Sync> Commit for ProducedItem<A, B> {
    fn commit(self: Box<Self>) {
        let Self { items, number, value } = *self;
        if let Some(place) = items.outputs().get_mut(number) {
            *place = Some(value);
        }
    }
}
