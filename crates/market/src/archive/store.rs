//! The object store behind the archive, for callers that wait: a folder or a bucket.
//!
//! One request, one attempt: the store library's own retries are off, because only the
//! orchestrator retries. Names are relative to the archive's root. What the store says is turned
//! into an [`ArchiveError`] by what a person does about it, and redacted.

use std::error::Error as _;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::error::ArchiveError;
use super::location::{ArchiveLocation, Bucket, Provider, StoreOptions};

/// Requests under way at once: enough to hide a store's latency, few enough for its limits.
const REQUESTS_AT_ONCE: usize = 8;

/// Folders inside folders that are listed; the archive's own are five deep.
const DEPTH_MAX: usize = 12;

/// A file of the archive, as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its name from the archive's root.
    pub(super) name: String,
    pub(super) modified: Timestamp,
}

/// What became of a file that should be new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Creation {
    Created,
    /// There was one of this name already, and it stays.
    Taken,
}

/// The store, below the archive's root.
pub(super) struct Store {
    location: ArchiveLocation,
    root: Path,
    objects: Arc<dyn ObjectStore>,
    options: StoreOptions,
    // Current-thread: it only waits for replies.
    runtime: Runtime,
}

/// Prints where it is and nothing else: the client holds credentials.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("location", &self.location).finish_non_exhaustive()
    }
}

