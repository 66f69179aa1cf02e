//! The archive: what the market said, when it said so, and when we fetched it.
//!
//! Append-only Parquet in a folder or a bucket. A commit log says which parts are valid
//! (`transaction`, `log`, `state`), so readers see whole commits and a killed writer leaves no
//! torn data. It keeps whatever it is given (`batch`, `commit`) and judges nothing; what a
//! forecast may see is decided by `observation::KnownAt`. Nothing here retries a request.
//!
//! ```text
//! commits/00000000000000000042.json     what commit 42 added and removed (log)
//! checkpoints/00000000000000000032.json what all commits up to 32 left
//! parts/rt_lmp/2024-08/{hash}.parquet   observations of one series in one period (part)
//! postings/NP6-788-CD/2024-08/….json    which postings are in the archive (postings)
//! raw/NP6-788-CD/2024/08/19/…           ERCOT's own files
//! ```

mod batch;
mod checksum;
mod commit;
mod compaction;
mod error;
mod exchange;
mod format_1;
mod gaps;
mod imports;
mod location;
mod log;
mod part;
mod period;
mod postings;
mod read;
mod repair;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod transaction;
mod verification;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub use batch::{Batch, FetchedPosting, Reading};
pub use commit::Committed;
pub use compaction::{Kept, Upkeep};
pub use error::ArchiveError;
pub use gaps::{Gap, missing};
pub use location::{ArchiveLocation, Bucket, StoreOptions};
pub use postings::CommittedPosting;
pub use read::{Columns, Query, Vintages};
pub use repair::{Lost, ReadAgain, Repaired};
pub use verification::{Problem, SeriesStatus, Status, Verified};

use log::PostingRecord;
use state::State;
use store::Store;

/// An archive. Clones share what they have read of the log.
#[derive(Clone, Debug)]
pub struct Archive {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    /// The newest commit that was seen.
    state: Mutex<Arc<State>>,
    /// Indices of postings that were read, by name.
    indices: Mutex<BTreeMap<String, Arc<Vec<Arc<PostingRecord>>>>>,
}

impl Archive {
    /// Opens an archive, which need not exist yet. What an older program left in the folder, in
    /// format 1, is committed once; its files stay.
    pub fn open(location: &ArchiveLocation) -> Result<Self, ArchiveError> {
        let archive = Self {
            shared: Arc::new(Shared {
                store: Store::open(location)?,
                state: Mutex::default(),
                indices: Mutex::default(),
            }),
        };
        archive.refresh()?;
        archive.take_over_format_1()?;
        Ok(archive)
    }

    /// Returns where it is.
    #[must_use]
    pub fn location(&self) -> &ArchiveLocation {
        self.store().location()
    }

    /// Returns the number of the newest commit: what was read at the same number is the same.
    pub fn version(&self) -> Result<u64, ArchiveError> {
        Ok(self.newest_state()?.number)
    }

    fn store(&self) -> &Store {
        &self.shared.store
    }
}
