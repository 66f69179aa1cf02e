//! What a child prints: passed on to our standard error, and its last part kept for failures.

use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// So much of what a child printed last is told with its death.
const TAIL_BYTES_MAX: usize = 4 << 10;

/// What one child has printed lately.
#[derive(Clone, Debug)]
pub(super) struct ChildLog {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    printed: Mutex<Printed>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Printed {
    tail: Vec<u8>,
    is_over: bool,
}

impl ChildLog {
    /// Reads from `pipe` on a thread of its own, until nobody can write to it any more.
    pub(super) fn follow(pipe: PipeReader) -> io::Result<Self> {
        let log = Self { shared: Arc::default() };
        let follower = log.clone();
        thread::Builder::new()
            .name("log of an isolated child".to_owned())
            .spawn(move || follower.read(pipe))?;
        Ok(log)
    }

    fn read(&self, mut pipe: PipeReader) {
        let mut buffer = [0; TAIL_BYTES_MAX];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(bytes) => self.take(&buffer[..bytes]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.printed().is_over = true;
        self.shared.ended.notify_all();
    }

    fn take(&self, bytes: &[u8]) {
        // If our own standard error is closed, nobody wants to read it.
        drop(io::stderr().write_all(bytes));
        let mut printed = self.printed();
        printed.tail.extend_from_slice(bytes);
        let surplus = printed.tail.len().saturating_sub(TAIL_BYTES_MAX);
        printed.tail.drain(..surplus);
    }

    /// Forgets what was printed for an earlier call.
    pub(super) fn clear(&self) {
        self.printed().tail.clear();
    }

    /// Returns what was printed last, once the child is dead.
    ///
    /// Everything is there when the last writer is gone. A process that has left the group keeps
    /// the pipe open for longer, but is waited for no longer than `wait_max`.
    pub(super) fn last_words(&self, wait_max: Duration) -> String {
        let (printed, _) = self
            .shared
            .ended
            .wait_timeout_while(self.printed(), wait_max, |printed| !printed.is_over)
            .unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&printed.tail).trim().to_owned()
    }

    fn printed(&self) -> MutexGuard<'_, Printed> {
        self.shared.printed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT_MAX: Duration = Duration::from_mins(1);

    #[test]
    fn the_last_part_is_kept() {
        let (pipe, mut writer) = io::pipe().unwrap();
        let log = ChildLog::follow(pipe).unwrap();
        writer.write_all(&vec![b'a'; 3 * TAIL_BYTES_MAX]).unwrap();
        writer.write_all(b"\nthe end\n").unwrap();
        drop(writer);
        let words = log.last_words(WAIT_MAX);
        assert_eq!(words.len(), TAIL_BYTES_MAX - 1);
        assert!(words.ends_with("a\nthe end"), "{words}");
    }

    #[test]
    fn who_still_holds_the_pipe_is_not_waited_for_longer_than_allowed() {
        let (pipe, _writer) = io::pipe().unwrap();
        let log = ChildLog::follow(pipe).unwrap();
        assert_eq!(log.last_words(Duration::ZERO), "");
    }
}
