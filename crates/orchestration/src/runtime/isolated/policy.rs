//! What a child is, how many there are, and how much each may take.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A command that calls [`serve_isolated`](super::serve_isolated).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsolatedCommand {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl IsolatedCommand {
    /// Returns a command that starts `program` without arguments.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), arguments: Vec::new() }
    }

    /// Returns a command that starts the program that is running.
    pub fn this_program() -> io::Result<Self> {
        Ok(Self::new(env::current_exe()?))
    }

    /// Adds an argument, by which the program knows that it is to serve.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }
}

impl fmt::Display for IsolatedCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.program.display())?;
        for argument in &self.arguments {
            write!(formatter, " {}", argument.display())?;
        }
        Ok(())
    }
}

/// How many children there are, and how patient one is with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsolatedPolicy {
    /// So many children at most, at work and idle together; further calls wait.
    pub children_max: NonZeroUsize,
    /// So many idle children are kept ready.
    pub idle_max: usize,
    /// A child that has served so many calls is replaced, so that what it leaked is given back.
    pub calls_per_child_max: NonZeroU64,
    /// How long after each step the next one follows: the token is cancelled, SIGTERM, SIGKILL.
    pub grace: Duration,
    /// How long a child may take to answer the handshake, or to take a call.
    pub answer_max: Duration,
}

impl Default for IsolatedPolicy {
    fn default() -> Self {
        const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
        const THOUSAND: NonZeroU64 = NonZeroU64::new(1000).expect("a thousand is not zero");
        Self {
            children_max: TWO,
            idle_max: TWO.get(),
            calls_per_child_max: THOUSAND,
            grace: Duration::from_secs(2),
            answer_max: Duration::from_secs(10),
        }
    }
}

/// What one call may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IsolatedLimits {
    /// How long it may take, the wait for a free child included.
    pub timeout: Option<Duration>,
    /// How much address space its child may use. The program itself and the stacks and arenas of
    /// its threads count, though most of that is never touched: be generous.
    pub memory_bytes_max: Option<u64>,
}
