//! A world that does not cooperate: no file descriptors, a full disk, a read-only file system, a
//! folder that disappears. Each is told as what it is, and afterwards the run goes on.
//!
//! What would harm other tests happens in a process of its own: this program again, told to run one
//! ignored test in a folder. File systems are mounted by `unshare`; where that is not possible, the
//! test says so and does nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use orchestration::{
    CancellationToken, ExecutionError, FailureClass, Journal, JournalError, Pipeline,
    PipelineBuilder, Registry, RunId, RunStatus, Stage, StageOutput,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::support::{Desk, failure};

/// More descriptors than a journal needs.
const DESCRIPTORS_ENOUGH: u64 = 64;

/// The name of the run that every scenario is about.
const RUN: &str = "r1";

fn run_id() -> RunId {
    RUN.parse().unwrap()
}

/// Stages whose outputs fill a small disk, one after another.
fn filling() -> (Pipeline, Registry) {
    let mut registry = Registry::new();
    registry.register("fill", |_| Ok(StageOutput::fresh("x".repeat(100_000).into())));
    let mut builder = PipelineBuilder::new("filling").stage(Stage::new("s0", "fill"));
    for number in 1..10 {
        let before = [format!("s{}", number - 1)];
        builder = builder.stage(Stage::new(format!("s{number}"), "fill").after(before));
    }
    (builder.build().unwrap(), registry)
}

/// Runs one ignored test of this file in a folder, after a shell's preparation.
fn in_own_process(folder: &Path, preparation: &[&str], test: &str) -> Output {
    let program = std::env::current_exe().unwrap();
    let mut words: Vec<&str> = preparation.to_vec();
    let name = format!("faults::{test}");
    let own = ["--exact", &name, "--ignored", "--nocapture"];
    let program = program.to_str().unwrap();
    words.push(program);
    words.extend(own);
    Command::new(words[0]).args(&words[1..]).current_dir(folder).output().unwrap()
}

fn check_passed(output: &Output) {
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}\n{errors}");
}

/// Mounts an empty file system on the folder, then runs the test there; `None` where that is not
/// allowed.
fn on_own_file_system(options: &str, test: &str) -> Option<()> {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o {options} none \"$PWD\" && cd \"$PWD\" && exec \"$@\"");
    let mounted = ["unshare", "-rm", "sh", "-c", &mount, "sh"];
    let probe = Command::new(mounted[0])
        .args(&mounted[1..])
        .arg("true")
        .current_dir(folder.path())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: file systems cannot be mounted here with unshare");
        return None;
    }
    check_passed(&in_own_process(folder.path(), &mounted, test));
    Some(())
}

/// A desk in the folder this process was started in.
fn desk_here() -> Desk {
    let mut desk = Desk::new();
    desk.folder = tempfile::tempdir_in(".").unwrap();
    desk
}

#[test]
fn without_file_descriptors_it_says_so_and_works_when_there_are_some() {
    let folder = tempfile::tempdir().unwrap();
    check_passed(&in_own_process(folder.path(), &[], "child_with_few_descriptors"));
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_with_few_descriptors() {
    let desk = desk_here();
    let (pipeline, registry) = filling();
    desk.executor(registry, 1).submit(&pipeline, "k", json!(null)).unwrap();
    let before = fs::read(desk.path()).unwrap();
    let may_open = |descriptors| {
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(descriptors), maximum }).unwrap();
    };
    let mut refusals = 0;
    for descriptors in 3..DESCRIPTORS_ENOUGH {
        may_open(descriptors);
        let (writer, reader) = (Journal::open(&desk.path()), Journal::open_read_only(&desk.path()));
        may_open(DESCRIPTORS_ENOUGH);
        for error in [writer.as_ref().err(), reader.as_ref().err()].into_iter().flatten() {
            match error {
                JournalError::TooManyFiles { path } => assert_eq!(*path, desk.path()),
                other => panic!("{descriptors} descriptors: {other:?}"),
            }
            refusals += 1;
        }
        if writer.is_err() {
            drop((writer, reader));
            let is_same = fs::read(desk.path()).unwrap() == before;
            assert!(is_same, "{descriptors} descriptors: the file was changed");
        }
    }
    assert!(4 < refusals, "{refusals} refusals");
    let executor = desk.executor(filling().1, 1);
    let report = executor.execute(run_id(), &CancellationToken::new()).unwrap();
    assert_eq!(report.status, RunStatus::Completed);
}

