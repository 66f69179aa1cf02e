//! What the archive says about places that cannot be used.

use std::fs;

use jiff::civil::date;

use super::*;

fn one_day() -> Batch {
    batch(&key(), "2024-08-18T19:00:00Z", &day(date(2024, 8, 19), 20.0))
}

#[test]
fn a_file_is_no_archive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    fs::write(&path, "").unwrap();
    let error = Archive::open(&ArchiveLocation::Folder(path)).unwrap_err();
    assert!(matches!(error, ArchiveError::NotAFolder { .. }), "{error:?}");
}

#[test]
fn a_damaged_part_is_named_with_what_to_do() {
    let (_folder, archive) = archive();
    archive.commit(&one_day()).unwrap();
    let path = part_file(&archive);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let message = archive.load(&[key()]).unwrap_err().to_string();
    assert!(message.contains(".parquet: is not as it was written"), "{message}");
    assert!(message.contains("run a repair"), "{message}");
}

#[test]
fn a_damaged_commit_is_named() {
    let (_folder, archive) = archive();
    archive.commit(&one_day()).unwrap();
    let path = folder(&archive).join("commits/00000000000000000001.json");
    for text in
        ["{", "{\"format\":2}", "{\"format\":2,\"number\":7,\"at\":\"2024-08-18T19:00:00Z\"}"]
    {
        fs::write(&path, text).unwrap();
        let error = Archive::open(archive.location()).unwrap_err();
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("00001.json"), "{error}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_place_that_may_not_be_written_says_so() {
    // Permissions do not bind the superuser, but the kernel's own folders do.
    let location = ArchiveLocation::Folder(PathBuf::from("/sys/kernel/archive"));
    let archive = Archive::open(&location).unwrap();
    let error = archive.commit(&one_day()).unwrap_err();
    let ArchiveError::NotPermitted { .. } = &error else { panic!("{error:?}") };
    let message = error.to_string();
    assert!(
        message.contains("/sys/kernel/archive") && message.contains("permissions"),
        "{message}"
    );
}

#[test]
fn nothing_listening_is_named_at_once_and_no_secret_is_told() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let options = StoreOptions::new([
        option("AWS_ACCESS_KEY_ID", "AKIAHUNTER2HUNTER2"),
        option("AWS_SECRET_ACCESS_KEY", "hunter2hunter2"),
        option("AWS_REGION", "us-east-1"),
        option("AWS_ENDPOINT", &endpoint),
        option("AWS_ALLOW_HTTP", "true"),
    ]);
    let location = ArchiveLocation::parse("s3://bucket/archive", options).unwrap();
    let error = Archive::open(&location).unwrap_err();
    assert!(matches!(error, ArchiveError::Unavailable { .. }), "{error:?}");
    let message = format!("{error} {error:?} {location:?}");
    assert!(message.contains("s3://bucket/archive"), "{message}");
    assert!(message.contains("check the network, the endpoint"), "{message}");
    assert!(!message.to_lowercase().contains("hunter2"), "{message}");
}
