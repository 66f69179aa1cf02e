//! Stands between SQLite and the operating system: what is done to a recorded folder goes to its
//! [`Tape`], which may also refuse it.
//!
//! It is the ordinary unix VFS with four methods of its files and three of its own replaced;
//! everything else, shared memory and locks included, is the original. Nothing is synced in truth:
//! no real power is cut here. Nobody sleeps: whoever waits for a lock only counts.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock};

use rusqlite::ffi;

use crate::disk::Operation;
use crate::tape::{Call, Tape};

type Open = unsafe extern "C" fn(
    *mut ffi::sqlite3_vfs,
    *const c_char,
    *mut ffi::sqlite3_file,
    c_int,
    *mut c_int,
) -> c_int;
type Delete = unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *const c_char, c_int) -> c_int;

/// What the ordinary VFS does.
static ORIGINAL: OnceLock<(Open, Delete)> = OnceLock::new();

/// Which folders are recorded.
static TAPES: Mutex<Vec<Arc<Tape>>> = Mutex::new(Vec::new());

/// The files that SQLite has open, by their addresses.
static FILES: Mutex<BTreeMap<usize, Arc<OpenFile>>> = Mutex::new(BTreeMap::new());

struct OpenFile {
    /// The recording it belongs to, and its name there.
    tape: Option<(Arc<Tape>, String)>,
    /// SQLite syncs the folder with the first sync of a journal or WAL that it may have created
    /// (`UNIXFILE_DIRSYNC` in os_unix.c).
    folder_unsynced: AtomicBool,
    original: &'static ffi::sqlite3_io_methods,
    /// What the file points to while it is open.
    replaced: ffi::sqlite3_io_methods,
}

impl OpenFile {
    fn refuse(&self, call: Call) -> Option<c_int> {
        self.tape.as_ref().and_then(|(tape, _)| tape.refuse(call))
    }

    fn record(&self, operation: impl FnOnce(String) -> Operation) {
        if let Some((tape, name)) = &self.tape {
            tape.record(operation(name.clone()));
        }
    }
}

/// Records what SQLite does in the folder of `tape` from now on, until it is dropped.
pub(crate) fn record(tape: &Arc<Tape>) -> Recording {
    install();
    TAPES.lock().unwrap().push(Arc::clone(tape));
    Recording { tape: Arc::clone(tape) }
}

/// Ends with its drop. Files that are open then are recorded until they are closed.
pub(crate) struct Recording {
    tape: Arc<Tape>,
}

impl Drop for Recording {
    fn drop(&mut self) {
        TAPES.lock().unwrap().retain(|tape| !Arc::ptr_eq(tape, &self.tape));
    }
}

/// Makes this the VFS of every connection that does not ask for another.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: null asks for the default VFS; it is there and lives as long as the process.
        let unix = unsafe { *ffi::sqlite3_vfs_find(ptr::null()) };
        let original = (unix.xOpen.unwrap(), unix.xDelete.unwrap());
        ORIGINAL.set(original).unwrap();
        let ours = Box::leak(Box::new(ffi::sqlite3_vfs {
            pNext: ptr::null_mut(),
            zName: c"power_cut".as_ptr(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xSleep: Some(sleep),
            ..unix
        }));
        // SAFETY: it is never freed, and never touched again by us.
        let code = unsafe { ffi::sqlite3_vfs_register(ours, 1) };
        assert_eq!(code, ffi::SQLITE_OK);
    });
}

/// Returns the recording of a path, and the file's name in it.
fn tape_of(path: &Path) -> Option<(Arc<Tape>, String)> {
    let tapes = TAPES.lock().unwrap();
    let tape = tapes.iter().find(|tape| path.parent() == Some(tape.folder.as_path()))?;
    Some((Arc::clone(tape), path.file_name()?.to_str()?.to_owned()))
}

fn path_of<'n>(name: *const c_char) -> Option<&'n Path> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite hands names over as texts that outlive the call, in which alone we use them.
    unsafe { CStr::from_ptr(name) }.to_str().ok().map(Path::new)
}