#[test]
fn on_a_full_disk_it_says_so_and_the_run_goes_on_when_there_is_room() {
    on_own_file_system("size=768k", "child_on_a_small_disk");
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_on_a_small_disk() {
    let desk = desk_here();
    let ballast = desk.folder.path().join("ballast");
    fs::write(&ballast, vec![0; 200_000]).unwrap();
    let (pipeline, registry) = filling();
    let executor = desk.executor(registry, 1);
    executor.submit(&pipeline, "k", json!(null)).unwrap();
    let mut completed = 0;
    let error = executor.execute(run_id(), &CancellationToken::new()).unwrap_err();
    assert!(
        matches!(&error, ExecutionError::Journal(JournalError::DiskFull { .. })),
        "{error}, {error:?}"
    );
    assert!(error.to_string().ends_with("the disk is full; make room and start again"));
    for stage in executor.journal().run(run_id()).unwrap().unwrap().stages {
        completed += usize::from(stage.output.is_some());
    }
    assert!((1..10).contains(&completed), "{completed} stages completed");
    drop(executor);
    fs::remove_file(ballast).unwrap();
    let (_, mut registry) = filling();
    registry.register("small", |_| Ok(StageOutput::fresh(json!(null))));
    let journal = Journal::open(&desk.path()).unwrap();
    let report = journal.run(run_id()).unwrap().unwrap();
    assert_eq!(
        report.stages.iter().filter(|stage| stage.output.is_some()).count(),
        completed,
        "what was acknowledged is there"
    );
    assert_eq!(journal.check().unwrap().findings, []);
    drop(journal);
    let small = PipelineBuilder::new("small").stage(Stage::new("one", "small")).build().unwrap();
    let executor = desk.executor(registry, 1);
    let next = executor.submit(&small, "k", json!(null)).unwrap().run_id;
    let report = executor.execute(next, &CancellationToken::new()).unwrap();
    assert_eq!(report.status, RunStatus::Completed);
}

#[test]
fn on_a_read_only_file_system_it_says_so() {
    on_own_file_system("size=8m", "child_on_a_read_only_file_system");
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_on_a_read_only_file_system() {
    let desk = desk_here();
    let (pipeline, registry) = filling();
    desk.executor(registry, 1).submit(&pipeline, "k", json!(null)).unwrap();
    let remount = |options: &str| {
        let status = Command::new("mount")
            .args(["-o", options])
            .arg(std::env::current_dir().unwrap())
            .status()
            .unwrap();
        assert!(status.success(), "{options}");
    };
    remount("remount,ro");
    let error = Journal::open(&desk.path()).unwrap_err();
    assert!(matches!(&error, JournalError::NotWritable { .. }), "{error:?}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("Read-only file system"), "{source}");
    remount("remount,rw");
    let executor = desk.executor(filling().1, 1);
    let report = executor.execute(run_id(), &CancellationToken::new()).unwrap();
    assert_eq!(report.status, RunStatus::Completed);
}

#[test]
fn a_journal_that_is_taken_away_while_in_use_is_not_written_to_in_vain() {
    let desk = Desk::new();
    let folder = desk.folder.path().join("data");
    let moved = desk.folder.path().join("moved");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("journal.sqlite");
    let mut registry = Registry::new();
    let (from, to) = (folder.clone(), moved.clone());
    registry.register("move", move |_| {
        fs::rename(&from, &to).map_err(|error| failure(FailureClass::Bug, &error.to_string()))?;
        Ok(StageOutput::fresh(json!(null)))
    });
    registry.register("nothing", |_| Ok(StageOutput::fresh(json!(null))));
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("first", "move"))
        .stage(Stage::new("second", "nothing").after(["first"]))
        .build()
        .unwrap();
    let executor = |registry| {
        let journal = Journal::open(&path).unwrap();
        let clock = std::sync::Arc::clone(&desk.clock);
        let workers = std::num::NonZeroUsize::MIN;
        orchestration::PipelineExecutor::new(journal, registry, clock, workers)
    };
    let first = executor(registry);
    first.submit(&pipeline, "k", json!(null)).unwrap();
    let error = first.execute(run_id(), &CancellationToken::new()).unwrap_err();
    assert!(
        matches!(&error, ExecutionError::Journal(JournalError::Moved { path: gone }) if *gone == path),
        "{error}"
    );
    drop(first);
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(&error, JournalError::NotWritable { .. }), "{error}");
    fs::rename(&moved, &folder).unwrap();
    let mut registry = Registry::new();
    registry.register("move", |_| Ok(StageOutput::fresh(json!(null))));
    registry.register("nothing", |_| Ok(StageOutput::fresh(json!(null))));
    let second = executor(registry);
    let report = second.execute(run_id(), &CancellationToken::new()).unwrap();
    assert_eq!(report.status, RunStatus::Completed);
}
