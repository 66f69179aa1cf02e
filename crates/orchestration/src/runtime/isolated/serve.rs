//! The child's side: takes calls from the orchestrator that started this process and answers them.
//!
//! Calls are made on the thread that serves, one at a time. Another thread listens meanwhile, so
//! that a request to stop is heard, and the end of the orchestrator too: it ends this process and
//! everything it started, whatever the call is doing.

use std::convert::Infallible;
use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{
    Resource, Rlimit, Signal, getpgrp, getpid, getrlimit, kill_current_process_group, kill_process,
    setrlimit,
};

use serde::de::Error;

use super::frame::{read_frame, write_frame};
use super::protocol::{ANSWER_BYTES_MAX, CALL_BYTES_MAX, CallShape, FromChild, PROTOCOL, ToChild};
use super::{FrameError, ServeError};
use crate::recovery::{FailureClass, StageFailure};
use crate::runtime::worker::perform;
use crate::task::{CancellationToken, Registry, StageResult};

/// Serves the functions of `registry` to the orchestrator that started this process as an
/// [`IsolatedCommand`](super::IsolatedCommand); returns only if it cannot.
///
/// Whatever functions print goes to the orchestrator's standard error. The standard input is the
/// connection to the orchestrator: reading from it blocks, and commands that functions start have
/// none. When the orchestrator ends, this process and everything that it started is killed.
pub fn serve_isolated(registry: &Registry) -> Result<Infallible, ServeError> {
    let connection = connection().map_err(|source| ServeError::NotAChild { source })?;
    let listening = connection.try_clone().map_err(|source| ServeError::NotAChild { source })?;
    let mut reader = BufReader::new(listening);
    let scope = open(&mut reader, &connection, registry)?;
    let answers = Answers { connection: Arc::new(Mutex::new(connection)) };
    let (sender, calls) = channel();
    thread::Builder::new()
        .name("listener to the orchestrator".to_owned())
        .spawn(move || {
            listen(reader, &sender);
            // Nobody will hear how the call ends that is being made.
            scope.end();
        })
        .map_err(|source| ServeError::NoThread { source })?;
    for (call, cancellation) in calls {
        let number = call.call;
        let result = make(registry, call, cancellation, answers.clone());
        answers.end(number, result);
    }
    Err(ServeError::Orphaned)
}

/// Returns the connection that is our standard input, and hides it from commands we start.
fn connection() -> io::Result<UnixStream> {
    let stdin = io::stdin();
    let connection = UnixStream::from(stdin.as_fd().try_clone_to_owned()?);
    // Fails if it is no socket, such as a terminal.
    connection.peer_addr()?;
    fcntl_setfd(&stdin, FdFlags::CLOEXEC)?;
    Ok(connection)
}

fn open(
    reader: &mut BufReader<UnixStream>,
    mut writer: &UnixStream,
    registry: &Registry,
) -> Result<Scope, ServeError> {
    let handshake = |source| ServeError::Handshake { source };
    let frame: ToChild<'_> = read_frame(reader, CALL_BYTES_MAX).map_err(handshake)?;
    let ToChild::Open { protocol: _, memory_bytes_max, process_group } = frame else {
        let source = serde_json::Error::custom("expected the first frame");
        return Err(handshake(FrameError::Foreign { source }));
    };
    if let Some(bytes_max) = memory_bytes_max {
        limit_memory(bytes_max).map_err(|source| ServeError::MemoryLimit { bytes_max, source })?;
    }
    let functions = registry.names().map(ToOwned::to_owned).collect();
    let ready = FromChild::Ready { protocol: PROTOCOL, functions };
    write_frame(&mut writer, &ready, ANSWER_BYTES_MAX).map_err(handshake)?;
    Ok(Scope::of(process_group))
}

/// What ends with the orchestrator.
enum Scope {
    /// Everything in the group that it made for us.
    Group,
    /// This process only: it is in a group with others, who started it.
    Process,
}

impl Scope {
    fn of(process_group: u32) -> Self {
        let ours = u32::try_from(getpgrp().as_raw_nonzero().get());
        if ours == Ok(process_group) { Self::Group } else { Self::Process }
    }

    fn end(&self) {
        let killed = match self {
            Self::Group => kill_current_process_group(Signal::KILL),
            Self::Process => kill_process(getpid(), Signal::KILL),
        };
        // A process may always kill itself.
        drop(killed.map_err(io::Error::from));
    }
}

fn limit_memory(bytes_max: u64) -> io::Result<()> {
    let maximum = getrlimit(Resource::As).maximum;
    let bytes_max = maximum.map_or(bytes_max, |maximum| maximum.min(bytes_max));
    setrlimit(Resource::As, Rlimit { current: Some(bytes_max), maximum })?;
    Ok(())
}

/// Hears calls and requests to stop, until the orchestrator is gone.
fn listen(
    mut reader: BufReader<UnixStream>,
    calls: &Sender<(CallShape<'static>, CancellationToken)>,
) {
    // A function that reads the standard input must not steal what is meant for us.
    let _guard = io::stdin().lock();
    let mut current: Option<(u64, CancellationToken)> = None;
    while let Ok(frame) = read_frame(&mut reader, CALL_BYTES_MAX) {
        match frame {
            ToChild::Call(call) => {
                let cancellation = CancellationToken::new();
                current = Some((call.call, cancellation.clone()));
                if calls.send((call, cancellation)).is_err() {
                    break;
                }
            }
            ToChild::Cancel { call } => match &current {
                Some((number, cancellation)) if *number == call => cancellation.cancel(),
                // It has ended meanwhile.
                Some(_) | None => {}
            },
            ToChild::Open { .. } => break,
        }
    }
}

fn make(
    registry: &Registry,
    call: CallShape<'static>,
    cancellation: CancellationToken,
    answers: Answers,
) -> StageResult {
    let number = call.call;
    let Some(function) = registry.function(&call.function) else {
        let message = format!("function {} is not registered in this worker", call.function);
        return Err(StageFailure::new(FailureClass::Bug, message));
    };
    let context = call.into_context(cancellation, move |progress| {
        let (done, total, message) = (progress.done, progress.total, progress.message);
        // Progress counts for nothing: if it is too long or nobody hears it, the call goes on.
        drop(answers.say(&FromChild::Progress { call: number, done, total, message }));
    });
    perform(|| function(&context))
}

/// Says things to the orchestrator, from any thread.
#[derive(Clone)]
struct Answers {
    connection: Arc<Mutex<UnixStream>>,
}

impl Answers {
    fn end(&self, call: u64, result: StageResult) {
        let said = self.say(&FromChild::ended(call, result));
        if let Err(error @ FrameError::TooLong { .. }) = said {
            let message = format!("the result is too large: {error}");
            let failure = StageFailure::new(FailureClass::Bug, message);
            drop(self.say(&FromChild::ended(call, Err(failure))));
        }
        // Any other error means that the orchestrator is gone, which ends this process.
    }

    fn say(&self, frame: &FromChild) -> Result<(), FrameError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        write_frame(&mut *connection, frame, ANSWER_BYTES_MAX)
    }
}
