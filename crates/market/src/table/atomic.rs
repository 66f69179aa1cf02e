//! Files that appear whole or not at all: written beside their place, flushed, then renamed.
//!
//! A process that is killed half-way leaves at most a file named `NAME.partial-…`, which no
//! reader looks at. Locking is not done here: two writers of one file both succeed, the later
//! one's file stays.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::WriteError;

/// What the name of an unfinished file holds, after the name it will get.
const PARTIAL_MARK: &str = ".partial-";

/// Writes a file as a whole: after a failure or a crash the former file is still there, and after
/// a success the new one survives a power cut. Missing folders are made.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    let partial = partial_path(path);
    let outcome = write_and_rename(path, &partial, write);
    if outcome.is_err() && partial.exists() {
        // The first error is the one to report; what remains is ignored by every reader.
        fs::remove_file(&partial).unwrap_or_default();
    }
    outcome.map_err(|cause| WriteError::from_io(path, cause))
}

/// Removes what writers that were killed left in a folder and below it; returns how many files.
/// Only for whoever keeps other writers out. What cannot be removed is left: no reader sees it.
pub fn remove_partial_files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut removed = 0;
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !path.is_symlink() {
            removed += remove_partial_files(&path);
        } else if name.contains(PARTIAL_MARK) {
            removed += usize::from(fs::remove_file(&path).is_ok());
        }
    }
    removed
}

fn write_and_rename(
    path: &Path,
    partial: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    fill(File::create(partial)?, write)?;
    fs::rename(partial, path)?;
    // The new name itself lives in the folder, which is flushed separately.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn fill(file: File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffered = BufWriter::new(file);
    write(&mut buffered)?;
    let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

fn partial_path(path: &Path) -> PathBuf {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    let mut name = path.as_os_str().to_owned();
    name.push(format!("{PARTIAL_MARK}{}-{number}", std::process::id()));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_former_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/page.html");
        write_atomically(&path, |out| out.write_all(b"before")).unwrap();
        let failure = write_atomically(&path, |out| {
            out.write_all(b"after")?;
            Err(io::Error::other("the writer gave up"))
        });
        assert!(matches!(failure, Err(WriteError::Failed { .. })), "{failure:?}");
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert_eq!(names_in(path.parent().unwrap()), ["page.html"]);
    }

    #[test]
    fn what_killed_writers_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("2024-08-19");
        fs::create_dir(&deep).unwrap();
        for name in ["a.parquet", "a.parquet.partial-7-0"] {
            fs::write(deep.join(name), "x").unwrap();
        }
        assert_eq!(remove_partial_files(folder.path()), 1);
        assert_eq!(names_in(&deep), ["a.parquet"]);
        assert_eq!(remove_partial_files(&folder.path().join("nowhere")), 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told_apart() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let cause = fill(full, |out| out.write_all(&[0; 100_000])).unwrap_err();
        let error = WriteError::from_io(Path::new("/data/forecast.parquet"), cause);
        assert!(matches!(error, WriteError::NoSpace { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.starts_with("/data/forecast.parquet: no space left"), "{message}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_folder_that_may_not_be_written_is_told_apart() {
        // Permissions do not bind the superuser, but the kernel's own folders do.
        let error = write_atomically(Path::new("/sys/kernel/page.html"), |_| Ok(())).unwrap_err();
        assert!(matches!(error, WriteError::NotPermitted { .. }), "{error:?}");
    }
}
