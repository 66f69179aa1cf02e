//! The model registry as a user meets it: numbers, who speaks, who is refused, who comes back.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use twox_hash::XxHash64;

use crate::program::{Program, SMALL, small_run};

/// Enough history to hold 90 days out.
const CONFIGURATION: &str =
    "simulator_history_days = 220\nthresholds = [50, 100]\nsettlement_points = [\"HB_HOUSTON\"]\n";

const FIRST: &str = "2026-07-14T09:30";
const SECOND: &str = "2026-07-16T09:30";

pub(crate) fn program() -> Program {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), CONFIGURATION).unwrap();
    program
}

fn models<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["models"], arguments].concat()
}

/// Runs at an issue time; returns the JSON and the version without its fingerprint.
pub(crate) fn run(program: &Program, issue_time: &str) -> (Value, String) {
    let run = program.json(&small_run(issue_time));
    let label = run["model_version"].as_str().unwrap().to_owned();
    (run, label.split('+').next().unwrap().to_owned())
}

/// The versions and states of all models.
fn states(program: &Program) -> Vec<(String, String)> {
    let listed = program.json(&models(&["list"]));
    let text = |model: &Value, key: &str| model[key].as_str().unwrap().to_owned();
    let listed = listed.as_array().unwrap();
    listed.iter().map(|model| (text(model, "version"), text(model, "state"))).collect()
}

fn check_states(program: &Program, expected: &[(&str, &str)]) {
    let owned = |(version, state): &(&str, &str)| ((*version).to_owned(), (*state).to_owned());
    assert_eq!(states(program), expected.iter().map(owned).collect::<Vec<_>>());
}

fn file_of(program: &Program, version: &str) -> PathBuf {
    let listed = program.json(&models(&["list"]));
    let found = listed.as_array().unwrap().iter().find(|model| model["version"] == version);
    PathBuf::from(found.unwrap()["file"].as_str().unwrap())
}

/// Changes a saved model as another training would have left it.
pub(crate) fn change(program: &Program, version: &str, change: impl FnOnce(&mut Value)) {
    let path = file_of(program, version);
    let text = fs::read_to_string(&path).unwrap();
    let (header, body) = text.split_once('\n').unwrap();
    let mut model: Value = serde_json::from_str(body).unwrap();
    change(&mut model);
    let body = model.to_string();
    let (start, _) = header.rsplit_once(' ').unwrap();
    let checksum = XxHash64::oneshot(0, body.as_bytes());
    fs::write(path, format!("{start} {checksum:016x}\n{body}")).unwrap();
}

/// Makes a model look much better on its held-out days than any other.
pub(crate) fn flatter(model: &mut Value) {
    for held_out in model["held_out"].as_array_mut().unwrap() {
        for week in held_out["weeks"].as_array_mut().unwrap() {
            week["log_loss"] = json!(week["log_loss"].as_f64().unwrap() / 2.0);
        }
    }
}

#[test]
fn a_retraining_gets_the_next_number_and_is_compared_with_the_model_that_speaks() {
    let program = program();
    let (first, version) = run(&program, FIRST);
    assert_eq!((version.as_str(), &first["trained"]), ("1.0.0", &true.into()));
    check_states(&program, &[("1.0.0", "current")]);
    run(&program, SECOND);

    let shown = program.json(&models(&["show", "1.0.1"]));
    let lineage = &shown["lineage"];
    assert_eq!(lineage["trained_at"], "2026-07-16T14:30:00Z");
    assert_eq!(lineage["data"].as_str().unwrap().len(), 16);
    assert!(10_000 < lineage["rows"].as_u64().unwrap(), "{lineage}");
    assert!(lineage["features"].as_array().unwrap().contains(&json!("persistence")), "{lineage}");
    assert!(lineage["recipe"]["held_out_hours"].is_number(), "{lineage}");

    let compared = program.json(&models(&["compare", "1.0.0", "1.0.1"]));
    assert_eq!(compared["differs"], "the same recipe on other data");
    assert_eq!(compared["thresholds"].as_array().unwrap().len(), 2);
    // Of 90 days, two of which are new, eleven or twelve whole weeks are in common.
    let weeks = compared["pooled"]["weeks"].as_u64().unwrap();
    assert!((10..=12).contains(&weeks), "{compared:#}");
    let lower = compared["pooled"]["lower"].as_f64().unwrap();
    assert_eq!(compared["would_take_over"], lower <= 0.0);
    let expected = if lower <= 0.0 { ("retired", "current") } else { ("current", "candidate") };
    check_states(&program, &[("1.0.0", expected.0), ("1.0.1", expected.1)]);
    assert!(shown["history"][0]["reason"].as_str().unwrap().contains("1.0.0"), "{shown:#}");
    let (out, _) = program.run(&models(&["compare", "1.0.0", "1.0.1"]), 0);
    assert!(out.contains("pooled") && out.contains("$100"), "{out}");
    let (out, _) = program.run(&models(&["show", "1.0.1"]), 0);
    for text in ["Recipe", "boosted trees", "Held-out days", "features"] {
        assert!(out.contains(text), "{out}");
    }
    // A clock that is turned back finds the model of its day.
    assert_eq!(run(&program, "2026-07-15T09:30").1, "1.0.0");
}

