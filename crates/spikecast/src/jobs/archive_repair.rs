//! What is done about an archive with broken files: they are taken out, what ERCOT's own files can
//! rebuild is rebuilt, and what is lost is marked, so that the next fetch gets it again.

use jiff::Timestamp;
use market::archive::{Archive, Upkeep};
use market::reports::{Wanted, parse};

use super::failure::JobError;

/// Repairs an archive if a file of it is not as it was written.
pub fn repair_if_damaged(archive: &Archive, now: Timestamp) -> Result<(), JobError> {
    if archive.verify()?.problems.is_empty() {
        // Something else was wrong with the data.
        return Ok(());
    }
    let upkeep = Upkeep { now, grace: Upkeep::GRACE, raw_kept: None };
    let everything = Wanted::default();
    archive.repair(&upkeep, &|posting, bytes| parse(posting, bytes, &everything))?;
    Ok(())
}
