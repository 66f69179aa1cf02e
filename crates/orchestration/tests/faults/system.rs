//! Real file systems that are full or read-only: the program says what to do, and the same run
//! completes once that was done.
//!
//! They are mounted in a name space of their own, where that is allowed; nobody else sees them, and
//! they are gone with the last process in it.

use std::path::Path;
use std::process::{Command, Output};

use crate::program::{check_effects, program};

/// Runs a script of the shell with a name space of its own; `$1` is the program, `$2` a folder for
/// what is to be mounted, `$3` one for what is to be kept.
fn run_apart(script: &str, kept: &Path) -> Output {
    let place = tempfile::tempdir().unwrap();
    Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-euc", script, "sh"])
        .args([program().as_path(), place.path(), kept])
        .output()
        .unwrap_or_else(|error| panic!("unshare: {error}"))
}

/// Tells whether this system lets us mount something; says so if not.
fn can_mount() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let tried = Command::new("unshare")
        .args(["--mount", "--map-root-user", "mount", "-t", "tmpfs", "none"])
        .arg(folder.path())
        .output();
    match tried {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            println!("skipped, no mount: {}", String::from_utf8_lossy(&output.stderr));
            false
        }
        Err(error) => {
            println!("skipped, no unshare: {error}");
            false
        }
    }
}

/// The first process meets a disk of so many KiB, the second one has room.
fn run_on_small_disk(kibibytes: u32) -> (bool, String) {
    let kept = tempfile::tempdir().unwrap();
    let script = format!(
        r#"
        mount -t tmpfs -o size={kibibytes}k none "$2"
        # The ledger has room: it is the journal that must speak.
        touch "$3/ledger"; ln -s "$3/ledger" "$2/ledger"
        if "$1" "$2" day >"$3/said"; then echo completed; fi
        mount -o remount,size=64m "$2"
        "$1" "$2" day >>"$3/said"
        cp "$2/journal.sqlite" "$3"
        "#
    );
    let output = run_apart(&script, kept.path());
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{kibibytes} KiB: {complaint}");
    check_effects(kept.path(), "day");
    (output.stdout == b"completed\n", complaint)
}

#[test]
fn a_full_disk_is_said_and_the_run_completes_once_there_is_room() {
    if !can_mount() {
        return;
    }
    let mut said_full = 0;
    for kibibytes in (4..160).step_by(12) {
        let (completed, complaint) = run_on_small_disk(kibibytes);
        assert!(!completed, "{kibibytes} KiB are enough");
        said_full += usize::from(complaint.contains("the disk is full; make room"));
        // SQLite has no better word for shared memory that finds no room.
        let is_clear = complaint.contains("the disk is full; make room")
            || complaint.contains("cannot be used\ndisk I/O error\n");
        assert!(complaint.starts_with("journal ") && is_clear, "{kibibytes} KiB: {complaint}");
    }
    assert!(8 < said_full, "{said_full} times");
    assert!(run_on_small_disk(4096).0);
}

#[test]
fn a_read_only_file_system_is_said_and_the_run_completes_once_it_can_be_written() {
    if !can_mount() {
        return;
    }
    let kept = tempfile::tempdir().unwrap();
    let script = r#"
        mount -t tmpfs none "$2"
        "$1" "$2" "one" >"$3/said"
        mount -o remount,ro "$2"
        if "$1" "$2" "two" >>"$3/said"; then exit 1; fi
        mount -o remount,rw "$2"
        "$1" "$2" "two" >>"$3/said"
        cp "$2/journal.sqlite" "$2/ledger" "$3"
        "#;
    let output = run_apart(script, kept.path());
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{complaint}");
    let expected = "cannot be written; check that its directory exists and is writable\n";
    assert!(complaint.contains(expected), "{complaint}");
    assert!(complaint.contains("Read-only file system"), "{complaint}");
    for key in ["one", "two"] {
        check_effects(kept.path(), key);
    }
}