#[test]
fn a_model_that_is_worse_beyond_doubt_does_not_speak_and_the_run_says_so() {
    let program = program();
    let (first, _) = run(&program, FIRST);
    change(&program, "1.0.0", flatter);
    let (second, version) = run(&program, SECOND);
    assert_eq!((version.as_str(), &second["trained"]), ("1.0.0", &true.into()));
    assert_eq!(second["model_version"], first["model_version"]);
    assert_eq!(second["degraded"], json!([]), "a model that was kept on purpose is none the worse");
    let reason = second["refused_model"]["reason"].as_str().unwrap();
    assert!(reason.contains("worse than 1.0.0 on"), "{reason}");
    check_states(&program, &[("1.0.0", "current"), ("1.0.1", "candidate")]);
    // Nor is it tried again before the next training is due.
    let (third, version) = run(&program, "2026-07-17T09:30");
    assert_eq!((version.as_str(), &third["trained"]), ("1.0.0", &false.into()));
    let (out, _) = program.run(&small_run("2026-07-18T09:30"), 0);
    assert!(out.contains("kept, the new one does not speak"), "{out}");
    assert!(out.contains("refused   1.0.2+"), "{out}");
}

#[test]
fn another_recipe_raises_the_minor_number_and_other_features_the_major_one() {
    let program = program();
    run(&program, FIRST);
    change(&program, "1.0.0", |model| {
        model["lineage"]["recipe"]["half_life_days"] = json!(1.0);
        flatter(model);
    });
    let (second, version) = run(&program, SECOND);
    assert_eq!(version, "1.0.0");
    assert!(second["refused_model"]["version"].as_str().unwrap().starts_with("1.1.0+"));
    let compared = program.json(&models(&["compare", "1.0.0", "1.1.0"]));
    assert_eq!(compared["differs"], "in the recipe: half_life_days");
    // Somebody knows better.
    let asked = ["promote", "1.1.0", "--reason", "a fair trial", "--from", "2026-07-16T12:00"];
    program.run(&models(&asked), 0);
    assert_eq!(run(&program, "2026-07-17T09:30").1, "1.1.0");
    // A model that learnt from other features cannot speak, however good it was.
    change(&program, "1.1.0", |model| {
        model["lineage"]["features"].as_array_mut().unwrap().pop();
    });
    let (third, version) = run(&program, "2026-07-18T09:30");
    assert_eq!((version.as_str(), &third["degraded"]), ("2.0.0", &json!([])));
    let expected = [("1.0.0", "retired"), ("1.1.0", "retired"), ("2.0.0", "current")];
    check_states(&program, &expected);
    let (_, message) = program.run(&models(&["promote", "1.1.0", "--reason", "again"]), 3);
    assert!(message.contains("learnt from other features"), "{message}");
}

