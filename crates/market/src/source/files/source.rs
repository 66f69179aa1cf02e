//! The file source: finds the layout's files, reads each at most once, answers requests.

use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use twox_hash::XxHash64;

use super::layout::{File, hub_average};
use super::reading::{Contents, read};
use crate::observation::{Observation, Series, SeriesKey};
use crate::place::{Place, SettlementPoint};
use crate::source::{FetchRequest, Source, SourceError};
use crate::table::TableError;

/// The user's own history in local files.
#[derive(Debug)]
pub struct FileSource {
    folder: PathBuf,
    files: Vec<SourceFile>,
}

/// A file that is there, and what it holds once it has been read.
#[derive(Debug)]
struct SourceFile {
    file: File,
    path: PathBuf,
    contents: Mutex<Option<Arc<Contents>>>,
}

impl FileSource {
    /// Opens a folder of the documented layout. Nothing is read yet but the folder's names.
    pub fn open(folder: &Path) -> Result<Self, SourceError> {
        let prices = [File::HubAverage, File::Hubs].map(File::name);
        let expected = || {
            format!(
                "a folder with {} or {} as .parquet or .csv (see docs/data-layout.md)",
                prices[0], prices[1]
            )
        };
        let canonical =
            folder.canonicalize().map_err(|cause| TableError::from_io(folder, expected, cause))?;
        let mut files = Vec::new();
        for file in File::ALL {
            if let Some(path) = file.find(&canonical)? {
                files.push(SourceFile { file, path, contents: Mutex::new(None) });
            }
        }
        let has_prices = |known: &SourceFile| matches!(known.file, File::HubAverage | File::Hubs);
        if !files.iter().any(has_prices) {
            return Err(TableError::Missing { path: canonical, expected: expected() }.into());
        }
        Ok(Self { folder: canonical, files })
    }

    fn file(&self, file: File) -> Option<&SourceFile> {
        self.files.iter().find(|known| known.file == file)
    }

    /// Returns the file that answers for a series: prices of the hub average come from their own
    /// file where it exists.
    fn file_of(&self, key: &SeriesKey) -> Option<&SourceFile> {
        self.files.iter().find(|known| known.file.layout().holds(key))
    }
}

impl SourceFile {
    fn contents(&self) -> Result<Arc<Contents>, TableError> {
        // Contents are only ever set as a whole, so a panic elsewhere leaves them sound.
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(contents) = &*contents {
            return Ok(contents.clone());
        }
        let read = Arc::new(read(&self.path, &self.file.layout())?);
        *contents = Some(read.clone());
        Ok(read)
    }

    /// Returns the file's name, size and time of change.
    fn state(&self) -> Result<(String, u64, u128), TableError> {
        let unreadable = |cause| TableError::NotReadable { path: self.path.clone(), cause };
        let metadata = fs::metadata(&self.path).map_err(unreadable)?;
        let modified = metadata.modified().map_err(unreadable)?;
        let since_1970 =
            modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, metadata.len(), since_1970))
    }
}

impl Source for FileSource {
    fn id(&self) -> String {
        let hash = XxHash64::oneshot(0, self.folder.as_os_str().as_encoded_bytes());
        format!("files-{:08x}", hash & 0xffff_ffff)
    }

    fn describe(&self) -> String {
        format!("files in {}", self.folder.display())
    }

    fn fingerprint(&self) -> Result<String, SourceError> {
        let mut hasher = XxHash64::with_seed(0);
        for file in &self.files {
            let (name, size, modified) = file.state()?;
            hasher.write(format!("{name} {size} {modified}\n").as_bytes());
        }
        Ok(format!("files-{:016x}", hasher.finish()))
    }

    fn default_settlement_points(&self) -> Result<Vec<SettlementPoint>, SourceError> {
        if self.file(File::HubAverage).is_some() {
            return Ok(vec![hub_average()]);
        }
        let hubs = self.file(File::Hubs).expect("`open` asks for one of the two");
        let contents = hubs.contents()?;
        let points = contents.keys().filter_map(|key| match &key.place {
            Place::SettlementPoint(point) if key.series == Series::RealTimeLmp => {
                Some(point.clone())
            }
            _ => None,
        });
        Ok(points.collect())
    }

    fn fetch(&self, request: &FetchRequest) -> Result<Vec<Observation>, SourceError> {
        let Some(file) = self.file_of(&request.key) else { return Ok(Vec::new()) };
        let contents = file.contents()?;
        let Some(observations) = contents.get(&request.key) else { return Ok(Vec::new()) };
        let is_asked_for = |published_at: Timestamp| {
            request.published_after.is_none_or(|after| after < published_at)
                && published_at <= request.published_until
        };
        Ok(observations.iter().filter(|o| is_asked_for(o.published_at)).copied().collect())
    }
}
