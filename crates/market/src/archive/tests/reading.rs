//! Reading against a slow reader that knows nothing of parts.

use proptest::prelude::*;

use super::*;

/// One row as it is committed: hour, publication, fetch, value.
type Row = (i64, i64, i64, f64);

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Hours from the end of July on, so that they lie in two periods.
const ORIGIN: i64 = 1_722_384_000;

fn expected(rows: &[Row], from: i64, to: i64, known_at: Option<i64>) -> Vec<(i64, i64, u64)> {
    let mut winners = std::collections::BTreeMap::new();
    let mut by_fetch = rows.to_vec();
    by_fetch.sort_by_key(|row| row.2);
    for (start, published, _, value) in by_fetch {
        if from <= start && start < to && known_at.is_none_or(|instant| published <= instant) {
            winners.insert((start, published), value.to_bits());
        }
    }
    let all = winners.into_iter().map(|((start, published), value)| (start, published, value));
    let all: Vec<_> = all.collect();
    if known_at.is_none() {
        return all;
    }
    let newest: std::collections::BTreeMap<i64, (i64, i64, u64)> =
        all.into_iter().map(|row| (row.0, row)).collect();
    newest.into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_read_is_what_a_slow_reader_finds_before_and_after_compaction(
        rows in prop::collection::vec((0i64..60, 0i64..6, 0i64..6, 0u8..4), 1..60),
        from in 0i64..60,
        length in 0i64..60,
        instant in 0i64..6,
    ) {
        let (_folder, archive) = archive();
        let key = SeriesKey::system(Series::LoadForecast);
        let rows: Vec<Row> = rows
            .into_iter()
            .map(|(hour, published, fetch, value)| {
                (ORIGIN + hour * 3_600, published * 100, fetch, f64::from(value))
            })
            .collect();
        let mut fetches: Vec<i64> = rows.iter().map(|row| row.2).collect();
        fetches.sort_unstable();
        fetches.dedup();
        for fetch in fetches {
            let mut batch = Batch::new("simulator-1", second(fetch));
            let of_fetch = rows.iter().filter(|row| row.2 == fetch);
            batch.add(&key, of_fetch.map(|&(start, published, _, value)| Observation {
                interval_start: second(start),
                published_at: second(published),
                value,
            }));
            archive.commit(&batch).unwrap();
        }
        let (from, to) = (ORIGIN + from * 3_600, ORIGIN + (from + length) * 3_600);
        for round in 0..2 {
            for known_at in [None, Some(instant * 100)] {
                let vintages = known_at.map_or(Vintages::All, |at| Vintages::KnownAt(second(at)));
                let (from_at, to_at) = (second(from), second(to));
                let query = Query { key: key.clone(), from: from_at, to: to_at, vintages };
                let read = archive.read(&query).unwrap();
                let times = read.interval_start.iter().zip(&read.published_at);
                let seen: Vec<_> =
                    times.zip(&read.value).map(|((s, p), v)| (*s, *p, v.to_bits())).collect();
                prop_assert_eq!(seen, expected(&rows, from, to, known_at), "round {}", round);
            }
            archive.compact(&upkeep("2024-09-01T00:00:00Z")).unwrap();
        }
    }
}

#[test]
fn one_place_of_many_is_read_alone_from_a_large_part() {
    let (_folder, archive) = archive();
    let keys: Vec<SeriesKey> = (0..40)
        .map(|number| SeriesKey::at(Series::RealTimeLmp, &point(&format!("NODE_{number:02}"))))
        .collect();
    let mut batch = Batch::new("simulator-1", at("2024-09-01T00:00:00Z"));
    let mut noise = 1u64;
    for key in &keys {
        for slot in 0..8_640i64 {
            // Values that nothing compresses, so that the part is larger than what is read whole.
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let interval_start = second(ORIGIN + 86_400 + slot * 300);
            let published_at = interval_start + jiff::SignedDuration::from_mins(5);
            let value = (noise >> 11) as f64;
            batch.add(key, [Observation { interval_start, published_at, value }]);
        }
    }
    archive.commit(&batch).unwrap();
    let path = part_file(&archive);
    assert!(2 << 20 < std::fs::metadata(&path).unwrap().len());
    let read = all(&archive, &keys[17]);
    let expected: Vec<u64> =
        batch.observations[&keys[17]].iter().map(|o| o.value.to_bits()).collect();
    assert_eq!(read.value.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), expected);
    // Another place's bytes are not even looked at.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100_000..200_000].fill(0);
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(all(&archive, &keys[17]), read);
    assert!(!archive.verify().unwrap().problems.is_empty());
}

#[test]
fn places_that_share_a_row_group_are_told_apart() {
    let (_folder, archive) = archive();
    let mut batch = Batch::new("mis", at("2024-08-19T14:05:30Z"));
    let key = |number: usize| SeriesKey::at(Series::RealTimeLmp, &point(&format!("N{number:03}")));
    for number in 0..300 {
        let (interval_start, published_at) =
            (at("2024-08-19T14:00:15Z"), at("2024-08-19T14:05:15Z"));
        let value = number as f64;
        batch.add(&key(number), [Observation { interval_start, published_at, value }]);
    }
    archive.commit(&batch).unwrap();
    for number in [0, 1, 150, 299] {
        assert_eq!(all(&archive, &key(number)).value, [number as f64]);
    }
    assert!(all(&archive, &key(300)).is_empty());
}
