//! A request to stop, shared by whoever asks and whoever works.
//!
//! It is cooperative: a stage that never looks at its token is not stopped by it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Asks running work to stop. Clones ask and are asked together; it cannot be taken back.
#[derive(Clone, Default)]
pub struct CancellationToken {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    /// Cancels this one too.
    parent: Option<CancellationToken>,
    wakers: Mutex<Wakers>,
}

type Waker = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Wakers {
    number_next: u64,
    by_number: BTreeMap<u64, Waker>,
}

impl CancellationToken {
    /// Returns a token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a token that is cancelled with this one, and can be cancelled alone.
    pub(crate) fn child(&self) -> Self {
        let parent = Some(self.clone());
        Self { shared: Arc::new(Shared { parent, ..Shared::default() }) }
    }

    /// Asks everyone who holds this token to stop.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::SeqCst);
        for waker in self.wakers().by_number.values() {
            waker();
        }
    }

    /// Tells whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::SeqCst)
            || self.shared.parent.as_ref().is_some_and(Self::is_cancelled)
    }

    /// Calls `waker` once the token is cancelled (perhaps twice), until the subscription is dropped.
    #[must_use]
    pub fn on_cancel(&self, waker: impl Fn() + Send + Sync + 'static) -> Subscription {
        let waker: Waker = Arc::new(waker);
        let mut entries = Vec::new();
        let mut token = Some(self);
        while let Some(asked) = token {
            let mut wakers = asked.wakers();
            let number = wakers.number_next;
            wakers.number_next += 1;
            wakers.by_number.insert(number, Arc::clone(&waker));
            entries.push((asked.clone(), number));
            token = asked.shared.parent.as_ref();
        }
        // `cancel` raises the flag before it reads the list, so a request that missed the new
        // waker is seen here.
        if self.is_cancelled() {
            waker();
        }
        Subscription { entries }
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.shared.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CancellationToken")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// Ends the calling of a waker when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    entries: Vec<(CancellationToken, u64)>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        for (token, number) in &self.entries {
            token.wakers().by_number.remove(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    fn count_wakes(wakes: &Arc<AtomicU32>) -> impl Fn() + Send + Sync + 'static {
        let wakes = Arc::clone(wakes);
        move || {
            wakes.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn subscribers_are_woken_and_leavers_are_not() {
        let token = CancellationToken::new();
        let (stayed, left) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let _stays = token.on_cancel(count_wakes(&stayed));
        drop(token.on_cancel(count_wakes(&left)));
        token.clone().cancel();
        assert!(token.is_cancelled());
        assert_eq!(stayed.load(Ordering::SeqCst), 1);
        assert_eq!(left.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_child_is_cancelled_with_its_parent_and_also_alone() {
        let parent = CancellationToken::new();
        let (one, other) = (parent.child(), parent.child());
        let wakes = Arc::new(AtomicU32::new(0));
        let _subscription = other.on_cancel(count_wakes(&wakes));
        one.cancel();
        assert!(!parent.is_cancelled() && !other.is_cancelled());
        assert_eq!(wakes.load(Ordering::SeqCst), 0);
        parent.cancel();
        assert!(other.is_cancelled());
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn who_subscribes_too_late_is_woken_at_once() {
        let token = CancellationToken::new();
        token.cancel();
        let wakes = Arc::new(AtomicU32::new(0));
        let _subscription = token.on_cancel(count_wakes(&wakes));
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
    }
}