impl Store {
    pub(super) fn open(location: &ArchiveLocation) -> Result<Self, ArchiveError> {
        let bad =
            |reason: String| ArchiveError::BadLocation { location: location.to_string(), reason };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| bad(format!("no threads or sockets: {error}")))?;
        let (objects, root, options): (Arc<dyn ObjectStore>, Path, StoreOptions) = match location {
            ArchiveLocation::Folder(folder) => {
                let folder = absolute(folder)?;
                let root = Path::from_absolute_path(&folder).map_err(|e| bad(e.to_string()))?;
                let local = LocalFileSystem::new().with_fsync(true);
                (Arc::new(local), root, StoreOptions::default())
            }
            ArchiveLocation::Bucket(bucket) => {
                let said = |error: Error| bad(bucket.options.redact(&chain(&error)));
                let root = Path::parse(&bucket.prefix).map_err(|e| bad(e.to_string()))?;
                (open_bucket(bucket).map_err(said)?, root, bucket.options.clone())
            }
        };
        Ok(Self { location: location.clone(), root, objects, options, runtime })
    }

    pub(super) fn location(&self) -> &ArchiveLocation {
        &self.location
    }

    /// Says where a file is.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.location)
    }

    /// Reads a whole file; `None` if there is none.
    pub(super) fn get(&self, name: &str) -> Result<Option<Bytes>, ArchiveError> {
        let path = self.path(name);
        let outcome = self.runtime.block_on(async {
            match self.objects.get(&path).await {
                Ok(found) => found.bytes().await.map(Some),
                Err(error) => Err(error),
            }
        });
        self.absent_as_none(name, outcome)
    }

    /// Reads ranges of a file, in the order asked for; `None` if there is none.
    pub(super) fn get_ranges(
        &self,
        name: &str,
        ranges: &[Range<u64>],
    ) -> Result<Option<Vec<Bytes>>, ArchiveError> {
        let path = self.path(name);
        let outcome = self.runtime.block_on(self.objects.get_ranges(&path, ranges));
        self.absent_as_none(name, outcome.map(Some))
    }

    /// Writes files, each whole or not at all, several at once. After a failure some are there.
    pub(super) fn put_all(&self, files: Vec<(String, Bytes)>) -> Result<(), ArchiveError> {
        let outcome = self.runtime.block_on(async {
            let mut under_way = JoinSet::new();
            let mut files = files.into_iter();
            loop {
                while under_way.len() < REQUESTS_AT_ONCE
                    && let Some((name, bytes)) = files.next()
                {
                    let (path, objects) = (self.path(&name), self.objects.clone());
                    under_way.spawn(async move {
                        (name, objects.put(&path, PutPayload::from_bytes(bytes)).await)
                    });
                }
                let Some(joined) = under_way.join_next().await else { return Ok(()) };
                match joined {
                    Ok((_, Ok(_))) => {}
                    Ok((name, Err(error))) => return Err((name, error)),
                    Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
                }
            }
        });
        outcome.map_err(|(name, error)| self.failure(&name, &error))
    }

    /// Writes a file unless there is one of this name. On disk it is there after a power cut too.
    pub(super) fn create(&self, name: &str, bytes: Bytes) -> Result<Creation, ArchiveError> {
        let path = self.path(name);
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = self.objects.put_opts(&path, PutPayload::from_bytes(bytes), options);
        match self.runtime.block_on(put) {
            Ok(_) => Ok(Creation::Created),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Creation::Taken),
            Err(error) => Err(self.failure(name, &error)),
        }
    }

    /// Removes a file; one that is not there is removed already.
    pub(super) fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        let path = self.path(name);
        let outcome = self.runtime.block_on(self.objects.delete(&path));
        self.absent_as_none(name, outcome.map(Some)).map(|_| ())
    }

    /// Lists the files of a folder and below it, by name.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<Listed>, ArchiveError> {
        let mut listed = Vec::new();
        let mut folders = vec![(self.path(folder), 0)];
        while let Some((path, depth)) = folders.pop() {
            let found = self.runtime.block_on(self.objects.list_with_delimiter(Some(&path)));
            let found = match found {
                Ok(found) => found,
                Err(Error::NotFound { .. }) if self.is_folder() => continue,
                Err(error) => return Err(self.failure(folder, &error)),
            };
            for object in found.objects {
                let seconds = object.last_modified.timestamp();
                listed.push(Listed {
                    name: self.name(&object.location),
                    modified: Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX),
                });
            }
            if depth < DEPTH_MAX {
                folders.extend(found.common_prefixes.into_iter().map(|path| (path, depth + 1)));
            }
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// Removes files of a folder that a writer which was killed began before an instant; no reader
    /// sees them. Returns how many. A bucket has none.
    pub(super) fn remove_unfinished(&self, before: Timestamp) -> Result<usize, ArchiveError> {
        let mut removed = 0;
        let mut folders: Vec<(PathBuf, usize)> =
            self.folder().map(|folder| (folder.to_path_buf(), 0)).into_iter().collect();
        while let Some((folder, depth)) = folders.pop() {
            let failed = |cause: std::io::Error| ArchiveError::Unavailable {
                place: folder.display().to_string(),
                detail: cause.to_string(),
            };
            if !folder.exists() || DEPTH_MAX < depth {
                continue;
            }
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let metadata = entry.metadata().map_err(failed)?;
                let modified = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
                if metadata.is_dir() {
                    folders.push((entry.path(), depth + 1));
                } else if is_unfinished(&entry.file_name().to_string_lossy())
                    && modified.is_some_and(|modified| modified < before)
                {
                    fs::remove_file(entry.path()).map_err(failed)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Returns the folder, if it is one.
    pub(super) fn folder(&self) -> Option<&FilePath> {
        match &self.location {
            ArchiveLocation::Folder(folder) => Some(folder),
            ArchiveLocation::Bucket(_) => None,
        }
    }

    fn is_folder(&self) -> bool {
        self.folder().is_some()
    }

    fn path(&self, name: &str) -> Path {
        name.split('/')
            .filter(|part| !part.is_empty())
            .fold(self.root.clone(), |path, part| path.join(part))
    }

    fn name(&self, path: &Path) -> String {
        let parts = path.prefix_match(&self.root);
        let parts: Vec<String> =
            parts.into_iter().flatten().map(|part| part.as_ref().to_owned()).collect();
        parts.join("/")
    }

    fn absent_as_none<T>(
        &self,
        name: &str,
        outcome: Result<Option<T>, Error>,
    ) -> Result<Option<T>, ArchiveError> {
        match outcome {
            Ok(found) => Ok(found),
            Err(Error::NotFound { source, .. }) if !names_the_bucket(&source.to_string()) => {
                Ok(None)
            }
            Err(error) => Err(self.failure(name, &error)),
        }
    }

    fn failure(&self, name: &str, error: &Error) -> ArchiveError {
        let place = self.place(name);
        let detail = self.options.redact(&chain(error));
        if names_the_bucket(&detail) {
            return ArchiveError::NoBucket { place: self.location.to_string() };
        }
        match io_kind(error) {
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                return ArchiveError::NoSpace { place };
            }
            Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                return ArchiveError::NotPermitted { place, detail };
            }
            Some(_) | None => {}
        }
        match error {
            Error::Unauthenticated { .. } => ArchiveError::Credentials { place, detail },
            Error::PermissionDenied { .. } if is_about_credentials(&detail) => {
                ArchiveError::Credentials { place, detail }
            }
            Error::PermissionDenied { .. } => ArchiveError::NotPermitted { place, detail },
            _ if is_about_credentials(&detail) => ArchiveError::Credentials { place, detail },
            _ => ArchiveError::Unavailable { place, detail },
        }
    }
}

