//! One child, seen from the orchestrator: its process, the connection to it, and what it prints.
//!
//! The connection is a socket that the child has as its standard input; both directions use it.
//! What the child prints, on standard output too, is its log and cannot get into a frame. The
//! socket ends when the child does, however it ends: nobody has to look after it.

use std::collections::BTreeSet;
use std::io::{self, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child as Process, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::frame::{read_frame, write_frame};
use super::group::ProcessGroup;
use super::log::ChildLog;
use super::protocol::{ANSWER_BYTES_MAX, CALL_BYTES_MAX, FromChild, PROTOCOL, ToChild};
use super::{FrameError, IsolatedCommand, IsolatedError};

/// A child that says more than is listened to is made to wait.
const HEARD_MAX: usize = 64;

/// When a child is dead, its last words have been written; they are not waited for any longer.
const LAST_WORDS_WAIT_MAX: Duration = Duration::from_secs(1);

/// What comes in while a call is made.
pub(super) enum Heard {
    /// The child says something.
    Frame(FromChild),
    /// The child will not say anything any more.
    Ended(FrameError),
    /// Somebody else wants to be noticed.
    Wake,
}

/// A child that has answered the handshake. Its drop ends it and everything it started.
pub(super) struct Child {
    group: ProcessGroup,
    connection: UnixStream,
    heard: Receiver<Heard>,
    wake: SyncSender<Heard>,
    is_over: Arc<AtomicBool>,
    log: ChildLog,
    functions: BTreeSet<String>,
    /// How many calls were begun.
    calls: u64,
}

impl Child {
    /// Starts a child and waits for its answer. `on_end` is called when it has ended.
    pub(super) fn start(
        command: &IsolatedCommand,
        memory_bytes_max: Option<u64>,
        answer_max: Duration,
        on_end: impl FnOnce() + Send + 'static,
    ) -> Result<Self, IsolatedError> {
        let mut child = Self::spawn(command, answer_max, on_end)
            .map_err(|source| IsolatedError::NotStarted { command: command.to_string(), source })?;
        child.shake_hands(command, memory_bytes_max, answer_max)?;
        Ok(child)
    }

    fn spawn(
        command: &IsolatedCommand,
        answer_max: Duration,
        on_end: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        set_answer_max(&ours, answer_max)?;
        let listening = ours.try_clone()?;
        let (printed, printing) = io::pipe()?;
        let process = spawn(command, theirs, printing)?;
        let group = ProcessGroup::new(process);
        let log = ChildLog::follow(printed)?;
        let (wake, heard) = sync_channel(HEARD_MAX);
        let is_over = Arc::new(AtomicBool::new(false));
        let (hears, ends) = (wake.clone(), Arc::clone(&is_over));
        thread::Builder::new().name("listener to an isolated child".to_owned()).spawn(
            move || {
                listen(listening, &hears, &ends);
                on_end();
            },
        )?;
        let functions = BTreeSet::new();
        Ok(Self { group, connection: ours, heard, wake, is_over, log, functions, calls: 0 })
    }

    fn shake_hands(
        &mut self,
        command: &IsolatedCommand,
        memory_bytes_max: Option<u64>,
        answer_max: Duration,
    ) -> Result<(), IsolatedError> {
        // If it cannot be told, it has ended, and that is heard.
        let process_group = self.group.number();
        drop(self.tell(&ToChild::Open { protocol: PROTOCOL, memory_bytes_max, process_group }));
        let found = match self.heard.recv_timeout(answer_max) {
            Ok(Heard::Frame(FromChild::Ready { protocol: PROTOCOL, functions })) => {
                self.functions.extend(functions);
                return Ok(());
            }
            Ok(Heard::Frame(FromChild::Ready { protocol, .. })) => {
                return Err(IsolatedError::OtherProtocol {
                    command: command.to_string(),
                    expected: PROTOCOL,
                    found: protocol,
                });
            }
            Ok(Heard::Ended(FrameError::Ended | FrameError::Connection { .. })) => {
                match self.group.end() {
                    Ok(status) => format!("it ended with {status}"),
                    Err(error) => format!("it ended, nobody knows how: {error}"),
                }
            }
            Ok(Heard::Ended(error)) => format!("it sent {error}"),
            Ok(Heard::Frame(_) | Heard::Wake) => "it sent something else".to_owned(),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                format!("it sent nothing within {answer_max:?}")
            }
        };
        let found = match self.end() {
            Death { last_words, .. } if last_words.is_empty() => found,
            Death { last_words, .. } => format!("{found}; it wrote: {last_words}"),
        };
        Err(IsolatedError::NoHandshake { command: command.to_string(), found })
    }

    #[cfg(test)]
    pub(super) fn set_answer_max(&self, answer_max: Duration) -> io::Result<()> {
        set_answer_max(&self.connection, answer_max)
    }

    /// Returns the functions it serves.
    pub(super) fn functions(&self) -> &BTreeSet<String> {
        &self.functions
    }

    /// Returns how many calls were begun.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    /// Tells whether it cannot be called any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Begins a call; returns its number.
    pub(super) fn begin_call(&mut self) -> u64 {
        self.log.clear();
        self.calls += 1;
        self.calls
    }

    /// Says something to the child.
    pub(super) fn tell(&self, frame: &ToChild<'_>) -> Result<(), FrameError> {
        write_frame(&mut &self.connection, frame, CALL_BYTES_MAX)
    }

    /// Waits for what comes in, for no longer than `wait`.
    pub(super) fn hear(&self, wait: Option<Duration>) -> Option<Heard> {
        let heard = match wait {
            Some(wait) => self.heard.recv_timeout(wait),
            None => self.heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match heard {
            Ok(heard) => Some(heard),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                unreachable!("the child itself holds a sender")
            }
        }
    }

    /// Returns what makes [`Self::hear`] return.
    pub(super) fn waker(&self) -> impl Fn() + Send + use<> {
        let wake = self.wake.clone();
        // If there is no room, something else is there to be heard.
        move || drop(wake.try_send(Heard::Wake))
    }

    /// Asks the child and everything it started to end.
    pub(super) fn terminate(&self) {
        self.group.terminate();
    }

    /// Ends the child and everything it started, and tells how it ended.
    pub(super) fn end(&mut self) -> Death {
        let status = self.group.end();
        Death { status, last_words: self.log.last_words(LAST_WORDS_WAIT_MAX) }
    }
}

