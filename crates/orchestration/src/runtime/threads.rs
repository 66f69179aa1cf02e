//! Threads that make attempts, kept warm between them and shared by all runs of an executor.
//!
//! A thread that is stuck in an abandoned attempt is not waited for; another takes its place.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// One piece of work.
type Work = Box<dyn FnOnce() + Send>;

/// As many threads as work was under way at once.
#[derive(Default)]
pub(super) struct Threads {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    work: VecDeque<Work>,
    idle: usize,
    closed: bool,
}

impl Threads {
    /// Does `work` on a thread of its own, at once.
    pub(super) fn run(&self, work: Work) -> io::Result<()> {
        let mut queue = self.shared.lock();
        queue.work.push_back(work);
        if queue.work.len() <= queue.idle {
            drop(queue);
            self.shared.wake.notify_one();
            return Ok(());
        }
        drop(queue);
        let shared = Arc::clone(&self.shared);
        let spawned =
            thread::Builder::new().name("stage worker".to_owned()).spawn(move || shared.work());
        match spawned {
            Ok(_) => Ok(()),
            Err(error) => {
                // Whoever is free first would take it, but the caller is told that nobody has.
                self.shared.lock().work.pop_back();
                Err(error)
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut queue = self.lock();
        loop {
            if let Some(work) = queue.work.pop_front() {
                drop(queue);
                work();
                queue = self.lock();
            } else if queue.closed {
                return;
            } else {
                queue.idle += 1;
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
    }
}
