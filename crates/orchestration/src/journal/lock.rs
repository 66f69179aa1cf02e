//! One writer: whoever holds the lock file next to the journal.
//!
//! The operating system frees the lock when its process dies, so a crash leaves nothing to clean
//! up. The file itself stays; its text only tells others whom to look for.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::JournalError;

/// The right to write to a journal, until it is dropped.
#[derive(Debug)]
pub(super) struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock, or says who has it.
    pub(super) fn acquire(journal: &Path) -> Result<Self, JournalError> {
        let not_writable = |error| JournalError::from_io(journal, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(lock_path(journal))
            .map_err(not_writable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Who holds the lock is a courtesy; that it is held is already certain.
                let pid = match file.read_to_string(&mut text) {
                    Ok(_) => text.trim().parse().ok(),
                    Err(_) => None,
                };
                let freed = match pid {
                    Some(pid) if is_dead(pid) => wait_for(file),
                    Some(_) | None => None,
                };
                file =
                    freed.ok_or_else(|| JournalError::InUse { path: journal.to_owned(), pid })?;
            }
            Err(TryLockError::Error(error)) => return Err(not_writable(error)),
        }
        file.set_len(0).map_err(not_writable)?;
        file.rewind().map_err(not_writable)?;
        writeln!(file, "{}", std::process::id()).map_err(not_writable)?;
        Ok(Self { _file: file })
    }
}

/// A process that was killed while it started a child leaves the lock to that child until it
/// executes its program, which closes the file. That takes milliseconds.
const FORK_TO_EXEC_MAX: Duration = Duration::from_secs(2);

/// Waits a moment for a lock whose owner is dead; gives up if somebody else has it after all.
fn wait_for(file: File) -> Option<File> {
    let (locked, lock) = channel();
    // There is no waiting for a lock with a limit. If the thread is left behind, it ends when the
    // lock is free, and frees it again.
    thread::spawn(move || match file.lock() {
        Ok(()) => locked.send(file).is_ok(),
        Err(_) => false,
    });
    lock.recv_timeout(FORK_TO_EXEC_MAX).ok()
}

fn is_dead(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

fn lock_path(journal: &Path) -> PathBuf {
    let mut path = OsString::from(journal);
    path.push(".lock");
    PathBuf::from(path)
}