/// How a child ended.
pub(super) struct Death {
    pub(super) status: io::Result<ExitStatus>,
    /// What it printed last.
    pub(super) last_words: String,
}

/// Sets how long the other side may leave us waiting with what we have to say.
fn set_answer_max(connection: &UnixStream, answer_max: Duration) -> io::Result<()> {
    // Zero would mean for ever.
    connection.set_write_timeout(Some(answer_max.max(Duration::from_millis(1))))
}

/// Starts the process. Our copies of its ends are closed on return, so that its end is noticed.
fn spawn(
    command: &IsolatedCommand,
    connection: UnixStream,
    printing: io::PipeWriter,
) -> io::Result<Process> {
    command
        .command()
        .stdin(OwnedFd::from(connection))
        .stdout(printing.try_clone()?)
        .stderr(printing)
        .process_group(0)
        .spawn()
}

/// Passes on what a child says, until it ends or is not listened to any more.
fn listen(connection: UnixStream, heard: &SyncSender<Heard>, is_over: &AtomicBool) {
    let mut reader = BufReader::new(connection);
    loop {
        let next = match read_frame(&mut reader, ANSWER_BYTES_MAX) {
            Ok(frame) => Heard::Frame(frame),
            Err(error) => {
                is_over.store(true, Ordering::SeqCst);
                Heard::Ended(error)
            }
        };
        let is_last = matches!(next, Heard::Ended(_));
        if heard.send(next).is_err() || is_last {
            return;
        }
    }
}
