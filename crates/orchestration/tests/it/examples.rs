//! Runs the examples and looks at what they print.

use std::path::PathBuf;
use std::process::Command;

/// Returns what an example prints; it is built with the tests, next to them.
fn run(name: &str, flags: &[&str]) -> String {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.extend(["examples", name]);
    let output = Command::new(&path).args(flags).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", path.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn tasks_are_created_and_executed_in_dependency_order() {
    assert_eq!(
        run("creating_and_executing_tasks", &[]),
        "fetch_data: COMPLETED\n\
         engineer_features: COMPLETED\n\
         audit: COMPLETED\n\
         hours with a spike: [18]\n"
    );
}

#[test]
fn every_failure_of_the_recovery_example_meets_its_strategy() {
    assert_eq!(
        run("error_recovery", &[]),
        "pipeline: COMPLETED\n\
         degraded: stage news skipped after missing data: nothing published\n\
         degraded: forecast: recovered by climatology after model: no model is fitted\n\
         task: completed with attempt 2\n\
         Retried: 1\n\
         Repaired: 1\n\
         FellBack: 1\n\
         Skipped: 1\n"
    );
}

#[test]
fn a_run_whose_process_dies_is_resumed_and_completed_stages_are_not_repeated() {
    let printed = run("crash_and_resume", &[]);
    let lines: Vec<&str> = printed.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "the second process: COMPLETED",
            "called: fetch 1, features 1, train 1, train 2, forecast 1",
            "fetch: Completed",
            "features: Completed",
            "train: Lost, Completed",
            "forecast: Completed",
        ]
    );
}

#[test]
fn throughput_is_measured_for_every_shape_in_memory_and_through_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    for shape in ["chain", "wide", "diamond", "map"] {
        for journal in ["memory", "sqlite"] {
            let directory = folder.path().to_str().unwrap();
            let printed = run(
                "task_throughput",
                &[
                    "--shape",
                    shape,
                    "--tasks",
                    "37",
                    "--journal",
                    journal,
                    "--directory",
                    directory,
                ],
            );
            assert!(printed.starts_with("37 tasks, 2 workers\n"), "{printed}");
            assert!(printed.contains("tasks/s"), "{printed}");
            assert_eq!(printed.contains("fsyncs/s"), journal == "sqlite", "{printed}");
        }
    }
}

#[test]
fn a_single_seed_can_be_replayed() {
    let printed = run("simulate", &["--first", "42", "--seeds", "1"]);
    assert!(printed.starts_with("1 seeds kept every promise in "), "{printed}");
}
