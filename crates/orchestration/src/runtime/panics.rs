//! Catches a panic and keeps what it said, where it was raised and how it came to be called.
//!
//! Nothing is printed for a panic that is caught here: it becomes a failure, and whoever reads the
//! failure has it all. Panics of all other threads go to the hook that was there before.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::thread;

use crate::recovery::{FailureClass, StageFailure};

/// The innermost frames come first, and thousands of failures may be kept.
const BACKTRACE_BYTES_MAX: usize = 16 << 10;

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaughtPanic {
    /// What it said.
    pub(crate) message: String,
    /// Where it was raised and by whose calls; unknown if it was raised on another thread.
    pub(crate) backtrace: Option<String>,
}

impl From<CaughtPanic> for StageFailure {
    fn from(panic: CaughtPanic) -> Self {
        let mut failure = Self::new(FailureClass::Bug, format!("panic: {}", panic.message));
        failure.backtrace = panic.backtrace;
        failure
    }
}

/// What the hook saw.
struct Seen {
    message: String,
    location: Option<String>,
    /// Resolving the names is slow, so it waits until we know that the panic ends here.
    backtrace: Backtrace,
}

thread_local! {
    /// How many calls of [`catch`] this thread is in.
    static CATCHING: Cell<u32> = const { Cell::new(0) };
    /// The last panic of this thread.
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// Calls `closure` and catches its panic.
///
/// What `closure` shares with others may be left half-changed: that is its author's care.
pub(crate) fn catch<T>(closure: impl FnOnce() -> T) -> Result<T, CaughtPanic> {
    install();
    let catching = Catching::begin();
    let outcome = catch_unwind(AssertUnwindSafe(closure));
    drop(catching);
    outcome.map_err(|payload| {
        let message = panic_text(payload.as_ref());
        // A payload that came from another thread was never seen by this one's hook; the last
        // panic that it did see may be another one, which the closure caught itself.
        let seen = SEEN.take().filter(|seen| seen.message == message);
        CaughtPanic { message: message.to_owned(), backtrace: seen.map(|seen| seen.text()) }
    })
}

/// Returns what a panic said.
fn panic_text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "without a message"
    }
}

impl Seen {
    fn text(&self) -> String {
        let location = self.location.as_deref().unwrap_or("an unknown place");
        let mut text = format!("at {location}\n{}", self.backtrace);
        if BACKTRACE_BYTES_MAX < text.len() {
            text.truncate(text.floor_char_boundary(BACKTRACE_BYTES_MAX));
            text.push_str("\n…");
        }
        text
    }
}

/// Counts while it lives.
struct Catching;

impl Catching {
    fn begin() -> Self {
        if CATCHING.get() == 0 {
            SEEN.take();
        }
        CATCHING.set(CATCHING.get() + 1);
        Self
    }
}

impl Drop for Catching {
    fn drop(&mut self) {
        CATCHING.set(CATCHING.get() - 1);
    }
}

/// Puts our hook before the present one, once.
fn install() {
    static INSTALLED: Once = Once::new();
    // A thread that is unwinding may not change the hook; the next one will.
    if thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |panic| {
            // A thread that is ending has no locals any more, and catches nothing.
            if CATCHING.try_with(Cell::get).unwrap_or(0) == 0 {
                previous(panic);
            } else {
                note(panic);
            }
        }));
    });
}

fn note(panic: &PanicHookInfo<'_>) {
    let message = panic_text(panic.payload()).to_owned();
    let location = panic.location().map(ToString::to_string);
    SEEN.set(Some(Seen { message, location, backtrace: Backtrace::force_capture() }));
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::panic::{panic_any, resume_unwind};

    use super::*;

    #[test]
    fn what_does_not_panic_is_handed_back() {
        assert_eq!(catch(|| 7), Ok(7));
    }

    #[test]
    fn a_panic_keeps_its_message_its_place_and_its_backtrace() {
        let line = line!() + 1;
        let caught = catch(|| panic!("index {}", 7)).unwrap_err();
        assert_eq!(caught.message, "index 7");
        let backtrace = caught.backtrace.unwrap();
        let place = format!("at {}:{line}:", file!());
        assert!(backtrace.starts_with(&place), "{backtrace}");
        assert!(backtrace.contains("a_panic_keeps_its_message"), "{backtrace}");
    }

    #[test]
    fn a_panic_of_another_thread_keeps_its_message_when_it_is_passed_on() {
        let caught = catch(|| {
            // This one is over and has nothing to do with what follows.
            let earlier = catch_unwind(|| panic!("an earlier one"));
            assert!(earlier.is_err());
            let payload = thread::spawn(|| catch(|| panic!("row 3")).unwrap_err()).join().unwrap();
            resume_unwind(Box::new(payload.message))
        });
        let expected = CaughtPanic { message: "row 3".to_owned(), backtrace: None };
        assert_eq!(caught, Err::<(), _>(expected));
    }

    #[test]
    fn a_panic_within_a_panic_that_was_caught_is_told_apart() {
        let caught = catch(|| {
            let inner = catch(|| panic!("inner")).unwrap_err();
            panic!("outer after {}", inner.message)
        });
        let caught: CaughtPanic = caught.map(|(): ()| ()).unwrap_err();
        assert_eq!(caught.message, "outer after inner");
        assert!(caught.backtrace.is_some());
    }

    #[test]
    fn a_panic_without_a_text_is_kept_too() {
        let caught = catch(|| panic_any(7)).unwrap_err();
        assert_eq!(caught.message, "without a message");
        assert!(caught.backtrace.is_some());
    }

    #[test]
    fn an_endless_backtrace_is_cut() {
        fn dig(depth: u32) -> u32 {
            assert!(0 < depth, "the ground");
            // Or the compiler makes a loop of it, whose backtrace is short.
            black_box(dig(depth - 1)) + 1
        }
        let caught = catch(|| dig(2_000)).unwrap_err();
        let length = caught.backtrace.unwrap().len();
        assert!((BACKTRACE_BYTES_MAX..BACKTRACE_BYTES_MAX + 8).contains(&length), "{length}");
    }
}
