//! The archive in a bucket, against a real S3-compatible server over HTTP.

use jiff::civil::date;

use super::moto::Server;
use super::*;

fn location(server: &Server) -> ArchiveLocation {
    let options = StoreOptions::new(server.variables());
    ArchiveLocation::parse("s3://market/archive", options).unwrap()
}

#[test]
fn an_archive_in_a_bucket_is_an_archive() {
    let Some(server) = Server::start(&[]) else { return };
    let error = Archive::open(&location(&server)).unwrap_err();
    assert!(matches!(error, ArchiveError::NoBucket { .. }), "{error:?}");
    server.make_bucket("market");
    let archive = Archive::open(&location(&server)).unwrap();
    let debug = format!("{archive:?}").to_lowercase();
    assert!(debug.contains("market") && !debug.contains("hunter2"), "{debug}");
    let observations = [day(date(2024, 8, 19), 20.0), day(date(2024, 8, 20), 40.0)];
    for (hour, observations) in (0..).zip(&observations) {
        let fetched_at = format!("2024-08-20T0{hour}:00:00Z");
        archive.commit(&batch(&key(), &fetched_at, observations)).unwrap();
    }
    let other = Archive::open(&location(&server)).unwrap();
    assert_eq!(loaded(&other, Timestamp::MAX).len(), 48);
    assert_eq!(archive.compact(&upkeep("2024-08-22T00:00:00Z")).unwrap().parts_merged, 2);
    assert_eq!(loaded(&archive, Timestamp::MAX), loaded(&other, Timestamp::MAX));
    let verified = other.verify().unwrap();
    assert_eq!((verified.parts, verified.rows, verified.problems.len()), (1, 48, 0));
    assert_eq!(archive.compact(&upkeep("2099-01-01T00:00:00Z")).unwrap().files_removed, 2);
    assert_eq!(archive.verify().unwrap().problems, []);
}

#[test]
fn of_two_writers_to_a_bucket_none_overwrites_the_other() {
    let Some(server) = Server::start(&[]) else { return };
    server.make_bucket("market");
    std::thread::scope(|scope| {
        for writer in 0..3i8 {
            let server = &server;
            scope.spawn(move || {
                let archive = Archive::open(&location(server)).unwrap();
                for number in 0..5i8 {
                    let observations = day(date(2024, 8, 1 + writer * 5 + number), 20.0);
                    archive.commit(&batch(&key(), "2024-08-20T00:00:00Z", &observations)).unwrap();
                }
            });
        }
    });
    let archive = Archive::open(&location(&server)).unwrap();
    assert_eq!(archive.status().unwrap().commits, 15);
    assert_eq!(loaded(&archive, Timestamp::MAX).len(), 15 * 24);
    assert_eq!(archive.verify().unwrap().problems, []);
}

#[test]
fn credentials_that_the_store_does_not_know_are_named_and_not_told() {
    // The bucket is made without; from then on the server asks who is there.
    let Some(server) = Server::start(&[("INITIAL_NO_AUTH_ACTION_COUNT", "1")]) else { return };
    server.make_bucket("market");
    let error = Archive::open(&location(&server)).unwrap_err();
    assert!(matches!(error, ArchiveError::Credentials { .. }), "{error:?}");
    let message = format!("{error} {error:?}");
    assert!(message.contains("s3://market/archive"), "{message}");
    assert!(!message.to_lowercase().contains("hunter2"), "{message}");
}
