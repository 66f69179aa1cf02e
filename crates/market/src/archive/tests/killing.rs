//! A writer is killed again and again, anywhere: the archive always verifies, and holds exactly
//! what was acknowledged and at most the one commit that was under way.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use super::*;

const KILLS: u64 = 60;

/// Some kills come at once, some after this many acknowledgements.
const ACKNOWLEDGED_MAX: u64 = 5;

/// A process that was started by this test and is killed with it.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().unwrap();
    }
}

/// The value of the n-th commit; a part of the year each, so that some commits share periods.
fn observation(number: i64) -> Observation {
    let interval_start = Timestamp::from_second(1_704_067_200 + number * 36_000).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    Observation { interval_start, published_at: interval_start, value: number as f64 }
}

/// Not a test of its own: what the other one kills.
#[test]
#[ignore = "is started by the test of killed writers, with a folder on its standard input"]
fn writes_until_it_is_killed() {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    let archive = open(Path::new(line.trim()));
    let mut number = i64::try_from(all(&archive, &key()).len()).unwrap();
    loop {
        let committed =
            archive.commit(&batch(&key(), "2024-12-01T00:00:00Z", &[observation(number)])).unwrap();
        assert_eq!(committed.observations, 1);
        if number % 20 == 19 {
            archive.compact(&upkeep("2024-12-01T00:00:00Z")).unwrap();
        }
        println!("acknowledged {number}");
        std::io::stdout().flush().unwrap();
        number += 1;
    }
}

/// Starts a writer; returns it once it has acknowledged so many commits, with the last of them.
fn run_writer(folder: &Path, acknowledgements: u64) -> (Writer, Option<i64>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = "archive::tests::killing::writes_until_it_is_killed";
    command.args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut writer = Writer(command.spawn().unwrap());
    let mut stdin = writer.0.stdin.take().unwrap();
    writeln!(stdin, "{}", folder.display()).unwrap();
    let mut last = None;
    let mut lines = BufReader::new(writer.0.stdout.take().unwrap()).lines();
    let mut seen = 0;
    while seen < acknowledgements {
        let line = lines.next().expect("the writer goes on until it is killed").unwrap();
        if let Some((_, number)) = line.split_once("acknowledged ") {
            last = Some(number.parse().unwrap());
            seen += 1;
        }
    }
    // What it acknowledges between the last line and its death is read below.
    writer.0.kill().unwrap();
    for line in lines.map_while(Result::ok) {
        if let Some((_, number)) = line.split_once("acknowledged ") {
            last = number.parse().ok().or(last);
        }
    }
    (writer, last)
}

#[test]
fn a_writer_killed_anywhere_leaves_what_it_acknowledged_and_no_torn_data() {
    let (_folder, archive) = archive();
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        let (writer, last) = run_writer(&folder(&archive), kill * 7 % (ACKNOWLEDGED_MAX + 1));
        drop(writer);
        let archive = open(&folder(&archive));
        assert_eq!(archive.verify().unwrap().problems, [], "after kill {kill}");
        let values = all(&archive, &key()).value;
        let expected: Vec<f64> = (0..values.len()).map(|number| number as f64).collect();
        assert_eq!(values, expected, "after kill {kill}");
        acknowledged = last.map_or(acknowledged, |last| usize::try_from(last).unwrap() + 1);
        let held = values.len();
        assert!(held == acknowledged || held == acknowledged + 1, "{held}, {acknowledged}");
        acknowledged = held;
    }
    assert!(usize::try_from(KILLS).unwrap() < acknowledged);
}
