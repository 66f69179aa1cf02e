//! Archives at places that cannot be used, and in a bucket: messages that one can act on, and no
//! credential in any of them.

use std::fs;
use std::process::Command;

use crate::moto::Server;
use crate::program::{Program, SMALL};

const FETCH: [&str; 9] = [
    "fetch",
    "--series",
    "dam_spp",
    "--place",
    "HB_NORTH",
    "--from",
    "2026-03-01",
    "--to",
    "2026-03-09",
];

/// Ends with this exit code, or any failure, and says all of this, and nothing of the credentials.
fn check(command: &mut Command, exit_code: Option<i32>, expected: &[&str]) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let said = said.concat();
    match exit_code {
        Some(_) => assert_eq!(output.status.code(), exit_code, "{said}"),
        None => assert!(!output.status.success(), "{said}"),
    }
    for text in expected {
        assert!(said.contains(text), "{text:?} is missing in:\n{said}");
    }
    assert!(!said.to_lowercase().contains("hunter2"), "{said}");
}

/// Mounts a small disk; nothing where that is not allowed.
fn mount(program: &Program, options: &str) -> Option<Mounted> {
    let folder = program.path("small-disk");
    fs::create_dir(&folder).unwrap();
    let arguments = ["-t", "tmpfs", "-o", options, "tmpfs"];
    let mounted = Command::new("mount").args(arguments).arg(&folder).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: only the superuser can mount a small disk");
        return None;
    }
    Some(Mounted { folder })
}

struct Mounted {
    folder: std::path::PathBuf,
}

impl Mounted {
    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let done = Command::new("mount").args(["-o", &options]).arg(&self.folder).status();
        assert!(done.is_ok_and(|status| status.success()));
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.folder).status();
        assert!(done.is_ok_and(|status| status.success()));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_and_the_same_fetch_completes_after_room_was_made() {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), "fetch_retry_delay = \"2ms\"\n").unwrap();
    let Some(disk) = mount(&program, "size=4k") else { return };
    let fetch = || {
        let mut command = program.command(&FETCH);
        command.env("SPIKECAST_ARCHIVE", disk.folder.join("archive"));
        command
    };
    check(&mut fetch(), None, &["small-disk/archive/simulator-42", "no space left", "make room"]);
    disk.remount("size=16m");
    check(&mut fetch(), Some(0), &["complete"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_place_that_may_only_be_read_is_said_and_can_be_read() {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), "fetch_retry_delay = \"2ms\"\n").unwrap();
    let Some(disk) = mount(&program, "size=16m") else { return };
    let archive = disk.folder.join("archive");
    let command = |arguments: &[&str]| {
        let mut command = program.command(arguments);
        command.env("SPIKECAST_ARCHIVE", &archive);
        command
    };
    check(&mut command(&FETCH), Some(0), &["complete"]);
    disk.remount("ro");
    let later = [&FETCH[..6], &["2026-03-20", "--to", "2026-03-21"]].concat();
    check(&mut command(&later), None, &["small-disk/archive", "access is denied", "permissions"]);
    let retain = ["archive", "compact", "--raw-retention", "1d"];
    check(&mut command(&retain), Some(7), &["small-disk/archive", "access is denied"]);
    check(&mut command(&["archive", "status"]), Some(0), &["dam_spp"]);
    check(&mut command(&["archive", "verify"]), Some(0), &["as they were written"]);
}

#[test]
fn a_bucket_is_an_archive_like_a_folder_and_one_that_is_not_there_is_named() {
    let Some(server) = Server::start(&[]) else { return };
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), "simulator_history_days = 220\n").unwrap();
    let command = |arguments: &[&str]| {
        let mut command = program.command(arguments);
        command.env("SPIKECAST_ARCHIVE", "s3://desk/market").envs(server.variables());
        command
    };
    let status = ["archive", "status"];
    check(&mut command(&status), Some(4), &["s3://desk/market", "no such bucket", "create it"]);
    server.make_bucket("desk");
    check(&mut command(&FETCH), Some(0), &["complete"]);
    check(&mut command(&status), Some(0), &["s3://desk/market/simulator-42", "dam_spp"]);
    check(&mut command(&["config", "show"]), Some(0), &["archive = \"s3://desk/market\""]);
    // The stage that runs in a process of its own reads the bucket too.
    let run = [&["run", "--issue-time", "2026-07-14T09:30", "--json"][..], &SMALL].concat();
    check(&mut command(&run), Some(0), &["\"trained\": true", "\"degraded\": []"]);
    assert!(!program.path("data/archive").exists());
    let text = fs::read(program.path("data/journal.sqlite")).unwrap();
    assert!(!String::from_utf8_lossy(&text).to_lowercase().contains("hunter2"));
}

#[test]
fn a_store_that_knows_nobody_or_is_not_there_is_named() {
    let program = Program::new();
    let status = ["archive", "status", "--archive", "s3://desk/market"];
    let check_status = |endpoint: &str, variables: &[(String, String)], expected: &[&str]| {
        let mut command = program.command(&status);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.env("AWS_ENDPOINT", endpoint);
        check(&mut command, Some(4), expected);
    };
    let Some(server) = Server::start(&[("INITIAL_NO_AUTH_ACTION_COUNT", "1")]) else { return };
    server.make_bucket("desk");
    let refused = ["s3://desk/market", "refuses the credentials", "AWS_ACCESS_KEY_ID"];
    check_status(&server.endpoint, &server.variables(), &refused);
    let nobody = ["s3://desk/market", "cannot be reached", "check the network, the endpoint"];
    check_status("http://127.0.0.1:9", &server.variables(), &nobody);
}

#[test]
fn credentials_in_the_place_itself_are_refused_and_not_repeated() {
    let program = Program::new();
    let place = "s3://key:hunter2@desk/market";
    check(
        &mut program.command(&["archive", "status", "--archive", place]),
        Some(2),
        &["s3://desk"],
    );
    fs::write(program.path("spikecast.toml"), format!("archive = \"{place}\"\n")).unwrap();
    check(&mut program.command(&["config", "show"]), Some(2), &["spikecast.toml", "s3://desk"]);
    let elsewhere = ["archive", "status", "--archive", "ftp://desk/market"];
    check(&mut program.command(&elsewhere), Some(2), &["expected a folder, s3://"]);
}
