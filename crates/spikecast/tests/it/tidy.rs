//! House rules that a machine can hold. Each failure names the rule and the remedy.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of code of a file, tests not counted.
const CODE_LINES_MAX: usize = 500;
const BLOB_BYTES_MAX: u64 = 256 * 1024;

/// Which of our crates each crate may use.
const CRATES: [(&str, &[&str]); 4] = [
    ("orchestration", &[]),
    ("market", &[]),
    ("forecast", &["market"]),
    ("spikecast", &["forecast", "market", "orchestration"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the tracked files that exist, by path from the root; none outside a checkout.
fn tracked() -> Vec<String> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let listed = output.expect("git is installed").stdout;
    let names = String::from_utf8(listed).expect("paths are UTF-8");
    names
        .split('\0')
        .filter(|name| !name.is_empty() && root().join(name).is_file())
        .map(str::to_owned)
        .collect()
}

fn rust_files() -> Vec<(String, String)> {
    let files = tracked().into_iter().filter(|name| name.ends_with(".rs"));
    files.map(|name| (name.clone(), read(&name))).collect()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn complain(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn every_rust_file_introduces_itself() {
    let silent = |(name, text): (String, String)| (!text.starts_with("//!")).then_some(name);
    let offenders: Vec<String> = rust_files().into_iter().filter_map(silent).collect();
    complain("begin the file with //!: what it is, what not, how it fits", &offenders);
}

#[test]
fn no_file_is_too_long_to_understand() {
    let code_lines = |text: &str| {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        code.lines().filter(|line| !line.trim().is_empty()).count()
    };
    let offenders: Vec<String> = rust_files()
        .into_iter()
        .filter(|(name, text)| !name.contains("/tests/") && CODE_LINES_MAX < code_lines(text))
        .map(|(name, text)| format!("{name}: {} lines", code_lines(&text)))
        .collect();
    complain("split the file along an idea; 500 lines of code are the limit", &offenders);
}

#[test]
fn nothing_is_left_to_do_without_an_issue() {
    let marks = [["FIX", "ME"].concat(), ["TO", "DO"].concat()];
    let is_left = |line: &str| {
        line.contains(&marks[0])
            || (line.contains(&marks[1]) && !line.contains(&format!("{} #", marks[1])))
    };
    let mut offenders = Vec::new();
    for (name, text) in rust_files() {
        let lines = text.lines().enumerate().filter(|(_, line)| is_left(line));
        offenders.extend(lines.map(|(number, _)| format!("{name}:{}", number + 1)));
    }
    complain("do it, or name the issue as in «TODO #12»", &offenders);
}

#[test]
fn crates_depend_only_as_drawn() {
    let ours: BTreeSet<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in CRATES {
        let manifest = read(&format!("crates/{name}/Cargo.toml"));
        let table: toml::Table = manifest.parse().expect("the manifest is TOML");
        let mut used = BTreeSet::new();
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let dependencies = table.get(kind).and_then(toml::Value::as_table);
            used.extend(dependencies.into_iter().flat_map(|table| table.keys().cloned()));
        }
        let used: BTreeSet<&str> =
            used.iter().map(String::as_str).filter(|used| ours.contains(used)).collect();
        assert_eq!(
            used,
            allowed.iter().copied().collect(),
            "dependencies of {name}: see the house in ARCHITECTURE.md"
        );
    }
}

#[test]
fn every_dependency_has_its_reason_beside_it() {
    let mut offenders = Vec::new();
    for name in tracked()
        .into_iter()
        .filter(|name| name.starts_with("crates/") && name.ends_with("Cargo.toml"))
    {
        let text = read(&name);
        let mut in_dependencies = false;
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line == "[dependencies]";
            } else if in_dependencies && line.contains('=') && !line.contains('#') {
                offenders.push(format!("{name}: {line}"));
            }
        }
    }
    complain("say in a comment on the line why the crate is needed", &offenders);
}

#[test]
fn a_crates_own_clippy_file_repeats_the_root_bans() {
    // A crate's clippy.toml replaces the root file instead of extending it.
    let bans = |name: &str| -> BTreeMap<String, String> {
        let table: toml::Table = read(name).parse().expect("clippy.toml is TOML");
        let methods = table["disallowed-methods"].as_array().expect("a list of bans");
        let text = |ban: &toml::Value, key: &str| ban[key].as_str().expect("a text").to_owned();
        methods.iter().map(|ban| (text(ban, "path"), text(ban, "reason"))).collect()
    };
    let root = bans("clippy.toml");
    let own = bans("crates/forecast/clippy.toml");
    let missing: Vec<String> = root.into_keys().filter(|path| !own.contains_key(path)).collect();
    complain("repeat the ban in crates/forecast/clippy.toml", &missing);
}

#[test]
fn architecture_names_only_paths_that_exist() {
    let text = read("ARCHITECTURE.md");
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |word: &&str| {
        word.contains('/') && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
    };
    let offenders: Vec<String> = quoted
        .filter(is_path)
        .filter(|path| !root().join(path).exists())
        .map(str::to_owned)
        .collect();
    complain("ARCHITECTURE.md names a path that is not there", &offenders);
}

#[test]
fn every_setting_is_read_somewhere() {
    // Fields of `Config`, in the form `.field`, outside the configuration itself.
    let config = read("crates/spikecast/src/config/mod.rs");
    let body = config.split("pub struct Config {").nth(1).and_then(|rest| rest.split("\n}").next());
    let fields: Vec<&str> = body
        .expect("config/mod.rs declares Config")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
        .collect();
    assert!(!fields.is_empty());
    let readers: String = rust_files()
        .into_iter()
        .filter(|(name, _)| name.contains("spikecast/src") && !name.contains("/config/"))
        .map(|(_, text)| text)
        .collect();
    let unread = fields.into_iter().filter(|field| !readers.contains(&format!(".{field}")));
    complain("read the setting or delete it", &unread.map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn no_blob_is_tracked() {
    let size = |name: &String| fs::metadata(root().join(name)).map_or(0, |metadata| metadata.len());
    let offenders: Vec<String> =
        tracked().into_iter().filter(|name| BLOB_BYTES_MAX < size(name)).collect();
    complain("keep large files out of the repository", &offenders);
}