/// Tells whether a file's name is one that the store library writes under: `NAME#1`.
fn is_unfinished(name: &str) -> bool {
    let number = name.rsplit_once('#').map(|(_, number)| number);
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Makes a path absolute, and refuses a file.
fn absolute(folder: &FilePath) -> Result<PathBuf, ArchiveError> {
    if folder.exists() && !folder.is_dir() {
        return Err(ArchiveError::NotAFolder { path: folder.to_path_buf() });
    }
    std::path::absolute(folder).map_err(|cause| ArchiveError::BadLocation {
        location: folder.display().to_string(),
        reason: format!("the current folder is not known: {cause}"),
    })
}

fn open_bucket(bucket: &Bucket) -> Result<Arc<dyn ObjectStore>, Error> {
    // One provider per process; whoever was first is as good.
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
    let retry = RetryConfig {
        max_retries: 0,
        retry_timeout: Duration::ZERO,
        backoff: BackoffConfig::default(),
    };
    let url = bucket.url.as_str();
    let options = bucket.options.iter();
    Ok(match bucket.provider {
        Provider::S3 => {
            let builder = AmazonS3Builder::new().with_url(url).with_retry(retry);
            let known = options.filter_map(|(name, value)| Some((name.parse().ok()?, value)));
            Arc::new(known.fold(builder, |b, (key, value)| b.with_config(key, value)).build()?)
        }
        Provider::GoogleCloud => {
            let builder = GoogleCloudStorageBuilder::new().with_url(url).with_retry(retry);
            let known = options.filter_map(|(name, value)| Some((name.parse().ok()?, value)));
            Arc::new(known.fold(builder, |b, (key, value)| b.with_config(key, value)).build()?)
        }
        Provider::Azure => {
            let builder = MicrosoftAzureBuilder::new().with_url(url).with_retry(retry);
            let known = options.filter_map(|(name, value)| Some((name.parse().ok()?, value)));
            Arc::new(known.fold(builder, |b, (key, value)| b.with_config(key, value)).build()?)
        }
    })
}

fn names_the_bucket(detail: &str) -> bool {
    ["NoSuchBucket", "ContainerNotFound", "bucket does not exist"]
        .iter()
        .any(|mark| detail.contains(mark))
}

fn is_about_credentials(detail: &str) -> bool {
    const MARKS: [&str; 6] = [
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "AuthenticationFailed",
        "credential",
        "169.254.169.254",
    ];
    MARKS.iter().any(|mark| detail.contains(mark))
}

/// Writes an error with its causes, each once.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Returns what the operating system says, where it does.
fn io_kind(error: &Error) -> Option<ErrorKind> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}
