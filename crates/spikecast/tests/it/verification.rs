//! `spikecast evaluate`: files of others, errors that help, and every number compared with
//! scikit-learn, scipy, statsmodels and the package `scores`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::SignedDuration;
use market::time::{OperatingDay, parse_local};

use crate::program::{Program, SMALL};

/// Days that are issued: enough weeks for intervals, few enough for a quick test.
const DAYS: i32 = 80;
const THRESHOLDS: [f64; 3] = [50.0, 100.0, 200.0];

/// Knuth's linear congruential generator: the same forecasts everywhere.
struct Chance(u64);

impl Chance {
    fn share(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
    }
}

/// Forecasts of made-up prices at two points, over a change of the clock, with two climatologies and
/// a reference that is always certain; some hours have no covered price.
fn write_files(folder: &Path) -> (PathBuf, PathBuf) {
    let mut chance = Chance(2_026);
    let first = OperatingDay::of(parse_local("2024-09-20T00:00").unwrap());
    let mut truth = "settlement_point,target_start,highest_price,covered\n".to_owned();
    let mut prices = std::collections::BTreeMap::new();
    for point in ["HB_WEST", "HB_NORTH"] {
        for day in 1..=DAYS + 3 {
            for hour in first.plus_days(day).hours() {
                let evening = f64::from(hour.hour_ending) / 24.0;
                let tightness = 2.0 * chance.share() + evening;
                let price = 15.0 * (1.4 * tightness).exp() + chance.share();
                let covered = 0.02 < chance.share();
                writeln!(truth, "{point},{},{price},{covered}", hour.start).unwrap();
                prices.insert((point, hour.start), (tightness, evening));
            }
        }
    }
    let mut forecasts =
        "issue_time,target_start,settlement_point,threshold,probability,climatology,climatology_recent,persistence_raw\n"
            .to_owned();
    for day in 0..DAYS {
        let issue_time = first.plus_days(day).start() + SignedDuration::from_hours(10);
        for target in forecast::horizon::horizon(issue_time) {
            for point in ["HB_WEST", "HB_NORTH"] {
                let (tightness, evening) = prices[&(point, target.hour.start)];
                let error = (chance.share() - 0.5) * f64::from(target.lead_day);
                let noise = [0.02 * chance.share(), 0.02 * chance.share(), 0.02 * chance.share()];
                for threshold in THRESHOLDS {
                    let needed = (threshold / 15.0_f64).ln() / 1.4;
                    let odds = |known: f64| 1.0 / (1.0 + (-3.0 * (known - needed)).exp());
                    writeln!(
                        forecasts,
                        "{issue_time},{},{point},{threshold},{},{},{},{}",
                        target.hour.start,
                        odds(tightness + error + noise[0]),
                        odds(1.1 + evening + noise[1]),
                        odds(0.9 + evening + noise[2]),
                        u8::from(needed < tightness + error),
                    )
                    .unwrap();
                }
            }
        }
    }
    let paths = (folder.join("forecasts.csv"), folder.join("truth.csv"));
    std::fs::write(&paths.0, forecasts).unwrap();
    std::fs::write(&paths.1, truth).unwrap();
    paths
}

