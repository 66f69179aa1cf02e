//! What is known about each partition of a backfill: one byte in a file, behind a line that says
//! whose they are. A partition's byte is written in place, which no reader sees by halves.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The first line: these words, the number of partitions, and what they are for.
const TITLE: &str = "partitions 1";

/// The first line is not longer than this.
const TITLE_BYTES_MAX: u64 = 64 * 1024;

/// How a partition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartitionState {
    /// Its turn will come.
    Pending,
    /// It is being executed, or its process died.
    Running,
    /// It is done.
    Completed,
    /// It is done, but not from everything it should rest on.
    Degraded,
    /// It failed; it is tried again by whoever continues the backfill.
    Failed,
    /// It was there already.
    Present,
}

impl PartitionState {
    /// Every state, in the order of life.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Degraded,
        Self::Failed,
        Self::Present,
    ];

    /// Returns the word shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
            Self::Present => "present",
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Pending => b'.',
            Self::Running => b'r',
            Self::Completed => b'c',
            Self::Degraded => b'd',
            Self::Failed => b'f',
            Self::Present => b'p',
        }
    }

    fn of_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.byte() == byte)
    }
}

/// How many partitions stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionCounts {
    counts: [u64; PartitionState::ALL.len()],
}

impl PartitionCounts {
    /// Returns how many stand like this.
    pub fn of(&self, state: PartitionState) -> u64 {
        self.counts[Self::place(state)]
    }

    /// Returns how many there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns how many need nothing any more.
    pub fn done(&self) -> u64 {
        let done = [PartitionState::Completed, PartitionState::Degraded, PartitionState::Present];
        done.into_iter().map(|state| self.of(state)).sum()
    }

    fn place(state: PartitionState) -> usize {
        PartitionState::ALL.iter().position(|known| *known == state).expect("all are listed")
    }

    /// Counts bytes; none if one of them is no state.
    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut of_byte = [0_u64; 256];
        bytes.iter().for_each(|byte| of_byte[usize::from(*byte)] += 1);
        let counts = PartitionState::ALL.map(|state| of_byte[usize::from(state.byte())]);
        let known = Self { counts };
        (known.total() == bytes.len() as u64).then_some(known)
    }
}

/// Why the states of partitions cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PartitionsError {
    /// The file cannot be read or written.
    #[error("partitions {}: cannot be used; check its permissions and the disk", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: io::Error,
    },
    /// The file is something else.
    #[error(
        "partitions {}: damaged or not such a file; remove its folder to begin anew",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to another backfill.
    #[error("partitions {}: belongs to another backfill; name another folder", path.display())]
    Other {
        /// The file.
        path: PathBuf,
    },
}

/// The states of all partitions of one backfill, in memory and in their file.
#[derive(Debug)]
pub struct PartitionStates {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Where the first state stands.
    begin: u64,
    states: Vec<u8>,
    counts: PartitionCounts,
}

impl Inner {
    fn state(&self, partition: usize) -> PartitionState {
        let state = PartitionState::of_byte(self.states[partition]);
        state.expect("bytes were checked when the file was opened")
    }
}

