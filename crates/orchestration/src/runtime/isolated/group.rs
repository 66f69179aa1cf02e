//! A process and everything it started: one process group, which ends as one.
//!
//! The group is signalled only while its leader has not been reaped. Until then its number cannot
//! belong to somebody else.

use std::io;
use std::process::{Child, ExitStatus};

use rustix::process::{Pid, Signal, kill_process_group};

/// A running process that leads a process group of its own. Its drop ends the group.
#[derive(Debug)]
pub(super) struct ProcessGroup {
    leader: Child,
    /// How the leader ended, once it has been waited for.
    status: Option<ExitStatus>,
}

impl ProcessGroup {
    /// Takes over a process that was started with `process_group(0)`.
    pub(super) fn new(leader: Child) -> Self {
        Self { leader, status: None }
    }

    /// Returns the number of the group, which is that of its leader.
    pub(super) fn number(&self) -> u32 {
        self.leader.id()
    }

    /// Asks every process of the group to end.
    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends whatever is left of the group, and returns how its leader ended.
    pub(super) fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        // Who has ended already keeps the status it ended with.
        self.signal(Signal::KILL);
        let status = self.leader.wait()?;
        self.status = Some(status);
        Ok(status)
    }

    fn signal(&self, signal: Signal) {
        if self.status.is_none() {
            // It fails only if nobody is left to hear it.
            let sent = kill_process_group(Pid::from_child(&self.leader), signal);
            drop(sent.map_err(io::Error::from));
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // Nobody is left to be told why a process cannot be waited for.
        drop(self.end());
    }
}
