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
            let workers = if journal == "memory" { 2 } else { 16 };
            assert!(printed.starts_with(&format!("37 tasks, {workers} workers\n")), "{printed}");
            assert!(printed.contains("tasks/s"), "{printed}");
            assert_eq!(printed.contains("fsyncs/s"), journal == "sqlite", "{printed}");
        }
    }
}

#[test]
fn an_engine_with_nothing_to_do_is_measured_and_how_soon_it_works_again() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    let printed = run("task_throughput", &["--idle", "0", "--directory", directory]);
    assert!(printed.contains("processor") && printed.contains("memory"), "{printed}");
    let printed = run("task_throughput", &["--after-idle", "3", "--directory", directory]);
    assert!(printed.starts_with("3 runs"), "{printed}");
    assert!(printed.contains("start p99"), "{printed}");
}

#[test]
fn a_single_seed_can_be_replayed() {
    let printed = run("simulate", &["--first", "42", "--seeds", "1"]);
    assert!(printed.starts_with("1 seeds kept every promise in "), "{printed}");
}

#[test]
fn isolated_stages_harm_nobody_but_themselves() {
    let printed = run("isolated_stage", &[]);
    let degraded = |text: &str| format!("degraded: {text}");
    let expected = [
        "run: COMPLETED".to_owned(),
        "spikes, counted in another process: 2".to_owned(),
        degraded(
            "tune: recovered by default after resource exhaustion: the isolated worker came to its \
             limit of 536870912 bytes of memory (signal: 6 (SIGABRT)",
        ),
        degraded(
            "search: recovered by default after timeout: no output within 100ms; its process \
             group was sent SIGTERM, and ended",
        ),
        degraded(
            "explain: recovered by default after bug: the isolated worker died (signal: 6 (SIGABRT)",
        ),
    ];
    let told = printed
        .lines()
        .filter(|line| ["run", "spikes", "degraded"].iter().any(|word| line.starts_with(word)));
    for (told, expected) in told.zip(&expected) {
        assert!(told.starts_with(expected), "{printed}");
    }
    assert_eq!(printed.matches("degraded: ").count(), 3, "{printed}");
}

#[test]
fn isolated_calls_are_measured_beside_a_plain_round_trip() {
    let printed = run("isolated_stage", &["--measure", "5"]);
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("isolated no-op on a warm child       p50 "), "{printed}");
    assert!(lines[1].starts_with("a line to another process and back   p50 "), "{printed}");
    assert!(lines[2].starts_with("with the journal"), "{printed}");
}

#[test]
fn a_daily_pipeline_runs_at_its_local_times_and_warns_of_every_second_day() {
    assert_eq!(
        run("daily_pipeline", &[]),
        "warning: training: day-of-month step 2 will run on consecutive days at month ends: \
         Jan 31 → Feb 1; use `every 2 days at 01:00 from 2026-01-31`\n\
         warning: training: 01:00 comes twice in America/Chicago on 2026-11-01: fires the first \
         time only\n\
         Fri 2026-01-30 00:00 CST (2026-01-30T06:00Z) data fetch: COMPLETED\n\
         Fri 2026-01-30 06:00 CST (2026-01-30T12:00Z) inference: COMPLETED\n\
         Sat 2026-01-31 00:00 CST (2026-01-31T06:00Z) data fetch: COMPLETED\n\
         Sat 2026-01-31 01:00 CST (2026-01-31T07:00Z) training: COMPLETED\n\
         Sat 2026-01-31 06:00 CST (2026-01-31T12:00Z) inference: COMPLETED\n\
         Sun 2026-02-01 00:00 CST (2026-02-01T06:00Z) data fetch: COMPLETED\n\
         Sun 2026-02-01 01:00 CST (2026-02-01T07:00Z) training: COMPLETED\n\
         Sun 2026-02-01 06:00 CST (2026-02-01T12:00Z) inference: COMPLETED\n"
    );
}

#[test]
fn the_load_of_the_scheduler_is_measured() {
    let printed = run("scheduler_load", &["--schedules", "3", "--idle", "50", "--seconds", "1"]);
    assert!(printed.contains("firings beside 50 idle schedules\nlateness p50"), "{printed}");
    assert!(printed.contains("next firings/s of 0 6 * * *"), "{printed}");
    let interval = "next firings/s of every 2 days at 01:00 from 2026-01-27\n";
    assert!(printed.contains(interval), "{printed}");
}

#[test]
fn the_status_of_a_backfill_is_measured() {
    let printed = run("backfill_status", &["--partitions", "5000", "--run", "20"]);
    assert!(printed.starts_with("status of 5000 partitions: p50 "), "{printed}");
    assert!(printed.contains("\n20 partitions worked off, "), "{printed}");
}