fn opened(file: *mut ffi::sqlite3_file) -> Arc<OpenFile> {
    Arc::clone(&FILES.lock().unwrap()[&file.addr()])
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let path = path_of(name);
    let tape = path.and_then(tape_of);
    let existed = path.is_some_and(Path::exists);
    if let Some((tape, _)) = &tape
        && !existed
        && flags & ffi::SQLITE_OPEN_CREATE != 0
        && let Some(code) = tape.refuse(Call::Create)
    {
        // SAFETY: SQLite hands over room for a file; without methods it counts as not open.
        unsafe { (*file).pMethods = ptr::null() };
        return code;
    }
    let (open, _) = ORIGINAL.get().expect("installed");
    // SAFETY: these are the arguments of SQLite, and `vfs` is a copy of the original.
    let code = unsafe { open(vfs, name, file, flags, flags_out) };
    if code != ffi::SQLITE_OK {
        return code;
    }
    if let Some((tape, file)) = &tape {
        tape.know(file);
        if !existed {
            tape.record(Operation::Created { file: file.clone() });
        }
    }
    let journals =
        ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    let syncs_folder = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journals != 0;
    // SAFETY: the original has just opened the file, so its methods are there; they are constants.
    let original = unsafe { &*(*file).pMethods };
    let opened = Arc::new(OpenFile {
        tape,
        folder_unsynced: AtomicBool::new(syncs_folder),
        original,
        replaced: ffi::sqlite3_io_methods {
            xClose: Some(close),
            xWrite: Some(write),
            xTruncate: Some(truncate),
            xSync: Some(sync),
            ..*original
        },
    });
    // SAFETY: the methods stay where they are until `close` puts the original ones back.
    unsafe { (*file).pMethods = &raw const opened.replaced };
    FILES.lock().unwrap().insert(file.addr(), opened);
    code
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    let path = path_of(name);
    let tape = path.and_then(tape_of);
    if let Some((tape, _)) = &tape
        && let Some(code) = tape.refuse(Call::Delete)
    {
        return code;
    }
    let existed = path.is_some_and(Path::exists);
    let (_, delete) = ORIGINAL.get().expect("installed");
    // SAFETY: these are the arguments of SQLite, and `vfs` is a copy of the original.
    let code = unsafe { delete(vfs, name, sync_folder) };
    if let (Some((tape, file)), true, ffi::SQLITE_OK) = (tape, existed, code) {
        tape.record(Operation::Deleted { file });
        if sync_folder != 0 {
            tape.record(Operation::FolderSynced);
        }
    }
    code
}

unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::yield_now();
    microseconds
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let opened = FILES.lock().unwrap().remove(&file.addr()).expect("an open file");
    let close = opened.original.xClose.unwrap();
    // SAFETY: the file gets back the methods that it had when `open` replaced them.
    unsafe {
        (*file).pMethods = opened.original;
        close(file)
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    bytes: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let opened = opened(file);
    if let Some(code) = opened.refuse(Call::Write) {
        return code;
    }
    // SAFETY: these are the arguments of SQLite for a file that the original has opened.
    let code = unsafe { opened.original.xWrite.unwrap()(file, data, bytes, offset) };
    if code == ffi::SQLITE_OK {
        let (bytes, offset) = (usize::try_from(bytes).unwrap(), usize::try_from(offset).unwrap());
        // SAFETY: SQLite hands over so many bytes.
        let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), bytes) }.to_vec();
        opened.record(|file| Operation::Wrote { file, offset, data });
    }
    code
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, bytes: ffi::sqlite3_int64) -> c_int {
    let opened = opened(file);
    if let Some(code) = opened.refuse(Call::Truncate) {
        return code;
    }
    // SAFETY: these are the arguments of SQLite for a file that the original has opened.
    let code = unsafe { opened.original.xTruncate.unwrap()(file, bytes) };
    if code == ffi::SQLITE_OK {
        let bytes = usize::try_from(bytes).unwrap();
        opened.record(|file| Operation::Truncated { file, bytes });
    }
    code
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    let opened = opened(file);
    if let Some(code) = opened.refuse(Call::Sync) {
        opened.record(|file| Operation::SyncFailed { file });
        return code;
    }
    opened.record(|file| Operation::Synced { file });
    if opened.folder_unsynced.swap(false, Ordering::SeqCst) {
        opened.record(|_| Operation::FolderSynced);
    }
    ffi::SQLITE_OK
}