#[test]
fn a_rollback_brings_the_former_model_back_and_is_remembered() {
    let program = program();
    run(&program, FIRST);
    run(&program, SECOND);
    let asked = ["promote", "1.0.1", "--reason", "for the test", "--from", "2026-07-16T10:00"];
    // It may have been promoted by itself.
    program.output(&models(&asked));
    let back = ["rollback", "--reason", "it saw ghosts", "--from", "2026-07-16T11:00"];
    let (out, _) = program.run(&models(&back), 0);
    assert_eq!(out, "1.0.0 speaks instead of 1.0.1 from 2026-07-16 11:00 CDT on\n");
    check_states(&program, &[("1.0.0", "current"), ("1.0.1", "rolled back")]);
    let (next, version) = run(&program, "2026-07-17T09:30");
    assert_eq!((version.as_str(), &next["trained"]), ("1.0.0", &false.into()));
    // Before the rollback the other one spoke.
    assert_eq!(run(&program, "2026-07-16T10:30").1, "1.0.1");
    let (out, _) = program.run(&models(&["show", "1.0.1"]), 0);
    assert!(out.contains("rolled back, 1.0.0 spoke again: it saw ghosts"), "{out}");
    let (_, message) = program.run(&models(&["rollback", "--reason", "once more"]), 2);
    assert!(message.contains("no model spoke before 1.0.0"), "{message}");
}

#[test]
fn what_cannot_be_done_is_explained() {
    let program = program();
    let check = |arguments: &[&str], exit_code: i32, expected: &str| {
        let (_, message) = program.run(&models(arguments), exit_code);
        assert!(message.contains(expected), "{message}");
    };
    check(&["list"], 0, "no model was trained yet");
    check(&["show"], 2, "no model speaks yet");
    check(&["rollback", "--reason", "why not"], 2, "no model speaks yet");
    run(&program, FIRST);
    check(&["show", "latest"], 2, "\"latest\" is not a version");
    check(&["show", "2.0.0"], 2, "there is no model 2.0.0");
    check(&["compare", "1.0.0", "1.0.9"], 2, "there is no model 1.0.9");
    check(&["promote", "1.0.0", "--reason", " "], 2, "say in a few words why");
    check(&["promote", "1.0.0", "--reason", "it is good"], 2, "is the current one already");
    check(&["promote", "1.0.0"], 2, "--reason");
    let early = ["promote", "1.0.0", "--reason", "early", "--from", "2026-07-13T09:30"];
    check(&early, 2, "it cannot speak before that");
    let late = ["promote", "1.0.0", "--reason", "late", "--from", "2099-01-01T00:00"];
    check(&late, 2, "lies in the future");
    // Other targets have other models.
    let others = [&["models", "list"][..], &SMALL[..2], &["--thresholds", "75"]].concat();
    assert!(program.run(&others, 0).1.contains("no model was trained yet"));

    let path = file_of(&program, "1.0.0");
    fs::write(path.with_file_name("20260307T120000Z-1f2e3d4c.model"), "spikecast-model 1").unwrap();
    check(&["list"], 0, "models of a former program, which are not used: 1 (e.g. ");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("threshold", "treshold", 1)).unwrap();
    check(&["show"], 3, "cannot be used: the model is damaged");
    let (out, _) = program.run(&models(&["list"]), 0);
    assert!(out.contains("current, unusable") && out.contains("warning: 1.0.0"), "{out}");
}

#[test]
fn without_its_history_the_previous_model_speaks_and_says_so_until_a_new_one_begins() {
    let program = program();
    let (first, _) = run(&program, FIRST);
    let history = file_of(&program, "1.0.0").with_file_name("history");
    fs::write(&history, "nonsense").unwrap();
    let (_, message) = program.run(&models(&["list"]), 3);
    assert!(message.contains("is damaged (it has no header); remove it"), "{message}");
    let arguments = [&small_run(SECOND)[..], &["--json"]].concat();
    let (out, _) = program.run(&arguments, 6);
    let second: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(second["model_version"], first["model_version"]);
    assert!(second["degraded"][0].as_str().unwrap().contains("history of the models"), "{out}");
    fs::remove_file(&history).unwrap();
    let (third, _) = run(&program, "2026-07-18T09:30");
    assert_eq!((&third["trained"], &third["degraded"]), (&true.into(), &json!([])));
}