impl PartitionStates {
    /// Makes the file of a new backfill, with the state in which each partition begins.
    ///
    /// `purpose` says in one line what it is for; whoever continues must mean the same.
    pub fn create(
        path: &Path,
        purpose: &str,
        states: impl IntoIterator<Item = PartitionState>,
    ) -> Result<Self, PartitionsError> {
        let states: Vec<u8> = states.into_iter().map(PartitionState::byte).collect();
        let mut bytes = title(states.len(), purpose).into_bytes();
        bytes.extend(states);
        let draft = path.with_extension("draft");
        let write = || -> io::Result<()> {
            let mut file = File::create(&draft)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&draft, path)
        };
        write().map_err(|cause| PartitionsError::Io { path: path.to_owned(), cause })?;
        Self::open(path, purpose)?.ok_or_else(|| PartitionsError::Io {
            path: path.to_owned(),
            cause: ErrorKind::NotFound.into(),
        })
    }

    /// Opens the file of a backfill that is continued; none if there is no file. What was running
    /// when its process died is pending again.
    pub fn open(path: &Path, purpose: &str) -> Result<Option<Self>, PartitionsError> {
        let failed = |cause| PartitionsError::Io { path: path.to_owned(), cause };
        let file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed(cause)),
        };
        let (found, begin, mut states) = read(&file, path)?;
        if found != purpose {
            return Err(PartitionsError::Other { path: path.to_owned() });
        }
        for state in &mut states {
            if *state == PartitionState::Running.byte() {
                *state = PartitionState::Pending.byte();
            }
        }
        let damaged = || PartitionsError::Damaged { path: path.to_owned() };
        let counts = PartitionCounts::of_bytes(&states).ok_or_else(damaged)?;
        let inner = Mutex::new(Inner { file, begin, states, counts });
        Ok(Some(Self { path: path.to_owned(), inner }))
    }

    /// Counts the partitions in a file, beside whoever works on them; returns the purpose, too.
    pub fn count(path: &Path) -> Result<(String, PartitionCounts), PartitionsError> {
        let failed = |cause| PartitionsError::Io { path: path.to_owned(), cause };
        let file = File::open(path).map_err(failed)?;
        let (purpose, _, states) = read(&file, path)?;
        let damaged = || PartitionsError::Damaged { path: path.to_owned() };
        Ok((purpose, PartitionCounts::of_bytes(&states).ok_or_else(damaged)?))
    }

    /// Returns how many partitions there are.
    pub fn len(&self) -> usize {
        self.inner().states.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how a partition stands.
    ///
    /// # Panics
    /// If there is no such partition.
    pub fn state(&self, partition: usize) -> PartitionState {
        self.inner().state(partition)
    }

    /// Returns how many partitions stand how.
    pub fn counts(&self) -> PartitionCounts {
        self.inner().counts
    }

    /// Notes how a partition stands.
    ///
    /// # Panics
    /// If there is no such partition.
    pub fn set(&self, partition: usize, state: PartitionState) -> Result<(), PartitionsError> {
        let mut inner = self.inner();
        let before = inner.state(partition);
        let place = inner.begin + partition as u64;
        // Not flushed: what a power cut takes away is in the journal.
        let file = &mut inner.file;
        let written =
            file.seek(SeekFrom::Start(place)).and_then(|_| file.write_all(&[state.byte()]));
        written.map_err(|cause| PartitionsError::Io { path: self.path.clone(), cause })?;
        inner.states[partition] = state.byte();
        inner.counts.counts[PartitionCounts::place(before)] -= 1;
        inner.counts.counts[PartitionCounts::place(state)] += 1;
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn title(count: usize, purpose: &str) -> String {
    format!("{TITLE} {count} {purpose}\n")
}

/// Returns the purpose, where the states begin, and the states.
fn read(mut file: &File, path: &Path) -> Result<(String, u64, Vec<u8>), PartitionsError> {
    let failed = |cause| PartitionsError::Io { path: path.to_owned(), cause };
    let damaged = || PartitionsError::Damaged { path: path.to_owned() };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    let first = bytes.iter().take(usize::try_from(TITLE_BYTES_MAX).unwrap_or(usize::MAX));
    let end = first.clone().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
    let states = bytes.split_off(end + 1);
    let line = String::from_utf8(bytes).map_err(|_| damaged())?;
    let rest = line.trim_end_matches('\n').strip_prefix(TITLE).ok_or_else(damaged)?;
    let (count, purpose) = rest.trim_start().split_once(' ').ok_or_else(damaged)?;
    if count.parse() != Ok(states.len()) {
        return Err(damaged());
    }
    Ok((purpose.to_owned(), end as u64 + 1, states))
}
