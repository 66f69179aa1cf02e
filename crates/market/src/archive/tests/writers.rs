//! Several writers and readers at once: each commit whole, none lost, readers consistent.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const WRITERS: i64 = 4;
const COMMITS_OF_EACH: i64 = 15;

fn hour(number: i64) -> Observation {
    let interval_start = Timestamp::from_second(1_724_000_400 + number * 3_600).unwrap();
    Observation { interval_start, published_at: interval_start, value: 1.0 }
}

#[test]
fn writers_that_lose_a_number_take_the_next_and_readers_see_whole_commits() {
    let (_folder, archive) = archive();
    let path = folder(&archive);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let path = &path;
                scope.spawn(move || {
                    let archive = open(path);
                    for commit in 0..COMMITS_OF_EACH {
                        // Two series in one commit: a reader sees both or neither.
                        let hour = hour(writer * COMMITS_OF_EACH + commit);
                        let mut batch = batch(&key(), "2024-12-01T00:00:00Z", &[hour]);
                        batch.add(&SeriesKey::system(Series::LoadActual), [hour]);
                        assert_eq!(archive.commit(&batch).unwrap().observations, 2);
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let archive = open(&path);
            let mut seen = 0;
            while !is_done.load(Ordering::Relaxed) {
                archive.refresh().unwrap();
                let keys = [key(), SeriesKey::system(Series::LoadActual)];
                let history = archive.load(&keys).unwrap();
                let view = history.known_at(Timestamp::MAX);
                let counts = keys
                    .map(|key| view.series(&key).between(Timestamp::MIN, Timestamp::MAX).count());
                assert_eq!(counts[0], counts[1], "a commit was seen in part");
                assert!(seen <= counts[0], "what was there is gone");
                seen = counts[0];
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    archive.refresh().unwrap();
    let commits = u64::try_from(WRITERS * COMMITS_OF_EACH).unwrap();
    assert_eq!(archive.status().unwrap().commits, commits);
    assert_eq!(all(&archive, &key()).len() as u64, commits);
    assert_eq!(archive.verify().unwrap().problems, []);
}

#[test]
fn a_writer_with_an_old_state_adds_to_the_new_one() {
    let (_folder, first) = archive();
    let second = open(&folder(&first));
    first.commit(&batch(&key(), "2024-12-01T00:00:00Z", &[hour(0)])).unwrap();
    let both = batch(&key(), "2024-12-01T00:00:00Z", &[hour(0), hour(1)]);
    let committed = second.commit(&both).unwrap();
    assert_eq!((committed.number, committed.observations), (2, 1));
}
