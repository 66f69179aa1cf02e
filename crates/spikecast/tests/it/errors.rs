//! What goes wrong has its exit code and a message that one can act on; nothing half-written stays.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::{Program, real_data, small_run};

/// Runs on the files of a folder; returns the error message.
fn run_on_files(program: &Program, folder: &Path, exit_code: i32) -> String {
    let path = folder.to_str().unwrap();
    let arguments =
        ["run", "--source", "files", "--path", path, "--issue-time", "2024-08-19T09:57"];
    program.run(&arguments, exit_code).1
}

fn check(message: &str, expected: &[&str]) {
    for text in expected {
        assert!(message.contains(text), "{text:?} is missing in:\n{message}");
    }
}

#[test]
fn a_text_in_a_price_column_is_named_by_file_row_and_column() {
    let program = Program::new();
    let folder = program.path("history");
    fs::create_dir(&folder).unwrap();
    let rows =
        "interval_start_utc,lmp_usd_mwh\n2024-08-01T05:00:00Z,21.5\n2024-08-01T05:05:00Z,n/a\n";
    fs::write(folder.join("rt_lmp_5min_hubavg.csv"), rows).unwrap();
    let message = run_on_files(&program, &folder, 3);
    check(
        &message,
        &["rt_lmp_5min_hubavg.csv", "row 2", "line 3", "lmp_usd_mwh", "\"n/a\"", "correct"],
    );
    assert!(!program.path("data/ledger").exists() && !program.path("data/report.html").exists());
}

#[test]
fn a_truncated_parquet_file_is_called_damaged() {
    let Some(data) = real_data() else { return };
    let program = Program::new();
    let folder = program.path("history");
    fs::create_dir(&folder).unwrap();
    let bytes = fs::read(data.join("rt_lmp_5min_hubavg.parquet")).unwrap();
    fs::write(folder.join("rt_lmp_5min_hubavg.parquet"), &bytes[..bytes.len() / 2]).unwrap();
    let message = run_on_files(&program, &folder, 3);
    check(&message, &["rt_lmp_5min_hubavg.parquet", "damaged", "download it again"]);
}

#[test]
fn a_missing_folder_or_file_is_named_with_what_belongs_there() {
    let program = Program::new();
    check(&run_on_files(&program, Path::new("nowhere"), 4), &["nowhere"]);
    let empty = program.path("empty");
    fs::create_dir(&empty).unwrap();
    check(&run_on_files(&program, &empty, 4), &["rt_lmp_5min_hub"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_cannot_be_written_is_named() {
    // Permissions do not bind the superuser, but the kernel's own folders do.
    let program = Program::new();
    let (_, message) = program.run(
        &[&small_run("2026-07-14T09:30")[..], &["--data-dir", "/sys/kernel/spikecast"]].concat(),
        7,
    );
    check(&message, &["/sys/kernel/spikecast", "permissions"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_and_the_run_continues_after_room_was_made() {
    let program = Program::new();
    let small_disk = program.path("small-disk");
    fs::create_dir(&small_disk).unwrap();
    let mount = |size: &str| {
        let options = format!("size={size}");
        let arguments = ["-t", "tmpfs", "-o", options.as_str(), "tmpfs"];
        Command::new("mount")
            .args(arguments)
            .arg(&small_disk)
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if !mount("400k") {
        eprintln!("skipped: only the superuser can mount a small disk");
        return;
    }
    let remount = || {
        let arguments = ["-o", "remount,size=400m"];
        Command::new("mount").args(arguments).arg(&small_disk).status().is_ok_and(|s| s.success())
    };
    let data_dir = small_disk.join("data");
    fs::write(program.path("spikecast.toml"), "simulator_history_days = 220\n").unwrap();
    let arguments =
        [&small_run("2026-07-14T09:30")[..], &["--data-dir", data_dir.to_str().unwrap()]].concat();
    let output = program.output(&arguments);
    let enough = remount().then(|| program.output(&arguments));
    let unmounted = Command::new("umount").arg(&small_disk).status();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(7), "{message}");
    check(&message, &["small-disk", "make room"]);
    let enough = enough.expect("the disk can be made larger");
    assert!(enough.status.success(), "{}", String::from_utf8_lossy(&enough.stderr));
    assert!(unmounted.is_ok_and(|status| status.success()));
}

#[test]
fn what_cannot_be_asked_for_is_explained() {
    let program = Program::new();
    let check_usage = |arguments: &[&str], expected: &[&str]| {
        let (_, message) = program.run(arguments, 2);
        check(&message, expected);
    };
    check_usage(&["run", "--thresholds", "100,50"], &["thresholds", "ascending"]);
    check_usage(&["run", "--settlement-point", "HB_WEST,HB_WEST"], &["each settlement point once"]);
    check_usage(&["run", "--issue-time", "yesterday"], &["2024-08-19T09:57"]);
    check_usage(&["run", "--issue-time", "2099-01-01T00:00"], &["future"]);
    check_usage(&["run", "--source", "files"], &["--path"]);
    check_usage(
        &["backtest", "--from", "2024-02-01", "--to", "2024-01-01", "--out", "x"],
        &["after"],
    );
    check_usage(&["forecast", "export", "--format", "parquet"], &["no forecast was issued yet"]);
    check_usage(&["runs", "list"], &["journal.sqlite", "does not exist"]);
    fs::write(program.path("spikecast.toml"), "treshold = [1]\n").unwrap();
    check_usage(&["config", "check"], &["spikecast.toml", "did you mean \"thresholds\"?"]);
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_not_utf_8_harms_nobody() {
    use std::os::unix::ffi::OsStrExt;
    let program = Program::new();
    let mut command = program.command(&["config", "show"]);
    command.env("FOO", std::ffi::OsStr::from_bytes(b"\xff"));
    assert!(command.output().unwrap().status.success());
}

#[test]
fn two_processes_do_not_write_to_one_data_directory() {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), "simulator_history_days = 220\n").unwrap();
    let mut first = program
        .command(&small_run("2026-07-14T09:30"))
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(first.stderr.take().unwrap()).lines();
    assert!(told.next().unwrap().unwrap().contains("starting run r000001"));
    let (_, message) = program.run(&small_run("2026-07-13T09:30"), 7);
    assert!(told.all(|line| line.is_ok()), "the first goes on");
    assert!(first.wait().unwrap().success());
    check(&message, &["journal", "in use", "process"]);
}
