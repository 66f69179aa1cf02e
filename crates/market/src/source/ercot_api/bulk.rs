//! What was downloaded together: a zip file of zip files, each with its document's id in front of
//! its name, in no order. Pure; the size of what comes out is bounded.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use bytes::Bytes;
use zip::ZipArchive;

use crate::reports::Posting;

/// The inner files are zip files themselves, so the outer one hardly packs them: what unpacks to
/// more than this is no download of ours.
const UNPACKED_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// What one request brought of many postings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Downloads {
    /// The files, in the order in which they were asked for.
    pub files: Vec<(Posting, Bytes)>,
    /// What was asked for and did not come.
    pub absent: Vec<Posting>,
}

/// Opens a download; the error says what is wrong with it.
pub(super) fn open(postings: &[Posting], bytes: &[u8]) -> Result<Downloads, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let wanted: BTreeMap<&str, usize> =
        postings.iter().enumerate().map(|(index, posting)| (posting.id.as_str(), index)).collect();
    let mut files: Vec<Option<Bytes>> = vec![None; postings.len()];
    let mut room = UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| error.to_string())?;
        // A name that cannot be read is none of ours.
        let name = entry.name().map(|name| name.into_owned()).unwrap_or_default();
        let Some(&position) = id_of(&name).and_then(|id| wanted.get(id)) else { continue };
        let mut file = Vec::new();
        let read = (&mut entry).take(room + 1).read_to_end(&mut file);
        read.map_err(|error| format!("{name}: {error}"))?;
        room = room
            .checked_sub(file.len() as u64)
            .ok_or_else(|| format!("it unpacks to more than {UNPACKED_BYTES_MAX} bytes"))?;
        files[position] = Some(Bytes::from(file));
    }
    let mut downloads = Downloads::default();
    for (posting, file) in postings.iter().zip(files) {
        match file {
            Some(file) => downloads.files.push((posting.clone(), file)),
            None => downloads.absent.push(posting.clone()),
        }
    }
    Ok(downloads)
}

/// Returns the id that an inner file's name starts with; it may be negative.
fn id_of(name: &str) -> Option<&str> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let digits = name.strip_prefix('-').unwrap_or(name);
    let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    (0 < length).then(|| &name[..name.len() - digits.len() + length])
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::reports::Report;

    /// Writes a zip file of these files.
    pub(in crate::source) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn posting(id: &str) -> Posting {
        let posted_at = "2026-01-02T10:27:02Z".parse().unwrap();
        Posting { report: Report::Spp, id: id.to_owned(), name: "a".to_owned(), posted_at }
    }

    #[test]
    fn files_are_found_by_their_id_in_any_order() {
        let bytes = zip_of(&[
            ("12.SPP_20260102_1.zip", b"twelve"),
            ("files/-7_SPP.zip", b"minus seven"),
            ("1200.SPP.zip", b"not asked for"),
            ("readme.txt", b"hello"),
            ("120", b"bare"),
        ]);
        let asked = ["-7", "120", "7", "12"].map(posting);
        let downloads = open(&asked, &bytes).unwrap();
        let files: Vec<_> = downloads.files.iter().map(|(p, file)| (&*p.id, &file[..])).collect();
        assert_eq!(files, [("-7", &b"minus seven"[..]), ("120", b"bare"), ("12", b"twelve")]);
        assert_eq!(downloads.absent, [posting("7")]);
    }

    #[test]
    fn a_damaged_file_inside_is_named() {
        let mut bytes = zip_of(&[("12.zip", &[7; 400]), ("13.zip", b"thirteen")]);
        // The first byte of the first file's data.
        let start = 30 + "12.zip".len();
        bytes[start] ^= 0xff;
        let error = open(&[posting("12")], &bytes).unwrap_err();
        assert!(error.starts_with("12.zip: "), "{error}");
        assert_eq!(open(&[posting("13")], &bytes).unwrap().files.len(), 1);
        assert!(open(&[posting("12")], b"PK").is_err());
    }

    proptest! {
        #[test]
        fn no_damage_is_too_strange(
            changes in prop::collection::vec((0..400_usize, any::<u8>()), 0..6), cut in 0..400_usize
        ) {
            let mut bytes = zip_of(&[("12.zip", &[7; 100]), ("-13.zip", b"thirteen")]);
            for (position, byte) in changes {
                let length = bytes.len();
                bytes[position % length] = byte;
            }
            bytes.truncate(bytes.len() - cut % 8 * 5);
            let asked = ["12", "-13"].map(posting);
            if let Ok(downloads) = open(&asked, &bytes) {
                prop_assert_eq!(downloads.files.len() + downloads.absent.len(), 2);
            }
        }
    }
}
