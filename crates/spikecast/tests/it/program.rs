//! Runs the real binary in folders of its own, as a user would.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The folder of real market data beside the project, where it is present.
pub(crate) fn real_data() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let found = path.join("rt_lmp_5min_hubavg.parquet").is_file();
    if !found {
        eprintln!("skipped: no real market data at {}", path.display());
    }
    found.then_some(path)
}

/// A folder for one test, and the program to run in it.
pub(crate) struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the command with the data directory `data` and nothing of the user's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spikecast"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("SPIKECAST_DATA_DIR", self.path("data"));
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// Runs the program, which must end with this exit code; returns what it printed on standard
    /// output and standard error.
    pub(crate) fn run(&self, arguments: &[&str], exit_code: i32) -> (String, String) {
        let output = self.output(arguments);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(exit_code), "{arguments:?}\n{out}\n{err}");
        (out, err)
    }

    /// Runs the program with `--json`, which must end well.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let (out, _) = self.run(&[arguments, &["--json"]].concat(), 0);
        serde_json::from_str(&out).expect("JSON on standard output")
    }

    /// Starts the program and kills it (SIGKILL) as soon as it prints a line with this text on
    /// standard error. Returns false if it ended before.
    pub(crate) fn kill_at(&self, arguments: &[&str], text: &str) -> bool {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut found = false;
        for line in lines {
            found = line.is_ok_and(|line| line.contains(text));
            if found {
                break;
            }
        }
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
        found
    }
}

/// A simulated world that is small enough for tests: a little history, one point, two thresholds.
pub(crate) const SMALL: [&str; 4] = ["--settlement-point", "HB_HOUSTON", "--thresholds", "50,100"];

/// Returns the arguments of a small run at an issue time.
pub(crate) fn small_run(issue_time: &str) -> Vec<&str> {
    [&["run", "--issue-time", issue_time][..], &SMALL].concat()
}
