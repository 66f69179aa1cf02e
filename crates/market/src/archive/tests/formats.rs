//! Archives as older programs wrote them still load, and those of newer ones are refused by name.

use std::fs;

use jiff::civil::date;

use super::*;
use crate::table::{ColumnData, write_parquet};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/archive/tests/golden").join(name)
}

/// Copies a recorded archive to a place where it may be written.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn recorded(name: &str) -> (tempfile::TempDir, Archive) {
    let folder = tempfile::tempdir().unwrap();
    copy(&golden(name), folder.path());
    let archive = open(folder.path());
    (folder, archive)
}

#[test]
fn an_archive_of_format_1_is_taken_over_once() {
    let (folder, archive) = recorded("format_1");
    // What format 1 held: two fetches of 19 August, the later one dearer, and an import.
    let mut expected = day(date(2024, 8, 19), 90.0);
    expected.extend(day(date(2024, 8, 20), 20.0));
    let expected: Vec<_> = expected.iter().map(|o| (o.interval_start, o.value)).collect();
    assert_eq!(loaded(&archive, Timestamp::MAX), expected);
    assert_eq!(archive.imported("dam_spp at HB_HUBAVG").as_deref(), Some("files-0011"));
    let commits = archive.status().unwrap().commits;
    let again = open(folder.path());
    assert_eq!(again.status().unwrap().commits, commits);
    // The import is still one: importing again replaces it.
    let mut import = batch(&key(), "2024-09-02T00:00:00Z", &[]);
    import.replace_import("imported");
    again.commit(&import).unwrap();
    assert_eq!(loaded(&again, Timestamp::MAX), expected[..24]);
}

#[test]
fn taking_over_format_1_goes_on_where_it_was_killed() {
    let (folder, archive) = recorded("format_1");
    let last = archive.status().unwrap().commits;
    let expected = all(&archive, &key());
    for commits in 0..last {
        let name = format!("commits/{:020}.json", last - commits);
        fs::remove_file(folder.path().join(name)).unwrap();
        let again = open(folder.path());
        assert_eq!(all(&again, &key()), expected);
        assert_eq!(again.verify().unwrap().problems, []);
    }
}

#[test]
fn an_archive_of_format_2_loads() {
    let (_folder, archive) = recorded("format_2");
    let expected: Vec<_> =
        day(date(2024, 8, 19), 20.0).iter().map(|o| (o.interval_start, o.value)).collect();
    assert_eq!(loaded(&archive, Timestamp::MAX), expected);
    assert_eq!(archive.imported("files-1").as_deref(), Some("abc"));
    let range = (Timestamp::MIN, Timestamp::MAX);
    let postings = archive.postings(crate::reports::Report::DayAheadSpp, range).unwrap();
    assert_eq!(postings.len(), 33);
    assert_eq!(postings[0].complaints, [(7, "odd".to_owned())]);
    let verified = archive.verify().unwrap();
    assert_eq!((verified.parts, verified.raw_files, verified.problems.len()), (1, 1, 0));
}

#[test]
fn a_commit_of_a_newer_program_is_refused() {
    let (_folder, archive) = archive();
    let path = folder(&archive).join("commits/00000000000000000001.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, r#"{"format":3,"whatever":"it says"}"#).unwrap();
    let error = Archive::open(archive.location()).unwrap_err();
    assert!(matches!(error, ArchiveError::NewerFormat { found: 3, known: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("use the newer program"), "{error}");
}

#[test]
fn a_part_of_a_newer_program_is_refused() {
    let bytes = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.parquet");
        let metadata = [("archive_format".to_owned(), "3".to_owned())];
        write_parquet(&path, &[("value", ColumnData::Numbers(vec![1.0]))], &metadata).unwrap();
        fs::read(path).unwrap()
    };
    let file = crate::table::ParquetBytes::open(crate::table::FileBytes::whole(bytes.into()));
    let fault = part::PartReader::open(file.unwrap()).unwrap_err();
    assert_eq!(fault, part::PartFault::Newer(3));
}