#[test]
fn every_number_agrees_with_python() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/verification/bin/python");
    if !root.join("target/verification/installed-1").is_file() {
        eprintln!("skipped: no Python with scikit-learn and scores; ./test.sh installs them");
        return;
    }
    let program = Program::new();
    let (forecasts, truth) = write_files(&program.path(""));
    let document = program.json(&["evaluate", "forecasts.csv", "--truth", "truth.csv"]);
    assert!(0 < document["unknown_hours"].as_u64().unwrap());
    let found = program.path("found.json");
    std::fs::write(&found, document.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/verification_oracle.py");
    let output =
        Command::new(python).arg(script).args([&forecasts, &truth, &found]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{trouble}");
    assert!(text.contains("differ"), "{text}");
}

#[test]
fn forecasts_that_cannot_be_are_refused_in_words() {
    let program = Program::new();
    write_files(&program.path(""));
    let check = |text: &str, expected: &str| {
        std::fs::write(program.path("bad.csv"), text).unwrap();
        let (_, error) = program.run(&["evaluate", "bad.csv", "--truth", "truth.csv"], 3);
        assert!(error.contains(expected), "{error}");
    };
    let header = "issue_time,target_start,settlement_point,threshold,probability\n";
    let issued = "2024-09-21T15:00:00Z,2024-09-22T15:00:00Z,HB_WEST";
    check("issue_time,target_start,threshold\n", "probability");
    check(header, "holds no forecast");
    check(&format!("{header}{issued},50,1.2\n"), "1.2");
    check(
        &format!("{header}{issued},50,0.1\n{issued},100,0.2\n"),
        "probabilities never increase with the threshold",
    );
    check(&format!("{header}{issued},50,0.1\n{issued},50,0.1\n"), "give each once");
    let late = "2024-09-22T15:30:00Z,2024-09-22T15:00:00Z,HB_WEST";
    check(&format!("{header}{late},50,0.1\n"), "does not come after the issue time");
    let elsewhere = "2031-09-21T15:00:00Z,2031-09-22T15:00:00Z,HB_WEST";
    check(&format!("{header}{elsewhere},50,0.1\n"), "not one has a known outcome");
}

#[test]
fn a_truth_may_be_outcomes_and_must_say_of_what() {
    let program = Program::new();
    let hours = "2024-09-21T15:00:00Z,2024-09-22T15:00:00Z";
    let forecasts = format!(
        "issue_time,target_start,threshold,probability\n{hours},50,0.5\n{hours},100,0.25\n"
    );
    std::fs::write(program.path("forecasts.csv"), forecasts).unwrap();
    let truth = |text: &str| std::fs::write(program.path("truth.csv"), text).unwrap();
    let arguments = ["evaluate", "forecasts.csv", "--truth", "truth.csv"];
    truth(
        "target_start,threshold,exceeded\n2024-09-22T15:00:00Z,50,1\n2024-09-22T15:00:00Z,100,0\n",
    );
    let found = program.json(&arguments);
    assert_eq!(found["scores"][0]["brier"], 0.25);
    assert_eq!(found["scores"][1]["brier"], 0.0625);
    assert_eq!(found["reference"], "the base rate of the scored hours");
    truth("target_start,exceeded\n2024-09-22T15:00:00Z,1\n");
    assert!(program.run(&arguments, 3).1.contains("add a column threshold"));
    truth("target_start,exceeded\n2024-09-22T15:00:00Z,2\n");
    assert!(program.run(&arguments, 3).1.contains("expected 0 or 1"));
    truth("target_start\n2024-09-22T15:00:00Z\n");
    assert!(program.run(&arguments, 3).1.contains("neither a column highest_price"));
}

#[test]
fn a_report_has_a_page_scores_and_pictures() {
    let program = Program::new();
    write_files(&program.path(""));
    let (text, _) =
        program.run(&["evaluate", "forecasts.csv", "--truth", "truth.csv", "--out", "report"], 0);
    assert!(text.contains("within hour") && text.contains("climatology, all years"), "{text}");
    let page = std::fs::read_to_string(program.path("report/report.html")).unwrap();
    assert!(page.contains("If only so many hours can be watched") && !page.contains("NaN"));
    for name in ["all_settlement_points-reliability-100", "hb_west-value-50"] {
        let picture = std::fs::read(program.path(&format!("report/figures/{name}.png"))).unwrap();
        assert!(picture.starts_with(b"\x89PNG"));
        assert!(program.path(&format!("report/figures/{name}.svg")).is_file());
    }
    let scores = std::fs::read(program.path("report/scores.json")).unwrap();
    let scores: serde_json::Value = serde_json::from_slice(&scores).unwrap();
    assert_eq!(scores["format"], 2);
}

#[test]
fn a_backtest_scores_its_forecasts_as_evaluate_does() {
    let program = Program::new();
    std::fs::write(program.path("spikecast.toml"), "simulator_history_days = 240\n").unwrap();
    let days = ["--from", "2026-03-01", "--to", "2026-03-04", "--retrain-every", "2d"];
    program.json(&[&["backtest"][..], &SMALL, &days, &["--out", "past"]].concat());
    let own = std::fs::read(program.path("past/scores.json")).unwrap();
    let own: serde_json::Value = serde_json::from_slice(&own).unwrap();
    let evaluated = program.json(&["evaluate", "past/forecasts.parquet", "--source", "simulator"]);
    let scores = |document: &serde_json::Value| document["scores"].as_array().unwrap().clone();
    assert_eq!(scores(&evaluated), scores(&own));
    let names: Vec<_> = scores(&own).iter().map(|row| row["forecaster"].clone()).collect();
    let beside = ["persistence_raw", "day_ahead_known", "previous_model"];
    for name in [&beside[..], &["day_ahead_of_target_not_issuable"]].concat() {
        assert!(names.contains(&name.into()), "{name} of {names:?}");
    }
    let outcomes = ["evaluate", "past/forecasts.parquet", "--truth", "past/outcomes.parquet"];
    assert_eq!(scores(&program.json(&outcomes)), scores(&own));
}

#[test]
fn the_running_record_is_shown_with_drift() {
    let program = Program::new();
    let (text, _) = program.run(&["scores"], 0);
    assert!(text.contains("no forecast has been scored yet"), "{text}");
    let source = program.json(&["scores"])["source"].clone();
    let first = OperatingDay::of(parse_local("2025-10-01T00:00").unwrap());
    std::fs::create_dir_all(program.path("data/scores")).unwrap();
    for number in 0..150 {
        let day = first.plus_days(number);
        let loss = if number < 122 { 0.8 } else { 1.4 };
        let row = |lead_day: u8| {
            serde_json::json!({
                "settlement_point": "HB_WEST", "threshold": 100.0, "lead_day": lead_day,
                "hours": 24, "unknown": 0, "exceedances": 1, "brier": 0.5,
                "log_loss": loss + 0.1 * f64::from(number % 3), "climatology_log_loss": [3.0, 2.0],
            })
        };
        let scores = serde_json::json!({
            "version": 1, "day": day.to_string(), "source_id": source,
            "known_at": "2026-03-01T00:00:00Z", "rows": [row(1), row(2)],
        });
        std::fs::write(program.path(&format!("data/scores/{day}.json")), scores.to_string())
            .unwrap();
    }
    let found = program.json(&["scores"]);
    assert_eq!(found["days"], 150);
    assert_eq!(found["drift"][0]["verdict"], "worse");
    // Three periods, all lead days and each of two.
    let rows = found["scores"].as_array().unwrap();
    assert_eq!(rows.len(), 9);
    let days: Vec<_> = rows.iter().map(|row| row["days"].as_u64().unwrap()).collect();
    assert_eq!(days, [150, 150, 150, 90, 90, 90, 30, 30, 30]);
    let (text, _) = program.run(&["scores"], 0);
    assert!(text.contains("WORSE than before") && text.contains("last 30 days"), "{text}");
}
